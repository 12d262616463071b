/**
 * Brings the metadata up to what the journal on the backend says: after a crash, or when an older copy was restored.
 */
import type { Backend } from '../backend/contract.ts';
import { toHex } from '../bytes/bytes.ts';
import { isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import type { Metadata, PackRow } from '../metadata/contract.ts';
import type { PackStore } from '../placement/pack-store.ts';
import { JournalAdopter } from './adopt-journal.ts';
import { allPacks, packNumbered } from './all-packs.ts';
import { findCheckpoint, groupCheckpoints, type Restored, restoreNewest } from './checkpoint-reader.ts';
import {
  type JournalPack,
  type JournalPackName,
  listJournal,
  listJournalPacks,
  readJournalPack,
  type UnreadablePack,
} from './journal-reader.ts';

export interface RecoveryReport {
  /** Records the metadata did not have. */
  readonly records: number;
  /** Journal packs that were durable without the metadata knowing. */
  readonly journalPacks: number;
  readonly unreadable: readonly UnreadablePack[];
  /** What is wrong with journal packs that were not needed: the metadata or other packs have their records. */
  readonly damaged: readonly StoreError[];
  /** The commit of the checkpoint that the state came from, if it came from one. */
  readonly checkpoint?: number;
  /** What is wrong with newer checkpoints. */
  readonly passedOver: readonly StoreError[];
  /** Journal packs that the metadata counts on and that are not there: see {@link gonePacks}. */
  readonly gone: readonly PackRow[];
}

export interface RecoveryParts {
  readonly backend: Backend;
  readonly metadata: Metadata;
  readonly packs: PackStore;
  readonly signal?: AbortSignal | undefined;
  /** Told after each pack that was read. */
  readonly onPack?: (done: number, total: number) => void;
}

/**
 * Adopts journal packs that the metadata does not know. Their records are compared with the outbox, and those after the
 * head are replayed; nothing acknowledged is lost, nothing is applied twice. Where there is nothing yet, the state begins
 * with the newest checkpoint that is whole.
 * @throws `corrupt/JOURNAL_FORK` when two different records claim one commit number, `corrupt/JOURNAL_GAP`; `corrupt/*`
 *   when a journal pack is damaged and nothing else has its records
 */
export async function recoverFromJournal(parts: RecoveryParts): Promise<RecoveryReport> {
  const { metadata, packs, signal } = parts;
  const before = await metadata.head();
  const listed = await listJournal(parts.backend, 0, signal);
  const restored = (await isEmpty(metadata)) ? await restoreNewest(parts, listed) : NOTHING_RESTORED;
  const unreadable: UnreadablePack[] = [...restored.unreadable];
  const damaged: DamagedPack[] = [];
  const first = restored.checkpoint?.head.first;
  const flushed = first === undefined ? before.flushed : first - 1;
  let journalPacks = 0;
  const restoredTo = restored.checkpoint?.head.commit;
  const adopter = new JournalAdopter({ metadata, packs, restoredTo, onUnreadable: (pack) => unreadable.push(pack) });
  const { records: names } = listed;
  const sure = new Set(names.map(({ id }) => toHex(id)));
  const known = await knownPacks(metadata, 'journal');
  for (const [index, name] of names.entries()) {
    signal?.throwIfAborted();
    const isOwed = name.journal.lastCommit > flushed;
    // Known and yet owed: a replay was interrupted after its first steps.
    if (!isOwed && known.has(toHex(name.id))) continue;
    const isCovered = first !== undefined && !isOwed;
    const pack = await unlessDamaged(
      () => (isCovered ? withoutRecords(packs, name) : readJournalPack(packs, name)),
      (error) => damaged.push({ name, error }),
    );
    if (pack === undefined) continue;
    journalPacks += 1;
    await unlessGap(damaged, () => adopter.replayBefore(name.journal.firstCommit));
    const isNew = await adopter.add(pack);
    if (!isNew) sure.delete(toHex(name.id));
    parts.onPack?.(index + 1, names.length);
  }
  await unlessGap(damaged, () => adopter.replayBefore(Number.POSITIVE_INFINITY));
  // From here on a pack that is told of late brings nothing back that was removed before the checkpoint.
  if (restored.checkpoint) await metadata.advanceEpoch();
  await adoptCheckpoints(parts, listed.checkpoints, (error) => damaged.push({ error }));
  const after = await metadata.head();
  const needed = damaged.find(({ name }) => (name?.journal.lastCommit ?? 0) > after.commit);
  if (needed) throw needed.error;
  return {
    ...{ records: after.commit - before.commit, journalPacks, unreadable, passedOver: restored.passedOver },
    damaged: damaged.map(({ error }) => error),
    gone: await gonePacks(parts, sure),
    ...(restored.checkpoint && { checkpoint: restored.checkpoint.head.commit }),
  };
}

/**
 * A journal pack that was read here while another process merged, deleted and forgot it was registered anew after that,
 * and nothing is behind it. Its records are in the pack that it was merged into. One that an earlier process left so is
 * found as well.
 * @param sure ids of packs of which this is known not to be
 */
export async function gonePacks(
  { backend, metadata, packs, signal }: RecoveryParts,
  sure: ReadonlySet<string>,
): Promise<readonly PackRow[]> {
  const unsure: PackRow[] = [];
  for await (const row of allPacks(metadata, 'journal')) if (!sure.has(toHex(row.id))) unsure.push(row);
  if (unsure.length === 0) return [];
  // One more listing is dearer than to look at one of them, and far less so than to look at all.
  const listed = new Set((await listJournalPacks(backend, 0, signal)).map(({ id }) => toHex(id)));
  const gone: PackRow[] = [];
  for (const row of unsure) {
    if (listed.has(toHex(row.id)) || (await isThere(packs, row))) continue;
    // It may have been merged since it was listed.
    if (await packNumbered(metadata, row.number)) gone.push(row);
  }
  return gone;
}

/** Also of a pack that is damaged, or whose backends are away. */
async function isThere(packs: PackStore, row: PackRow): Promise<boolean> {
  try {
    return (await packs.open(row)) !== undefined;
  } catch (error) {
    if (!isStoreError(error)) throw error;
    return true;
  }
}

const NOTHING_RESTORED: Restored = { passedOver: [], unreadable: [] };

/** Nothing was committed, and nothing is left of a restore that was stopped. */
async function isEmpty(metadata: Metadata): Promise<boolean> {
  if ((await metadata.head()).commit > 0) return false;
  const [{ entries, packs, objects }, { nextPack }] = await Promise.all([
    metadata.counters(),
    metadata.collectionState(),
  ]);
  return nextPack === 1 && entries + packs + objects === 0;
}

/** A journal pack all of whose records a checkpoint covers: its records are not read. */
async function withoutRecords(packs: PackStore, name: JournalPackName): Promise<JournalPack | undefined> {
  const opened = await packs.open(name);
  return opened && { descriptor: opened.descriptor, entries: [] };
}

/** The records that are not there are those of a damaged pack, if there is one. */
async function unlessGap(damaged: readonly DamagedPack[], replay: () => Promise<void>): Promise<void> {
  try {
    await replay();
  } catch (error) {
    throw isStoreError(error, 'JOURNAL_GAP') ? (damaged[0]?.error ?? rebuildToo(error)) : error;
  }
}

/** The records that are not there may be in a checkpoint, which only a rebuild begins with. */
function rebuildToo(error: StoreError): StoreError {
  const { details, message } = error;
  const advice = 'where the metadata is older than the journal reaches back, a rebuild finds the state';
  return storeError('JOURNAL_GAP', `${message}; ${advice}`, { details, cause: error });
}

/**
 * Registers checkpoints that were finished and of which the metadata does not know.
 * @throws `corrupt/JOURNAL_GAP` when one is of a later commit than the journal leads to
 */
async function adoptCheckpoints(
  { metadata, packs }: RecoveryParts,
  listed: readonly JournalPackName[],
  onDamaged: (error: StoreError) => void,
): Promise<void> {
  if (listed.length === 0) return;
  const known = await knownPacks(metadata, 'checkpoint');
  for (const group of groupCheckpoints(listed)) {
    if (group.every(({ id }) => known.has(toHex(id)))) continue;
    const found = await unlessDamaged(() => findCheckpoint(packs, group), onDamaged);
    if (!found) continue;
    const { commit } = await metadata.head();
    if (found.head.commit > commit) {
      const message = `there is a checkpoint at commit ${found.head.commit}, and the journal ends with ${commit}`;
      throw rebuildToo(storeError('JOURNAL_GAP', message, { details: { commit } }));
    }
    const opened = await Promise.all(found.packs.map((name) => unlessDamaged(() => packs.open(name), onDamaged)));
    const descriptors = opened.flatMap((one) => one?.descriptor ?? []);
    if (descriptors.length === found.packs.length) await metadata.replay(descriptors, []);
  }
}

interface DamagedPack {
  /** Absent for one of a checkpoint. */
  readonly name?: JournalPackName;
  readonly error: StoreError;
}

/** Whether a damaged pack is needed shows only when all others have been read. */
async function unlessDamaged<T>(
  read: () => Promise<T | undefined>,
  onDamaged: (error: StoreError) => void,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    // Under an epoch that was forgotten nothing lies that is needed; only somebody's journal pack of which nobody was
    // told.
    if (!isStoreError(error) || (error.kind !== 'corrupt' && error.code !== 'EPOCH_UNKNOWN')) throw error;
    onDamaged(error);
    return undefined;
  }
}

/**
 * Of two processes that flushed the same commits one may have died before it told of its pack. That pack is as good as
 * the other, and a rebuild would find it, so the running state does too.
 */
async function knownPacks(metadata: Metadata, packClass: 'journal' | 'checkpoint'): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  for await (const { id } of allPacks(metadata, packClass)) known.add(toHex(id));
  for (const { id } of await metadata.droppedPacks(Number.MAX_SAFE_INTEGER)) known.add(toHex(id));
  return known;
}
