import { encode } from 'cborg';
import { describe, expect, it } from 'vitest';
import { decodeJournalRecord, encodeJournalRecord, type JournalRecord } from '../../../src/format/index.ts';
import { blake3 } from '../../../src/hash/index.ts';
import type { Metadata, ReplayStep } from '../../../src/metadata/contract.ts';
import {
  copy,
  idOf,
  inlineOf,
  packAdd,
  packMerge,
  put,
  remove,
  rename,
  request,
} from '../../support/metadata-samples.ts';
import { SampleJournal } from '../../support/sample-journal.ts';
import { SUBJECTS } from './subjects.ts';
import { commit, expectSound, openerOf, whereIs } from './suite.ts';

/** Records of a store with three commits, as steps that need nothing from packs. */
async function threeSteps(metadata: Metadata): Promise<ReplayStep[]> {
  for (const key of ['a', 'b', 'c']) await commit(metadata, put(key));
  return (await metadata.outbox(0, 2 ** 30)).map(({ record }) => ({ record, directories: [], inline: [] }));
}

function altered(step: ReplayStep | undefined, change: Partial<JournalRecord>): ReplayStep {
  const record = decodeJournalRecord(step?.record ?? new Uint8Array());
  return { record: encodeJournalRecord({ ...record, ...change }), directories: [], inline: [] };
}

async function flushAll(metadata: Metadata, journal: SampleJournal): Promise<void> {
  const flushed = await journal.flush(metadata, { after: (await metadata.head()).flushed });
  if (flushed) await metadata.markFlushed([flushed]);
}

/** Every kind of change, flushed in between: merges of data and journal packs, items stored twice, chunks inline. */
async function liveThrough(metadata: Metadata, journal: SampleJournal): Promise<void> {
  const [first, second] = [journal.write([idOf(1), idOf(2)]), journal.write([idOf(3)])];
  await metadata.commit([
    { changes: [put('a', 'v1', { modified: 1 }), packAdd(first)], inline: [inlineOf('x', 'y')] },
    { changes: [put('b', 'v2', { modified: 2 })], inline: [inlineOf('y', 'z')] },
  ]);
  await commit(metadata, put('a', 'v3', { modified: 3 }), packAdd(second), packAdd(journal.write([idOf('m')], 'meta')));
  await flushAll(metadata, journal);
  await commit(metadata, copy('a', 'c', { modified: 4 }), rename('b', 'd'), remove('a'));
  await commit(metadata, packAdd(journal.write([idOf(2), idOf('z')])));
  await flushAll(metadata, journal);
  await commit(metadata, packMerge([journal.write([idOf(1), idOf(2), idOf(3)])], [first, second]));
  const sources = journal.listing.map(({ pack }) => ({ pack, items: [] }));
  await metadata.replay([journal.mergeJournal(journal.listing).pack], []);
  await commit(metadata, packMerge([journal.write([idOf('x'), idOf('y')])], sources));
  await flushAll(metadata, journal);
}

describe.each(SUBJECTS)('$name', (subject) => {
  describe('a replay', () => {
    const { open } = openerOf(subject);

    it('gives the state that running gave, with and without what merges left to delete', async () => {
      const [metadata, journal] = [await open(), new SampleJournal()];
      await liveThrough(metadata, journal);
      await expectSound(metadata);
      const digests = await metadata.stateDigests();
      const rebuilt = await open();
      await journal.recover(rebuilt);
      expect(await rebuilt.stateDigests()).toEqual(digests);
      await expectSound(rebuilt);
      for (const { id } of await metadata.droppedPacks(99)) journal.delete(id);
      const again = await open();
      await journal.recover(again);
      expect(await again.stateDigests()).toEqual(digests);
      expect(await again.counters()).toMatchObject({ entries: 2, outbox: 0, chunks: 6 });
      expect(await again.head()).toMatchObject({ commit: 6, flushed: 6, digest: (await metadata.head()).digest });
      await expectSound(again);
    });

    it('goes on from where the metadata is, and commits go on after it', async () => {
      const [metadata, behind, journal] = [await open(), await open(), new SampleJournal()];
      const steps = await threeSteps(metadata);
      await behind.replay([], steps.slice(0, 1));
      const { incarnation } = await behind.head();
      await behind.replay([], steps);
      expect(await behind.head()).toMatchObject({ commit: 3, flushed: 3, incarnation });
      await commit(behind, put('d'));
      const [row] = await behind.outbox(0, 1);
      const { previous, operations } = decodeJournalRecord(row?.record ?? new Uint8Array());
      expect(previous).toEqual(blake3(steps[2]?.record ?? new Uint8Array()));
      expect(operations[0]).toEqual({ type: 'incarnation', previous: (await metadata.head()).incarnation });
      await flushAll(behind, journal);
      await expectSound(behind);
    });

    it('of a record that the outbox holds takes it out', async () => {
      const metadata = await open();
      const steps = await threeSteps(metadata);
      await metadata.replay([], steps.slice(0, 2));
      expect(await metadata.head()).toMatchObject({ commit: 3, flushed: 2 });
      await expectSound(metadata);
    });

    it('begins a new life when the metadata is an old copy of itself', async () => {
      const metadata = await open();
      const steps = await threeSteps(metadata);
      const { incarnation } = await metadata.head();
      const next = altered(steps[2], { commit: 4, previous: blake3(steps[2]?.record ?? new Uint8Array()) });
      await metadata.replay([], [next]);
      expect((await metadata.head()).incarnation).not.toEqual(incarnation);
      await commit(metadata, put('e'));
      const last = (await metadata.outbox(4, 1))[0];
      expect(decodeJournalRecord(last?.record ?? new Uint8Array()).operations[0]).toEqual({
        ...{ type: 'incarnation', previous: incarnation },
      });
    });

    it('refuses gaps and forks, and then changes nothing', async () => {
      const [metadata, other] = [await open(), await open()];
      const steps = await threeSteps(metadata);
      const foreign = altered(steps[1], { time: 1 });
      const attempts = [
        { code: 'JOURNAL_GAP', tried: [steps[1]] },
        { code: 'JOURNAL_GAP', tried: [steps[0], steps[2]] },
        { code: 'JOURNAL_FORK', tried: [steps[0], altered(steps[1], { previous: idOf('other') })] },
        { code: 'JOURNAL_FORK', tried: [steps[0], foreign, steps[2]] },
      ];
      for (const { code, tried } of attempts) {
        const replaying = other.replay(
          [],
          tried.flatMap((step) => step ?? []),
        );
        await expect(replaying).rejects.toMatchObject({ kind: 'corrupt', code });
      }
      await expect(metadata.replay([], [foreign])).rejects.toMatchObject({ code: 'JOURNAL_FORK' });
      await expect(metadata.replay([], [altered(steps[2], { time: 1 })])).rejects.toMatchObject({
        code: 'JOURNAL_FORK',
      });
      expect(await other.head()).toMatchObject({ commit: 0 });
      expect(await other.counters()).toMatchObject({ entries: 0 });
      await expectSound(other);
    });

    it('refuses a record that does not follow what an earlier call replayed', async () => {
      const [metadata, other] = [await open(), await open()];
      const [first, second] = await threeSteps(metadata);
      await other.replay([], first ? [first] : []);
      const replaying = other.replay([], [altered(second, { previous: idOf('other') })]);
      await expect(replaying).rejects.toMatchObject({ code: 'JOURNAL_FORK' });
      expect(await other.head()).toMatchObject({ commit: 1 });
      await other.replay([], second ? [second] : []);
      await expectSound(other);
    });

    it('refuses operations it does not know', async () => {
      const metadata = await open();
      const { incarnation } = await metadata.head();
      const record = encode([1, 1, new Uint8Array(32), incarnation, 0, [[99]]]);
      await expect(metadata.replay([], [{ record, directories: [], inline: [] }])).rejects.toMatchObject({
        ...{ kind: 'unsupported', code: 'OPERATION_UNSUPPORTED' },
      });
    });

    it('refuses a record that moves what is not there', async () => {
      const metadata = await open();
      const { incarnation } = await metadata.head();
      const operations = [{ type: 'entry-rename', from: put('a').key, to: put('b').key }] as const;
      const record = encodeJournalRecord({ commit: 1, previous: new Uint8Array(32), incarnation, time: 0, operations });
      await expect(metadata.replay([], [{ record, directories: [], inline: [] }])).rejects.toMatchObject({
        ...{ kind: 'corrupt', code: 'JOURNAL_CORRUPT' },
      });
    });

    it.each([
      { order: 'before' },
      { order: 'after' },
    ])('finds chunks that rode inline when a merged journal pack without them comes $order', async ({ order }) => {
      const [metadata, journal, rebuilt] = [await open(), new SampleJournal(), await open()];
      await metadata.commit([{ changes: [put('a')], inline: [inlineOf('x')] }]);
      await flushAll(metadata, journal);
      const [source] = journal.listing;
      if (!source) throw new Error('nothing was flushed');
      const merged = journal.journalPack(journal.mergeJournal([source]).pack.id);
      if (!merged) throw new Error('nothing was merged');
      for (const pack of order === 'before' ? [merged, source] : [source, merged]) await journal.adopt(rebuilt, pack);
      expect(await rebuilt.stateDigests()).toEqual(await metadata.stateDigests());
      await expectSound(rebuilt);
    });

    it('of an older copy keeps what only its outbox holds', async () => {
      const [metadata, journal, older] = [await open(), new SampleJournal(), await open()];
      await metadata.commit([{ changes: [put('a')], inline: [inlineOf('x')] }]);
      await flushAll(metadata, journal);
      const [source] = journal.listing;
      if (!source) throw new Error('nothing was flushed');
      const merged = journal.mergeJournal([source]);
      // The copy has the commit in its outbox, and meets the merged journal pack first.
      await older.commit([{ changes: [put('a')], inline: [inlineOf('x')] }]);
      await older.markFlushed([{ pack: merged.pack, inline: [] }]);
      expect(await whereIs(older, 'x')).toBe('outbox 1');
      expect(await older.head()).toMatchObject({ flushed: 0 });
      await expectSound(older);
      await flushAll(older, journal);
      expect(await older.head()).toMatchObject({ flushed: 1 });
      await expectSound(older);
    });

    it('keeps items in a dropped pack, suspect, when the pack they moved to cannot be read', async () => {
      const [metadata, journal, rebuilt] = [await open(), new SampleJournal(), await open()];
      const [first, merged] = [journal.write([idOf(1)]), journal.write([idOf(1)])];
      await commit(metadata, packAdd(first));
      await metadata.commit([request(packMerge([merged], [first]))]);
      await flushAll(metadata, journal);
      journal.delete(merged.pack.id);
      await journal.recover(rebuilt);
      expect(await whereIs(rebuilt, 1)).toBe('pack 2!');
      expect(await rebuilt.droppedPacks(9)).toEqual([]);
      await rebuilt.forgetPacks([2]);
      expect(await whereIs(rebuilt, 1)).toBe('pack 2!');
      expect((await rebuilt.check()).problems).toHaveLength(1);
      await commit(rebuilt, packAdd(journal.write([idOf(1)])));
      expect(await whereIs(rebuilt, 1)).toMatch(/^pack \d$/);
      expect(await rebuilt.droppedPacks(9)).toHaveLength(1);
      await expectSound(rebuilt);
    });
  });
});
