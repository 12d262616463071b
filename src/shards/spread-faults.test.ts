import { describe, expect, it } from 'vitest';
import { type TestBackend, testBackends, testSet } from '../../test/support/spreads.ts';
import { isStoreError } from '../errors/store-error.ts';
import { type BackendCall, type BackendFault, type SeededRandom, seededRandom } from '../testing/index.ts';
import { gatherShardSet } from './gather-shard-set.ts';
import { inspectSpread } from './inspect-spread.ts';
import { repairSpread } from './repair-spread.ts';
import { shardBlobKey } from './shard-blob-key.ts';
import type { ShardSet } from './shard-set.ts';
import { spreadShardSet } from './spread-shard-set.ts';

const CALLS: readonly BackendCall[] = ['put', 'get', 'head', 'delete', 'list'];
const WAYS: readonly BackendFault['how'][] = ['before', 'after', 'torn'];

/** Breaks some calls of some backends, now and for a while. */
function breakSome(backends: readonly TestBackend[], random: SeededRandom): void {
  for (const { backend } of backends) {
    backend.heal();
    for (let count = random.integer(3); count > 0; count -= 1) {
      backend.fail({
        call: CALLS[random.integer(CALLS.length)] as BackendCall,
        how: WAYS[random.integer(WAYS.length)] as BackendFault['how'],
        nth: 1 + random.integer(3),
        times: 1 + random.integer(3),
      });
    }
  }
}

/** Flips, cuts, deletes and swaps blobs behind the backends' backs. */
async function damageSome(set: ShardSet, backends: readonly TestBackend[], random: SeededRandom): Promise<void> {
  for (const [index, { location }] of set.shards.entries()) {
    const memory = backends.find(({ name }) => name === location?.backend)?.memory;
    if (!memory || !location || random.integer(4) > 0) continue;
    const bytes = await memory.get(location.key);
    if (bytes === undefined || bytes.length === 0) continue;
    const flipped = bytes.with(random.integer(bytes.length), random.integer(256));
    const other = await memory.get(shardBlobKey(set.id, (index + 1) % set.shards.length));
    const put = [flipped, bytes.subarray(1), other, undefined][random.integer(4)];
    if (put === undefined) await memory.delete(location.key);
    else await memory.put(location.key, put);
  }
}

/** What it gives, or the code of what it throws; anything else is a bug. */
async function outcome<T>(work: Promise<T>): Promise<T | string> {
  try {
    return await work;
  } catch (error) {
    if (isStoreError(error) && error.kind !== 'internal') return error.code;
    throw error;
  }
}

/** One life of a set: spread, damaged, read and repaired under faults. @returns what happened */
async function live(seed: number): Promise<readonly string[]> {
  const random = seededRandom(seed);
  const backends = testBackends(1 + random.integer(6));
  const bytes = random.integer(200);
  const redundancy = `${1 + random.integer(4)}+${random.integer(4)}`;
  const source = testSet(redundancy, { bytes, seed });
  const content = seededRandom(seed).bytes(bytes);
  breakSome(backends, random);
  const spread = await outcome(spreadShardSet(source, backends));
  for (const { backend } of backends) backend.heal();
  if (typeof spread === 'string') return [spread];
  expect((await inspectSpread(spread.set, backends)).good).toEqual(spread.stored);

  let { set } = spread;
  const happened = ['spread'];
  for (let round = 0; round < 4; round += 1) {
    await damageSome(set, backends, random);
    const { canDecode } = await inspectSpread(set, backends);
    breakSome(backends, random);
    const gathered = await outcome(gatherShardSet(set, backends));
    if (typeof gathered !== 'string') expect(gathered.content).toEqual(content);
    breakSome(backends, random);
    const repaired = await outcome(repairSpread(set, backends));
    for (const { backend } of backends) backend.heal();
    happened.push(typeof gathered === 'string' ? gathered : 'gathered');
    if (typeof repaired !== 'string') ({ set } = repaired);
    const report = await inspectSpread(set, backends);
    // A repair under faults may end early, but what could be restored before can be restored after it.
    expect(report.canDecode).toBe(canDecode);
    if (!canDecode) return [...happened, 'lost'];
    if (typeof repaired !== 'string' && repaired.isWhole) expect(report).toMatchObject({ isWhole: true });
    expect((await gatherShardSet(set, backends)).content).toEqual(content);
  }
  return happened;
}

describe('a spread set under random faults', () => {
  it('never gives wrong bytes, never loses what could be restored, and reports what there is', async () => {
    const counts = new Map<string, number>();
    for (let seed = 1; seed <= 200; seed += 1) {
      try {
        for (const one of await live(seed)) counts.set(one, (counts.get(one) ?? 0) + 1);
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
    // Otherwise the faults would have been too many, or too few, to prove anything.
    for (const happened of ['REDUNDANCY_UNMET', 'spread', 'gathered', 'BACKEND_UNREACHABLE', 'lost']) {
      expect(counts.get(happened), happened).toBeGreaterThan(5);
    }
  });
});
