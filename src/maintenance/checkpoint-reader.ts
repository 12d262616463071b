/**
 * Reads checkpoints back: which there are, whether one is whole, and the state it holds. One that was begun and not
 * finished has no head, and is none.
 */
import { EMPTY_BYTES, equalBytes, toHex } from '../bytes/bytes.ts';
import { discardBytes } from '../bytes/discard.ts';
import { isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import { type CheckpointHead, type DirectoryItem, decodeCheckpointHead, type PackDescriptor } from '../format/index.ts';
import type { Metadata } from '../metadata/contract.ts';
import { discardWhole, type PackStore, type WholePack } from '../placement/pack-store.ts';
import { allPacks } from './all-packs.ts';
import {
  type JournalPackName,
  openDirectory,
  readItem,
  readJournalPack,
  type UnreadablePack,
} from './journal-reader.ts';

const SESSION_BYTES = 8;

/** Packs that one process wrote for a checkpoint at one commit, by id: in the order in which they were written. */
export type CheckpointPacks = readonly JournalPackName[];

/** A checkpoint that was finished. */
export interface FoundCheckpoint {
  readonly head: CheckpointHead;
  /** In their order; all of them are listed. */
  readonly packs: CheckpointPacks;
}

function groupOf({ id, journal }: JournalPackName): string {
  return `${journal.lastCommit}/${journal.firstCommit}/${toHex(id.subarray(0, SESSION_BYTES))}`;
}

/** What there may be of checkpoints, the newest first. @param names as they are listed */
export function groupCheckpoints(names: readonly JournalPackName[]): readonly CheckpointPacks[] {
  return [...Map.groupBy(names, groupOf).values()].toReversed();
}

/**
 * The head of a checkpoint: the last item of the last pack.
 * @returns `undefined` where there is none, or packs that it names are not listed: it was never finished, or is being
 *   deleted
 * @throws `corrupt/*` when a pack is damaged
 */
export async function findCheckpoint(packs: PackStore, group: CheckpointPacks): Promise<FoundCheckpoint | undefined> {
  for (const name of group.toReversed()) {
    const whole = await packs.openWhole(name);
    const head = whole && (await headIn(whole));
    if (!head) continue;
    const named = head.packs.map((id) => group.find((one) => equalBytes(one.id, id)));
    const listed = named.filter((one) => one !== undefined);
    const isOfName = head.commit === name.journal.lastCommit && head.first === name.journal.firstCommit;
    if (!isOfName) throw damaged(name, 'is not the one that its name says');
    return listed.length === named.length ? { head, packs: listed } : undefined;
  }
  return undefined;
}

function damaged({ id, journal }: JournalPackName, problem: string): StoreError {
  const message = `the checkpoint at commit ${journal.lastCommit} ${problem}`;
  return storeError('JOURNAL_CORRUPT', message, { details: { commit: journal.lastCommit, packId: toHex(id) } });
}

async function headIn(whole: WholePack): Promise<CheckpointHead | undefined> {
  const last = whole.items.at(-1);
  if (last?.kind !== 'checkpoint') return undefined;
  return decodeCheckpointHead(await readItem(whole, last), whole.header.keyMode === 'sealed');
}

/** Every pack in its order, with its pages, which are those that the head names; one pack in memory. */
async function* packsOf(
  packs: PackStore,
  { head, packs: names }: FoundCheckpoint,
): AsyncGenerator<{ readonly pack: WholePack; readonly pages: readonly DirectoryItem[] }> {
  let next = 0;
  for (const [index, name] of names.entries()) {
    const pack = await packs.openWhole(name);
    if (!pack) throw damaged(name, 'lacks one of its packs');
    const isLast = index === names.length - 1;
    const pages = isLast ? pack.items.slice(0, -1) : pack.items;
    for (const [at, { id }] of pages.entries()) {
      if (!equalBytes(head.pages[next + at] ?? EMPTY_BYTES, id)) throw damaged(name, 'has other pages than its head');
    }
    next += pages.length;
    if (isLast && next !== head.pages.length) throw damaged(name, 'lacks pages');
    yield { pack, pages };
  }
}

/**
 * Reads all of a checkpoint, and the journal packs it cannot do without.
 * @throws `corrupt/*` when anything of it is damaged or gone
 */
export async function proveCheckpoint(
  packs: PackStore,
  found: FoundCheckpoint,
  journal: readonly JournalPackName[],
): Promise<void> {
  for await (const { pack, pages } of packsOf(packs, found)) {
    for (const page of pages) discardBytes(await readItem(pack, page));
    discardWhole(pack);
  }
  const { head } = found;
  let next = head.first;
  for (const name of journal) {
    const { firstCommit, lastCommit } = name.journal;
    if (next > head.commit || lastCommit < next || firstCommit > next) continue;
    if (await readJournalPack(packs, name)) next = lastCommit + 1;
  }
  if (next > head.commit) return;
  throw storeError(
    'JOURNAL_GAP',
    `the journal lacks commit ${next}, which the checkpoint at ${head.commit} counts on`,
    {
      details: { commit: next },
    },
  );
}

export interface RestoreParts {
  readonly metadata: Metadata;
  readonly packs: PackStore;
  readonly signal?: AbortSignal | undefined;
  /** Told after each pack. */
  readonly onPack?: ((done: number, total: number) => void) | undefined;
}

export interface Restored {
  /** What the state came from; absent where it begins with nothing. */
  readonly checkpoint?: FoundCheckpoint;
  /** What is wrong with newer ones. */
  readonly passedOver: readonly StoreError[];
  readonly unreadable: readonly UnreadablePack[];
}

/**
 * Gives metadata in which there is nothing the state of the newest checkpoint that is whole. All of it is read before any
 * of it is believed.
 */
export async function restoreNewest(
  parts: RestoreParts,
  listed: { readonly records: readonly JournalPackName[]; readonly checkpoints: readonly JournalPackName[] },
): Promise<Restored> {
  const { packs, signal } = parts;
  const passedOver: StoreError[] = [];
  for (const group of groupCheckpoints(listed.checkpoints)) {
    signal?.throwIfAborted();
    try {
      const found = await findCheckpoint(packs, group);
      if (!found) continue;
      await proveCheckpoint(packs, found, listed.records);
      return { checkpoint: found, passedOver, unreadable: await restore(parts, found) };
    } catch (error) {
      if (!isStoreError(error) || error.kind !== 'corrupt') throw error;
      passedOver.push(error);
    }
  }
  return { passedOver, unreadable: [] };
}

async function restore(parts: RestoreParts, found: FoundCheckpoint): Promise<readonly UnreadablePack[]> {
  const { metadata, packs, signal, onPack } = parts;
  const own: PackDescriptor[] = [];
  for await (const { pack, pages } of packsOf(packs, found)) {
    own.push(pack.descriptor);
    for (const page of pages) {
      signal?.throwIfAborted();
      await metadata.restorePage(await readItem(pack, page));
    }
  }
  const unreadable: UnreadablePack[] = [];
  const { packs: total } = await metadata.counters();
  let done = 0;
  for await (const pack of allPacks(metadata)) {
    signal?.throwIfAborted();
    const items = pack.items > 0 ? await openDirectory(packs, pack, (one) => unreadable.push(one)) : undefined;
    if (items) await metadata.restoreDirectory(pack.id, items);
    done += 1;
    onPack?.(done, total);
  }
  const { commit, digest, incarnation } = found.head;
  await metadata.endRestore({ commit, digest, incarnation });
  await metadata.replay(own, []);
  return unreadable;
}
