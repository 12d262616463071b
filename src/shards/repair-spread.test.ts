import { describe, expect, it } from 'vitest';
import {
  down,
  flipShard,
  hang,
  keysOn,
  LyingBackend,
  type TestBackend,
  testBackends,
  testSet,
} from '../../test/support/spreads.ts';
import { blake3 } from '../hash/index.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { gatherShardSet } from './gather-shard-set.ts';
import { inspectSpread } from './inspect-spread.ts';
import type { SpreadProgress } from './named-backends.ts';
import { removeSpread } from './remove-spread.ts';
import { repairSpread } from './repair-spread.ts';
import { shardBlobKey } from './shard-blob-key.ts';
import type { SetShard, ShardSet } from './shard-set.ts';
import { formatShardSet } from './shard-set-json.ts';
import { spreadShardSet } from './spread-shard-set.ts';

const SET = testSet();
const CONTENT = seededRandom(1).bytes(1000);

async function spread(count = 5): Promise<{ readonly set: ShardSet; readonly backends: readonly TestBackend[] }> {
  const backends = testBackends(count);
  return { backends, set: (await spreadShardSet(SET, backends)).set };
}

function locationsOf({ shards }: ShardSet): string {
  return shards.map(({ location }) => location?.backend ?? '-').join('');
}

describe('repairing a spread set', () => {
  it('has nothing to do when all is well', async () => {
    const { set, backends } = await spread();
    const report = await repairSpread(formatShardSet(set), backends);
    expect(report).toMatchObject({ isWhole: true, losses: [], repaired: [], failures: [], backendLossesLeft: 2 });
    expect({ ...report.set, verified: '' }).toEqual({ ...set, verified: '' });
    expect(backends.every(({ backend }) => backend.trace.filter((call) => call.startsWith('put')).length === 1)).toBe(
      true,
    );
  });

  it('stores what is missing or wrong where it was', async () => {
    const { set, backends } = await spread();
    await backends[0]?.memory.delete(shardBlobKey(set.id, 0));
    await flipShard(set, 3, backends[3] as TestBackend);
    const report = await repairSpread(set, backends);
    expect(report).toMatchObject({ isWhole: true, lossesLeft: 2, failures: [] });
    expect(report.repaired).toEqual([0, 3].map((index) => ({ index, location: set.shards[index]?.location })));
    expect(await inspectSpread(set, backends)).toMatchObject({ isWhole: true });
  });

  it('moves what cannot stay to the backends with the fewest shards, and says what may be left', async () => {
    const { set, backends } = await spread(3);
    down(backends[1] as TestBackend);
    const report = await repairSpread(set, backends);
    expect(locationsOf(report.set)).toBe('accaa');
    expect(report).toMatchObject({ isWhole: true, lossesLeft: 2, backendLossesLeft: 0 });
    expect(report.repaired).toEqual([
      { index: 1, location: { backend: 'c', key: shardBlobKey(set.id, 1) }, left: set.shards[1]?.location },
      { index: 4, location: { backend: 'a', key: shardBlobKey(set.id, 4) }, left: set.shards[4]?.location },
    ]);
    expect((await gatherShardSet(report.set, [backends[0], backends[2]] as TestBackend[])).content).toEqual(CONTENT);
  });

  it('takes backends that were added, for shards of one that is gone', async () => {
    const { set, backends } = await spread();
    const added = { ...(testBackends(1)[0] as TestBackend), name: 'new' };
    const report = await repairSpread(set, [...backends.slice(0, 4), added]);
    expect(report.repaired).toMatchObject([{ index: 4, location: { backend: 'new' }, left: { backend: 'e' } }]);
    expect(report).toMatchObject({ isWhole: true, backendLossesLeft: 2 });
  });

  it('places shards that were not placed before', async () => {
    const backends = testBackends(5);
    down(backends[1] as TestBackend);
    const { set } = await spreadShardSet(SET, backends);
    backends[1]?.backend.heal();
    const report = await repairSpread(set, backends);
    expect(locationsOf(report.set)).toBe('abcde');
    expect(report).toMatchObject({ isWhole: true, losses: [{ index: 1, reason: 'unplaced' }] });
  });

  it('tries another backend when one does not take a shard, or lies', async () => {
    const { set, backends } = await spread();
    const [a, b, ...others] = backends as readonly [TestBackend, TestBackend, ...TestBackend[]];
    await a.memory.delete(shardBlobKey(set.id, 0));
    await b.memory.delete(shardBlobKey(set.id, 1));
    a.backend.fail({ call: 'put', how: 'before' });
    const report = await repairSpread(set, [a, { name: 'b', backend: new LyingBackend(b.memory) }, ...others]);
    expect(report).toMatchObject({ isWhole: true, lossesLeft: 2 });
    expect(report.failures).toMatchObject([
      { index: 0, location: { backend: 'a' }, code: 'BACKEND_IO' },
      { index: 1, location: { backend: 'b' }, code: 'SHARD_CORRUPT' },
    ]);
    expect(await inspectSpread(report.set, backends)).toMatchObject({ isWhole: true });
  });

  it('ends without the shards that nobody takes, and says so', async () => {
    const { set, backends } = await spread();
    down(backends[0] as TestBackend);
    for (const { backend } of backends) backend.fail({ call: 'put', how: 'before', times: Infinity });
    const told: SpreadProgress[] = [];
    const report = await repairSpread(set, backends, { onProgress: (progress) => void told.push(progress) });
    expect(report).toMatchObject({ isWhole: false, repaired: [], lossesLeft: 1 });
    expect(report.failures.map(({ location }) => location.backend).sort()).toEqual(['b', 'c', 'd', 'e']);
    expect(locationsOf(report.set)).toBe('abcde');
    expect(told.at(-1)).toMatchObject({ phase: 'repair', done: 1, total: 1 });
    for (const { backend } of backends) backend.heal();
    expect(await repairSpread(report.set, backends)).toMatchObject({ isWhole: true });
  });

  it('does not spread a shard that was forged with its digest', async () => {
    const { set, backends } = await spread();
    const bytes = seededRandom(8).bytes(334);
    await backends[1]?.memory.put(shardBlobKey(set.id, 1), bytes);
    const forged = { ...set, shards: set.shards.with(1, { ...(set.shards[1] as SetShard), digest: blake3(bytes) }) };
    const report = await repairSpread(forged, backends);
    expect(report.losses).toMatchObject([{ index: 1, reason: 'corrupt' }]);
    expect(report.set.shards).toEqual(set.shards);
    expect(await inspectSpread(set, backends)).toMatchObject({ isWhole: true });
  });

  it('does not move a shard over something else', async () => {
    const { set, backends } = await spread();
    const other = new Uint8Array([7]);
    await backends[1]?.memory.put(shardBlobKey(set.id, 0), other);
    down(backends[0] as TestBackend);
    const report = await repairSpread(set, backends);
    expect(report.failures).toMatchObject([{ index: 0, location: { backend: 'b' }, code: 'BLOB_EXISTS' }]);
    expect(report.repaired).toMatchObject([{ index: 0, location: { backend: 'c' } }]);
    expect(await backends[1]?.memory.get(shardBlobKey(set.id, 0))).toEqual(other);
  });

  it('leaves the blobs of others under foreign keys alone', async () => {
    const { set, backends } = await spread();
    await backends[1]?.memory.put('packs/ab', new Uint8Array([1]));
    const location = { backend: 'b', key: 'packs/ab' };
    const strange = { ...set, shards: set.shards.with(1, { ...(set.shards[1] as SetShard), location }) };
    const report = await repairSpread(strange, backends);
    expect(report.repaired).toEqual([{ index: 1, location: set.shards[1]?.location, left: location }]);
    expect(await backends[1]?.memory.get('packs/ab')).toEqual(new Uint8Array([1]));
    await expect(removeSpread(strange, backends)).rejects.toMatchObject({
      code: 'SHARD_SET_INVALID',
      details: { setting: 'shards.1.location.key' },
    });
    expect((await keysOn(backends)).flat()).toHaveLength(6);
  });

  it('writes nothing when the content is lost', async () => {
    const { set, backends } = await spread();
    for (const index of [0, 1, 2]) await backends[index]?.memory.delete(shardBlobKey(set.id, index));
    await expect(repairSpread(set, backends)).rejects.toMatchObject({ code: 'SHARDS_INSUFFICIENT' });
    down(backends[0] as TestBackend);
    await expect(repairSpread(set, backends)).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE' });
    expect(await keysOn(backends)).toEqual([[], [], [], [shardBlobKey(set.id, 3)], [shardBlobKey(set.id, 4)]]);
  });

  it('can be aborted, and done again', async () => {
    const { set, backends } = await spread();
    for (const index of [0, 1]) await backends[index]?.memory.delete(shardBlobKey(set.id, index));
    hang(backends[1] as TestBackend, 'put');
    const aborting = new AbortController();
    const onProgress = ({ phase, done }: SpreadProgress) => phase === 'repair' && done === 1 && aborting.abort();
    const repairing = repairSpread(set, backends, { signal: aborting.signal, onProgress });
    await expect(repairing).rejects.toThrow(/aborted/);
    backends[1]?.backend.heal();
    expect(await repairSpread(set, backends)).toMatchObject({ isWhole: true, repaired: [{ index: 1 }] });
  });
});

describe('removing a spread set', () => {
  it('deletes every shard', async () => {
    const { set, backends } = await spread(2);
    await backends[0]?.memory.delete(shardBlobKey(set.id, 0));
    const removed = await removeSpread(formatShardSet(set), backends);
    expect(removed).toMatchObject({ removed: [0, 1, 2, 3, 4], failures: [] });
    expect(locationsOf(removed.set)).toBe('-----');
    expect(await keysOn(backends)).toEqual([[], []]);
    expect(await removeSpread(removed.set, backends)).toMatchObject({ removed: [], failures: [] });
  });

  it('goes on past failures and keeps what is still there', async () => {
    const { set, backends } = await spread();
    down(backends[1] as TestBackend);
    const removed = await removeSpread(set, backends.slice(0, 4));
    expect(removed.removed).toEqual([0, 2, 3]);
    expect(removed.failures).toMatchObject([
      { index: 1, code: 'BACKEND_IO' },
      { index: 4, code: 'BACKEND_NOT_FOUND' },
    ]);
    expect(locationsOf(removed.set)).toBe('-b--e');
    backends[1]?.backend.heal();
    expect(await removeSpread(removed.set, backends)).toMatchObject({ removed: [1, 4], failures: [] });
    expect((await keysOn(backends)).flat()).toEqual([]);
  });
});
