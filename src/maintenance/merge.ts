/**
 * Keeps small packs few: what has gathered is merged as `merge-choice.ts` says, so that a store which only ever
 * received n tiny puts has O(log n) small packs of each class in each namespace. Records are opened and put into a new
 * pack, which in a sealed store means sealed anew; chunks that rode in journal packs move to a data pack, so that old
 * journal packs shrink to their records.
 */
import { concatBytes } from '../bytes/bytes.ts';
import type { Redundancy } from '../erasure/index.ts';
import { isStoreError } from '../errors/store-error.ts';
import {
  type DirectoryItem,
  type ItemIds,
  openRecord,
  PackBuilder,
  type PackClass,
  type PackHeader,
  type PackRecord,
  RECORD_TRAILER_BYTES,
} from '../format/index.ts';
import { PACK_BYTES_TARGET, STRIPE_SHARDS_MAX } from '../limits.ts';
import type { Change, ChangeOutcome, Metadata, PackRow } from '../metadata/contract.ts';
import { frameJournalRecord } from '../pipeline/journal-frame.ts';
import type { PackStore, WholePack } from '../placement/pack-store.ts';
import { journalEntriesOf, readItem } from './journal-reader.ts';
import { dueJournalPacks, duePacks } from './merge-choice.ts';

interface NewPack {
  readonly header: PackHeader;
  readonly key?: Uint8Array;
}

export interface MergeContext {
  readonly metadata: Metadata;
  readonly packs: PackStore;
  /**
   * Begins a pack.
   * @param namespace default 0
   * @throws `denied/NAMESPACE_KEY_GONE`, `corrupt/KEY_PAGE_MISSING`, `corrupt/KEY_PAGE_CORRUPT`
   */
  newPack(packClass: PackClass, namespace?: number): Promise<NewPack>;
  /** What the items of a namespace are named by. @throws as `newPack` */
  idsOf(namespace: number): Promise<ItemIds>;
  /** Commits and waits until the change would survive any crash. */
  submit(changes: readonly Change[]): Promise<readonly ChangeOutcome[]>;
  /** Makes the journal records of all commits so far durable, also those of other processes. */
  flushJournal(): Promise<void>;
  /** What a merged pack is written with; default: at least what its sources have. */
  readonly redundancy?: () => Redundancy;
  /** Told of each merge. */
  onMerge(report: MergeReport): void;
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

/** Packs that may be merged with each other. */
interface PackGroup {
  readonly class: PackClass;
  readonly namespace: number;
}

const NOTHING_COMMITTED: ReadonlySet<string> = new Set(['conflict', 'exhausted', 'denied']);
const DEFAULT_NAMESPACE = 0;
/** The journal is the default namespace's. */
const JOURNAL_GROUP: PackGroup = { class: 'journal', namespace: DEFAULT_NAMESPACE };

/**
 * Merges what has gathered until nothing is due any more, or somebody needs that nothing is merged.
 * @param namespaces where packs may have gathered
 * @param isHeld whether somebody does: while commits arrive quickly there would be no end
 */
export async function mergeSmallPacks(
  context: MergeContext,
  namespaces: readonly number[],
  isHeld: () => boolean = () => false,
): Promise<void> {
  const damaged = new Set<number>();
  const groups = [
    JOURNAL_GROUP,
    ...namespaces.flatMap((namespace) =>
      (['data', 'meta'] as const).map((packClass): PackGroup => ({ class: packClass, namespace })),
    ),
  ];
  // Group by group in turns: while commits arrive quickly there is always one more merge of journal packs due.
  for (let isDue = true; isDue; ) {
    isDue = false;
    for (const group of groups) {
      context.signal.throwIfAborted();
      if (isHeld()) return;
      const damagedBefore = damaged.size;
      const done = await mergeGroup(context, group, damaged);
      if (done) context.onMerge(done);
      isDue ||= done !== undefined || damaged.size > damagedBefore;
    }
  }
}

/**
 * Deletes the blobs of packs that merges dropped, also those an earlier process did not get to. Not before the journal
 * says that they were dropped: until then the metadata alone knows where their items went, and would be all there is.
 */
export async function deleteDroppedPacks(
  context: Pick<MergeContext, 'metadata' | 'packs' | 'flushJournal' | 'signal'>,
): Promise<void> {
  for (;;) {
    context.signal.throwIfAborted();
    const dropped = await context.metadata.droppedPacks(CANDIDATES_MAX);
    if (dropped.length === 0) return;
    await context.flushJournal();
    const deleted: number[] = [];
    for (const pack of dropped) if (await deleteIfReached(context.packs, pack)) deleted.push(pack.number);
    await context.metadata.forgetPacks(deleted);
    if (deleted.length < dropped.length) return;
  }
}

/** @returns false when a backend that has a shard of the pack is away: it stays listed until that one is back */
async function deleteIfReached(packs: PackStore, pack: PackRow): Promise<boolean> {
  try {
    await packs.delete(pack);
    return true;
  } catch (error) {
    if (packs.isSpread && isStoreError(error) && error.kind === 'unavailable') return false;
    throw error;
  }
}

/** @param damaged numbers of packs that stay where they are, for repair to find; those met now are added */
async function mergeGroup(
  context: MergeContext,
  packGroup: PackGroup,
  damaged: Set<number>,
): Promise<MergeReport | undefined> {
  const found = await context.metadata.smallPacks({ ...packGroup, bytesBelow: SMALL_BYTES, limit: CANDIDATES_MAX });
  const small = found.filter(({ number }) => !damaged.has(number));
  const group = dueIn(packGroup, small);
  const whole = group && (await readSound(context, group, damaged));
  return whole && (await mergeWhole(context, packGroup, whole));
}

/** Packs that bear different losses are not merged: what was put to bear more would bear less, or cost more. */
function dueIn(packGroup: PackGroup, small: readonly PackRow[]): readonly PackRow[] | undefined {
  if (packGroup.class === 'journal') return dueJournalPacks(small);
  for (const alike of Map.groupBy(small, ({ stripe }) => stripe.m).values()) {
    const due = duePacks(alike);
    if (due) return due;
  }
  return undefined;
}

/** At least what the sources of a merge have, and what packs are written with now. */
export function redundancyFor(context: MergeContext, group: readonly PackRow[]): Redundancy {
  const now = context.redundancy?.() ?? context.packs.redundancy;
  const m = Math.max(...group.map(({ stripe }) => stripe.m));
  if (context.redundancy || m <= now.m) return now;
  // Copies do not tell how many parts a larger pack was to have: as in the presets, one more than may be lost.
  return { k: Math.min(Math.max(now.k, m + 1), STRIPE_SHARDS_MAX - m), m };
}

/**
 * Copies what is live in packs into new ones, which begin at the newest key epoch, commits that, and deletes them.
 * @param group of this class and of one namespace; journal packs follow each other
 * @returns `undefined` when one of them is damaged, or when somebody else was first; they stay then
 * @throws what reading, writing and committing throw
 */
export async function mergePacks(
  context: MergeContext,
  packClass: PackClass,
  group: readonly PackRow[],
): Promise<MergeReport | undefined> {
  const whole = await readSound(context, group, new Set());
  const namespace = group[0]?.seal?.namespace ?? DEFAULT_NAMESPACE;
  return whole && (await mergeWhole(context, { class: packClass, namespace }, whole));
}

async function mergeWhole(
  context: MergeContext,
  packGroup: PackGroup,
  whole: readonly PackToMerge[],
): Promise<MergeReport | undefined> {
  const isJournal = packGroup.class === 'journal';
  const changes = isJournal ? await mergeJournal(context, whole) : await mergeItems(context, packGroup, whole);
  return changes && (await commitMerge(context, changes));
}

/**
 * Lets go of journal packs and checkpoints that no rebuild needs; chunks that ride in them move to a data pack.
 * @param group of which no more is live than one pack takes
 * @returns `undefined` when none of them can be read that must be, or when they are needed after all; they stay then
 * @throws what reading, writing and committing throw
 */
export async function dropJournal(context: MergeContext, group: readonly PackRow[]): Promise<MergeReport | undefined> {
  const whole: PackToMerge[] = [];
  for (const row of group) {
    const found = row.items > 0 ? await readUnlessDamaged(context, row) : undefined;
    if (row.items === 0 || found) whole.push({ row, ...(found && { found }) });
  }
  if (whole.length === 0) return undefined;
  const changes = await mergeItems(context, { class: 'data', namespace: DEFAULT_NAMESPACE }, whole);
  return changes && (await commitMerge(context, changes));
}

async function commitMerge(context: MergeContext, changes: PlannedMerge): Promise<MergeReport | undefined> {
  try {
    await context.submit([changes.change]);
  } catch (error) {
    // Nothing was committed, so our new packs are nobody's; on a full disk they would only be in the way.
    if (!isStoreError(error) || !NOTHING_COMMITTED.has(error.kind)) throw error;
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

/** A pack to merge, as the metadata knows it and as it lies on the backend. */
interface PackToMerge {
  readonly row: PackRow;
  /** Absent where nothing of the pack is needed: it is not read. */
  readonly found?: FoundPack;
}

function rowsOf(group: readonly PackToMerge[]): readonly PackRow[] {
  return group.map(({ row }) => row);
}

interface FoundPack {
  readonly whole: WholePack;
  /** Ordinals of the records in which at least one item is found. */
  readonly live: ReadonlySet<number>;
}

/** @returns `undefined` when one of them cannot be merged: the others may be due without it */
async function readSound(
  context: MergeContext,
  group: readonly PackRow[],
  damaged: Set<number>,
): Promise<readonly PackToMerge[] | undefined> {
  const packs: PackToMerge[] = [];
  for (const row of group) {
    const isNeeded = row.items > 0 || row.class === 'journal';
    const found = isNeeded ? await readUnlessDamaged(context, row) : undefined;
    if (isNeeded && found === undefined) damaged.add(row.number);
    packs.push({ row, ...(found && { found }) });
  }
  return group.some(({ number }) => damaged.has(number)) ? undefined : packs;
}

function readUnlessDamaged(context: MergeContext, row: PackRow): Promise<FoundPack | undefined> {
  return unlessDamaged(async () => {
    const whole = await context.packs.openWhole(row);
    return whole && { whole, live: await liveOrdinals(context, row, whole) };
  });
}

/** @returns `undefined` when what `work` needs is damaged or gone */
export async function unlessDamaged<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    // A namespace or an isolated entry that is being dropped has no key any more; its packs go with it.
    if (isStoreError(error) && (error.kind === 'corrupt' || error.code === 'NAMESPACE_KEY_GONE')) return undefined;
    throw error;
  }
}

/** Copies the records that hold live items of the packs into one new pack. */
async function mergeItems(
  context: MergeContext,
  packGroup: PackGroup,
  group: readonly PackToMerge[],
): Promise<PlannedMerge | undefined> {
  const builder = await unlessDamaged(() => newBuilder(context, packGroup));
  if (builder === undefined) return undefined;
  for (const pack of group) copyLiveRecords(pack, builder);
  const dropped = group.map(({ row }) => row.id);
  const added = await writeIfAny(context, builder, redundancyFor(context, rowsOf(group)));
  return { change: { type: 'pack-merge', added, dropped }, bytes: builder.bytes };
}

async function newBuilder(context: MergeContext, group: PackGroup): Promise<PackBuilder> {
  const { header, key } = await context.newPack(group.class, group.namespace);
  return new PackBuilder(header, key && { key });
}

async function writeIfAny(
  context: MergeContext,
  builder: PackBuilder,
  redundancy: Redundancy,
): Promise<MergeChange['added']> {
  if (builder.recordCount === 0) return [];
  const finished = builder.finish();
  const pack = await context.packs.write({ header: builder.header, ...finished, redundancy });
  return [{ pack, items: finished.items }];
}

function copyLiveRecords({ found }: PackToMerge, builder: PackBuilder): void {
  if (found === undefined) return;
  const records = Map.groupBy(found.whole.items, (item) => item.ordinal);
  for (const [ordinal, items] of records) if (found.live.has(ordinal)) builder.add(recordOf(found.whole, items));
}

/** A record of a pack, opened, to be put into another one as it is. */
export function recordOf({ identity, bytes }: WholePack, items: readonly DirectoryItem[]): PackRecord {
  const first = items[0] as DirectoryItem;
  const frame = bytes.subarray(first.offset, first.offset + first.storedLength + RECORD_TRAILER_BYTES);
  const stored = openRecord(identity, first, frame);
  return {
    kind: first.kind,
    codec: first.codec,
    plainLength: first.plainLength,
    stored,
    items: items.map((item) => ({ id: item.id, length: item.length })),
  };
}

/**
 * Ordinals of the records of a pack in which at least one item is found. Being moved clears what was suspected of an
 * item: so that must be proven wrong first.
 * @throws `corrupt/*` when a suspect item is as bad as was suspected
 */
async function liveOrdinals(
  { metadata, idsOf }: Pick<MergeContext, 'metadata' | 'idsOf'>,
  pack: PackRow,
  opened: WholePack,
): Promise<ReadonlySet<number>> {
  const live = new Set<number>();
  for (const kind of ['chunk', 'manifest'] as const) {
    const items = opened.items.filter((item) => item.kind === kind);
    if (items.length === 0) continue;
    const locations = await metadata.locate(kind, concatBytes(items.map((item) => item.id)));
    for (const [index, item] of items.entries()) {
      const location = locations[index];
      if (location?.pack?.number !== pack.number || location.ordinal !== item.ordinal) continue;
      if (location.suspect) await readItem(opened, item, await idsOf(opened.identity.namespace));
      live.add(item.ordinal);
    }
  }
  return live;
}

/** Moves live inline chunks of journal packs to a data pack, and their records to one journal pack. */
async function mergeJournal(context: MergeContext, group: readonly PackToMerge[]): Promise<PlannedMerge | undefined> {
  const records = await newBuilder(context, JOURNAL_GROUP);
  const chunks = await newBuilder(context, { class: 'data', namespace: DEFAULT_NAMESPACE });
  let last = 0;
  let journal: NonNullable<PackRow['journal']> | undefined;
  for (const pack of group) {
    const { row, found } = pack;
    if (row.journal === undefined || found === undefined) return undefined;
    copyLiveRecords(pack, chunks);
    const { entries } = await journalEntriesOf({ ...row, journal: row.journal }, found.whole);
    for (const entry of entries) {
      if (entry.commit <= last) continue;
      records.add(await frameJournalRecord(entry.record));
      last = entry.commit;
    }
    journal = { ...row.journal, firstCommit: journal?.firstCommit ?? row.journal.firstCommit, lastCommit: last };
  }
  if (journal === undefined) return undefined;
  // The new journal pack is durable and known before anything says that the old ones may go.
  const redundancy = redundancyFor(context, rowsOf(group));
  const holder = await context.packs.write({ header: records.header, ...records.finish(), journal, redundancy });
  await context.metadata.replay([holder], []);
  const added = await writeIfAny(context, chunks, redundancy);
  const dropped = group.map(({ row }) => row.id);
  return { change: { type: 'pack-merge', added, dropped }, bytes: records.bytes + chunks.bytes };
}
