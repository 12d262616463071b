import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8Decode, utf8Encode } from '../../../src/bytes/bytes.ts';
import { decodeEntry } from '../../../src/format/index.ts';
import type { EntryQuery, EntryRow, Metadata } from '../../../src/metadata/contract.ts';
import { put, request } from '../../support/metadata-samples.ts';
import { SUBJECTS } from './subjects.ts';
import { openerOf } from './suite.ts';

const KEYS = ['a', 'a/', 'a/b', 'a/b/c', 'a0', 'b', 'b/1', 'é', '\u{ffff}', '\u{1f9ad}', '\u{10ffff}', '\u{10ffff}x'];

/** 60 entries with few different sizes and times, so that ties are common. */
async function fill(metadata: Metadata): Promise<readonly EntryRow[]> {
  const changes = Array.from({ length: 60 }, (_, index) => {
    const key = `${KEYS[index % KEYS.length]}${index < KEYS.length ? '' : index}`;
    const shape = {
      size: (index * 7) % 5,
      ...(index % 3 === 0 && { contentType: 'text/plain' }),
      attributes: { ...(index % 2 === 0 && { color: index % 4 === 0 ? 'red' : 'blue' }), n: String(index % 3) },
    };
    return put(key, index, { modified: 100 + ((index * 11) % 7), shape });
  });
  const outcomes = await metadata.commit([request(...changes)]);
  return outcomes.flatMap((outcome) => (outcome.ok ? outcome.outcomes.flatMap(({ row }) => row ?? []) : []));
}

const sortValue = (row: EntryRow, sort: EntryQuery['sort']): number =>
  sort === 'size' ? row.size : sort === 'modified' ? row.modified : 0;

/** What the contract says, over plain arrays. */
function expected(rows: readonly EntryRow[], query: EntryQuery): readonly string[] {
  const { prefix = new Uint8Array(0), sort, descending = false, after, where = {}, limit } = query;
  const compare = (a: { key: Uint8Array; value: number }, b: { key: Uint8Array; value: number }): number =>
    (a.value - b.value || Buffer.compare(a.key, b.key)) * (descending ? -1 : 1);
  const place = (row: EntryRow) => ({ key: row.key, value: sortValue(row, sort) });
  return rows
    .filter((row) => {
      const value = decodeEntry(row.entry);
      const { modifiedFrom = 0, modifiedBefore = Number.POSITIVE_INFINITY, contentType, attributes = {} } = where;
      return (
        Buffer.compare(row.key.subarray(0, prefix.length), prefix) === 0 &&
        row.modified >= modifiedFrom &&
        row.modified < modifiedBefore &&
        (contentType === undefined || value.contentType === contentType) &&
        Object.entries(attributes).every(([name, wanted]) => value.attributes[name] === wanted)
      );
    })
    .toSorted((a, b) => compare(place(a), place(b)))
    .filter((row) => !after || compare(place(row), { key: after.key, value: after.value ?? 0 }) > 0)
    .slice(0, limit)
    .map(({ key }) => utf8Decode(key));
}

const keys = fc.constantFrom(...KEYS, 'a/b12', 'zz').map(utf8Encode);
const queries: fc.Arbitrary<EntryQuery> = fc
  .record(
    {
      prefix: fc.oneof(keys, fc.constantFrom(new Uint8Array(0), new Uint8Array([0xf4]), new Uint8Array([0xff]))),
      sort: fc.constantFrom('key' as const, 'modified' as const, 'size' as const),
      descending: fc.boolean(),
      after: fc.record({
        key: keys,
        value: fc.oneof(fc.integer({ min: 98, max: 108 }), fc.integer({ min: 0, max: 5 })),
      }),
      where: fc.record(
        {
          modifiedFrom: fc.integer({ min: 99, max: 108 }),
          modifiedBefore: fc.integer({ min: 99, max: 108 }),
          contentType: fc.constantFrom('text/plain', 'text/html'),
          attributes: fc.constantFrom({}, { color: 'red' }, { color: 'blue', n: '1' }, { missing: '' }),
        },
        { requiredKeys: [] },
      ),
      limit: fc.integer({ min: 1, max: 70 }),
    },
    { requiredKeys: ['limit'] },
  )
  .map((query) =>
    (query.sort === undefined || query.sort === 'key') && query.after
      ? { ...query, after: { key: query.after.key } }
      : query,
  );

describe.each(SUBJECTS)('$name', (subject) => {
  describe('listing', () => {
    const { open } = openerOf(subject);

    it('answers every query as a plain array would', async () => {
      const metadata = await open();
      const rows = await fill(metadata);
      await fc.assert(
        fc.asyncProperty(queries, async (query) => {
          const found = await metadata.listEntries(query);
          expect(found.map(({ key }) => utf8Decode(key))).toEqual(expected(rows, query));
        }),
        { numRuns: 300 },
      );
    });

    it.each([
      ...(['key', 'modified', 'size'] as const).flatMap((sort) => [
        { sort, descending: false },
        { sort, descending: true },
      ]),
    ])('pages by $sort, descending $descending, over every entry once', async ({ sort, descending }) => {
      const metadata = await open();
      const rows = await fill(metadata);
      const query = { sort, descending };
      const seen: EntryRow[] = [];
      for (let last: EntryRow | undefined; ; ) {
        const after = last && { key: last.key, ...(sort !== 'key' && { value: sortValue(last, sort) }) };
        const page: readonly EntryRow[] = await metadata.listEntries({ ...query, limit: 7, ...(after && { after }) });
        if (page.length === 0) break;
        seen.push(...page);
        last = page.at(-1);
      }
      expect(seen.map(({ key }) => utf8Decode(key))).toEqual(expected(rows, { ...query, limit: 100 }));
    });

    it('stops with the reason of an aborted signal', async () => {
      const metadata = await open();
      const reason = new Error('enough');
      await expect(metadata.listEntries({ limit: 1 }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    });
  });
});
