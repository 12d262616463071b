import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/bytes/bytes.ts';
import { decodeJournalRecord, type PackDescriptor } from '../../../src/format/index.ts';
import type { PackRow } from '../../../src/metadata/contract.ts';
import {
  hexId,
  idOf,
  idsOf,
  inlineOf,
  packAdd,
  packMerge,
  packOf,
  put,
  request,
} from '../../support/metadata-samples.ts';
import { SUBJECTS } from './subjects.ts';
import { codeOf, commit, expectSound, openerOf, refusal, whereIs } from './suite.ts';

const ids = (...labels: readonly (string | number)[]): readonly Uint8Array[] => labels.map(idOf);
const numbersOf = (packs: readonly PackRow[]): readonly number[] => packs.map(({ number }) => number);

describe.each(SUBJECTS)('$name', (subject) => {
  describe('items', () => {
    const { open } = openerOf(subject);

    it('are located in the order asked, with everything a reader needs', async () => {
      const metadata = await open();
      const sample = packOf(1, ids('a', 'b'));
      await commit(metadata, packAdd(sample));
      const found = await metadata.locate('chunk', idsOf('b', 'x', 'a', 'b'));
      const pack = { ...sample.pack, number: 1, items: 2, liveBytes: 0, condemned: 0 };
      const [a, b] = sample.items.map(({ id: _, ...position }) => ({
        ...position,
        pack,
        suspect: false,
        condemned: false,
      }));
      expect(found).toEqual([b, undefined, a, b]);
      expect(await metadata.locate('chunk', new Uint8Array(0))).toEqual([]);
    });

    it('are chunks or manifests, even under one id', async () => {
      const metadata = await open();
      await commit(metadata, packAdd(packOf(1, ids('a'), 'meta')));
      expect(await metadata.locate('chunk', idOf('a'))).toEqual([undefined]);
      expect(await metadata.locate('manifest', idOf('a'))).toMatchObject([{ pack: { number: 1 } }]);
      await commit(metadata, packAdd(packOf(2, ids('a'), 'data')));
      expect(await metadata.locate('manifest', idOf('a'))).toMatchObject([{ pack: { number: 1 } }]);
      expect(await metadata.counters()).toMatchObject({ chunks: 1, uniqueBytes: 100, packs: 2 });
      await expectSound(metadata);
    });

    it('are found where they were stored last', async () => {
      const metadata = await open();
      await commit(metadata, packAdd(packOf(1, ids('a', 'b'))));
      await commit(metadata, packAdd(packOf(2, ids('b', 'c', 'b'))));
      expect(await whereIs(metadata, 'a')).toBe('pack 1');
      expect(await whereIs(metadata, 'b')).toBe('pack 2');
      expect((await metadata.locate('chunk', idOf('b')))[0]?.ordinal).toBe(2);
      expect((await metadata.listPacks({ limit: 9 })).map(({ items }) => items)).toEqual([1, 2]);
      expect(await metadata.counters()).toMatchObject({ chunks: 3, uniqueBytes: 300 });
      await expectSound(metadata);
    });

    it('are suspect until they are stored again', async () => {
      const metadata = await open();
      await commit(metadata, packAdd(packOf(1, ids('a', 'b', 'c'))));
      const suspect = (label: string, packNumber = 1) => ({ kind: 'chunk', id: idOf(label), packNumber }) as const;
      await metadata.markSuspect([suspect('a'), suspect('b'), suspect('unknown')]);
      expect(await whereIs(metadata, 'a')).toBe('pack 1!');
      expect(await whereIs(metadata, 'c')).toBe('pack 1');
      await commit(metadata, packAdd(packOf(2, ids('a'))));
      await metadata.commit([{ changes: [], inline: [inlineOf('b')] }]);
      expect(await whereIs(metadata, 'a')).toBe('pack 2');
      expect(await whereIs(metadata, 'b')).toBe('outbox 3');
      await metadata.markSuspect([suspect('a', 1), suspect('b', 0)]);
      expect(await whereIs(metadata, 'a')).toBe('pack 2');
      expect(await whereIs(metadata, 'b')).toBe('outbox 3');
      await expectSound(metadata);
    });

    it('are suspect no more when they were read well where they were suspect, and only there', async () => {
      const metadata = await open();
      await commit(metadata, packAdd(packOf(1, ids('a', 'b'))));
      const item = (label: string, packNumber: number) => ({ kind: 'chunk', id: idOf(label), packNumber }) as const;
      await metadata.markSuspect([item('a', 1), item('b', 1)]);
      await metadata.markSuspect([item('a', 1), item('b', 2), item('unknown', 1)], false);
      expect(await Promise.all(['a', 'b'].map((label) => whereIs(metadata, label)))).toEqual(['pack 1', 'pack 1!']);
      await expectSound(metadata);
    });

    it('of packs that are gone are suspect, all of them', async () => {
      const metadata = await open();
      for (const [index, labels] of [['a', 'b'], ['c'], ['d']].entries()) {
        await commit(metadata, packAdd(packOf(index + 1, ids(...labels))));
      }
      await metadata.commit([{ changes: [], inline: [inlineOf('e')] }]);
      await metadata.markPacksSuspect([0, 1, 3, 99]);
      const places = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((label) => whereIs(metadata, label)));
      expect(places).toEqual(['pack 1!', 'pack 1!', 'pack 2', 'pack 3!', 'outbox 4']);
    });

    it('are scanned in order of id, page by page', async () => {
      const metadata = await open();
      const labels = Array.from({ length: 25 }, (_, index) => index);
      await commit(metadata, packAdd(packOf(1, ids(...labels))), packAdd(packOf(2, ids('m'), 'meta')));
      const seen: Uint8Array[] = [];
      for (;;) {
        const page = await metadata.scanItems('chunk', seen.at(-1), 10);
        if (page.length === 0) break;
        seen.push(...page.map(({ id }) => id));
        expect(page).toMatchObject(page.map(() => ({ packNumber: 1, length: 100, suspect: false })));
      }
      expect(concatBytes(seen)).toEqual(concatBytes(ids(...labels).toSorted(Buffer.compare)));
      expect(await metadata.scanItems('manifest', undefined, 10)).toHaveLength(1);
    });
  });

  describe('packs', () => {
    const { open } = openerOf(subject);

    it('are registered once', async () => {
      const metadata = await open();
      const outcomes = await metadata.commit([
        ...[packOf(1, ids('a')), packOf(1, ids('b')), packOf(2, ids('c'))].map((sample) => request(packAdd(sample))),
      ]);
      expect(outcomes.map(codeOf)).toEqual(['ok', 'PRECONDITION_FAILED', 'ok']);
      expect(await refusal(metadata, put('k'), packAdd(packOf(2, [])))).toBe('PRECONDITION_FAILED');
      expect(await whereIs(metadata, 'b')).toBeUndefined();
      expect(await metadata.counters()).toMatchObject({ packs: 2, chunks: 2, entries: 0 });
      await expectSound(metadata);
    });

    it('are listed by number, and small ones by size', async () => {
      const metadata = await open();
      const sizes = [3, 1, 2, 1];
      const samples = sizes.map((size, index) =>
        packOf(index + 1, ids(...Array.from({ length: size }, (_, n) => `${index}/${n}`))),
      );
      await commit(metadata, ...samples.map(packAdd), packAdd(packOf(9, ids('m'), 'meta')));
      const all = await metadata.listPacks({ limit: 9 });
      expect(all.map(({ id, class: of, items }) => ({ id, of, items }))).toEqual([
        ...samples.map(({ pack, items }) => ({ id: pack.id, of: 'data', items: items.length })),
        { id: packOf(9, []).pack.id, of: 'meta', items: 1 },
      ]);
      expect(numbersOf(await metadata.listPacks({ after: 1, limit: 2 }))).toEqual([2, 3]);
      expect(numbersOf(await metadata.listPacks({ class: 'meta', limit: 9 }))).toEqual([5]);
      const small = { class: 'data', bytesBelow: 1000 + 3 * 80 } as const;
      expect(numbersOf(await metadata.smallPacks({ ...small, limit: 9 }))).toEqual([2, 4, 3]);
      expect(numbersOf(await metadata.smallPacks({ ...small, limit: 1 }))).toEqual([2]);
    });

    it('of the journal are candidates as neighbours, the newest first', async () => {
      const metadata = await open();
      for (const key of ['a', 'b', 'c', 'd']) await commit(metadata, put(key));
      const { incarnation } = await metadata.head();
      const held = (first: number, last: number, size: number): PackDescriptor =>
        packOf(last, ids(...Array(size).keys()), 'journal', { incarnation, firstCommit: first, lastCommit: last }).pack;
      // In this order: told of late, and of different sizes.
      await metadata.replay([held(3, 3, 5), held(4, 4, 1), held(1, 2, 0)], []);
      const small = { class: 'journal', bytesBelow: 9999 } as const;
      const lastCommits = async (limit: number): Promise<(number | undefined)[]> =>
        (await metadata.smallPacks({ ...small, limit })).map(({ journal }) => journal?.lastCommit);
      expect(await lastCommits(9)).toEqual([4, 3, 2]);
      expect(await lastCommits(2)).toEqual([4, 3]);
    });
  });

  describe('a merge', () => {
    const { open } = openerOf(subject);

    it('moves live items, records the others as stale, and drops packs until they are forgotten', async () => {
      const metadata = await open();
      const [first, second, third] = [packOf(1, ids('a', 'b')), packOf(2, ids('c')), packOf(3, ids('b'))];
      await commit(metadata, ...[first, second, third].map(packAdd));
      const merged = packOf(4, ids('a', 'b', 'c'));
      await commit(metadata, packMerge([merged], [first, second]));
      expect(await Promise.all(['a', 'b', 'c'].map((label) => whereIs(metadata, label)))).toEqual([
        ...['pack 4', 'pack 3', 'pack 4'],
      ]);
      const [row] = await metadata.outbox(1, 1);
      expect(decodeJournalRecord(row?.record ?? new Uint8Array()).operations).toEqual([
        { type: 'pack-merge', added: [merged.pack], dropped: [first.pack.id, second.pack.id], stale: ids('b') },
      ]);
      expect(numbersOf(await metadata.listPacks({ limit: 9 }))).toEqual([3, 4]);
      expect(await metadata.counters()).toMatchObject({ packs: 2, storedBytes: 300 + 1240 + 300 + 1080 });
      expect(numbersOf(await metadata.droppedPacks(9))).toEqual([1, 2]);
      await metadata.forgetPacks([1, 3, 77]);
      expect(numbersOf(await metadata.droppedPacks(9))).toEqual([2]);
      expect(numbersOf(await metadata.listPacks({ limit: 9 }))).toEqual([3, 4]);
      await expectSound(metadata);
    });

    it('leaves no item behind', async () => {
      const metadata = await open();
      const [first, second] = [packOf(1, ids('a', 'b')), packOf(2, ids('c'))];
      await commit(metadata, packAdd(first), packAdd(second));
      const before = await metadata.stateDigests();
      expect(await refusal(metadata, packMerge([packOf(3, ids('a', 'c'))], [first, second]))).toBe(
        'PRECONDITION_FAILED',
      );
      expect(await metadata.stateDigests()).toEqual(before);
      expect(await whereIs(metadata, 'a')).toBe('pack 1');
      await commit(metadata, packMerge([packOf(3, ids('a', 'b', 'c'))], [first, second]));
      await expectSound(metadata);
    });

    it('drops only what is live', async () => {
      const metadata = await open();
      const [first, merged] = [packOf(1, ids('a')), packOf(2, ids('a'))];
      await commit(metadata, packAdd(first));
      expect(await refusal(metadata, packMerge([], [packOf(7, [])]))).toBe('PRECONDITION_FAILED');
      await commit(metadata, packMerge([merged], [first]));
      expect(await refusal(metadata, packMerge([packOf(3, ids('a'))], [first]))).toBe('PRECONDITION_FAILED');
      expect(await refusal(metadata, packMerge([first], [merged]))).toBe('PRECONDITION_FAILED');
      expect(await whereIs(metadata, 'a')).toBe('pack 2');
    });

    it('of two in one group that want the same packs, the first wins', async () => {
      const metadata = await open();
      const sources = [packOf(1, ids('a')), packOf(2, ids('b'))];
      await commit(metadata, ...sources.map(packAdd));
      const outcomes = await metadata.commit([
        ...[3, 4].map((ordinal) => request(packMerge([packOf(ordinal, ids('a', 'b'))], sources))),
      ]);
      expect(outcomes.map(codeOf)).toEqual(['ok', 'PRECONDITION_FAILED']);
      expect((await metadata.listPacks({ limit: 9 })).map(({ id }) => id)).toEqual([packOf(3, []).pack.id]);
      expect(hexId(packOf(3, []))).toMatch(/0003$/);
      await expectSound(metadata);
    });

    it('heals what was suspect', async () => {
      const metadata = await open();
      await commit(metadata, packAdd(packOf(1, ids('a'))));
      await metadata.markPacksSuspect([1]);
      await commit(metadata, packMerge([packOf(2, ids('a'))], [packOf(1, [])]));
      expect(await whereIs(metadata, 'a')).toBe('pack 2');
    });
  });
});
