/**
 * Re-seals what is sealed under old key epochs: packs one by one, by the same copy and commit as a merge, then
 * the rows of the metadata. Each step is whole in itself, so who begins again finds only what is left.
 */
import type { PackClass } from '../format/index.ts';
import type { Metadata, PackRow } from '../metadata/contract.ts';
import { allPacks } from './all-packs.ts';
import { deleteDroppedPacks, dropJournal, type MergeContext, mergePacks } from './merge.ts';
import { type CheckpointContext, writeCheckpoint } from './write-checkpoint.ts';

export interface RekeyContext extends MergeContext, CheckpointContext {
  /** Writes all journal records under the newest keys that lie in journal packs which the metadata does not know. */
  flushJournalAnew(): Promise<void>;
}

export interface RekeyOptions {
  /** Everything up to this epoch is re-sealed. */
  readonly lastEpoch: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { phase: string; done: number; total?: number; bytes: number }) => void;
}

/** Journal packs first: chunks that ride in them move to data packs, which are then new. */
const CLASSES: readonly PackClass[] = ['journal', 'data', 'meta'];

/** How many live packs are sealed under each epoch. */
export async function packsByEpoch(metadata: Metadata, signal?: AbortSignal): Promise<ReadonlyMap<number, number>> {
  const counts = new Map<number, number>();
  for await (const { seal } of allPacks(metadata)) {
    signal?.throwIfAborted();
    if (seal) counts.set(seal.epoch, (counts.get(seal.epoch) ?? 0) + 1);
  }
  return counts;
}

/**
 * @returns `left`: how many packs are still sealed under the old epochs: those that are damaged stay as they are, for
 *   repair to find, and so does the key they need
 * @throws what reading, writing and committing throw; the signal's reason
 */
export async function rekey(
  context: RekeyContext,
  options: RekeyOptions,
): Promise<{ readonly packs: number; readonly bytes: number; readonly left: number }> {
  const { lastEpoch, signal, onProgress } = options;
  const { metadata } = context;
  // A journal pack that was written under old keys and not told of would be left out, and told of when nobody can read
  // it.
  await context.flushJournalAnew();
  const total = await countOld(metadata, lastEpoch, signal);
  let packs = 0;
  let bytes = 0;
  for (const packClass of CLASSES) {
    for await (const pack of allPacks(metadata, packClass)) {
      signal?.throwIfAborted();
      if (!isOld(pack, lastEpoch)) continue;
      const merged = await mergePacks(context, packClass, [pack]);
      if (merged === undefined) continue;
      packs += 1;
      bytes += merged.bytes;
      onProgress?.({ phase: 'rekey', done: packs, total: Math.max(total, packs), bytes });
    }
  }
  const exchanged = await exchangeCheckpoints(context, lastEpoch);
  packs += exchanged.packs;
  bytes += exchanged.bytes;
  await deleteDroppedPacks(context);
  await metadata.reseal({ lastEpoch, ...(signal && { signal }) });
  return { packs, bytes, left: await countOld(metadata, lastEpoch, signal) };
}

/** What a checkpoint holds is not sealed anew but written anew: a later one takes the place of those under old keys. */
async function exchangeCheckpoints(
  context: RekeyContext,
  lastEpoch: number,
): Promise<{ readonly packs: number; readonly bytes: number }> {
  const old: PackRow[] = [];
  for await (const pack of allPacks(context.metadata, 'checkpoint')) if (isOld(pack, lastEpoch)) old.push(pack);
  if (old.length === 0) return { packs: 0, bytes: 0 };
  const { bytes } = await writeCheckpoint(context, { anew: true });
  return (await dropJournal(context, old)) ? { packs: old.length, bytes } : { packs: 0, bytes };
}

function isOld({ seal }: PackRow, lastEpoch: number): boolean {
  return seal !== undefined && seal.epoch <= lastEpoch;
}

async function countOld(metadata: Metadata, lastEpoch: number, signal: AbortSignal | undefined): Promise<number> {
  let count = 0;
  for await (const pack of allPacks(metadata)) {
    signal?.throwIfAborted();
    if (isOld(pack, lastEpoch)) count += 1;
  }
  return count;
}
