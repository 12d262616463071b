/**
 * Keeps small packs few: what has gathered is merged as `merge-choice.ts` says, so that a store which only ever received
 * n tiny puts has O(log n) small packs of each class. Records are copied verbatim after they authenticate; chunks that
 * rode in journal packs move to a data pack, so that old journal packs shrink to their records.
 */
import { concatBytes } from '../bytes/bytes.ts';
import { isStoreError } from '../errors/store-error.ts';
import {
  type DirectoryItem,
  openRecord,
  PackBuilder,
  type PackClass,
  type PackHeader,
  RECORD_TRAILER_BYTES,
} from '../format/index.ts';
import { PACK_BYTES_TARGET } from '../limits.ts';
import type { Change, Metadata, PackRow } from '../metadata/contract.ts';
import { sealJournalRecord } from '../pipeline/journal-frame.ts';
import type { OpenedPack, PackStore } from '../placement/pack-store.ts';
import { readJournalPack } from './journal-reader.ts';
import { dueJournalPacks, duePacks } from './merge-choice.ts';

export interface MergeContext {
  readonly metadata: Metadata;
  readonly packs: PackStore;
  nextPackHeader(packClass: PackClass): PackHeader;
  /** Commits and waits until the change would survive any crash. */
  submit(changes: readonly Change[]): Promise<unknown>;
  readonly signal: AbortSignal;
}

export interface MergeReport {
  readonly dropped: number;
  readonly added: number;
  readonly bytes: number;
}

/** Packs from half a full one up are left alone. */
const SMALL_BYTES = PACK_BYTES_TARGET / 2;
const CANDIDATES_MAX = 512;

/** Merges what has gathered, class by class; resolves to what was done, or `undefined` when nothing was due. */
export async function mergeSmallPacks(context: MergeContext): Promise<MergeReport | undefined> {
  let report: MergeReport | undefined;
  for (const packClass of ['journal', 'data', 'meta'] as const) {
    for (;;) {
      context.signal.throwIfAborted();
      const done = await mergeClass(context, packClass);
      if (done === undefined) break;
      report = report
        ? { dropped: report.dropped + done.dropped, added: report.added + done.added, bytes: report.bytes + done.bytes }
        : done;
    }
  }
  return report;
}

/** Deletes the blobs of packs that merges dropped, also those an earlier process did not get to. */
export async function deleteDroppedPacks(context: Pick<MergeContext, 'metadata' | 'packs' | 'signal'>): Promise<void> {
  for (;;) {
    context.signal.throwIfAborted();
    const dropped = await context.metadata.droppedPacks(CANDIDATES_MAX);
    if (dropped.length === 0) return;
    for (const pack of dropped) await context.packs.delete(pack);
    await context.metadata.forgetPacks(dropped.map((pack) => pack.number));
  }
}

async function mergeClass(context: MergeContext, packClass: PackClass): Promise<MergeReport | undefined> {
  const small = await context.metadata.smallPacks({ class: packClass, bytesBelow: SMALL_BYTES, limit: CANDIDATES_MAX });
  const group = packClass === 'journal' ? dueJournalPacks(small) : duePacks(small);
  if (group === undefined) return undefined;
  const changes =
    packClass === 'journal' ? await mergeJournal(context, group) : await mergeItems(context, packClass, group);
  if (changes === undefined) return undefined;
  try {
    await context.submit([changes.change]);
  } catch (error) {
    // Nothing was committed, so our new packs are nobody's; on a full disk they would only be in the way.
    if (!isStoreError(error) || (error.kind !== 'conflict' && error.kind !== 'exhausted')) throw error;
    for (const added of changes.change.added) await context.packs.delete(added.pack);
    // Somebody else moved the same items first: their merge stands.
    if (error.code === 'PRECONDITION_FAILED') return undefined;
    throw error;
  }
  await deleteDroppedPacks(context);
  return { dropped: changes.change.dropped.length, added: changes.change.added.length, bytes: changes.bytes };
}

type MergeChange = Extract<Change, { type: 'pack-merge' }>;

interface PlannedMerge {
  readonly change: MergeChange;
  readonly bytes: number;
}

/** Copies the records that hold live items of the packs into one new pack. */
async function mergeItems(
  context: MergeContext,
  packClass: PackClass,
  group: readonly PackRow[],
): Promise<PlannedMerge | undefined> {
  const builder = new PackBuilder(context.nextPackHeader(packClass));
  const dropped: Uint8Array[] = [];
  for (const pack of group) {
    if (await copyLiveRecords(context, pack, builder)) dropped.push(pack.id);
  }
  if (dropped.length < 2) return undefined;
  return { change: { type: 'pack-merge', added: await writeIfAny(context, builder), dropped }, bytes: builder.bytes };
}

async function writeIfAny(context: MergeContext, builder: PackBuilder): Promise<MergeChange['added']> {
  if (builder.recordCount === 0) return [];
  const finished = builder.finish();
  const pack = await context.packs.write({ header: builder.header, ...finished });
  return [{ pack, items: finished.items }];
}

/**
 * @returns whether every live item of the pack was copied; a pack with damage is left as it is, for repair to find
 */
async function copyLiveRecords(context: MergeContext, pack: PackRow, builder: PackBuilder): Promise<boolean> {
  if (pack.items === 0) return true;
  try {
    const opened = await context.packs.open(pack);
    const bytes = opened && (await context.packs.readWhole(pack));
    if (opened === undefined || bytes === undefined) return false;
    const live = await liveOrdinals(context.metadata, pack, opened);
    const records = Map.groupBy(opened.items, (item) => item.ordinal);
    const frames = [...records]
      .filter(([ordinal]) => live.has(ordinal))
      .map(([, items]) => openFrame(opened, bytes, items));
    for (const frame of frames) builder.add(frame);
    return true;
  } catch (error) {
    if (isStoreError(error) && error.kind === 'corrupt') return false;
    throw error;
  }
}

function openFrame(opened: OpenedPack, bytes: Uint8Array, items: readonly DirectoryItem[]) {
  const first = items[0] as DirectoryItem;
  const stored = openRecord(
    opened.header,
    first,
    bytes.subarray(first.offset, first.offset + first.storedLength + RECORD_TRAILER_BYTES),
  );
  return {
    kind: first.kind,
    codec: first.codec,
    plainLength: first.plainLength,
    stored,
    items: items.map((item) => ({ id: item.id, length: item.length })),
  };
}

/** Ordinals of the records of a pack in which at least one item is found. */
async function liveOrdinals(metadata: Metadata, pack: PackRow, opened: OpenedPack): Promise<ReadonlySet<number>> {
  const live = new Set<number>();
  for (const kind of ['chunk', 'manifest'] as const) {
    const items = opened.items.filter((item) => item.kind === kind);
    if (items.length === 0) continue;
    const locations = await metadata.locate(kind, concatBytes(items.map((item) => item.id)));
    for (const [index, item] of items.entries()) {
      const location = locations[index];
      if (location?.pack?.number === pack.number && location.ordinal === item.ordinal) live.add(item.ordinal);
    }
  }
  return live;
}

/** Moves live inline chunks of journal packs to a data pack, and their records to one journal pack. */
async function mergeJournal(context: MergeContext, group: readonly PackRow[]): Promise<PlannedMerge | undefined> {
  const records = new PackBuilder(context.nextPackHeader('journal'));
  const chunks = new PackBuilder(context.nextPackHeader('data'));
  let last = 0;
  let journal: NonNullable<PackRow['journal']> | undefined;
  for (const pack of group) {
    if (pack.journal === undefined || !(await copyLiveRecords(context, pack, chunks))) return undefined;
    const read = await readJournalPack(context.packs, { ...pack, journal: pack.journal });
    if (read === undefined) return undefined;
    for (const entry of read.entries) {
      if (entry.commit <= last) continue;
      records.add(await sealJournalRecord(entry.record));
      last = entry.commit;
    }
    journal = { ...pack.journal, firstCommit: journal?.firstCommit ?? pack.journal.firstCommit, lastCommit: last };
  }
  if (journal === undefined) return undefined;
  // The new journal pack is durable and known before anything says that the old ones may go.
  const holder = await context.packs.write({ header: records.header, ...records.finish(), journal });
  await context.metadata.replay([holder], []);
  const added = await writeIfAny(context, chunks);
  const dropped = group.map((pack) => pack.id);
  return { change: { type: 'pack-merge', added, dropped }, bytes: records.bytes + chunks.bytes };
}
