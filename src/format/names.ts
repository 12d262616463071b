/**
 * Backend keys of shards. Layout in `docs/format.md`, section "Store folder". Parsing and formatting are inverse: a key
 * that would not be written exactly so is foreign, and left alone.
 */

import { fromHex, toHex } from '../bytes/bytes.ts';
import { checkInteger } from '../errors/argument-error.ts';
import { invariant } from '../errors/store-error.ts';
import { STRIPE_SHARDS_MAX } from '../limits.ts';
import { INCARNATION_BYTES, PACK_ID_BYTES, SESSION_ID_BYTES } from './sizes.ts';
import type { PackDescriptor } from './types.ts';

/** What the key of a shard says. */
export interface ShardName {
  readonly pack: JournalPackName | OtherPackName;
  /** Index of the shard in its stripe. */
  readonly index: number;
}

export interface JournalPackName {
  /** 16 bytes. */
  readonly id: Uint8Array;
  readonly class: 'journal';
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
/** Prefix of the keys of all journal packs, whatever their incarnation. */
export const JOURNAL_PREFIX = 'journal/';

const COMMIT_DIGITS = 16;
const FOLDER_DIGITS = 2;
const PACK_KEY = /^packs\/[0-9a-f]{2}\/([0-9a-f]{32})\.(\d{1,3})$/;
const JOURNAL_KEY = /^journal\/([0-9a-f]{32})\/([0-9a-f]{16})-([0-9a-f]{16})-([0-9a-f]{32})\.(\d{1,3})$/;

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
 * After this key, in byte order, are exactly the journal packs of the incarnation whose last commit is above `commit`.
 */
export function journalKeyAfter(incarnation: Uint8Array, commit: number): string {
  // '.' sorts after the '-' that follows the number in real keys, and before any digit.
  return `${journalPrefix(incarnation)}${commitText(checkInteger('commit', commit, { min: 0 }))}.`;
}

/** The backend key of one shard of a pack. */
export function shardKey(pack: Pick<PackDescriptor, 'id' | 'class' | 'journal'>, shardIndex: number): string {
  invariant(pack.id.length === PACK_ID_BYTES, 'a pack id has 16 bytes');
  invariant((pack.class === 'journal') === (pack.journal !== undefined), 'journal packs have a place in the journal');
  checkInteger('shardIndex', shardIndex, { min: 0, max: STRIPE_SHARDS_MAX - 1 });
  const id = toHex(pack.id);
  // The last byte counts up within a session; the first ones would put all its packs into one folder.
  if (!pack.journal) return `${PACKS_PREFIX}${id.slice(-FOLDER_DIGITS)}/${id}.${shardIndex}`;
  const { incarnation, firstCommit, lastCommit } = pack.journal;
  return `${journalPrefix(incarnation)}${commitText(lastCommit)}-${commitText(firstCommit)}-${id}.${shardIndex}`;
}

/** @returns what a backend key says, or `undefined` when it is not the key of a shard */
export function parseShardKey(key: string): ShardName | undefined {
  const pack = PACK_KEY.exec(key);
  const journal = JOURNAL_KEY.exec(key);
  const id = fromHex(pack?.[1] ?? journal?.[4] ?? '');
  const index = Number(pack?.[2] ?? journal?.[5]);
  if (id?.length !== PACK_ID_BYTES || index >= STRIPE_SHARDS_MAX) return undefined;
  if (!journal) {
    return shardKey({ id, class: 'data' }, index) === key ? { pack: { id }, index } : undefined;
  }
  const incarnation = fromHex(journal[1] ?? '');
  const lastCommit = Number.parseInt(journal[2] ?? '', 16);
  const firstCommit = Number.parseInt(journal[3] ?? '', 16);
  if (!incarnation || !Number.isSafeInteger(lastCommit) || firstCommit < 1 || firstCommit > lastCommit)
    return undefined;
  const name: JournalPackName = { id, class: 'journal', journal: { incarnation, firstCommit, lastCommit } };
  return shardKey(name, index) === key ? { pack: name, index } : undefined;
}
