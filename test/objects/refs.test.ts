/** Refs: names of objects that are moved by compare-and-set and remember where they were; addresses that go by them. */
import { describe, expect, it } from 'vitest';
import { type Entries, rebuildStore, type Store } from '../../src/index.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { STORE_KEY } from '../support/sealed-store.ts';
import { loseMetadata } from '../support/store-files.ts';
import { all, folderStore, memoryStore, reopen, SOUND } from '../support/stores.ts';

const STORES = [
  { name: 'a plain store', options: {} },
  { name: 'a sealed store', options: { keys: { key: STORE_KEY } } },
];

async function bundle(entries: Entries, number: number): Promise<string> {
  return (await entries.objects.putBundle({ number })).id;
}

/** Everything that people can ask of objects and refs. */
async function stateOf(entries: Entries) {
  const objects = await all(entries.objects.list());
  const names = (await all(entries.refs.named())).sort();
  const histories = await Promise.all(names.map((name) => all(entries.refs.history(name))));
  return {
    objects: objects.toSorted((a, b) => (`${a.raw}${a.id}` < `${b.raw}${b.id}` ? -1 : 1)),
    refs: await all(entries.refs.list()),
    names,
    histories,
  };
}

describe.each(STORES)('refs of $name', ({ options }) => {
  it('move only from where they are expected', async () => {
    const store = await memoryStore(options);
    const [one, two] = [await bundle(store, 1), await bundle(store, 2)];
    await expect(store.refs.set('main', one, { expected: two })).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
    expect(await store.refs.get('main')).toBeUndefined();
    const set = await store.refs.set('main', one, { expected: null, message: 'made' });
    expect(set).toMatchObject({ name: 'main', id: one, type: 'bundle' });
    await expect(store.refs.set('main', two, { expected: null })).rejects.toMatchObject({ kind: 'conflict' });
    await store.refs.set('main', two, { expected: one });
    expect(await store.refs.get('main')).toMatchObject({ id: two });
    await expect(store.refs.delete('main', { expected: one })).rejects.toMatchObject({ kind: 'conflict' });
    expect(await store.refs.delete('main', { expected: two })).toBe(true);
    expect(await store.refs.delete('main')).toBe(false);
    // Of many who move it from the same place, one wins.
    await store.refs.set('race', one);
    const ids = await Promise.all([10, 11, 12, 13].map((number) => bundle(store, number)));
    const moved = await Promise.allSettled(ids.map((id) => store.refs.set('race', id, { expected: one })));
    expect(moved.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('remember where they were, also when they are deleted, until that is forgotten', async () => {
    const store = await memoryStore(options);
    const [one, two] = [await bundle(store, 1), await bundle(store, 2)];
    await store.refs.set('main', one, { message: 'made' });
    await store.refs.set('main', two);
    await store.refs.delete('main', { message: 'gone' });
    const moves = await all(store.refs.history('main'));
    expect(moves).toMatchObject([
      { number: 3, from: { id: two }, to: null, message: 'gone' },
      { number: 2, from: { id: one }, to: { id: two }, message: '' },
      { number: 1, from: null, to: { type: 'bundle', id: one }, message: 'made' },
    ]);
    expect(await all(store.refs.history('main', { before: 3 }))).toEqual(moves.slice(1));
    expect(await all(store.refs.named())).toEqual(['main']);
    expect(await all(store.refs.list())).toEqual([]);
    expect(await store.refs.forget('main', [1, 2, 2, 77])).toBe(2);
    expect(await all(store.refs.history('main'))).toEqual(moves.slice(0, 1));
    expect(await store.refs.forget('main', [3])).toBe(1);
    expect(await all(store.refs.named())).toEqual([]);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('are of their namespace, and listed by name', async () => {
    const store = await memoryStore(options);
    const id = await bundle(store, 1);
    const names = ['b', 'a/b', 'a_b', 'a/ä', 'a', 'A', 'a/b/c', 'release/1.0', '.hidden', 'de ad', '-x', '😀'];
    for (const name of names) await store.refs.set(name, id);
    const sorted = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect((await all(store.refs.list())).map(({ name }) => name)).toEqual(sorted);
    expect((await all(store.refs.list({ prefix: 'a/' }))).map(({ name }) => name)).toEqual(['a/b', 'a/b/c', 'a/ä']);
    expect((await all(store.refs.named())).sort()).toEqual(names.toSorted());
  });

  it('and their histories come back with a rebuild, as objects do', async () => {
    const { path, store } = await folderStore(options);
    const random = seededRandom(7);
    const ids: string[] = [];
    for (let step = 0; step < 60; step += 1) {
      const name = `ref/${random.integer(4)}`;
      const id = ids[random.integer(Math.max(1, ids.length))];
      const kind = random.integer(6);
      if (kind === 0 || id === undefined) ids.push((await store.objects.putBlob(`${step}`)).id);
      else if (kind === 1)
        ids.push((await store.objects.putTree([{ type: 'raw', name: 'x', id: ids[0] as string }])).id);
      else if (kind === 2) await store.refs.delete(name);
      else if (kind === 3) await store.refs.forget(name, [random.integer(9) + 1]);
      else await store.refs.set(name, id, { message: `step ${step}` });
    }
    const before = await stateOf(store);
    expect(before.refs.length).toBeGreaterThan(0);
    await store.close();
    await loseMetadata(path);
    expect(await rebuildStore(path, { reserveBytes: 0, ...options })).toMatchObject({ problems: [] });
    const rebuilt = await reopen(path, options);
    expect(await stateOf(rebuilt)).toEqual(before);
    expect(await rebuilt.maintenance.check()).toMatchObject(SOUND);
    expect(await rebuilt.objects.verify({ all: true })).toMatchObject({ outcome: 'ok' });
  });
});

describe('refs', () => {
  it('refuse names that are none, and never rewrite one', async () => {
    const store = await memoryStore();
    const id = await bundle(store, 1);
    const hostile = [
      '',
      '/',
      'a/',
      '/a',
      'a//b',
      '.',
      '..',
      '../x',
      'a/../b',
      'a/.',
      'a\\b',
      'a:b',
      'a~1',
      'a^',
      'a?',
      'a*',
    ];
    hostile.push('a[b', 'a@{1}', ' a', 'a ', 'a\u0000b', 'a\nb', '\u007f', '\u0085x', 'latest', 'ab'.repeat(32));
    hostile.push('AB'.repeat(32), 'x'.repeat(257), 'ä'.repeat(129), '\ud800');
    for (const name of hostile) {
      await expect(store.refs.set(name, id), JSON.stringify(name)).rejects.toMatchObject({ code: 'REF_INVALID' });
      await expect(store.refs.get(name)).rejects.toMatchObject({ code: 'REF_INVALID' });
      await expect(store.refs.delete(name)).rejects.toMatchObject({ code: 'REF_INVALID' });
      await expect(all(store.refs.history(name))).rejects.toMatchObject({ code: 'REF_INVALID' });
    }
    await expect(store.refs.set(7 as never, id)).rejects.toBeInstanceOf(TypeError);
    expect(await all(store.refs.list())).toEqual([]);
    const [one, two] = [await bundle(store, 1), await bundle(store, 2)];
    await store.refs.set('a/b', one);
    await store.refs.set('a_b', two);
    await store.refs.set('x'.repeat(256), two);
    expect(await store.refs.get('a/b')).toMatchObject({ name: 'a/b', id: one });
    expect(await store.refs.get('a_b')).toMatchObject({ name: 'a_b', id: two });
  });

  it('name only objects that are there', async () => {
    const store = await memoryStore();
    const { digest } = await store.put('k', 'an entry is no object');
    const absent = '00'.repeat(32);
    await expect(store.refs.set('r', absent)).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
    await expect(store.refs.set('r', digest)).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    await expect(store.refs.set('r', digest.slice(7))).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
    const id = await bundle(store, 1);
    await expect(store.refs.set('r', id, { expected: absent })).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
    await expect(store.refs.set('r', id, { message: 'x'.repeat(1025) })).rejects.toBeInstanceOf(RangeError);
    await expect(store.refs.set('r', id, { message: '\ud800' })).rejects.toBeInstanceOf(TypeError);
    await expect(store.refs.forget('r', [0])).rejects.toBeInstanceOf(RangeError);
    expect(await all(store.refs.named())).toEqual([]);
  });
});

describe('addresses', () => {
  /** Three snapshots of which each is the parent of the next, and a file at a path of the last. */
  async function series(store: Store) {
    const file = await store.objects.putBlob('the file');
    const child = { type: 'raw', name: 'a.txt', id: file.id } as const;
    const docs = await store.objects.putTree([child]);
    const tree = await store.objects.putTree([{ type: 'tree', name: 'docs', id: docs.id }]);
    const first = await store.objects.putSnapshot({ bundles: [] });
    const second = await store.objects.putSnapshot({ tree: tree.id, parent: first.id });
    const third = await store.objects.putSnapshot({ tree: tree.id, parent: second.id }, { metadata: { n: 3 } });
    for (const { id } of [first, second, third]) await store.refs.set('photos', id);
    const ids = { file: file.id, docs: docs.id, tree: tree.id, first: first.id, second: second.id, third: third.id };
    const find = async (address: string) => (await store.objects.find(address)).reference.id;
    return { ...ids, find };
  }

  it('go by refs, by what they named, by parents and by paths', async () => {
    const store = await memoryStore();
    const { find, ...ids } = await series(store);
    expect(await find('photos')).toBe(ids.third);
    expect(await find('latest')).toBe(ids.third);
    expect(await find('photos~')).toBe(ids.second);
    expect(await find('photos~2')).toBe(ids.first);
    expect(await find('photos@{1}')).toBe(ids.second);
    expect(await find('photos@{2}')).toBe(ids.first);
    expect(await find('photos@{1}~1')).toBe(ids.first);
    expect(await find(`${ids.third}~2`)).toBe(ids.first);
    expect(await find(ids.third.slice(0, 16))).toBe(ids.third);
    expect(await find('photos:docs')).toBe(ids.docs);
    expect(await find('photos:')).toBe(ids.tree);
    expect(await store.objects.find('latest~1:docs/a.txt')).toMatchObject({
      reference: { type: 'raw', id: ids.file },
      base: { id: ids.second },
      child: { name: 'a.txt' },
    });
  });

  it('go by time, as the store stamped it', async () => {
    const store = await memoryStore();
    const { find, ...ids } = await series(store);
    const [last, , oldest] = await all(store.refs.history('photos'));
    expect(await find(`photos@{${last?.time}}`)).toBe(ids.third);
    expect(await find('photos@{2100-01-01}')).toBe(ids.third);
    const before = new Date(Date.parse(oldest?.time ?? '') - 1).toISOString();
    await expect(find(`photos@{${before}}`)).rejects.toMatchObject({ code: 'REF_NOT_FOUND' });
  });

  it('step by the moves of a ref where there are no parents', async () => {
    const store = await memoryStore();
    const ids = [await bundle(store, 1), await bundle(store, 2), await bundle(store, 3)];
    for (const id of ids) await store.refs.set('b', id);
    expect((await store.objects.find('b~2')).reference.id).toBe(ids[0]);
    await expect(store.objects.find('b~3')).rejects.toMatchObject({ code: 'REF_NOT_FOUND' });
    await expect(store.objects.find(`${ids[2]}~1`)).rejects.toMatchObject({ code: 'REF_NOT_FOUND' });
    await expect(store.objects.find('latest')).rejects.toMatchObject({ code: 'REF_NOT_FOUND' });
  });

  it('that lead nowhere say so', async () => {
    const store = await memoryStore();
    const { find } = await series(store);
    for (const address of ['nobody', 'photos~3', 'photos@{9}', 'deadbeef', 'photos:none', 'photos:docs/a.txt/b'])
      await expect(find(address), address).rejects.toMatchObject({ kind: 'not-found' });
    for (const address of ['', 'a..b~', '~1', '@{1}', 'photos~x', 'photos@{never}', 'photos@{', '../../etc:passwd'])
      await expect(find(address), address).rejects.toMatchObject({
        code: expect.stringMatching(/^(ADDRESS_INVALID|REF_NOT_FOUND)$/),
      });
  });
});
