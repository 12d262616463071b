import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryBackend } from '../backend/memory-backend.ts';
import { utf8Encode } from '../bytes/bytes.ts';
import { createPackId, PackBuilder, type PackClass, type PackHeader, plainIds } from '../format/index.ts';
import { blake3 } from '../hash/index.ts';
import { MERGE_FAN_IN } from '../limits.ts';
import type { Change } from '../metadata/contract.ts';
import { openSqlMetadata } from '../metadata/open-sqlite.ts';
import { soleBackend } from '../placement/backend-set.ts';
import { PackStore } from '../placement/pack-store.ts';
import { systemClock } from '../runtime/clock.ts';
import { systemRandom } from '../runtime/random.ts';
import { deleteDroppedPacks, type MergeContext, type MergeReport, mergeSmallPacks } from './merge.ts';

const STORE = new Uint8Array(16).fill(7);
const SESSION = STORE.subarray(0, 8);

/**
 * A store with as many small data packs as are merged.
 * @param lie number of a pack whose item is not what its id says
 */
async function storeToMerge(lie?: number) {
  const backend = new MemoryBackend();
  const packs = new PackStore({
    backends: soleBackend(backend, systemClock),
    storeId: STORE,
    random: systemRandom,
    keys: undefined,
  });
  const metadata = await openSqlMetadata({
    ...{ path: ':memory:', storeId: STORE, create: true, readOnly: false, busyTimeoutMs: 0 },
  });
  onTestFinished(() => metadata.close());
  let ordinal = 0;
  const newPack = (packClass: PackClass): { readonly header: PackHeader } => {
    ordinal += 1;
    const pack = createPackId(SESSION, ordinal);
    const name = { store: STORE, pack, session: SESSION, class: packClass };
    return { header: { ...name, namespace: 0, epoch: 0, keyMode: 'plain' } };
  };
  const reports: MergeReport[] = [];
  const context: MergeContext & { flushJournal: () => Promise<void> } = {
    metadata,
    packs,
    newPack: async (packClass) => newPack(packClass),
    idsOf: async () => plainIds,
    submit: async (changes: readonly Change[]) => {
      const [outcome] = await metadata.commit([{ changes, inline: [] }]);
      if (!outcome?.ok) throw outcome?.error;
      return outcome.outcomes;
    },
    flushJournal: async () => undefined,
    onMerge: (report) => void reports.push(report),
    signal: new AbortController().signal,
  };
  for (let number = 0; number < MERGE_FAN_IN; number += 1) {
    const builder = new PackBuilder(newPack('data').header);
    const stored = utf8Encode(`chunk ${number}`);
    const items = [{ id: idOf(number), length: stored.length }];
    if (number === lie) stored[0] = 0;
    builder.add({ kind: 'chunk', codec: 0, plainLength: stored.length, stored, items });
    const finished = builder.finish();
    const pack = await packs.write({ header: builder.header, ...finished });
    await context.submit([{ type: 'pack-add', pack, items: finished.items }]);
  }
  return { backend, metadata, context, reports };
}

function idOf(number: number): Uint8Array {
  return blake3(utf8Encode(`chunk ${number}`));
}

const blobsOf = async (backend: MemoryBackend): Promise<number> => (await backend.list()).length;

describe('mergeSmallPacks', () => {
  it('replaces small packs by one, and tells', async () => {
    const { backend, metadata, context, reports } = await storeToMerge();
    await mergeSmallPacks(context, [0]);
    expect(reports).toMatchObject([{ dropped: MERGE_FAN_IN, added: 1 }]);
    expect(await metadata.listPacks({ limit: 100 })).toMatchObject([{ items: MERGE_FAN_IN }]);
    expect(await blobsOf(backend)).toBe(1);
    await mergeSmallPacks(context, [0]);
    expect(reports).toHaveLength(1);
  });

  it('deletes nothing before the journal tells of the merge', async () => {
    const { backend, metadata, context } = await storeToMerge();
    context.flushJournal = () => Promise.reject(new Error('the journal cannot be written'));
    await expect(mergeSmallPacks(context, [0])).rejects.toThrow('the journal');
    expect(await metadata.droppedPacks(100)).toHaveLength(MERGE_FAN_IN);
    await expect(deleteDroppedPacks(context)).rejects.toThrow('the journal');
    expect(await blobsOf(backend)).toBe(MERGE_FAN_IN + 1);
    context.flushJournal = async () => undefined;
    await deleteDroppedPacks(context);
    expect(await blobsOf(backend)).toBe(1);
    expect(await metadata.droppedPacks(100)).toEqual([]);
  });

  it('clears the suspicion of an item that is proven sound', async () => {
    const { metadata, context } = await storeToMerge();
    await metadata.markSuspect([{ kind: 'chunk', id: idOf(3), packNumber: 4 }]);
    expect(await metadata.locate('chunk', idOf(3))).toMatchObject([{ suspect: true }]);
    await mergeSmallPacks(context, [0]);
    expect(await metadata.locate('chunk', idOf(3))).toMatchObject([{ suspect: false, pack: { items: MERGE_FAN_IN } }]);
  });

  it('leaves a pack with an item that is as bad as was suspected', async () => {
    const { metadata, context, reports } = await storeToMerge(3);
    await metadata.markSuspect([{ kind: 'chunk', id: idOf(3), packNumber: 4 }]);
    await mergeSmallPacks(context, [0]);
    expect(await metadata.locate('chunk', idOf(3))).toMatchObject([{ suspect: true, pack: { number: 4, items: 1 } }]);
    expect(reports).toEqual([]);
  });
});
