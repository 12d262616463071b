import { encode } from 'cborg';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../../src/bytes/bytes.ts';
import {
  decodeJournalRecord,
  encodeJournalRecord,
  type JournalRecord,
  type Operation,
} from '../../../src/format/index.ts';
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

function recordOf(step: ReplayStep | undefined): Uint8Array {
  return step?.record ?? new Uint8Array();
}

function altered(step: ReplayStep | undefined, change: Partial<JournalRecord>): ReplayStep {
  const record = decodeJournalRecord(recordOf(step));
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
    const isSealed = subject.name.startsWith('sealed');

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
      const [strange, digests] = [idOf('other'), steps.map((step) => toHex(blake3(step.record)))];
      const forked = (commit: number, expected: string | undefined, actual: Uint8Array) => ({
        ...{ code: 'JOURNAL_FORK', details: { commit, expected, actual: toHex(actual) } },
      });
      const gap = (expected: number, actual: number) => ({
        ...{ code: 'JOURNAL_GAP', details: { commit: expected, expected, actual } },
      });
      const attempts = [
        { error: gap(1, 2), tried: [steps[1]] },
        { error: gap(2, 3), tried: [steps[0], steps[2]] },
        { error: forked(2, digests[0], strange), tried: [steps[0], altered(steps[1], { previous: strange })] },
        {
          error: forked(3, toHex(blake3(foreign.record)), blake3(recordOf(steps[1]))),
          tried: [steps[0], foreign, steps[2]],
        },
      ];
      for (const { error, tried } of attempts) {
        const replaying = other.replay(
          [],
          tried.flatMap((step) => step ?? []),
        );
        await expect(replaying).rejects.toMatchObject({ kind: 'corrupt', ...error });
      }
      await expect(metadata.replay([], [foreign])).rejects.toMatchObject({ code: 'JOURNAL_FORK' });
      await expect(metadata.replay([], [altered(steps[2], { time: 1 })])).rejects.toMatchObject({
        code: 'JOURNAL_FORK',
      });
      expect(await other.head()).toMatchObject({ commit: 0 });
      expect(await other.counters()).toMatchObject({ entries: 0 });
      await expectSound(other);
    });

    it('refuses forks of what left the outbox long ago, as far as it can see them', async () => {
      const [metadata, journal, strange] = [await open(), new SampleJournal(), idOf('other')];
      const steps = await threeSteps(metadata);
      await flushAll(metadata, journal);
      const fork = (step: ReplayStep) => expect(metadata.replay([], [...steps.slice(0, 1), step])).rejects;
      await fork(altered(steps[1], { previous: strange })).toMatchObject({
        ...{ code: 'JOURNAL_FORK', details: { commit: 2, actual: toHex(strange) } },
      });
      const last = altered(steps[2], { time: 1 });
      await expect(metadata.replay([], [last])).rejects.toMatchObject({
        ...{ code: 'JOURNAL_FORK', details: { commit: 3, actual: toHex(blake3(last.record)) } },
      });
      await metadata.replay([], steps);
      await expectSound(metadata);
    });

    it('of the last record once more changes nothing', async () => {
      const metadata = await open();
      const steps = await threeSteps(metadata);
      const [head, digests] = [await metadata.head(), await metadata.stateDigests()];
      await metadata.replay([], steps);
      expect(await metadata.head()).toEqual({ ...head, flushed: 3 });
      expect(await metadata.stateDigests()).toEqual(digests);
    });

    it('refuses a record of the other kind of store', async () => {
      const metadata = await open();
      await commit(metadata, put('a'));
      const [row] = await metadata.outbox(0, 1);
      const { sealed: isSealed, ...record } = decodeJournalRecord(row?.record ?? new Uint8Array());
      const other = encodeJournalRecord({ ...record, operations: [], ...(!isSealed && { sealed: true }) });
      const step = { record: other, directories: [], inline: [] };
      await expect((await open()).replay([], [step])).rejects.toMatchObject({
        ...{ kind: 'corrupt', code: 'JOURNAL_CORRUPT', details: { commit: 1 } },
      });
    });

    it('counts anew what refers to content, where anything was ever counted', async () => {
      const [metadata, behind, fresh] = [await open(), await open(), await open()];
      const steps = await threeSteps(metadata);
      await behind.replay([], steps.slice(0, 2));
      while (!(await behind.census(1000)));
      expect(await behind.collectionState()).toMatchObject({ censusDone: true });
      await behind.replay([], steps);
      expect(await behind.collectionState()).toMatchObject({ censusDone: false });
      await fresh.replay([], steps);
      while (!(await fresh.census(1000)));
      while (!(await behind.census(1000)));
      await expectSound(fresh);
      await expectSound(behind);
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

    it.each<[string, readonly Operation[]]>([
      ['moves what is not there', [{ type: 'entry-rename', from: put('a').key, to: put('b').key }]],
      [
        'moves an entry over one that has children',
        [
          ...['a', 'b', 'c'].map((key): Operation => ({ ...put(key), type: 'entry-put' })),
          { type: 'relation-set', child: put('c').key, parent: put('b').key },
          { type: 'entry-rename', from: put('a').key, to: put('b').key },
        ],
      ],
    ])('refuses a record that %s', async (_, operations) => {
      const metadata = await open();
      const { incarnation } = await metadata.head();
      const place = { commit: 1, previous: new Uint8Array(32), incarnation, time: 0 };
      const record = encodeJournalRecord({ ...place, operations, ...(isSealed && { sealed: true }) });
      await expect(metadata.replay([], [{ record, directories: [], inline: [] }])).rejects.toMatchObject({
        ...{ kind: 'corrupt', code: 'JOURNAL_CORRUPT', message: expect.stringContaining('moves') },
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
