/** Reads journal packs back into replay steps, for recovery on open and for rebuild. */

import type { Backend } from '../backend/contract.ts';
import { listAll } from '../backend/list-all.ts';
import { compareBytes, equalBytes, toHex } from '../bytes/bytes.ts';
import { decompress } from '../compress/index.ts';
import { isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import {
  type DirectoryItem,
  decodeJournalRecord,
  type ItemIds,
  itemId,
  JOURNAL_PREFIX,
  openRecord,
  type PackDescriptor,
  parseShardKey,
  plainIds,
  RECORD_TRAILER_BYTES,
} from '../format/index.ts';
import { blake3 } from '../hash/index.ts';
import type { ReplayStep } from '../metadata/contract.ts';
import type { PackName, PackStore, WholePack } from '../placement/pack-store.ts';

/** Of a journal pack, or of a pack of a checkpoint. */
export interface JournalPackName extends PackName {
  readonly journal: NonNullable<PackDescriptor['journal']>;
}

/** See {@link listJournal}. */
export async function listJournalPacks(
  backend: Backend,
  commit: number,
  signal?: AbortSignal,
): Promise<readonly JournalPackName[]> {
  return (await listJournal(backend, commit, signal)).records;
}

/**
 * Journal packs on the backends, of which any shard is there, whose last record is after `commit`, by first commit, then
 * last, then id. In no other order does each follow on those before it: a merged pack begins where packs began that are
 * still there or gone. Packs of checkpoints at later commits, by commit, then id. What is listed survives a crash from
 * here on.
 */
export async function listJournal(
  backend: Backend,
  commit: number,
  signal?: AbortSignal,
): Promise<{ readonly records: readonly JournalPackName[]; readonly checkpoints: readonly JournalPackName[] }> {
  const names: JournalPackName[] = [];
  let known: Uint8Array | undefined;
  for await (const blob of listAll(backend, { prefix: JOURNAL_PREFIX, durable: true, ...(signal && { signal }) })) {
    const parsed = parseShardKey(blob.key);
    if (parsed?.pack.journal === undefined || parsed.pack.journal.lastCommit <= commit) continue;
    // Shards of one pack follow each other in byte order.
    if (known && equalBytes(known, parsed.pack.id)) continue;
    known = parsed.pack.id;
    names.push({ ...parsed.pack, journal: parsed.pack.journal });
  }
  const first = (one: JournalPackName): number => (one.class === 'journal' ? one.journal.firstCommit : 0);
  names.sort(
    (one, other) =>
      first(one) - first(other) || one.journal.lastCommit - other.journal.lastCommit || compareBytes(one.id, other.id),
  );
  const { journal: records = [], checkpoint: checkpoints = [] } = Object.groupBy(names, (name) => name.class);
  return { records, checkpoints };
}

export interface JournalEntry {
  readonly commit: number;
  /** The encoded record. */
  readonly record: Uint8Array;
  /** Where the chunks that rode in this commit lie in the pack. */
  readonly inline: readonly DirectoryItem[];
}

export interface JournalPack {
  readonly descriptor: PackDescriptor;
  readonly entries: readonly JournalEntry[];
}

/**
 * Reads and verifies a whole journal pack.
 * @returns `undefined` when its blob is gone (another process merged it)
 * @throws `corrupt/*` when the pack is damaged or its records are not the ones its name says
 */
export async function readJournalPack(packs: PackStore, name: JournalPackName): Promise<JournalPack | undefined> {
  const pack = await packs.openWhole(name);
  return pack && (await journalEntriesOf(name, pack));
}

/**
 * The records of a journal pack that is in memory.
 * @throws `corrupt/*` when its records are not the ones its name says
 */
export async function journalEntriesOf(name: JournalPackName, pack: WholePack): Promise<JournalPack> {
  const entries: { commit: number; record: Uint8Array; inline: DirectoryItem[] }[] = [];
  for (const item of pack.items) {
    const current = entries.at(-1);
    if (item.kind === 'chunk' && current) {
      current.inline.push(item);
      continue;
    }
    if (item.kind !== 'journal') throw misplacedItem(name, item);
    const record = await readItem(pack, item);
    entries.push({ commit: decodeJournalRecord(record).commit, record, inline: [] });
  }
  const { firstCommit, lastCommit } = name.journal;
  const gapFree = entries.every((entry, index) => entry.commit === firstCommit + index);
  if (!gapFree || entries.at(-1)?.commit !== lastCommit) {
    throw storeError(
      'JOURNAL_CORRUPT',
      `journal pack ${toHex(name.id)} does not hold the commits ${firstCommit} to ${lastCommit} of its name`,
      {
        details: { packId: toHex(name.id), commit: lastCommit },
      },
    );
  }
  return { descriptor: pack.descriptor, entries };
}

function misplacedItem(name: JournalPackName, item: DirectoryItem): Error {
  const packId = toHex(name.id);
  return storeError('JOURNAL_CORRUPT', `journal pack ${packId} has a ${item.kind} where a record was expected`, {
    details: { packId, offset: item.offset },
  });
}

/**
 * One item of a pack held in memory, authenticated, decompressed and hashed.
 * @param ids of the namespace of the pack; journal records go by their digest everywhere
 */
export async function readItem(pack: WholePack, item: DirectoryItem, ids: ItemIds = plainIds): Promise<Uint8Array> {
  const frame = pack.bytes.subarray(item.offset, item.offset + item.storedLength + RECORD_TRAILER_BYTES);
  const plain = await decompress(item.codec, openRecord(pack.identity, item, frame), item.plainLength);
  const bytes = plain.subarray(item.inner, item.inner + item.length);
  const id = itemId(ids, item.kind, blake3(bytes));
  if (!equalBytes(id, item.id)) {
    throw storeError(
      'PACK_CORRUPT',
      `pack ${toHex(pack.header.pack)} has an item that is not what its directory says`,
      {
        details: { packId: toHex(pack.header.pack), offset: item.offset },
      },
    );
  }
  return bytes;
}

export interface UnreadablePack {
  readonly packId: string;
  /** `undefined`: the blob is gone. */
  readonly error: StoreError | undefined;
}

/** The directory of a pack; `undefined`, and told, for one that is gone, damaged or has no key any more. */
export async function openDirectory(
  packs: PackStore,
  pack: PackDescriptor,
  onUnreadable: (pack: UnreadablePack) => void,
): Promise<readonly DirectoryItem[] | undefined> {
  try {
    const opened = await packs.open(pack);
    if (!opened) onUnreadable({ packId: toHex(pack.id), error: undefined });
    return opened?.items;
  } catch (error) {
    const isExpected = isStoreError(error) && (error.kind === 'corrupt' || error.code === 'NAMESPACE_KEY_GONE');
    if (!isExpected) throw error;
    onUnreadable({ packId: toHex(pack.id), error });
    return undefined;
  }
}

/**
 * What replaying a record needs from the packs: the directories of those it adds. A pack that is gone, damaged or
 * sealed under keys that were destroyed is told to `onUnreadable` and left out; a later merge of the journal may have
 * replaced it.
 */
export async function toReplayStep(
  packs: PackStore,
  { record, inline }: Pick<ReplayStep, 'record' | 'inline'>,
  onUnreadable: (pack: UnreadablePack) => void,
): Promise<ReplayStep> {
  const directories: { packId: Uint8Array; items: readonly DirectoryItem[] }[] = [];
  for (const operation of decodeJournalRecord(record).operations) {
    const added = operation.type === 'pack-add' ? [operation.pack] : 'added' in operation ? operation.added : [];
    for (const pack of added) {
      const items = await openDirectory(packs, pack, onUnreadable);
      if (items) directories.push({ packId: pack.id, items });
    }
  }
  return { record, directories, inline };
}
