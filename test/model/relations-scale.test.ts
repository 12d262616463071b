/** Relations of many entries: each step takes as long as the entries that it is about, and pages are pages. */
import { expect, it } from 'vitest';
import type { Change, Metadata } from '../../src/metadata/contract.ts';
import type { RelatedRow, RelationPlace } from '../../src/metadata/object-contract.ts';
import { openSqlMetadata } from '../../src/metadata/open-sqlite.ts';
import { commit, expectReplayed, expectSound } from '../compliance/metadata/suite.ts';
import { SAMPLE_STORE } from '../support/format-samples.ts';
import { NamedChanges } from '../support/named-changes.ts';

const ENTRIES = 2500;
const PAGE = 500;
const MEMORY = { path: ':memory:', storeId: SAMPLE_STORE, create: true, readOnly: false, busyTimeoutMs: 0 };
const c = new NamedChanges();

async function commitMany(metadata: Metadata, make: (index: number) => Change): Promise<void> {
  await commit(metadata, ...Array.from({ length: ENTRIES }, (_, index) => make(index)));
}

async function count(page: (after: RelatedRow | undefined) => Promise<readonly RelatedRow[]>): Promise<number> {
  let found = 0;
  let last: RelatedRow | undefined;
  for (;;) {
    const rows = await page(last);
    found += rows.length;
    last = rows.at(-1);
    if (rows.length < PAGE) return found;
  }
}

const from = (row: RelatedRow | undefined): { limit: number; after?: RelationPlace } => ({
  ...{ limit: PAGE, ...(row && { after: row.place }) },
});

it('a chain and a crowd of entries are built, walked in pages, deleted and released', async () => {
  const metadata = await openSqlMetadata(MEMORY);
  await commit(metadata, c.policy({ last: 1 }), c.put('top'), c.put('chain 0'));
  await commitMany(metadata, (index) => c.put(`chain ${index + 1}`));
  await commitMany(metadata, (index) => c.relate(`chain ${index + 1}`, `chain ${index}`));
  await commitMany(metadata, (index) => c.put(`crowd ${index}`));
  await commitMany(metadata, (index) => c.relate(`crowd ${index}`, 'top'));
  const [first, last, top] = [c.key('chain 0'), c.key(`chain ${ENTRIES}`), c.key('top')];
  const above = (row: RelatedRow | undefined) =>
    metadata.ancestorsOf(last, { limit: PAGE, ...(row && { after: row.key }) });
  expect(await count(above)).toBe(ENTRIES);
  expect(await count((row) => metadata.descendantsOf(first, from(row)))).toBe(ENTRIES);
  expect(await count((row) => metadata.childrenOf(top, from(row)))).toBe(ENTRIES);
  await commit(metadata, c.relate('top', `chain ${ENTRIES}`));
  expect(await count((row) => metadata.descendantsOf(first, from(row)))).toBe(2 * ENTRIES + 1);
  // Very deep places are looked at when the walk leaves what is beneath them.
  const deep = await metadata.descendantsOf(first, { limit: ENTRIES + 2 });
  const after = deep.at(-1)?.place ?? { node: 0, depth: 0 };
  expect(await metadata.descendantsOf(first, { after, limit: PAGE })).toHaveLength(PAGE);
  await commit(metadata, c.relate('top'));
  expect(await metadata.descendantsOf(first, { after, limit: PAGE })).toEqual([]);
  await commit(metadata, c.remove('top', { children: 'release' }));
  const { outcomes } = await commit(metadata, c.remove('chain 0', { children: 'delete' }));
  expect(outcomes).toEqual([{ existed: true, deleted: ENTRIES + 1 }]);
  expect(await metadata.counters()).toMatchObject({ entries: ENTRIES });
  await expectSound(metadata);
  const opened: Metadata[] = [metadata];
  await expectReplayed(metadata, async () => {
    opened.push(await openSqlMetadata(MEMORY));
    return opened.at(-1) ?? metadata;
  });
  for (const one of opened) await one.close();
});
