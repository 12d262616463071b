/**
 * Journal packs: records that moved out of the outbox, with the chunks that rode inline.
 *
 * Two processes may flush the same commits, so one commit can lie in several journal packs. Which of them its chunks
 * are found in must not depend on who came first, or a rebuild would see another state than the running one: it is the
 * first by last commit, then id.
 */
import { compareBytes } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import type { DirectoryItem, PackDescriptor } from '../format/types.ts';
import type { FlushedJournal } from './contract.ts';
import { namespaceOfPack } from './namespace-tally.ts';
import type { OperationScope } from './operation-scope.ts';
import { IN_OUTBOX, itemKey, type StoredPack } from './rows.ts';
import { learnPlaces } from './shard-places.ts';
import { isLocated, type WorkingState } from './working-state.ts';

type JournalPlace = NonNullable<PackDescriptor['journal']>;

function placeOf(pack: PackDescriptor): JournalPlace {
  invariant(pack.journal, 'a journal pack says which commits it holds');
  return pack.journal;
}

/** Negative when chunks that both hold are found in `a`. */
function compareJournalPacks(a: PackDescriptor, b: PackDescriptor): number {
  const [x, y] = [placeOf(a), placeOf(b)];
  return x.lastCommit - y.lastCommit || compareBytes(a.id, b.id);
}

/** The row of a journal pack or of a pack of a checkpoint, registered now if it was not known; what is new of its places is taken over. */
export async function registerJournalPack(state: WorkingState, pack: PackDescriptor): Promise<StoredPack> {
  placeOf(pack);
  await state.loadPacks([pack.id]);
  const known = state.pack(pack.id);
  if (!known) return state.addPack(pack);
  const placed = learnPlaces(known, pack);
  if (placed !== known) state.packs.put(placed);
  return placed;
}

/**
 * What checkpoints say of the journal.
 * @param packs of checkpoints
 * @returns the commit of the newest, and the first commit whose record one of the two newest needs; 0 for none
 */
export function checkpointsOf(packs: readonly StoredPack[]): { readonly last: number; readonly needed: number } {
  const places = packs.flatMap(({ descriptor }) => descriptor.journal ?? []);
  const commits = [...new Set(places.map(({ lastCommit }) => lastCommit))].sort((a, b) => b - a);
  const [last = 0, previous] = commits;
  if (previous === undefined) return { last, needed: 0 };
  const firsts = places.filter(({ lastCommit }) => lastCommit >= previous).map(({ firstCommit }) => firstCommit);
  return { last, needed: Math.min(...firsts) };
}

export interface InlinePlacement {
  readonly commit: number;
  readonly pack: StoredPack;
  readonly items: readonly DirectoryItem[];
  /** See `FlushedJournal`. */
  readonly awaited?: boolean | undefined;
}

function isPlacedHere(state: WorkingState, item: DirectoryItem, placement: InlinePlacement): boolean {
  if (!isLocated(item)) return false;
  const row = state.items.get(itemKey(item.kind, item.id));
  const { commit, pack } = placement;
  // The commit is being replayed now; or it was, from another pack that holds its record but not its chunks. Where
  // anything was ever condemned, what is not there was removed: a pack that is told of late brings nothing back.
  if (!row) return !placement.awaited && (commit > state.head.commit || state.head.epoch === 0);
  if (row.commit < commit) return true;
  if (row.commit > commit || row.pack === pack.number) return false;
  if (row.pack === IN_OUTBOX) return true;
  const current = state.packByNumber(row.pack).descriptor;
  // An operation of the same commit placed it: operations count after what rode inline.
  if (current.class !== 'journal') return false;
  return compareJournalPacks(pack.descriptor, current) < 0;
}

/** Points the chunks that rode in a commit to a journal pack, as far as this commit is where they are found. */
export async function placeInline(state: WorkingState, placement: InlinePlacement): Promise<void> {
  const items = placement.items.filter(isLocated);
  await state.loadItems(items);
  for (const item of items) {
    if (!isPlacedHere(state, item, placement)) continue;
    const { id, kind, ordinal, offset, storedLength, plainLength, codec, inner, length } = item;
    const position = { ordinal, offset, storedLength, plainLength, codec, inner, length };
    const { commit, pack } = placement;
    const namespace = namespaceOfPack(pack);
    state.placeItem({ ...position, kind, id, pack: pack.number, commit, suspect: false, namespace });
  }
}

/**
 * Takes the records of these commits out of the outbox, but for those whose chunks are found nowhere else: they stay to
 * be flushed again.
 * @returns how many records of these commits were in the outbox
 */
export async function removeFromOutbox(state: WorkingState, first: number, last: number): Promise<number> {
  const range = 'WHERE commit_number BETWEEN ? AND ? ORDER BY commit_number';
  const records = await state.outbox.loadWhere(state.transaction, range, [first, last]);
  const inline = await state.outboxRecords.loadWhere(state.transaction, `${range}, ordinal`, [first, last]);
  const staying = new Set<number>();
  for (const { commit, items } of inline) {
    await state.loadItems(items.map(({ id }) => ({ kind: 'chunk', id })));
    for (const { id } of items) {
      const row = state.items.get(itemKey('chunk', id));
      if (row?.pack === IN_OUTBOX && row.commit === commit) staying.add(commit);
    }
  }
  for (const { commit } of records) if (!staying.has(commit)) state.outbox.remove([commit]);
  for (const { commit, ordinal } of inline) if (!staying.has(commit)) state.outboxRecords.remove([commit, ordinal]);
  return records.length;
}

/** Writes the changes so far and moves `flushed` up to the record before the first one left in the outbox. */
export async function settleFlushed(state: WorkingState): Promise<void> {
  await state.save();
  const [row] = await state.transaction.all('SELECT min(commit_number) AS first FROM outbox', []);
  const flushed = typeof row?.first === 'number' ? row.first - 1 : state.head.commit;
  state.head = { ...state.head, flushed };
}

async function applyOne(
  state: WorkingState,
  { pack: descriptor, inline }: FlushedJournal,
  scope: OperationScope | undefined,
): Promise<void> {
  const { firstCommit, lastCommit } = placeOf(descriptor);
  invariant(lastCommit <= state.head.commit, 'only committed records are flushed');
  await state.loadPacks([descriptor.id]);
  const isNew = state.pack(descriptor.id) === undefined;
  const pack = await registerJournalPack(state, descriptor);
  if (pack.dropped) return;
  if (scope?.knowsEpoch(descriptor) === false) {
    // Its epoch was forgotten before its writer told of it; what it holds had been written anew by then.
    state.packs.put({ ...pack, dropped: true });
    return;
  }
  for (const placement of inline) await placeInline(state, { ...placement, pack });
  // A merged journal pack is without chunks: where an older copy of the metadata meets it, some commits stay.
  const awaited = await removeFromOutbox(state, firstCommit, lastCommit);
  const placed = state.packByNumber(pack.number);
  if (!isNew || awaited > 0 || placed.items > 0) return;
  // Another process flushed the same commits first. It may even have taken over this pack, merged and deleted it before
  // its writer told of it: as long as another pack holds the records, or checkpoints need them no more, this one is not
  // counted on.
  const holders = await state.journalPacksHolding({ firstCommit, lastCommit });
  const isHeld = holders.some(({ number }) => number !== pack.number);
  if (isHeld || lastCommit < checkpointsOf(await state.checkpointPacks()).needed)
    state.packs.put({ ...placed, dropped: true });
}

/**
 * Applies journal packs that became durable; see `Metadata.markFlushed`. Changes are written but for the head.
 * @param scope in a sealed store
 */
export async function applyFlushed(
  state: WorkingState,
  flushed: readonly FlushedJournal[],
  scope: OperationScope | undefined,
): Promise<void> {
  for (const one of flushed) await applyOne(state, one, scope);
  await settleFlushed(state);
}
