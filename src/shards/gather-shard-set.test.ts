import { describe, expect, it } from 'vitest';
import { down, flipShard, hang, type TestBackend, testBackends, testSet } from '../../test/support/spreads.ts';
import { blake3 } from '../hash/index.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { type GatherOptions, gatherShardSet } from './gather-shard-set.ts';
import type { SetShard, ShardSet } from './shard-set.ts';
import { formatShardSet } from './shard-set-json.ts';
import { spreadShardSet } from './spread-shard-set.ts';

const SET = testSet();
const CONTENT = seededRandom(1).bytes(1000);

interface Spread {
  readonly set: ShardSet;
  readonly backends: readonly TestBackend[];
}

async function spread(count = 5, source = SET): Promise<Spread> {
  const backends = testBackends(count);
  const { set } = await spreadShardSet(source, backends);
  return { set, backends };
}

const gather = ({ set, backends }: Spread, options: GatherOptions = {}) => gatherShardSet(set, backends, options);

function gets({ backends }: Spread): readonly number[] {
  return backends.map(({ backend }) => backend.trace.filter((call) => call.startsWith('get')).length);
}

/** The set with other shards, as somebody who can write its description would have it. */
function withShard(set: ShardSet, index: number, change: Partial<SetShard>): ShardSet {
  return { ...set, shards: set.shards.with(index, { ...(set.shards[index] as SetShard), ...change }) };
}

/** Writes other bytes in the place of a shard, and lets the set name their digest. */
async function forge({ set, backends }: Spread, index: number): Promise<Spread> {
  const { backend = '', key = '' } = set.shards[index]?.location ?? {};
  const bytes = seededRandom(100 + index).bytes(334);
  await backends.find(({ name }) => name === backend)?.memory.put(key, bytes);
  return { backends, set: withShard(set, index, { digest: blake3(bytes) }) };
}

describe('gathering a set', () => {
  it('reads the data shards and nothing else when all is well', async () => {
    const all = await spread();
    const gathered = await gather(all);
    expect(gathered.content).toEqual(CONTENT);
    expect(gathered).toMatchObject({ used: [0, 1, 2], asked: [0, 1, 2], losses: [], rootMatches: true, choices: 1 });
    expect(gets(all)).toEqual([1, 1, 1, 0, 0]);
  });

  it('tells how many of the shards it needs are there', async () => {
    const all = await spread();
    down(all.backends[0] as TestBackend);
    const told: unknown[] = [];
    await gather(all, { onProgress: ({ phase, ...counts }) => told.push([phase, ...Object.values(counts)]) });
    expect(told).toEqual([1, 2, 3].map((done) => ['gather', done, 3, done * 334]));
  });

  it('takes the JSON of the set, and shards that the set has already', async () => {
    const { set, backends } = await spread();
    const json = formatShardSet(withShard(set, 1, { bytes: SET.shards[1]?.bytes as Uint8Array }));
    const gathered = await gatherShardSet(json, backends);
    expect(gathered.content).toEqual(CONTENT);
    expect(gathered).toMatchObject({ used: [0, 1, 2], asked: [0, 2] });
    expect((await gatherShardSet(SET, backends)).asked).toEqual([]);
  });

  it.each([0, 1])('gives content of %i bytes', async (bytes) => {
    const gathered = await gather(await spread(3, testSet('2+1', { bytes })));
    expect(gathered.content).toEqual(seededRandom(1).bytes(bytes));
  });

  it('makes up for a missing, a corrupt and an unreachable shard, and says which they are', async () => {
    const all = await spread(5, testSet('2+3'));
    await all.backends[0]?.memory.delete(all.set.shards[0]?.location?.key ?? '');
    await flipShard(all.set, 1, all.backends[1] as TestBackend);
    down(all.backends[2] as TestBackend);
    const gathered = await gather(all);
    expect(gathered.content).toEqual(CONTENT);
    expect(gathered).toMatchObject({ used: [3, 4] });
    expect(gathered.losses).toMatchObject([
      { index: 0, reason: 'missing', location: { backend: 'a' } },
      { index: 1, reason: 'corrupt', code: 'SHARD_CORRUPT' },
      { index: 2, reason: 'unreachable', code: 'BACKEND_IO' },
    ]);
    expect(JSON.parse(JSON.stringify(gathered.losses))).toEqual(gathered.losses);
  });

  it.each<[string, (all: Spread) => Promise<unknown> | undefined, string]>([
    ['half of it', async ({ backends }) => backends[0]?.backend.fail({ call: 'get', how: 'torn' }), 'corrupt'],
    [
      'a stale value',
      async ({ set, backends }) => {
        const stale = testSet('3+2', { seed: 9 }).shards[0]?.bytes as Uint8Array;
        await backends[0]?.memory.put(set.shards[0]?.location?.key ?? '', stale);
      },
      'corrupt',
    ],
    [
      'a blob that is too short',
      ({ set, backends }) => backends[0]?.memory.put(set.shards[0]?.location?.key ?? '', new Uint8Array(333)),
      'corrupt',
    ],
  ])('does not take %s for a shard', async (_, damage, reason) => {
    const all = await spread();
    await damage(all);
    const gathered = await gather(all);
    expect(gathered.content).toEqual(CONTENT);
    expect(gathered.losses).toMatchObject([{ index: 0, reason }]);
  });

  it('takes a backend that it does not know for one that is out of reach', async () => {
    const { set, backends } = await spread();
    const gathered = await gatherShardSet(set, backends.slice(2));
    expect(gathered.losses).toMatchObject([
      { index: 0, reason: 'unreachable', code: 'BACKEND_NOT_FOUND' },
      { index: 1, reason: 'unreachable', code: 'BACKEND_NOT_FOUND' },
    ]);
  });

  it('reads another shard besides a slow one, and aborts what it does not need', async () => {
    const all = await spread();
    hang(all.backends[1] as TestBackend, 'get');
    const gathered = await gather(all, { hedgeMs: 1 });
    expect(gathered.content).toEqual(CONTENT);
    expect(gathered.used).not.toContain(1);
    expect(gathered.losses).toEqual([]);
  });

  it('gives up a backend that hangs in the end, where nobody else has the shard', async () => {
    const all = await spread(1);
    hang(all.backends[0] as TestBackend, 'get');
    await expect(gather(all, { timeoutMs: 5 })).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE', retry: true });
  });

  it('does without any listing', async () => {
    const all = await spread();
    for (const { backend } of all.backends) backend.fail({ call: 'list', how: 'before', times: Infinity });
    expect((await gather(all)).content).toEqual(CONTENT);
  });

  it('rejects with the reason when it is aborted', async () => {
    const all = await spread();
    const aborting = new AbortController();
    for (const backend of all.backends) hang(backend, 'get');
    const gathering = gather(all, { signal: aborting.signal });
    aborting.abort(new Error('enough'));
    await expect(gathering).rejects.toThrow('enough');
  });

  it('passes on what is no error of a backend', async () => {
    const all = await spread();
    all.backends[1]?.backend.fail({ call: 'get', how: 'before', error: new TypeError('a bug') });
    await expect(gather(all)).rejects.toThrow('a bug');
  });
});

describe('a shard that was forged with its digest', () => {
  it.each([[[0]], [[4]], [[0, 1]], [[1, 3]]])('at %j is told by the content', async (indexes) => {
    let all = await spread();
    for (const index of indexes) all = await forge(all, index);
    const gathered = await gather(all);
    expect(gathered.content).toEqual(CONTENT);
    expect(gathered.rootMatches).toBe(false);
    const asked = indexes.filter((index) => gathered.asked.includes(index));
    expect(gathered.losses.map(({ index, reason }) => [index, reason])).toEqual(asked.map((one) => [one, 'corrupt']));
  });

  it('is told when those that were too slow at first have answered', async () => {
    const { set, backends } = await forge(await spread(), 4);
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    for (const index of [1, 2])
      backends[index]?.backend.fail({ call: 'get', how: 'wait', until: gate, times: Infinity });
    const onProgress = ({ done }: { readonly done: number }) => done === 3 && open();
    const gathered = await gather({ set, backends }, { hedgeMs: 1, onProgress });
    expect(gathered.content).toEqual(CONTENT);
    expect(gathered.losses).toMatchObject([{ index: 4, reason: 'corrupt' }]);
  });

  it('is the end where the shards that could tell are out of reach', async () => {
    const { set, backends } = await forge(await spread(), 4);
    for (const index of [1, 2]) down(backends[index] as TestBackend);
    await expect(gather({ set, backends })).rejects.toMatchObject({ code: 'SHARD_SET_CORRUPT' });
  });

  it('in too many places is the end', async () => {
    let all = await spread();
    for (const index of [0, 1, 2]) all = await forge(all, index);
    await expect(gather(all)).rejects.toMatchObject({ code: 'SHARD_SET_CORRUPT' });
  });
});

describe('too few shards', () => {
  it('are lost when their backends say so', async () => {
    const { set, backends } = await spread();
    for (const index of [0, 1, 2]) await backends[index]?.memory.delete(set.shards[index]?.location?.key ?? '');
    await expect(gatherShardSet(set, backends)).rejects.toMatchObject({
      code: 'SHARDS_INSUFFICIENT',
      message: '3 shards are needed, 2 are good: 0 on a missing, 1 on b missing, 2 on c missing',
      details: { expected: 3, actual: 2 },
    });
  });

  it('are out of reach when a backend that cannot be asked may have them', async () => {
    const all = await spread();
    for (const index of [0, 1, 2]) down(all.backends[index] as TestBackend);
    await expect(gather(all)).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE', retry: true });
    await expect(gatherShardSet(all.set, [all.backends[4] as TestBackend])).rejects.toMatchObject({
      code: 'BACKEND_UNREACHABLE',
    });
  });

  it('are lost when nobody placed them', async () => {
    const shards = SET.shards.map(({ digest }) => ({ digest, bytes: undefined }));
    await expect(gatherShardSet({ ...SET, shards }, testBackends(1))).rejects.toMatchObject({
      code: 'SHARDS_INSUFFICIENT',
    });
  });
});

describe('what cannot be gathered', () => {
  it('refuses a key that is none, before any backend is asked', async () => {
    const { set, backends } = await spread();
    const escaping = withShard(set, 2, { location: { backend: 'a', key: '../../etc/passwd' } });
    await expect(gatherShardSet(escaping, backends)).rejects.toMatchObject({
      code: 'SHARD_SET_INVALID',
      details: { setting: 'shards.2.location.key' },
    });
    expect(gets({ set, backends })).toEqual([0, 0, 0, 0, 0]);
  });

  it('refuses what is no set, two backends of one name, and a time that is none', async () => {
    const { set, backends } = await spread();
    await expect(gatherShardSet('{}', backends)).rejects.toMatchObject({ code: 'SHARD_SET_INVALID' });
    const twins = [...backends, { ...(testBackends(1)[0] as TestBackend) }];
    await expect(gatherShardSet(set, twins)).rejects.toMatchObject({ code: 'BACKEND_EXISTS' });
    await expect(gatherShardSet(set, backends, { hedgeMs: -1 })).rejects.toThrow(RangeError);
  });
});
