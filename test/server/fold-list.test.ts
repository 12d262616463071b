import { expect, it } from 'vitest';
import { createStore } from '../../src/index.ts';
import { type FoldedPage, foldedList, type ListPlace, searchedList } from '../../src/server/fold-list.ts';
import { seededRandom } from '../../src/testing/index.ts';

const SEED = 20261122;
/** Characters around which the order of bytes and that of UTF-16 part ways, and the delimiter. */
const LETTERS = ['a', '/', '/', '\0', '\u{7f}', '\u{ffff}', '\u{10ffff}', '\u{e000}'];

it(`folds like a list that is read whole (seed ${SEED})`, async () => {
  await using store = await createStore('memory:', { keys: 'none' });
  const random = seededRandom(SEED);
  const word = (length: number) => Array.from({ length }, () => LETTERS[random.integer(LETTERS.length)]).join('');
  const keys = new Set(Array.from({ length: 300 }, () => word(1 + random.integer(6))));
  // Keys of the greatest length, which nothing may come after.
  for (const rest of [
    '\u{10ffff}'.repeat(255),
    `${'\u{10ffff}'.repeat(255)}\u{7f}`,
    `\u{7f}${'\u{10ffff}'.repeat(255)}`,
  ])
    keys.add(`a/${rest}`);
  await store.putMany([...keys].map((key) => ({ key, source: 'x' })));
  const all = await Array.fromAsync(store.list(), ({ key }) => key);

  for (const prefix of ['', 'a', 'a/', '/', '\u{10ffff}']) {
    const expected = new Set<string>();
    for (const key of all.filter((one) => one.startsWith(prefix))) {
      const at = key.indexOf('/', prefix.length);
      expected.add(at === -1 ? key : key.slice(0, at + 1));
    }
    for (const limit of [1, 2, 7, 1000]) {
      const found: string[] = [];
      let after: ListPlace | undefined;
      do {
        const page: FoldedPage = await foldedList(store, {
          ...{ prefix, limit, delimiter: '/', sort: 'key', descending: false, where: {} },
          signal: new AbortController().signal,
          after: after as never,
        });
        expect(page.entries.length + page.prefixes.length).toBeLessThanOrEqual(limit);
        found.push(...page.entries.map(({ key }) => key), ...page.prefixes);
        after = page.next;
      } while (after);
      expect(found.sort()).toEqual([...expected].sort());
    }
  }
});

it('finds the keys that hold a text, page by page', async () => {
  await using store = await createStore('memory:', { keys: 'none' });
  const keys = ['a/Report.txt', 'a/b', 'a/report-2', 'b/REPORT', 'report'];
  await store.putMany(keys.map((key) => ({ key, source: 'x' })));
  const search = async (prefix: string, limit: number) => {
    const found: string[] = [];
    let after: ListPlace | undefined;
    do {
      const page: FoldedPage = await searchedList(store, {
        ...{ prefix, limit, search: 'rePORT', sort: 'key', descending: false, where: {} },
        signal: new AbortController().signal,
        after: after as never,
      });
      found.push(...page.entries.map(({ key }) => key));
      after = page.next;
    } while (after);
    return found;
  };
  expect(await search('', 2)).toEqual(['a/Report.txt', 'a/report-2', 'b/REPORT', 'report']);
  expect(await search('a/', 10)).toEqual(['a/Report.txt', 'a/report-2']);
});
