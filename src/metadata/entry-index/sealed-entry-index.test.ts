import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type NamesChange, NamesFixture, rowAt } from '../../../test/support/names-fixture.ts';
import { compareBytes, concatBytes, toHex, utf8Encode } from '../../bytes/bytes.ts';
import { namespaceOfKey, scopeKey, scopePrefix, unscopeKey } from '../../format/scoped-key.ts';
import { NAMES_FOLD_CHANGES, NAMES_LOG_CHANGES_MAX, NAMES_LOG_CHANGES_TARGET } from '../../limits.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../testing/temporary-folder.ts';
import type { EntryQuery, EntryRow } from '../contract.ts';
import type { Database } from '../database.ts';

let folder: TemporaryFolder;
let path: string;
let open: NamesFixture[];

beforeEach(async () => {
  folder = await makeTemporaryFolder();
  path = join(folder.path, 'names.sqlite');
  open = [];
});

afterEach(async () => {
  for (const fixture of open) await fixture.close();
  await folder.remove();
});

/** A connection to the index of the test; the first one makes it. */
async function connect(): Promise<NamesFixture> {
  const fixture = new NamesFixture(path);
  open.push(fixture);
  return open.length === 1 ? fixture.create() : fixture;
}

async function startOver(): Promise<readonly [NamesFixture, NamesFixture]> {
  for (const fixture of open.splice(0)) await fixture.close();
  for (const suffix of ['', '-wal', '-shm']) await rm(path + suffix, { force: true });
  return [await connect(), await connect()];
}

const text = ({ key, modified, size }: EntryRow): string => `${toHex(key)} ${modified} ${size}`;

function placeValue(row: EntryRow, { sort }: Partial<EntryQuery>): number {
  return sort === 'modified' ? row.modified : sort === 'size' ? row.size : 0;
}

function namespaceOfPrefix(prefix: Uint8Array | undefined): number {
  return prefix?.[0] === 0xff ? namespaceOfKey(concatBytes([prefix, utf8Encode('x')])) : 0;
}

/** What the contract says, over a plain array. */
function expected(model: ReadonlyMap<string, EntryRow>, query: EntryQuery): readonly string[] {
  const { prefix = new Uint8Array(0), after, where = {}, descending = false } = query;
  const { modifiedFrom = 0, modifiedBefore = Number.POSITIVE_INFINITY } = where;
  const namespace = namespaceOfPrefix(prefix);
  const order = (a: { key: Uint8Array; value: number }, b: { key: Uint8Array; value: number }): number =>
    (a.value - b.value || compareBytes(a.key, b.key)) * (descending ? -1 : 1);
  const place = (row: EntryRow) => ({ key: row.key, value: placeValue(row, query) });
  return [...model.values()]
    .filter(({ key }) => namespaceOfKey(key) === namespace && toHex(key).startsWith(toHex(prefix)))
    .filter(({ modified }) => modified >= modifiedFrom && modified < modifiedBefore)
    .toSorted((a, b) => order(place(a), place(b)))
    .filter(
      (row) =>
        !after || order(place(row), { key: after.key, value: query.sort === 'key' ? 0 : (after.value ?? 0) }) > 0,
    )
    .slice(0, query.limit)
    .map(text);
}

const keys = fc
  .record({
    namespace: fc.constantFrom(0, 0, 0, 1, 0xffff_ffff),
    stem: fc.constantFrom('a', 'a/', 'a/b', 'b', 'é', '\u{10ffff}'),
    number: fc.integer({ min: 0, max: 60 }),
    length: fc.constantFrom(0, 0, 0, 900),
  })
  .map(({ namespace, stem, number, length }) =>
    scopeKey(namespace, utf8Encode(`${stem}${number}${'x'.repeat(length)}`)),
  );
const rows = fc
  .tuple(keys, fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 3 }))
  .map(([key, ...place]) => rowAt(key, ...place));
const queries: fc.Arbitrary<EntryQuery> = fc
  .record(
    {
      prefix: fc.oneof(
        keys.map((key) => key.subarray(0, Math.min(key.length, 7))),
        fc.constantFrom(scopePrefix(1), scopePrefix(0xffff_ffff), utf8Encode('a/')),
      ),
      sort: fc.constantFrom('key', 'modified', 'size'),
      descending: fc.boolean(),
      after: fc.record({ key: keys, value: fc.integer({ min: 0, max: 9 }) }),
      where: fc.record(
        { modifiedFrom: fc.integer({ min: 0, max: 10 }), modifiedBefore: fc.integer({ min: 0, max: 10 }) },
        { requiredKeys: [] },
      ),
      limit: fc.integer({ min: 1, max: 80 }),
    },
    { requiredKeys: ['limit', 'sort'] },
  )
  // A page goes on in the namespace in which the one before ended.
  .map((query) => {
    const { after, prefix } = query;
    if (!after) return query;
    return { ...query, after: { ...after, key: scopeKey(namespaceOfPrefix(prefix), unscopeKey(after.key).key) } };
  });

type Step =
  | {
      readonly type: 'commit';
      readonly put: readonly EntryRow[];
      readonly remove: readonly Uint8Array[];
      readonly isCut: boolean;
    }
  | { readonly type: 'fold'; readonly isCut: boolean }
  | { readonly type: 'list'; readonly query: EntryQuery };
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    type: fc.constant('commit' as const),
    put: fc.array(rows, { maxLength: 60, size: 'max' }),
    remove: fc.array(keys, { maxLength: 40, size: 'max' }),
    isCut: fc.constantFrom(false, false, true),
  }),
  fc.record({ type: fc.constant('fold' as const), isCut: fc.boolean() }),
  fc.record({ type: fc.constant('list' as const), query: queries }),
);

/** The rows that a commit puts and the keys that it removes, each key once. */
function settled(step: Extract<Step, { readonly type: 'commit' }>): Required<NamesChange> {
  const put = new Map(step.put.map((row) => [toHex(row.key), row]));
  const remove = new Map(step.remove.map((key) => [toHex(key), key]));
  return { put: [...put.values()], remove: [...remove].flatMap(([key, bytes]) => (put.has(key) ? [] : [bytes])) };
}

const numbered = (start: number, end: number): readonly EntryRow[] =>
  Array.from({ length: end - start }, (_, index) => {
    const number = start + index;
    return rowAt(`name ${String(number).padStart(6, '0')}`, 1000 + (number % 7), (number * 31) % 1000);
  });

describe('the names of a sealed store', () => {
  it('answer every query as a plain array would, whoever of two writes, folds or is cut off', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(steps, fc.nat(1)), { maxLength: 30, size: 'max' }), async (all) => {
        const connections = await startOver();
        const model = new Map<string, EntryRow>();
        for (const [step, number] of all) {
          const connection = connections[number] as NamesFixture;
          if (step.type === 'list') {
            expect((await connection.list(step.query)).map(text)).toEqual(expected(model, step.query));
          } else if (step.type === 'fold') await connection.fold(step.isCut);
          else {
            const change = settled(step);
            await connection.commit(change, step.isCut);
            if (step.isCut) continue;
            for (const row of change.put) model.set(toHex(row.key), row);
            for (const key of change.remove) model.delete(toHex(key));
          }
        }
        for (const connection of connections) {
          const found = await connection.list();
          expect(found.map(text)).toEqual(expected(model, { limit: 1_000_000 }));
          expect(await connection.problems()).toEqual([]);
        }
        expect(await connections[0].sumsMatch()).toBe(true);
      }),
      { numRuns: 8 },
    );
  }, 60_000);

  it.each(['key', 'modified', 'size'] as const)('are paged by %s, deep into the trees and back', async (sort) => {
    const names = await connect();
    const model = new Map(numbered(0, 3000).map((row) => [toHex(row.key), row]));
    for (let start = 0; start < 3000; start += 500) await names.commit({ put: numbered(start, start + 500) });
    await names.foldAll();
    const recent = numbered(1000, 1200).map((row) => ({ ...row, modified: 1003, size: row.size + 1 }));
    await names.commit({ put: recent });
    for (const row of recent) model.set(toHex(row.key), row);
    for (let step = 0; step < 2; step += 1) await names.fold();
    expect((await names.roots()).logChanges).toBeGreaterThan(0);
    for (const descending of [false, true]) {
      const seen: string[] = [];
      let query: EntryQuery = { sort, descending, limit: 170 };
      for (let page = await names.list(query); page.length > 0; page = await names.list(query)) {
        seen.push(...page.map(text));
        const last = page.at(-1) as EntryRow;
        query = { ...query, after: { key: last.key, value: placeValue(last, { sort }) } };
      }
      expect(seen).toEqual(expected(model, { sort, descending, limit: 1_000_000 }));
    }
  });

  it('become due for folding, and are whole after every step of it', async () => {
    const names = await connect();
    await names.commit({ put: numbered(0, NAMES_LOG_CHANGES_TARGET) });
    expect(names.index.foldDue).toBe(false);
    const all = numbered(0, NAMES_LOG_CHANGES_TARGET + 300);
    await names.commit({ put: all.slice(NAMES_LOG_CHANGES_TARGET) });
    expect(names.index.foldDue).toBe(true);
    let steps = 0;
    for (; names.index.foldDue; steps += 1) {
      await names.fold();
      expect((await names.list()).map(text)).toEqual(all.map(text));
    }
    expect(steps).toBeGreaterThanOrEqual((3 * all.length) / NAMES_FOLD_CHANGES);
    expect(steps).toBeLessThan((3 * all.length) / NAMES_FOLD_CHANGES + 4);
    expect((await names.roots()).logChanges).toBe(0);
    expect(await names.problems()).toEqual([]);
  });

  it('are folded to the end by another process where the first one stopped', async () => {
    const [first, second] = [await connect(), await connect()];
    await first.commit({ put: numbered(0, 1500) });
    for (let step = 0; step < 5; step += 1) await first.fold();
    await second.commit({
      put: numbered(100, 200).map((row) => ({ ...row, modified: 5 })),
      remove: [numbered(7, 8)[0]?.key as Uint8Array],
    });
    for (let step = 0; step < 7; step += 1) await second.fold();
    await second.commit({ put: numbered(100, 150) });
    while (first.index.foldDue) await first.fold();
    await second.foldAll();
    expect((await first.list({ sort: 'modified', limit: 50 })).map(text)).toEqual(
      numbered(150, 200).map((row) => text({ ...row, modified: 5 })),
    );
    expect((await second.list()).length).toBe(1499);
    expect(await second.problems()).toEqual([]);
  });

  it('are folded by commits when nobody else does and the log grows too long', async () => {
    const names = await connect();
    let longest = 0;
    for (let start = 0; start < 16_000; start += 4000) {
      await names.commit({ put: numbered(start, start + 4000) });
      longest = Math.max(longest, (await names.roots()).logChanges);
    }
    expect(longest).toBeGreaterThan(NAMES_LOG_CHANGES_MAX / 2);
    expect(longest).toBeLessThanOrEqual(1.25 * NAMES_LOG_CHANGES_MAX);
    expect((await names.list({ limit: 10, after: { key: utf8Encode('name 008') } })).map(text)).toEqual(
      numbered(8000, 8010).map(text),
    );
    expect(await names.problems()).toEqual([]);
  });

  it('do not change when an entry is replaced by one of the same size at the same time', async () => {
    const names = await connect();
    const put = numbered(0, 1);
    await names.commit({ put });
    const before = await names.roots();
    await names.commit({ put: put.map((row) => ({ ...row, version: new Uint8Array(32).fill(1) })) });
    expect(await names.roots()).toEqual(before);
  });

  it('show nothing of themselves in the file', async () => {
    const names = await connect();
    await names.commit({ put: numbered(0, 1000) });
    await names.foldAll();
    await names.commit({ put: numbered(1000, 1500) });
    const [row] = await names.database.read((reader) =>
      reader.all("SELECT group_concat(hex(sealed), '') AS all_bytes FROM names_nodes", []),
    );
    const [log] = await names.database.read((reader) =>
      reader.all("SELECT group_concat(hex(sealed), '') AS all_bytes FROM names_log", []),
    );
    const bytes = Buffer.from(`${row?.all_bytes}${log?.all_bytes}`, 'hex');
    expect(bytes.length).toBeGreaterThan(50_000);
    expect(bytes.includes('name')).toBe(false);
  });
});

describe('check of the names of a sealed store', () => {
  async function filled(): Promise<NamesFixture> {
    const names = await connect();
    await names.commit({ put: numbered(0, 600) });
    await names.foldAll();
    await names.commit({ put: numbered(600, 900) });
    expect(await names.problems()).toEqual([]);
    expect(await names.sumsMatch()).toBe(true);
    return names;
  }

  const tamper = (names: NamesFixture, sql: string) =>
    names.database.write((transaction) => transaction.run(sql, [[]]));

  it.each([
    {
      what: 'a node',
      sql: 'DELETE FROM names_nodes WHERE number = (SELECT max(number) FROM names_nodes)',
      said: 'gone',
    },
    {
      what: 'a row of the log',
      sql: 'DELETE FROM names_log WHERE number = (SELECT max(number) FROM names_log)',
      said: 'gone',
    },
    { what: 'the row of the roots', sql: 'DELETE FROM names_roots', said: 'gone' },
  ])('finds that $what vanished', async ({ sql, said }) => {
    const names = await filled();
    await tamper(names, sql);
    expect((await names.problems()).join()).toContain(said);
  });

  it('finds that two nodes changed places', async () => {
    const names = await filled();
    await tamper(names, 'UPDATE names_nodes SET number = 1000 - number');
    await tamper(names, 'UPDATE names_nodes SET number = 1003 - number');
    expect((await names.problems()).join()).toContain('does not open');
  });

  it('finds an entry that vanished, one that nothing lists, and one that changed', async () => {
    const names = await filled();
    await tamper(names, 'DELETE FROM entries WHERE lookup = (SELECT min(lookup) FROM entries)');
    expect(await names.problems()).toEqual([
      'the list by key has 900 names, the table of entries has 899 rows',
      'the list by modified has 900 names, the table of entries has 899 rows',
      'the list by size has 900 names, the table of entries has 899 rows',
    ]);
    await expect(names.list()).rejects.toMatchObject({ code: 'METADATA_CORRUPT' });
  });

  it('finds lists of an earlier state, which are sound in themselves', async () => {
    const names = await filled();
    const roots = await names.database.read((reader) => reader.all('SELECT * FROM names_roots', []));
    await names.commit({ put: numbered(0, 1).map((row) => ({ ...row, size: 5 })) });
    await names.database.write((transaction) =>
      transaction.run('UPDATE names_roots SET sealed = ?', [[roots[0]?.sealed ?? null]]),
    );
    const problems = await names.problems();
    expect(problems).toContain('the list by size names other entries than there are');
    expect(problems.join()).not.toContain('by key');
    expect(await names.sumsMatch()).toBe(false);
  });

  it('are listed from one state after the other, where a database reads side by side', async () => {
    const names = await connect();
    await names.commit({ put: [rowAt('a', 1, 1), rowAt('b', 2, 2)] });
    let [reading, most] = [0, 0];
    const { database } = names;
    const besides = {
      read: async <T>(work: Parameters<typeof database.read<T>>[0]): Promise<T> => {
        reading += 1;
        most = Math.max(most, reading);
        try {
          return await database.read(work);
        } finally {
          reading -= 1;
        }
      },
    } as Database;
    const lists = await Promise.all([1, 2, 3].map(() => names.index.list(besides, { limit: 10 })));
    expect(lists.map(({ length }) => length)).toEqual([2, 2, 2]);
    expect(most).toBe(1);
  });
});
