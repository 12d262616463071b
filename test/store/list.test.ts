import { beforeAll, describe, expect, it } from 'vitest';
import type { EntryInfo, ListOptions } from '../../src/index.ts';
import { all, keysOf, memoryStore, sharedStore } from '../support/stores.ts';

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

describe('list', () => {
  const shared = sharedStore();
  const keys = ['a', 'a!', 'a/', 'a/b', 'a/b/c', 'a0', 'aé', 'a\u{1f9ad}', 'a\uffee', 'b', 'á', '\u{10000}', '\uff5e'];

  beforeAll(async () => {
    await shared.store.putMany(keys.toReversed().map((key) => ({ key, source: key })));
  });

  it('gives every entry in byte order: a wide character comes after U+FFEE, which UTF-16 would put last', async () => {
    const listed = await keysOf(shared.store);
    expect(listed).toEqual(keys.toSorted(byBytes));
    expect(listed.indexOf('a\uffee')).toBeLessThan(listed.indexOf('a\u{1f9ad}'));
    expect(keys.toSorted()).not.toEqual(listed);
  });

  it.each(['', 'a', 'a/', 'a/b', 'a\u{1f9ad}', 'zzz', '\u{10000}'])('gives what begins with %j', async (prefix) => {
    const expected = keys.filter((key) => key.startsWith(prefix)).toSorted(byBytes);
    expect(await keysOf(shared.store, { prefix })).toEqual(expected);
    expect(await keysOf(shared.store, { prefix, descending: true })).toEqual(expected.toReversed());
  });

  it('goes on after any text, whether or not it is a key', async () => {
    const ordered = keys.toSorted(byBytes);
    for (const after of [...keys, '', 'a/a', '~', 'zzz']) {
      const expected = ordered.filter((key) => byBytes(key, after) > 0);
      expect(await keysOf(shared.store, { after })).toEqual(expected);
      const before = ordered.filter((key) => byBytes(key, after) < 0).toReversed();
      expect(await keysOf(shared.store, { after, descending: true })).toEqual(before);
    }
  });

  it('stops at a limit, and pages fit together', async () => {
    const { store } = shared;
    expect(await keysOf(store, { limit: 0 })).toEqual([]);
    for (const options of [
      {},
      { descending: true },
      { sort: 'size' },
      { sort: 'modified', descending: true },
    ] as const) {
      const pages: EntryInfo[] = [];
      for (let page: EntryInfo[] = []; ; ) {
        const after = page.at(-1);
        page = await all(store.list({ ...options, limit: 4, ...(after && { after }) }));
        pages.push(...page);
        if (page.length < 4) break;
      }
      expect(pages).toEqual(await all(store.list(options)));
    }
  });

  it('tells of each entry what stat tells', async () => {
    for (const info of await all(shared.store.list())) expect(await shared.store.stat(info.key)).toEqual(info);
  });

  it('refuses what is no order, limit or place to go on from', async () => {
    const { store } = shared;
    const wrong = (options: object, parameter: string) =>
      expect(all(store.list(options as ListOptions))).rejects.toMatchObject({ code: 'ARGUMENT_INVALID', parameter });
    await wrong({ sort: 'colour' }, 'sort');
    await wrong({ limit: -1 }, 'limit');
    await wrong({ limit: 1.5 }, 'limit');
    await wrong({ limit: '5' }, 'limit');
    await wrong({ sort: 'size', after: 'a' }, 'after');
    await wrong({ prefix: 5 }, 'prefix');
    await wrong({ after: 5 }, 'after');
    await wrong({ after: null }, 'after');
    await wrong({ where: { modifiedFrom: 5 } }, 'where.modifiedFrom');
    await wrong({ where: { modifiedBefore: 'yesterday' } }, 'where.modifiedBefore');
    await wrong({ where: { contentType: 5 } }, 'contentType');
    await expect(all(store.list({ prefix: '\ud800' }))).rejects.toMatchObject({ code: 'KEY_INVALID' });
    await expect(all(store.list({ after: '\ud800' }))).rejects.toMatchObject({ code: 'KEY_INVALID' });
  });

  it('of an empty store is empty', async () => {
    expect(await keysOf(await memoryStore())).toEqual([]);
  });
});

describe('list beyond one page', () => {
  const shared = sharedStore();
  const keys = Array.from({ length: 2500 }, (_, index) => `k/${String(index).padStart(5, '0')}`);

  beforeAll(async () => {
    await shared.store.putMany(keys.map((key, index) => ({ key, source: 'x'.repeat(index % 7) })));
  });

  it('gives each entry once', async () => {
    expect(await keysOf(shared.store)).toEqual(keys);
    expect(await keysOf(shared.store, { limit: 1001 })).toEqual(keys.slice(0, 1001));
    expect(await keysOf(shared.store, { descending: true, limit: 2100 })).toEqual(keys.toReversed().slice(0, 2100));
  });

  it('sorts equal sizes by key', async () => {
    const listed = await all(shared.store.list({ sort: 'size' }));
    const expected = keys.toSorted((a, b) => (Number(a.slice(2)) % 7) - (Number(b.slice(2)) % 7) || byBytes(a, b));
    expect(listed.map(({ key }) => key)).toEqual(expected);
  });

  it('goes on while entries come and go', async () => {
    const { store } = shared;
    const seen: string[] = [];
    for await (const { key } of store.list({ prefix: 'k/' })) {
      seen.push(key);
      if (key === 'k/00010') {
        await store.delete('k/02400');
        await store.put('k/02401x', 'new');
      }
    }
    expect(seen).not.toContain('k/02400');
    expect(seen).toContain('k/02401x');
    expect(new Set(seen).size).toBe(seen.length);
  });
});

describe('list where', () => {
  const shared = sharedStore();
  let moments: string[] = [];

  beforeAll(async () => {
    const { store } = shared;
    const put = async (key: string, options: object): Promise<string> => {
      await store.put(key, key, options);
      const { modified } = await store.stat(key);
      // The next one must differ in its modified time, which counts milliseconds.
      while (new Date().toISOString() === modified) await new Promise(setImmediate);
      return modified;
    };
    moments = [
      await put('a', { contentType: 'text/plain', attributes: { colour: 'red', size: 'l' } }),
      await put('b', { contentType: 'text/html', attributes: { colour: 'red' } }),
      await put('c', { contentType: 'text/plain', attributes: { colour: 'blue', size: 'l' } }),
      await put('d', {}),
    ];
  });

  it.each<[string, ListOptions['where'], string[]]>([
    ['type', { contentType: 'text/plain' }, ['a', 'c']],
    ['an attribute', { attributes: { colour: 'red' } }, ['a', 'b']],
    ['several attributes', { attributes: { colour: 'red', size: 'l' } }, ['a']],
    ['an attribute nobody has', { attributes: { colour: 'green' } }, []],
    ['an attribute with the name of another', { attributes: { size: 'red' } }, []],
    ['no attributes at all', { attributes: {} }, ['a', 'b', 'c', 'd']],
    ['type and attribute', { contentType: 'text/plain', attributes: { size: 'l', colour: 'blue' } }, ['c']],
    ['nothing', {}, ['a', 'b', 'c', 'd']],
  ])('by %s', async (_, where, expected) => {
    expect(await keysOf(shared.store, { where: where ?? {} })).toEqual(expected);
  });

  it('by time, from one moment up to but without another', async () => {
    const { store } = shared;
    const [first = '', second = '', third = ''] = moments;
    expect(await keysOf(store, { where: { modifiedFrom: second } })).toEqual(['b', 'c', 'd']);
    expect(await keysOf(store, { where: { modifiedBefore: second } })).toEqual(['a']);
    expect(await keysOf(store, { where: { modifiedFrom: new Date(first), modifiedBefore: new Date(third) } })).toEqual([
      'a',
      'b',
    ]);
    expect(await keysOf(store, { where: { modifiedFrom: third, modifiedBefore: third } })).toEqual([]);
  });

  it('by time and in order of it, with a limit', async () => {
    const { store } = shared;
    const options: ListOptions = { sort: 'modified', descending: true, where: { attributes: { size: 'l' } } };
    expect(await keysOf(store, options)).toEqual(['c', 'a']);
    expect(await keysOf(store, { ...options, limit: 1 })).toEqual(['c']);
    expect(await keysOf(store, { sort: 'modified' })).toEqual(['a', 'b', 'c', 'd']);
  });
});
