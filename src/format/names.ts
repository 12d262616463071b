/**
 * Backend keys of shards. Layout in `docs/format.md`, section "Store folder". Parsing and formatting are inverse: a key
 * that would not be written exactly so is foreign, and left alone.
 */

import { fromHex, toHex } from '../bytes/bytes.ts';
import { checkInteger } from '../errors/argument-error.ts';
import { invariant } from '../errors/store-error.ts';
import { STRIPE_SHARDS_MAX } from '../limits.ts';
import { INCARNATION_BYTES, PACK_ID_BYTES, SESSION_ID_BYTES } from './sizes.ts';
import type { PackClass, PackDescriptor } from './types.ts';

/** What the key of a shard says. */
export interface ShardName {
  readonly pack: JournalPackName | OtherPackName;
  /** Index of the shard in its stripe. */
  readonly index: number;
}

/** Of a journal pack, or of a pack of a checkpoint. */
export interface JournalPackName {
  /** 16 bytes. */
  readonly id: Uint8Array;
  readonly class: 'journal' | 'checkpoint';
  readonly journal: NonNullable<PackDescriptor['journal']>;
}

/** A data or meta pack: its header says which. */
export interface OtherPackName {
  /** 16 bytes. */
  readonly id: Uint8Array;
  readonly class?: undefined;
  readonly journal?: undefined;
}

/** Prefix of the keys of all data and meta packs. */
export const PACKS_PREFIX = 'packs/';
/** Prefix of the keys of all journal packs and checkpoints, whatever their incarnation. */
export const JOURNAL_PREFIX = 'journal/';

const COMMIT_DIGITS = 16;
const FOLDER_DIGITS = 2;
const PACK_KEY = /^packs\/[0-9a-f]{2}\/([0-9a-f]{32})\.(\d{1,3})$/;
const JOURNAL_KEY = /^journal\/([0-9a-f]{32})\/(checkpoint-)?([0-9a-f]{16})-([0-9a-f]{16})-([0-9a-f]{32})\.(\d{1,3})$/;
/** What the names of packs of checkpoints begin with: after all journal packs, in byte order. */
const CHECKPOINT_MARK = 'checkpoint-';

/**
 * The id of a pack: the session that writes it, then its ordinal in that session, big-endian so that ids sort by age.
 * @param session 8 bytes
 * @param ordinal from 0
 */
export function createPackId(session: Uint8Array, ordinal: number): Uint8Array {
  invariant(session.length === SESSION_ID_BYTES, 'a session id has 8 bytes');
  checkInteger('ordinal', ordinal, { min: 0 });
  const id = new Uint8Array(PACK_ID_BYTES);
  id.set(session);
  new DataView(id.buffer).setBigUint64(SESSION_ID_BYTES, BigInt(ordinal));
  return id;
}

function commitText(commit: number): string {
  return commit.toString(16).padStart(COMMIT_DIGITS, '0');
}

/** Prefix of the keys of the journal packs of one incarnation. */
export function journalPrefix(incarnation: Uint8Array): string {
  invariant(incarnation.length === INCARNATION_BYTES, 'an incarnation has 16 bytes');
  return `${JOURNAL_PREFIX}${toHex(incarnation)}/`;
}

/**
 * After this key, in byte order, are exactly the journal packs of the incarnation whose last commit is above `commit`,
 * and then its checkpoints.
 */
export function journalKeyAfter(incarnation: Uint8Array, commit: number): string {
  // '.' sorts after the '-' that follows the number in real keys, and before any digit.
  return `${journalPrefix(incarnation)}${commitText(checkInteger('commit', commit, { min: 0 }))}.`;
}

/** The backend key of one shard of a pack. */
export function shardKey(pack: Pick<PackDescriptor, 'id' | 'class' | 'journal'>, shardIndex: number): string {
  invariant(pack.id.length === PACK_ID_BYTES, 'a pack id has 16 bytes');
  invariant(hasJournalPlace(pack.class) === (pack.journal !== undefined), 'journal packs have a place in the journal');
  checkInteger('shardIndex', shardIndex, { min: 0, max: STRIPE_SHARDS_MAX - 1 });
  const id = toHex(pack.id);
  // The last byte counts up within a session; the first ones would put all its packs into one folder.
  if (!pack.journal) return `${PACKS_PREFIX}${id.slice(-FOLDER_DIGITS)}/${id}.${shardIndex}`;
  const { incarnation, firstCommit, lastCommit } = pack.journal;
  const mark = pack.class === 'checkpoint' ? CHECKPOINT_MARK : '';
  return `${journalPrefix(incarnation)}${mark}${commitText(lastCommit)}-${commitText(firstCommit)}-${id}.${shardIndex}`;
}

/** Whether packs of a class have a place in the journal. */
export function hasJournalPlace(packClass: PackClass): boolean {
  return packClass === 'journal' || packClass === 'checkpoint';
}

/** A checkpoint may need no record beside it: what it would need first is the one after it. */
export function isJournalPlace(
  packClass: PackClass,
  { firstCommit, lastCommit }: { readonly firstCommit: number; readonly lastCommit: number },
): boolean {
  return lastCommit >= 1 && firstCommit >= 1 && firstCommit <= lastCommit + (packClass === 'checkpoint' ? 1 : 0);
}

/** @returns what a backend key says, or `undefined` when it is not the key of a shard */
export function parseShardKey(key: string): ShardName | undefined {
  const pack = PACK_KEY.exec(key);
  const journal = JOURNAL_KEY.exec(key);
  const id = fromHex(pack?.[1] ?? journal?.[5] ?? '');
  const index = Number(pack?.[2] ?? journal?.[6]);
  if (id?.length !== PACK_ID_BYTES || index >= STRIPE_SHARDS_MAX) return undefined;
  if (!journal) {
    return shardKey({ id, class: 'data' }, index) === key ? { pack: { id }, index } : undefined;
  }
  const incarnation = fromHex(journal[1] ?? '');
  const packClass = journal[2] === undefined ? 'journal' : 'checkpoint';
  const lastCommit = Number.parseInt(journal[3] ?? '', 16);
  const firstCommit = Number.parseInt(journal[4] ?? '', 16);
  const place = { firstCommit, lastCommit };
  if (!incarnation || !Number.isSafeInteger(lastCommit) || !isJournalPlace(packClass, place)) return undefined;
  const name: JournalPackName = { id, class: packClass, journal: { incarnation, ...place } };
  return shardKey(name, index) === key ? { pack: name, index } : undefined;
}
