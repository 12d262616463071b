import { describe, expect, it } from 'vitest';
import type { Metadata, PackRow } from '../../../src/metadata/contract.ts';
import type { PlaceChange } from '../../../src/metadata/shard-contract.ts';
import {
  idOf,
  inlineOf,
  packAdd,
  packMerge,
  packOf,
  put,
  request,
  type SamplePack,
  striped,
} from '../../support/metadata-samples.ts';
import { SampleJournal } from '../../support/sample-journal.ts';
import { SUBJECTS } from './subjects.ts';
import { commit, expectSound, openerOf } from './suite.ts';

const K = 2;

/** A data pack of stripe 2+m with one chunk; a number instead of places: so many shards, at unknown places. */
function sampleOf(ordinal: number, places: readonly number[] | number): SamplePack {
  return striped(packOf(ordinal, [idOf(`chunk ${ordinal}`)]), K, places);
}

/** Packs are numbered as they are registered, from 1. */
async function register(metadata: Metadata, ...packs: readonly (readonly number[] | number)[]): Promise<void> {
  await commit(metadata, ...packs.map((places, index) => packAdd(sampleOf(index + 1, places))));
}

const shardOf = (packNumber: number, index: number) => ({
  ...{ packNumber, index },
  stripeId: sampleOf(packNumber, 3).pack.stripe.id,
});

const move = (packNumber: number, index: number, from: number | undefined, to: number): PlaceChange => ({
  ...{ ...shardOf(packNumber, index), from, to },
});

const verify = (metadata: Metadata, time: number, ...shards: readonly (readonly [number, number])[]): Promise<void> =>
  metadata.markVerified(shards.map(([pack, index]) => ({ ...shardOf(pack, index), time })));

const numbersOf = (packs: readonly PackRow[]): readonly number[] => packs.map(({ number }) => number);

async function queue(metadata: Metadata): Promise<readonly (readonly [number, number])[]> {
  return (await metadata.packsToRepair({ limit: 99 })).map(({ number, margin }) => [number, margin]);
}

async function placesOf(metadata: Metadata): Promise<readonly (readonly number[] | undefined)[]> {
  return (await metadata.listPacks({ limit: 99 })).map(({ places }) => places);
}

async function unknown(metadata: Metadata): Promise<readonly number[]> {
  return numbersOf(await metadata.packsOfUnknownPlace({ limit: 99 }));
}

async function byVerification(metadata: Metadata, before: number): Promise<readonly (readonly [number, number])[]> {
  return (await metadata.packsVerifiedBefore({ before, limit: 99 })).map(({ number, verifiedAt }) => [
    ...([number, verifiedAt] as const),
  ]);
}

describe.each(SUBJECTS)('$name', (subject) => {
  describe('places of shards', () => {
    const { open, openAgain } = openerOf(subject);

    it('are those that a pack was registered with, in every answer that holds the pack', async () => {
      const metadata = await open();
      await register(metadata, [3, 1, 65_535], 3);
      const [first, second] = await metadata.listPacks({ limit: 9 });
      expect(first).toMatchObject({ places: [3, 1, 65_535], verified: [0, 0, 0] });
      expect(second).not.toHaveProperty('places');
      expect(second).not.toHaveProperty('verified');
      const [found] = await metadata.locate('chunk', idOf('chunk 1'));
      expect(found?.pack).toEqual(first);
      expect(await metadata.smallPacks({ class: 'data', bytesBelow: 9999, limit: 1 })).toEqual([first]);
      await expectSound(metadata);
    });

    it('stay when something else of the pack changes, and when it is dropped', async () => {
      const metadata = await open();
      await register(metadata, [1, 2, 0], [1, 2, 3]);
      await verify(metadata, 70, [1, 1]);
      await commit(metadata, packAdd(packOf(7, [idOf('chunk 1')])));
      expect(await metadata.listPacks({ limit: 1 })).toMatchObject([
        { items: 0, places: [1, 2, 0], verified: [0, 70, 0] },
      ]);
      await commit(metadata, packMerge([packOf(8, [idOf('chunk 2')])], [sampleOf(1, 3), sampleOf(2, 3)]));
      expect(await metadata.droppedPacks(9)).toMatchObject([{ places: [1, 2, 0] }, { places: [1, 2, 3] }]);
      expect(await queue(metadata)).toEqual([]);
      await expectSound(metadata);
    });

    it('change one by one, if they are what the caller takes them for', async () => {
      const metadata = await open();
      await register(metadata, [1, 2, 3], [1, 2, 3]);
      await verify(metadata, 50, [1, 0], [1, 1]);
      const answers = await metadata.placeShards([
        move(1, 0, 1, 9),
        move(1, 1, 1, 9),
        move(2, 2, 3, 4),
        move(2, 2, 4, 5),
        move(2, 0, undefined, 7),
        { ...move(1, 2, 3, 9), stripeId: idOf('another encoding').slice(0, 16) },
        move(99, 0, undefined, 1),
      ]);
      expect(answers).toEqual([true, false, true, true, false, false, false]);
      expect(await placesOf(metadata)).toEqual([
        [9, 2, 3],
        [1, 2, 5],
      ]);
      expect((await metadata.listPacks({ limit: 1 }))[0]?.verified).toEqual([0, 50, 0]);
      expect(await metadata.placeShards([move(1, 1, 2, 2)])).toEqual([true]);
      expect((await metadata.listPacks({ limit: 1 }))[0]?.verified).toEqual([0, 50, 0]);
      expect(await metadata.placeShards([])).toEqual([]);
      await expectSound(metadata);
    });

    it('that are not known become known with the first one, the others as nowhere', async () => {
      const metadata = await open();
      await register(metadata, 4, 3);
      expect(await metadata.placeShards([move(1, 2, 0, 5)])).toEqual([false]);
      const found = [move(1, 2, undefined, 5), move(1, 1, undefined, 6), move(1, 0, 0, 7)];
      expect(await metadata.placeShards(found)).toEqual([true, false, true]);
      expect(await placesOf(metadata)).toEqual([[7, 0, 5, 0], undefined]);
      expect(await queue(metadata)).toEqual([[1, 0]]);
      expect(await unknown(metadata)).toEqual([2]);
      expect(await metadata.placeShards([move(2, 0, undefined, 0)])).toEqual([true]);
      expect(await queue(metadata)).toEqual([
        [2, -2],
        [1, 0],
      ]);
      await expectSound(metadata);
    });

    it('of dropped packs are not changed', async () => {
      const metadata = await open();
      await register(metadata, [1, 2, 3]);
      await commit(metadata, packMerge([packOf(8, [idOf('chunk 1')])], [sampleOf(1, 3)]));
      expect(await metadata.placeShards([move(1, 0, 1, 0)])).toEqual([false]);
      await verify(metadata, 5, [1, 0]);
      expect(await metadata.droppedPacks(9)).toMatchObject([{ places: [1, 2, 3], verified: [0, 0, 0] }]);
      expect(await queue(metadata)).toEqual([]);
    });

    it('are all or none changed: one that cannot be is told, and nothing happened', async () => {
      const metadata = await open();
      await register(metadata, [1, 2, 3]);
      const wrong = [
        ...[move(1, 3, undefined, 1), move(1, -1, undefined, 1), move(1, 0, 9, 65_536), move(1, 1, 2, -1)],
        move(1, 1, 2, 1.5),
      ];
      for (const change of wrong) {
        await expect(metadata.placeShards([move(1, 0, 1, 9), change])).rejects.toBeInstanceOf(RangeError);
      }
      await expect(verify(metadata, -1, [1, 0])).rejects.toBeInstanceOf(RangeError);
      await expect(verify(metadata, 2 ** 48, [1, 0])).rejects.toBeInstanceOf(RangeError);
      expect(await placesOf(metadata)).toEqual([[1, 2, 3]]);
    });

    it('enter neither journal, digests nor sums', async () => {
      const [placed, without] = [await open(), await open()];
      await register(placed, [1, 0, 3]);
      await register(without, 3);
      await placed.placeShards([move(1, 1, 0, 2), move(1, 0, 1, 0)]);
      await verify(placed, 9, [1, 1]);
      expect(await placed.stateDigests()).toEqual(await without.stateDigests());
      const [row] = await placed.outbox(0, 2 ** 20);
      expect(row?.record).toHaveLength((await without.outbox(0, 2 ** 20))[0]?.record.length ?? 0);
      const journal = new SampleJournal();
      const flushed = await journal.flush(placed);
      const rebuilt = await open();
      await rebuilt.replay(flushed ? [flushed.pack] : [], [
        { record: row?.record ?? new Uint8Array(), directories: [], inline: [] },
      ]);
      expect(await placesOf(rebuilt)).toEqual([undefined, undefined]);
      await expectSound(placed);
    });

    it.skipIf(!openAgain)('are seen by other processes and after opening again', async () => {
      const metadata = await open();
      await register(metadata, [1, 2, 3]);
      const other = await openAgain?.();
      expect(await other?.placeShards([move(1, 0, 1, 4)])).toEqual([true]);
      expect(await metadata.placeShards([move(1, 0, 1, 5)])).toEqual([false]);
      await metadata.close();
      await other?.close();
      const [pack] = (await (await openAgain?.())?.listPacks({ limit: 1 })) ?? [];
      expect(pack?.places).toEqual([4, 2, 3]);
    });
  });

  describe('places of journal packs', () => {
    const { open } = openerOf(subject);

    async function flushOne(metadata: Metadata, places: readonly number[] | number) {
      await metadata.commit([{ changes: [put('a')], inline: [inlineOf('i')] }]);
      const flushed = await new SampleJournal().flush(metadata);
      if (!flushed) throw new Error('there is something to flush');
      return { ...flushed, pack: striped({ pack: flushed.pack, items: [] }, 1, places).pack };
    }

    it('come with the flush that tells of them', async () => {
      const metadata = await open();
      const flushed = await flushOne(metadata, [2, 0]);
      await metadata.commit([request(put('b'))], [flushed]);
      expect(await placesOf(metadata)).toEqual([[2, 0]]);
      expect(await queue(metadata)).toEqual([[1, 0]]);
    });

    it.each(['markFlushed', 'replay'] as const)('are filled in by a later %s, and never taken away', async (call) => {
      const metadata = await open();
      const flushed = await flushOne(metadata, 2);
      const { pack } = flushed;
      const tell = (places: readonly number[] | undefined, stripe = pack.stripe): Promise<void> => {
        const told = { ...pack, stripe, ...(places && { places }) };
        return call === 'replay' ? metadata.replay([told], []) : metadata.markFlushed([{ ...flushed, pack: told }]);
      };
      await metadata.markFlushed([flushed]);
      expect(await unknown(metadata)).toEqual([1]);
      await tell([8, 9], { ...pack.stripe, id: idOf('another encoding').slice(0, 16) });
      expect(await placesOf(metadata)).toEqual([undefined]);
      await tell([2, 0]);
      expect(await placesOf(metadata)).toEqual([[2, 0]]);
      expect(await queue(metadata)).toEqual([[1, 0]]);
      await tell(undefined);
      await tell([4, 5]);
      expect(await placesOf(metadata)).toEqual([[2, 0]]);
      expect(await unknown(metadata)).toEqual([]);
      await expectSound(metadata);
    });
  });

  describe('the queue of repair', () => {
    const { open } = openerOf(subject);

    it('holds live packs that lack a shard, those closest to loss first, page by page', async () => {
      const metadata = await open();
      const [whole, spare, bare, lost] = [
        [1, 2, 3, 4],
        [1, 0, 3, 4],
        [0, 2, 3, 0],
        [0, 0, 3, 0],
      ] as const;
      await register(metadata, spare, whole, lost, bare, 4, spare, lost);
      const meant = [
        [3, -1],
        [7, -1],
        [4, 0],
        [1, 1],
        [6, 1],
      ];
      expect(await queue(metadata)).toEqual(meant);
      const paged: (readonly [number, number])[] = [];
      for (let after: { margin: number; number: number } | undefined; paged.length < meant.length; ) {
        const page = await metadata.packsToRepair({ limit: 2, ...(after && { after }) });
        expect(page.length).toBeGreaterThan(0);
        paged.push(...page.map(({ number, margin }) => [number, margin] as const));
        after = page.at(-1);
      }
      expect(paged).toEqual(meant);
      expect(await metadata.packsToRepair({ limit: 9, after: { margin: 1, number: 6 } })).toEqual([]);
      await expectSound(metadata);
    });

    it('takes a pack in with the place that is given up, and lets it go with the last one that is filled', async () => {
      const metadata = await open();
      await register(metadata, [1, 2, 3, 4]);
      expect(await queue(metadata)).toEqual([]);
      await metadata.placeShards([move(1, 0, 1, 0), move(1, 3, 4, 0)]);
      expect(await queue(metadata)).toEqual([[1, 0]]);
      await metadata.placeShards([move(1, 3, 0, 7)]);
      expect(await queue(metadata)).toEqual([[1, 1]]);
      await metadata.placeShards([move(1, 0, 0, 1)]);
      expect(await queue(metadata)).toEqual([]);
      await expectSound(metadata);
    });
  });

  describe('packs of unknown place', () => {
    const { open } = openerOf(subject);

    it('are listed by number, the live ones', async () => {
      const metadata = await open();
      await register(metadata, 3, [1, 2, 3], 3, 3, 3);
      await commit(metadata, packMerge([striped(packOf(8, [idOf('chunk 4')]), K, [1, 2, 3])], [sampleOf(4, 3)]));
      expect(await unknown(metadata)).toEqual([1, 3, 5]);
      expect(numbersOf(await metadata.packsOfUnknownPlace({ after: 1, limit: 1 }))).toEqual([3]);
      expect(numbersOf(await metadata.packsOfUnknownPlace({ after: 3, limit: 9 }))).toEqual([5]);
    });
  });

  describe('verification', () => {
    const { open } = openerOf(subject);

    it('is remembered for every shard that lies somewhere', async () => {
      const metadata = await open();
      await register(metadata, [1, 0, 3], 3);
      await verify(metadata, 2 ** 48 - 1, [1, 0], [1, 1], [2, 0], [99, 0]);
      await metadata.markVerified([{ ...shardOf(1, 2), stripeId: idOf('another').slice(0, 16), time: 5 }]);
      const [first, second] = await metadata.listPacks({ limit: 9 });
      expect(first?.verified).toEqual([2 ** 48 - 1, 0, 0]);
      expect(second?.verified).toBeUndefined();
      await expectSound(metadata);
    });

    it('does not count for a shard that has moved since it was read', async () => {
      const metadata = await open();
      await register(metadata, [1, 2, 3]);
      await metadata.placeShards([move(1, 1, 2, 9)]);
      await metadata.markVerified([
        { ...shardOf(1, 0), time: 7, place: 1 },
        { ...shardOf(1, 1), time: 7, place: 2 },
      ]);
      expect((await metadata.listPacks({ limit: 9 }))[0]?.verified).toEqual([7, 0, 0]);
      await metadata.markVerified([{ ...shardOf(1, 1), time: 8, place: 9 }]);
      expect((await metadata.listPacks({ limit: 9 }))[0]?.verified).toEqual([7, 8, 0]);
    });

    it('is due for packs never verified first, then by their oldest shard, page by page', async () => {
      const metadata = await open();
      await register(metadata, [1, 2, 0], [1, 2, 3], 3, [0, 0, 0], [4, 5, 6]);
      await verify(metadata, 300, [1, 0], [2, 0], [2, 1], [2, 2]);
      await verify(metadata, 100, [1, 1], [5, 0], [5, 1]);
      const meant = [
        [3, 0],
        [5, 0],
        [1, 100],
        [2, 300],
      ];
      expect(await byVerification(metadata, 301)).toEqual(meant);
      expect(await byVerification(metadata, 300)).toEqual(meant.slice(0, 3));
      const page = await metadata.packsVerifiedBefore({ before: 999, limit: 2 });
      const [, last] = page;
      expect(numbersOf(page)).toEqual([3, 5]);
      const rest = await metadata.packsVerifiedBefore({ before: 999, limit: 9, ...(last && { after: last }) });
      expect(numbersOf(rest)).toEqual([1, 2]);
    });

    it('goes on where it was stopped', async () => {
      const metadata = await open();
      await register(metadata, ...Array.from({ length: 5 }, () => [1, 2, 3]));
      const seen: number[] = [];
      for (;;) {
        const [next] = await metadata.packsVerifiedBefore({ before: 1000, limit: 1 });
        if (!next) break;
        seen.push(next.number);
        await verify(metadata, 1000, [next.number, 0], [next.number, 1], [next.number, 2]);
      }
      expect(seen).toEqual([1, 2, 3, 4, 5]);
      await metadata.placeShards([move(4, 1, 2, 8)]);
      expect(await byVerification(metadata, 1000)).toEqual([[4, 0]]);
      await expectSound(metadata);
    });
  });

  describe('the config', () => {
    const { open } = openerOf(subject);
    const configOf = (generation: number) => ({ generation, bytes: new Uint8Array([7, generation]) });

    it('is compared and set', async () => {
      const metadata = await open();
      expect(await metadata.config()).toBeUndefined();
      await metadata.setConfig(0, configOf(1));
      await expect(metadata.setConfig(0, configOf(2))).rejects.toMatchObject({
        ...{ kind: 'conflict', code: 'KEYS_CHANGED', details: { expected: 0, actual: 1 } },
      });
      expect(await metadata.config()).toEqual(configOf(1));
    });
  });
});
