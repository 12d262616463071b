import { expect, it } from 'vitest';
import { DATA_DESCRIPTOR, SAMPLE_PACKS, SAMPLE_RECORD } from '../../test/support/format-samples.ts';
import { PackBuilder } from '../format/index.ts';
import type { WholePack } from '../placement/pack-store.ts';
import { journalEntriesOf } from './journal-reader.ts';

const { header, records } = SAMPLE_PACKS.journal;
const builder = new PackBuilder(header);
for (const record of records) builder.add(record);
const { bytes, items } = builder.finish();
const pack: WholePack = { header, identity: header, items, descriptor: DATA_DESCRIPTOR, bytes };

function nameOf(firstCommit: number, lastCommit: number): Parameters<typeof journalEntriesOf>[0] {
  const journal = { incarnation: SAMPLE_RECORD.incarnation, firstCommit, lastCommit };
  return { id: header.pack, class: 'journal', journal };
}

const { commit } = SAMPLE_RECORD;

it('reads the commits that the name of a journal pack tells', async () => {
  expect((await journalEntriesOf(nameOf(commit, commit), pack)).entries).toMatchObject([{ commit }]);
});

it.each([
  ['one more', commit, commit + 1],
  ['one before', commit - 1, commit],
  ['another', commit + 1, commit + 1],
])('a journal pack whose name tells %s is damaged', async (_, first, last) => {
  await expect(journalEntriesOf(nameOf(first, last), pack)).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
});
