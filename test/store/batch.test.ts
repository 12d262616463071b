import { describe, expect, it } from 'vitest';
import type { BatchWriter } from '../../src/index.ts';
import { noise, sameBytes, text } from '../support/contents.ts';
import { keysOf, memoryStore, SOUND, sharedStore } from '../support/stores.ts';

const shared = sharedStore();

describe('a batch', () => {
  it('makes all its changes in one commit, in the order of the calls, and gives what its work gives', async () => {
    const store = await memoryStore();
    await store.put('old', 'old');
    const before = (await store.stats()).commit;
    const result = await store.batch(async (batch) => {
      const staged = await batch.put('a', 'one');
      batch.copy('a', 'b');
      void batch.put('a', 'two');
      batch.rename('old', 'new');
      batch.delete('new');
      batch.rename('b', 'c');
      return staged;
    });
    expect(result).toMatchObject({ key: 'a', size: 3, chunks: 1 });
    expect((await store.stats()).commit).toBe(before + 1);
    expect(await keysOf(store)).toEqual(['a', 'c']);
    expect(await store.get('a')).toEqual(text('two'));
    expect(await store.get('c')).toEqual(text('one'));
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('of nothing commits nothing', async () => {
    const { store } = shared;
    const { commit } = await store.stats();
    expect(await store.batch(() => 7)).toBe(7);
    expect((await store.stats()).commit).toBe(commit);
  });

  it('gives everything up when its work throws', async () => {
    const { store } = shared;
    const failure = new Error('changed my mind');
    const work = async (batch: BatchWriter): Promise<void> => {
      await batch.put('given-up', noise(200_000));
      throw failure;
    };
    await expect(store.batch(work)).rejects.toBe(failure);
    expect(await store.has('given-up')).toBe(false);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it.each([
    [
      'a put whose source fails',
      (batch: BatchWriter) => void batch.put('x', { path: '/nowhere/at/all' }),
      'SOURCE_NOT_FOUND',
    ],
    [
      'a delete of another version',
      (batch: BatchWriter) => batch.delete('x', { ifMatch: '0'.repeat(64) }),
      'PRECONDITION_FAILED',
    ],
    ['a rename of what is not there', (batch: BatchWriter) => batch.rename('nobody', 'y'), 'ENTRY_NOT_FOUND'],
    ['a copy onto what is there', (batch: BatchWriter) => batch.copy('first', 'there'), 'ENTRY_EXISTS'],
    [
      'a put where something is',
      (batch: BatchWriter) => void batch.put('there', 'x', { ifAbsent: true }),
      'ENTRY_EXISTS',
    ],
  ])('gives everything up for %s', async (_, change, code) => {
    const { store } = shared;
    await store.put('there', 'there');
    const { commit } = await store.stats();
    const work = (batch: BatchWriter): void => {
      void batch.put('first', 'first');
      change(batch);
      void batch.put('last', 'last');
    };
    await expect(store.batch(work)).rejects.toMatchObject({ code });
    expect(await store.has('first')).toBe(false);
    expect(await store.has('last')).toBe(false);
    expect((await store.stats()).commit).toBe(commit);
  });

  it('gives everything up for a put that failed even when its work took no notice', async () => {
    const { store } = shared;
    const work = async (batch: BatchWriter): Promise<void> => {
      await batch.put('noticed', 'x');
      await batch.put('unnoticed', 5 as unknown as string).catch(() => undefined);
    };
    await expect(store.batch(work)).rejects.toBeInstanceOf(TypeError);
    expect(await store.has('noticed')).toBe(false);
  });

  it('sees its own changes: creates, and replaces the version it made', async () => {
    const { store } = shared;
    await store.batch(async (batch) => {
      const { version } = await batch.put('fresh', 'one', { ifAbsent: true });
      await batch.put('fresh', 'two', { ifMatch: version });
    });
    expect(await store.get('fresh')).toEqual(text('two'));
  });

  it('has ended when its work has', async () => {
    const { store } = shared;
    let kept: BatchWriter | undefined;
    await store.batch((batch) => {
      kept = batch;
    });
    const ended = expect.objectContaining({ code: 'BATCH_ENDED', kind: 'closed' });
    await expect(kept?.put('late', 'x')).rejects.toEqual(ended);
    for (const call of ['delete', 'rename', 'copy'] as const)
      expect(() => kept?.[call]('a', 'b' as never)).toThrow(ended);
    expect(await store.has('late')).toBe(false);
  });

  it('waits for puts that nobody awaited', async () => {
    const { store } = shared;
    const content = noise(500_000, 3);
    await store.batch((batch) => {
      for (let index = 0; index < 5; index += 1) void batch.put(`unawaited/${index}`, [content, text(String(index))]);
    });
    expect(await keysOf(store, { prefix: 'unawaited/' })).toHaveLength(5);
    expect(sameBytes((await store.get('unawaited/4')).subarray(0, 500_000), content)).toBe(true);
  });

  it('stores content once, however often it comes', async () => {
    const store = await memoryStore();
    const content = noise(300_000, 4);
    await store.batch(async (batch) => {
      for (let index = 0; index < 4; index += 1) await batch.put(`same/${index}`, content);
    });
    expect(await store.stats()).toMatchObject({ uniqueBytes: 300_000, logicalBytes: 1_200_000, savingsPercent: 75 });
  });

  it('takes nothing but a function', async () => {
    const failure = shared.store.batch('work' as unknown as () => void);
    await expect(failure).rejects.toMatchObject({ code: 'ARGUMENT_INVALID', parameter: 'work' });
  });

  it('that does not fit one commit is refused as a whole', async () => {
    const store = await memoryStore();
    const attributes = { a: 'x'.repeat(16_000) };
    const work = async (batch: BatchWriter): Promise<void> => {
      for (let index = 0; index < 1600; index += 1) void batch.put(`big/${index}`, '', { attributes });
    };
    await expect(store.batch(work)).rejects.toMatchObject({ code: 'BATCH_TOO_LARGE', kind: 'invalid' });
    expect(await store.stats()).toMatchObject({ entries: 0, commit: 0 });
    await store.put('after', 'x');
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('of thousands of entries is one commit', async () => {
    const store = await memoryStore();
    await store.batch((batch) => {
      for (let index = 0; index < 3000; index += 1) void batch.put(`many/${index}`, `content ${index}`);
    });
    expect(await store.stats()).toMatchObject({ entries: 3000 });
    expect(await store.get('many/2999')).toEqual(text('content 2999'));
    await store.batch((batch) => {
      for (let index = 0; index < 3000; index += 1) batch.delete(`many/${index}`);
    });
    expect(await store.stats()).toMatchObject({ entries: 0, logicalBytes: 0 });
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });
});

describe('putMany', () => {
  it('puts all items in one commit and tells what each added', async () => {
    const store = await memoryStore();
    const content = noise(100_000, 5);
    const progress: string[] = [];
    const results = await store.putMany(
      [
        { key: 'one', source: content },
        { key: 'two', source: content, contentType: 'a/b' },
        { key: null, source: 'named' },
        { key: 'one', source: 'again' },
      ],
      { onProgress: ({ phase, done, bytes }) => progress.push(`${phase} ${done} ${bytes}`) },
    );
    expect(results.map(({ key, newBytes }) => [key, newBytes])).toEqual([
      ['one', 100_000],
      ['two', 0],
      [expect.stringMatching(/^blake3:/), 5],
      ['one', 5],
    ]);
    expect(progress).toEqual(['put 1 100000', 'put 2 200000', 'put 3 200005', 'put 4 200010']);
    expect(await store.get('one')).toEqual(text('again'));
    expect(await store.stats()).toMatchObject({ entries: 3 });
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('puts none of them when one fails', async () => {
    const { store } = shared;
    async function* items() {
      yield { key: 'many-1', source: 'x' };
      yield { key: 'many-2', source: { path: '/nowhere/at/all' } };
      yield { key: 'many-3', source: 'x' };
    }
    await expect(store.putMany(items())).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    expect(await keysOf(store, { prefix: 'many-' })).toEqual([]);
  });

  it('puts none of them when the items themselves end in a failure', async () => {
    const { store } = shared;
    const failure = new Error('no more items');
    function* items() {
      yield { key: 'many-1', source: 'x' };
      throw failure;
    }
    await expect(store.putMany(items())).rejects.toBe(failure);
    expect(await keysOf(store, { prefix: 'many-' })).toEqual([]);
  });

  it('of no items commits nothing', async () => {
    expect(await shared.store.putMany([])).toEqual([]);
  });
});

describe('getMany', () => {
  it('gives contents in the order asked, repeated ones each an array of its own', async () => {
    const { store } = shared;
    const large = noise(2_000_000, 6);
    await store.putMany([
      { key: 'g1', source: 'one' },
      { key: 'g2', source: large },
      { key: 'g3', source: '' },
    ]);
    const [third, second, first, again] = await store.getMany(['g3', 'g2', 'g1', 'g1']);
    expect(third).toEqual(new Uint8Array(0));
    expect(sameBytes(second as Uint8Array, large)).toBe(true);
    expect(first).toEqual(text('one'));
    first?.fill(0);
    expect(again).toEqual(text('one'));
    expect(await store.getMany([])).toEqual([]);
  });

  it('gives all or an error', async () => {
    const { store } = shared;
    await store.put('g1', 'one');
    await expect(store.getMany(['g1', 'absent'])).rejects.toMatchObject({
      code: 'ENTRY_NOT_FOUND',
      details: { key: 'absent' },
    });
  });

  it('gives hundreds of small ones', async () => {
    const { store } = shared;
    const keys = Array.from({ length: 700 }, (_, index) => `small/${index}`);
    await store.putMany(keys.map((key) => ({ key, source: key.repeat(20) })));
    const contents = await store.getMany(keys.toReversed());
    expect(contents.map((bytes) => Buffer.from(bytes).toString())).toEqual(
      keys.toReversed().map((key) => key.repeat(20)),
    );
  });
});
