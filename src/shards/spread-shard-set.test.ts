import { describe, expect, it } from 'vitest';
import {
  down,
  hang,
  keysOn,
  LyingBackend,
  type TestBackend,
  testBackends,
  testSet,
} from '../../test/support/spreads.ts';
import { readOnlyBackend } from '../backend/index.ts';
import type { SpreadProgress } from './named-backends.ts';
import { shardBlobKey } from './shard-blob-key.ts';
import type { ShardPlaces } from './shard-places.ts';
import { spreadShardSet } from './spread-shard-set.ts';

const SET = testSet();

describe('spreading a set', () => {
  it('puts each shard on the next backend, under a key of its own, and says where it is', async () => {
    const backends = testBackends(5);
    const spread = await spreadShardSet(SET, backends);
    expect(spread).toMatchObject({ stored: [0, 1, 2, 3, 4], failures: [], lossesLeft: 2, backendLossesLeft: 2 });
    for (const [index, { name, memory }] of backends.entries()) {
      const key = `shards/${SET.id.slice(0, 2)}/${SET.id}.${index}`;
      expect(spread.set.shards[index]).toEqual({
        digest: SET.shards[index]?.digest,
        bytes: undefined,
        location: { backend: name, key },
      });
      expect(await memory.get(key)).toEqual(SET.shards[index]?.bytes);
    }
  });

  it('goes round when there are more shards than backends, and tells what that bears', async () => {
    const backends = testBackends(2);
    const spread = await spreadShardSet(SET, backends);
    expect(spread.set.shards.map(({ location }) => location?.backend)).toEqual(['a', 'b', 'a', 'b', 'a']);
    expect(spread).toMatchObject({ lossesLeft: 2, backendLossesLeft: 0 });
  });

  it.each<[string, ShardPlaces, string]>([
    ['one backend', { strategy: 'single', backend: 'b' }, 'bbbbb'],
    ['a map', { strategy: 'map', map: { 0: 'c', 3: 'a' } }, 'cbcab'],
  ])('follows %s', async (_, places, expected) => {
    const { set } = await spreadShardSet(SET, testBackends(3), { places });
    expect(set.shards.map(({ location }) => location?.backend).join('')).toBe(expected);
  });

  it('tells how far it is', async () => {
    const told: SpreadProgress[] = [];
    await spreadShardSet(SET, testBackends(3), { onProgress: (progress) => void told.push(progress) });
    expect(told.map(({ done }) => done)).toEqual([1, 2, 3, 4, 5]);
    expect(told.at(-1)).toEqual({ phase: 'spread', done: 5, total: 5, bytes: 5 * 334 });
  });

  it('has no more shards under way on a backend than it may', async () => {
    const backends = testBackends(1);
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    backends[0]?.backend.fail({ call: 'put', how: 'wait', until: gate, times: Infinity });
    const spreading = spreadShardSet(SET, backends, { concurrency: 2 });
    const puts = () => backends[0]?.backend.trace.filter((call) => call.startsWith('put')).length;
    await expect.poll(puts).toBe(2);
    open();
    await spreading;
    expect(puts()).toBe(5);
  });

  it('twice stores nothing twice', async () => {
    const backends = testBackends(5);
    const first = await spreadShardSet(SET, backends);
    for (const { backend } of backends) backend.fail({ call: 'put', how: 'before', times: Infinity });
    expect(await spreadShardSet(SET, backends)).toEqual(first);
  });
});

describe('when backends fail', () => {
  it('is content with what a store is content with, and places nothing it could not', async () => {
    const backends = testBackends(5);
    down(backends[1] as TestBackend);
    const spread = await spreadShardSet(SET, backends);
    expect(spread).toMatchObject({ stored: [0, 2, 3, 4], lossesLeft: 1, backendLossesLeft: 1 });
    expect(spread.failures).toMatchObject([{ index: 1, location: { backend: 'b' }, code: 'BACKEND_IO' }]);
    expect(spread.set.shards[1]).toEqual({ digest: SET.shards[1]?.digest, bytes: undefined });
  });

  it('takes everything back when too few are stored, and says which failed', async () => {
    const backends = testBackends(5);
    down(backends[1] as TestBackend);
    down(backends[4] as TestBackend);
    await expect(spreadShardSet(SET, backends)).rejects.toMatchObject({
      code: 'REDUNDANCY_UNMET',
      retry: true,
      message: expect.stringMatching(/shard 1 on b .*shard 4 on e /),
      details: { expected: 4 },
    });
    expect(await keysOn(backends)).toEqual([[], [], [], [], []]);
    expect((await spreadShardSet(SET, backends, { shardsMin: 3 })).stored).toEqual([0, 2, 3]);
    await expect(spreadShardSet(SET, backends, { shardsMin: 5 })).rejects.toMatchObject({ code: 'REDUNDANCY_UNMET' });
  });

  it('does not take back what was there before', async () => {
    const backends = testBackends(5);
    const keys = [0, 1].map((index) => shardBlobKey(SET.id, index));
    await backends[0]?.memory.put(keys[0] as string, SET.shards[0]?.bytes as Uint8Array);
    await backends[1]?.memory.put(keys[1] as string, new Uint8Array([7]));
    down(backends[4] as TestBackend);
    await expect(spreadShardSet(SET, backends)).rejects.toMatchObject({ code: 'REDUNDANCY_UNMET' });
    expect(await keysOn(backends)).toEqual([[keys[0]], [keys[1]], [], [], []]);
  });

  it('leaves something else under the name of a shard alone, and has not stored that shard', async () => {
    const backends = testBackends(5);
    const other = testSet('3+2', { seed: 2 });
    const key = shardBlobKey(SET.id, 2);
    await backends[2]?.memory.put(key, other.shards[2]?.bytes as Uint8Array);
    const { failures } = await spreadShardSet(SET, backends);
    expect(failures).toMatchObject([{ index: 2, code: 'BLOB_EXISTS' }]);
    expect(await backends[2]?.memory.get(key)).toEqual(other.shards[2]?.bytes);
  });

  it('believes the bytes, not the error, when a put fails after all was done', async () => {
    const backends = testBackends(5);
    backends[2]?.backend.fail({ call: 'put', how: 'after' });
    expect((await spreadShardSet(SET, backends)).stored).toEqual([0, 1, 2, 3, 4]);
  });

  it('cleans up after a put that failed half-way', async () => {
    const backends = testBackends(5);
    backends[2]?.backend.fail({ call: 'put', how: 'torn' });
    const { failures } = await spreadShardSet(SET, backends);
    expect(failures).toMatchObject([{ index: 2, code: 'BACKEND_IO' }]);
    expect((await keysOn(backends))[2]).toEqual([]);
  });

  it('finds out a backend that lies about success, and by reading one that has other bytes', async () => {
    const backends = testBackends(5);
    const [a, ...others] = backends as readonly [TestBackend, ...TestBackend[]];
    const lying = [{ name: 'a', backend: new LyingBackend(a.memory) }, ...others];
    expect((await spreadShardSet(SET, lying)).failures).toMatchObject([{ index: 0, code: 'SHARD_CORRUPT' }]);
    const fresh = testBackends(5);
    fresh[3]?.backend.fail({ call: 'get', how: 'torn' });
    const { failures } = await spreadShardSet(SET, fresh, { confirm: 'bytes' });
    expect(failures).toMatchObject([{ index: 3, code: 'SHARD_CORRUPT' }]);
  });

  it('does not wait for a backend that hangs longer than it may, nor ask it again', async () => {
    const backends = testBackends(2);
    hang(backends[1] as TestBackend, 'put');
    const spreading = spreadShardSet(SET, backends, { timeoutMs: 5, shardsMin: 3, concurrency: 1 });
    const { stored, failures } = await spreading;
    expect(stored).toEqual([0, 2, 4]);
    expect(failures.map(({ code }) => code)).toEqual(['BACKEND_UNREACHABLE', 'BACKEND_UNREACHABLE']);
    expect(backends[1]?.backend.trace.filter((call) => call.startsWith('put'))).toHaveLength(1);
  });

  it('says what it had to leave behind', async () => {
    const backends = testBackends(3);
    down(backends[2] as TestBackend);
    backends[0]?.backend.fail({ call: 'delete', how: 'before', times: Infinity });
    const spreading = spreadShardSet(testSet('2+1'), backends, { shardsMin: 3 });
    await expect(spreading).rejects.toMatchObject({ message: expect.stringMatching(/left behind.*: shard 0 on a/) });
  });

  it('takes everything back when it is aborted, and rejects with the reason', async () => {
    const backends = testBackends(5);
    const aborting = new AbortController();
    const reason = new Error('enough');
    hang(backends[4] as TestBackend, 'put');
    const spreading = spreadShardSet(SET, backends, {
      signal: aborting.signal,
      onProgress: ({ done }) => done === 4 && aborting.abort(reason),
    });
    await expect(spreading).rejects.toBe(reason);
    expect(await keysOn(backends)).toEqual([[], [], [], [], []]);
    const before = backends.map(({ backend }) => backend.trace.length);
    await expect(spreadShardSet(SET, backends, { signal: aborting.signal })).rejects.toBe(reason);
    expect(backends.map(({ backend }) => backend.trace.length)).toEqual(before);
  });

  it('takes everything back and passes on what is no error of a backend', async () => {
    const backends = testBackends(5);
    const bug = new TypeError('a bug');
    backends[3]?.backend.fail({ call: 'put', how: 'before', error: bug });
    await expect(spreadShardSet(SET, backends)).rejects.toBe(bug);
    expect(await keysOn(backends)).toEqual([[], [], [], [], []]);
  });

  it('counts backends that take nothing', async () => {
    const backends = testBackends(5).map(({ name, memory }, index) => ({
      name,
      backend: index === 0 ? readOnlyBackend(memory) : memory,
    }));
    expect((await spreadShardSet(SET, backends)).failures).toMatchObject([{ index: 0, code: 'READ_ONLY' }]);
  });
});

describe('what cannot be spread', () => {
  const [one, two] = testBackends(2) as readonly [TestBackend, TestBackend];

  it.each<[string, unknown, object]>([
    ['two backends of one name', [one, { ...two, name: 'a' }], { code: 'BACKEND_EXISTS' }],
    ['one backend under two names', [one, { ...one, name: 'z' }], { code: 'BACKEND_EXISTS' }],
    ['no backends', [], { name: 'TypeError' }],
    ['no list', one, { name: 'TypeError' }],
    ['no backend', [{ name: 'a', backend: {} }], { name: 'TypeError' }],
    ['no name', [{ ...one, name: '' }], { name: 'TypeError' }],
    ['a name that is too long', [{ ...one, name: 'ä'.repeat(129) }], { name: 'RangeError' }],
  ])('refuses %s', async (_, backends, error) => {
    await expect(spreadShardSet(SET, backends as readonly TestBackend[])).rejects.toMatchObject(error);
  });

  it.each<[string, object, object]>([
    ['a map to nobody', { places: { strategy: 'map', map: { 1: 'x' } } }, { code: 'BACKEND_NOT_FOUND' }],
    ['a single nobody', { places: { strategy: 'single', backend: 'x' } }, { code: 'BACKEND_NOT_FOUND' }],
    ['a map of a shard it has not', { places: { strategy: 'map', map: { 5: 'a' } } }, { name: 'RangeError' }],
    ['a map that is none', { places: { strategy: 'map', map: null } }, { name: 'TypeError' }],
    ['a strategy that is none', { places: { strategy: 'best' } }, { name: 'TypeError' }],
    ['fewer than k', { shardsMin: 2 }, { name: 'RangeError' }],
    ['more than all', { shardsMin: 6 }, { name: 'RangeError' }],
    ['no concurrency', { concurrency: 0 }, { name: 'RangeError' }],
    ['a time that is none', { timeoutMs: -1 }, { name: 'RangeError' }],
    ['a way to confirm that is none', { confirm: 'never' }, { name: 'TypeError' }],
  ])('refuses %s', async (_, options, error) => {
    await expect(spreadShardSet(SET, [one, two], options)).rejects.toMatchObject(error);
    expect(one.backend.trace).toEqual([]);
  });

  it.each([
    ['a missing shard', () => undefined],
    ['a shard of another set', () => testSet('3+2', { seed: 2 }).shards[1]?.bytes],
    ['a shard of another length', () => SET.shards[1]?.bytes?.subarray(1)],
  ])('refuses a set with %s, before anything is written', async (_, bytes) => {
    const shards = SET.shards.with(1, { ...SET.shards[1], bytes: bytes() } as (typeof SET.shards)[0]);
    await expect(spreadShardSet({ ...SET, shards }, [one, two])).rejects.toMatchObject({
      code: 'SHARD_SET_CORRUPT',
      message: expect.stringMatching(/shards 1 /),
    });
    await expect(spreadShardSet({ ...SET, root: SET.digest }, [one, two])).rejects.toMatchObject({
      code: 'SHARD_SET_CORRUPT',
    });
    expect(one.backend.trace).toEqual([]);
  });

  it('is not empty content, which has empty shards', async () => {
    expect((await spreadShardSet(testSet('2+1', { bytes: 0 }), testBackends(3))).stored).toEqual([0, 1, 2]);
  });
});
