import { describe, expect, it } from 'vitest';
import { toHex } from '../../../src/bytes/bytes.ts';
import { decodeJournalRecord, type JournalRecord } from '../../../src/format/index.ts';
import { blake3 } from '../../../src/hash/index.ts';
import type { Metadata } from '../../../src/metadata/contract.ts';
import {
  idOf,
  inlineOf,
  packAdd,
  packMerge,
  packOf,
  put,
  remove,
  rename,
  request,
} from '../../support/metadata-samples.ts';
import { SampleJournal } from '../../support/sample-journal.ts';
import { SUBJECTS } from './subjects.ts';
import { commit, expectSound, openerOf, refusal, whereIs } from './suite.ts';

/** Commits chunks inline and nothing else. */
async function commitInline(metadata: Metadata, ...labels: readonly string[]): Promise<void> {
  await metadata.commit([{ changes: [], inline: [inlineOf(...labels)] }]);
}

async function records(metadata: Metadata): Promise<readonly JournalRecord[]> {
  return (await metadata.outbox(0, 2 ** 30)).map(({ record }) => decodeJournalRecord(record));
}

describe.each(SUBJECTS)('$name', (subject) => {
  describe('a session', () => {
    const { open } = openerOf(subject);

    it('is 8 bytes that no other has', async () => {
      const metadata = await open();
      const ids = await Promise.all(Array.from({ length: 20 }, () => metadata.openSession()));
      expect(new Set(ids.map(toHex)).size).toBe(20);
      expect(ids.every(({ length }) => length === 8)).toBe(true);
      await expectSound(metadata);
    });
  });

  describe('the journal', () => {
    const { open } = openerOf(subject);

    it('begins empty, with a life of its own', async () => {
      const [metadata, other] = [await open(), await open()];
      const head = await metadata.head();
      expect(head).toEqual({ commit: 0, digest: new Uint8Array(32), incarnation: head.incarnation, flushed: 0 });
      expect(head.incarnation).toHaveLength(16);
      expect((await other.head()).incarnation).not.toEqual(head.incarnation);
      expect(await metadata.outbox(0, 1000)).toEqual([]);
    });

    it('chains one record to each commit and says what really happened', async () => {
      const metadata = await open();
      await commit(metadata, put('a', 'v1'), remove('absent'));
      await metadata.commit([request(rename('x', 'y')), request(rename('a', 'b')), request(packAdd(packOf(1, [])))]);
      const rows = await metadata.outbox(0, 2 ** 30);
      const [first, second] = await records(metadata);
      const { incarnation, digest } = await metadata.head();
      expect(first).toMatchObject({ commit: 1, previous: new Uint8Array(32), incarnation });
      expect(first?.operations.map(({ type }) => type)).toEqual(['incarnation', 'entry-put']);
      expect(second?.operations.map(({ type }) => type)).toEqual(['entry-rename', 'pack-add']);
      expect(second?.previous).toEqual(blake3(rows[0]?.record ?? new Uint8Array()));
      expect(digest).toEqual(blake3(rows[1]?.record ?? new Uint8Array()));
    });

    it('pages by bytes, with at least one record', async () => {
      const metadata = await open();
      for (const key of ['a', 'b', 'c', 'd']) await commit(metadata, put(key));
      const page = async (after: number, bytes: number) =>
        (await metadata.outbox(after, bytes)).map((row) => row.commit);
      const [, { record: { length = 0 } = {} } = {}] = await metadata.outbox(0, 2 ** 30);
      expect(await page(0, 0)).toEqual([1]);
      expect(await page(1, 2 * length)).toEqual([2, 3]);
      expect(await page(1, 2 ** 30)).toEqual([2, 3, 4]);
      expect(await page(4, 2 ** 30)).toEqual([]);
    });
  });

  describe('chunks that ride in a commit', () => {
    const { open } = openerOf(subject);

    it('are read from the outbox, then from the journal pack', async () => {
      const [metadata, journal] = [await open(), new SampleJournal()];
      await metadata.commit([
        { changes: [put('a')], inline: [inlineOf('x', 'y')] },
        { changes: [put('b')], inline: [inlineOf('z'), inlineOf('w')] },
      ]);
      const outbox = { commit: 1, bytes: inlineOf('x', 'y').stored };
      expect(await metadata.locate('chunk', idOf('y'))).toMatchObject([
        { outbox, ordinal: 0, inner: 100, length: 100, plainLength: 200, codec: 1, storedLength: outbox.bytes.length },
      ]);
      expect(await metadata.locate('chunk', idOf('z'))).toMatchObject([{ ordinal: 1, inner: 0 }]);
      expect(await metadata.locate('chunk', idOf('w'))).toMatchObject([
        { outbox: { commit: 1, bytes: inlineOf('w').stored }, ordinal: 2, inner: 0 },
      ]);
      expect(await metadata.outbox(0, 1)).toMatchObject([
        { commit: 1, inline: [inlineOf('x', 'y'), inlineOf('z'), inlineOf('w')] },
      ]);
      const flushed = await journal.flush(metadata);
      await metadata.markFlushed(flushed ? [flushed] : []);
      const [item] = flushed?.inline[0]?.items.slice(1) ?? [];
      const { id: _, ...position } = item ?? { id: undefined };
      expect(await metadata.locate('chunk', idOf('y'))).toMatchObject([{ ...position, pack: flushed?.pack }]);
      expect(await metadata.outbox(0, 1000)).toEqual([]);
      expect(await metadata.head()).toMatchObject({ commit: 1, flushed: 1 });
      expect(await metadata.counters()).toMatchObject({ outbox: 0, chunks: 4, packs: 1 });
      await expectSound(metadata);
    });

    it('count where the outbox is read page by page', async () => {
      const metadata = await open();
      const large = { ...inlineOf('x'), stored: new Uint8Array(5000) };
      await metadata.commit([{ changes: [], inline: [large] }]);
      await commit(metadata, put('a'));
      const commits = async (bytesMax: number) => (await metadata.outbox(0, bytesMax)).map((row) => row.commit);
      expect(await commits(5000)).toEqual([1]);
      expect(await commits(50_000)).toEqual([1, 2]);
    });

    it('that fail with their request leave nothing', async () => {
      const metadata = await open();
      await metadata.commit([
        { changes: [rename('x', 'y')], inline: [inlineOf('x')] },
        { changes: [put('b')], inline: [inlineOf('z')] },
      ]);
      expect(await whereIs(metadata, 'x')).toBeUndefined();
      expect(await metadata.outbox(0, 1)).toMatchObject([{ inline: [inlineOf('z')] }]);
      await expectSound(metadata);
    });

    it('yield to a pack that the same or a later commit adds', async () => {
      const [metadata, journal] = [await open(), new SampleJournal()];
      await metadata.commit([
        { changes: [packAdd(packOf(100, [idOf('x')]))], inline: [inlineOf('x', 'y')] },
        { changes: [], inline: [inlineOf('x')] },
      ]);
      await commit(metadata, packAdd(packOf(101, [idOf('y')])));
      expect(await whereIs(metadata, 'x')).toBe('pack 1');
      const flushed = await journal.flush(metadata);
      await metadata.markFlushed(flushed ? [flushed] : []);
      expect(await whereIs(metadata, 'x')).toBe('pack 1');
      expect(await whereIs(metadata, 'y')).toBe('pack 2');
      await expectSound(metadata);
    });

    it('are flushed in the transaction of the next commit, if asked', async () => {
      const [metadata, journal] = [await open(), new SampleJournal()];
      await commitInline(metadata, 'x');
      const flushed = await journal.flush(metadata);
      await metadata.commit([request(put('a'))], flushed ? [flushed] : []);
      expect(await metadata.head()).toMatchObject({ commit: 2, flushed: 1 });
      expect(await whereIs(metadata, 'x')).toBe('pack 1');
      await metadata.commit([request(rename('no', 'thing'))], flushed ? [flushed] : []);
      expect(await metadata.head()).toMatchObject({ commit: 2, flushed: 1 });
    });
  });

  describe('journal packs', () => {
    const { open } = openerOf(subject);

    it.each([
      { order: [0, 1, 2] },
      { order: [2, 1, 0] },
      { order: [1, 2, 0] },
    ])('with the same commits: chunks are found in the first by last commit, then id, told in order $order', async ({
      order,
    }) => {
      const [metadata, journal] = [await open(), new SampleJournal()];
      await commitInline(metadata, 'x');
      await commitInline(metadata, 'y');
      const long = await journal.flush(metadata);
      const short = await journal.flush(metadata, { last: 1 });
      const later = await journal.flush(metadata, { last: 1 });
      const packs = [long, short, later];
      for (const index of order) {
        const flushed = packs[index];
        if (flushed) await metadata.markFlushed([flushed]);
      }
      const place = async (label: string) => (await metadata.locate('chunk', idOf(label)))[0]?.pack?.id;
      const ids = [short, later].flatMap((flushed) => flushed?.pack.id ?? []);
      expect(await place('x')).toEqual(ids.toSorted(Buffer.compare)[0]);
      expect(await place('y')).toEqual(long?.pack.id);
      expect(await metadata.head()).toMatchObject({ flushed: 2 });
      await expectSound(metadata);
    });

    it('may leave earlier records for a later one', async () => {
      const [metadata, journal] = [await open(), new SampleJournal()];
      for (const label of ['x', 'y', 'z']) await commitInline(metadata, label);
      const late = await journal.flush(metadata, { after: 1 });
      await metadata.markFlushed(late ? [late] : []);
      await commitInline(metadata, 'w');
      expect((await metadata.outbox(0, 2 ** 30)).map((row) => row.commit)).toEqual([1]);
      expect((await metadata.outbox(1, 2 ** 30)).map((row) => row.commit)).toEqual([4]);
      expect(await metadata.head()).toMatchObject({ commit: 4, flushed: 0 });
      expect(await metadata.counters()).toMatchObject({ outbox: 2 });
      await expectSound(metadata);
      const rest = await journal.flush(metadata);
      await metadata.markFlushed(rest ? [rest] : []);
      expect(await metadata.head()).toMatchObject({ commit: 4, flushed: 3 });
      await expectSound(metadata);
    });

    it('are merged like others, once their records lie in another', async () => {
      const [metadata, journal] = [await open(), new SampleJournal()];
      for (const label of ['x', 'y']) {
        await commitInline(metadata, label);
        const flushed = await journal.flush(metadata, { after: (await metadata.head()).flushed });
        await metadata.markFlushed(flushed ? [flushed] : []);
      }
      const sources = journal.listing.map(({ pack }) => ({ pack, items: [] }));
      const chunks = journal.write([idOf('x'), idOf('y')]);
      expect(await refusal(metadata, packMerge([chunks], sources))).toBe('PRECONDITION_FAILED');
      const holder = journal.mergeJournal(journal.listing);
      await metadata.replay([holder.pack], []);
      expect(await refusal(metadata, packMerge([], sources))).toBe('PRECONDITION_FAILED');
      await commit(metadata, packMerge([chunks], sources));
      expect((await metadata.droppedPacks(9)).map(({ id }) => id)).toEqual(sources.map(({ pack }) => pack.id));
      expect((await metadata.listPacks({ class: 'journal', limit: 9 })).map(({ id }) => id)).toEqual([holder.pack.id]);
      expect(await metadata.locate('chunk', idOf('x'))).toMatchObject([{ pack: { id: chunks.pack.id } }]);
      await expectSound(metadata);
    });

    it('that were dropped get no chunks back', async () => {
      const [metadata, journal] = [await open(), new SampleJournal()];
      await commitInline(metadata, 'x');
      const first = await journal.flush(metadata);
      if (!first) throw new Error('nothing was flushed');
      await metadata.markFlushed([first]);
      const holder = journal.mergeJournal(journal.listing);
      const chunks = journal.write([idOf('x')]);
      await metadata.replay([holder.pack], []);
      await commit(metadata, packMerge([chunks], [{ pack: first.pack, items: [] }]));
      await metadata.markFlushed([first]);
      expect(await metadata.locate('chunk', idOf('x'))).toMatchObject([{ pack: { id: chunks.pack.id } }]);
      await expectSound(metadata);
    });

    it('that another process merged and deleted before their writer told of them are not counted on', async () => {
      const [metadata, journal] = [await open(), new SampleJournal()];
      await commitInline(metadata, 'x');
      const first = await journal.flush(metadata);
      if (!first) throw new Error('nothing was flushed');
      await metadata.markFlushed([first]);
      const holder = journal.mergeJournal(journal.listing);
      const chunks = journal.write([idOf('x')]);
      await metadata.replay([holder.pack], []);
      await commit(metadata, packMerge([chunks], [{ pack: first.pack, items: [] }]));
      const dropped = await metadata.droppedPacks(10);
      await metadata.forgetPacks(dropped.map(({ number }) => number));
      await metadata.markFlushed([first]);
      expect(await metadata.listPacks({ class: 'journal', limit: 10 })).toMatchObject([{ id: holder.pack.id }]);
      expect(await metadata.droppedPacks(10)).toMatchObject([{ id: first.pack.id }]);
      await expectSound(metadata);
    });
  });
});
