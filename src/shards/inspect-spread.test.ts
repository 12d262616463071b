import { describe, expect, it } from 'vitest';
import { down, flipShard, hang, type TestBackend, testBackends, testSet } from '../../test/support/spreads.ts';
import { inspectBackends } from './inspect-backends.ts';
import { inspectSpread } from './inspect-spread.ts';
import { shardBlobKey } from './shard-blob-key.ts';
import { formatShardSet } from './shard-set-json.ts';
import { spreadShardSet } from './spread-shard-set.ts';

const SET = testSet();
const CLOCK = { now: () => Date.UTC(2027, 0, 1), monotonicMs: () => 0 };

async function spread(count = 5) {
  const backends = testBackends(count);
  return { backends, ...(await spreadShardSet(SET, backends)) };
}

describe('the report of a spread set', () => {
  it.each(['check', 'verify'] as const)('says at the depth %s that all is well', async (depth) => {
    const { set, backends } = await spread(3);
    const report = await inspectSpread(formatShardSet(set), backends, { depth, clock: CLOCK });
    expect(report).toEqual({
      depth,
      isWhole: true,
      canDecode: true,
      rootMatches: true,
      good: [0, 1, 2, 3, 4],
      losses: [],
      backends: [
        { name: 'a', good: [0, 3], lost: [], mayBeLost: true },
        { name: 'b', good: [1, 4], lost: [], mayBeLost: true },
        { name: 'c', good: [2], lost: [], mayBeLost: true },
      ],
      lossesLeft: 2,
      backendLossesLeft: 1,
      inspectedAt: '2027-01-01T00:00:00.000Z',
    });
    const calls = new Set(backends.flatMap(({ backend }) => backend.trace.slice(-2).map((call) => call.split(' ')[0])));
    expect(calls.has('get')).toBe(depth === 'verify');
  });

  it('names what is wrong on each backend, and which may still be lost', async () => {
    const { set, backends } = await spread(3);
    const [a, , c] = backends as [TestBackend, TestBackend, TestBackend];
    await a.memory.delete(shardBlobKey(set.id, 0));
    down(c);
    const report = await inspectSpread(set, backends);
    expect(report).toMatchObject({ isWhole: false, canDecode: true, lossesLeft: 0, backendLossesLeft: 0 });
    expect(report.losses).toMatchObject([
      { index: 0, reason: 'missing' },
      { index: 2, reason: 'unreachable', code: 'BACKEND_IO' },
    ]);
    expect(report.backends).toEqual([
      { name: 'a', good: [3], lost: [0], mayBeLost: false },
      { name: 'b', good: [1, 4], lost: [], mayBeLost: false },
      { name: 'c', good: [], lost: [2], mayBeLost: true },
    ]);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it('finds flipped bits only when it reads, wrong lengths also when it does not', async () => {
    const { set, backends } = await spread();
    await flipShard(set, 1, backends[1] as TestBackend);
    await backends[2]?.memory.put(shardBlobKey(set.id, 2), new Uint8Array(335));
    const reasons = async (depth: 'check' | 'verify') =>
      (await inspectSpread(set, backends, { depth })).losses.map(({ index, reason }) => [index, reason]);
    expect(await reasons('check')).toEqual([[2, 'corrupt']]);
    expect(await reasons('verify')).toEqual([
      [1, 'corrupt'],
      [2, 'corrupt'],
    ]);
  });

  it('reports shards that nobody placed, and backends that were not given', async () => {
    const { set, backends } = await spread();
    const { digest } = set.shards[4] as (typeof set.shards)[0];
    const report = await inspectSpread({ ...set, shards: set.shards.with(4, { digest, bytes: undefined }) }, [
      ...backends.slice(1),
    ]);
    expect(report.losses).toMatchObject([
      { index: 0, reason: 'unreachable', code: 'BACKEND_NOT_FOUND' },
      { index: 4, reason: 'unplaced' },
    ]);
    expect(report.backends.map(({ name }) => name)).toEqual(['b', 'c', 'd', 'e', 'a']);
  });

  it('is a report too when the content is lost, or the root is wrong', async () => {
    const { set, backends } = await spread();
    expect(await inspectSpread({ ...set, root: set.digest }, backends)).toMatchObject({
      isWhole: false,
      rootMatches: false,
      losses: [],
    });
    for (const backend of backends.slice(0, 3)) down(backend);
    const report = await inspectSpread(set, backends);
    expect(report).toMatchObject({ canDecode: false, lossesLeft: -1, backendLossesLeft: -1 });
  });

  it('does not believe the bytes that the set brings', async () => {
    const { backends, set } = await spread();
    const shards = SET.shards.map(({ digest, bytes }, index) => ({ ...set.shards[index], digest, bytes }));
    await backends[0]?.memory.delete(shardBlobKey(set.id, 0));
    expect((await inspectSpread({ ...set, shards }, backends)).good).toEqual([1, 2, 3, 4]);
  });

  it('gives up a backend that hangs, and rejects when it is aborted', async () => {
    const { set, backends } = await spread();
    hang(backends[0] as TestBackend, 'head');
    const { losses } = await inspectSpread(set, backends, { depth: 'check', timeoutMs: 5 });
    expect(losses).toMatchObject([{ index: 0, reason: 'unreachable', code: 'BACKEND_UNREACHABLE' }]);
    const inspecting = inspectSpread(set, backends, { signal: AbortSignal.abort(new Error('enough')) });
    await expect(inspecting).rejects.toThrow('enough');
  });

  it('has no other depth', async () => {
    const { set, backends } = await spread();
    await expect(inspectSpread(set, backends, { depth: 'deep' as never })).rejects.toThrow(TypeError);
  });
});

describe('the report of backends', () => {
  it('says which answer and how much they hold, and why the others do not', async () => {
    const { backends } = await spread();
    down(backends[1] as TestBackend);
    const states = await inspectBackends(backends);
    expect(states[0]).toEqual({ name: 'a', isUp: true, space: { usedBytes: 334 } });
    expect(states[1]).toMatchObject({ name: 'b', isUp: false, code: 'BACKEND_IO' });
    expect(states.map(({ isUp }) => isUp)).toEqual([true, false, true, true, true]);
    await expect(inspectBackends([])).rejects.toThrow(TypeError);
  });
});
