/**
 * The rollback guard: what a client remembers of a store, outside the store. Whoever can write the store can put an old
 * copy of all of it in its place, with every check and MAC in order; only memory kept elsewhere tells. One small file a
 * store, in a folder that the caller names.
 */

import path from 'node:path';
import { z } from 'zod';
import { toHex, utf8Encode } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import type { KeySchedule } from '../format/key-schedule.ts';
import { type FileSystem, nodeFileSystem, systemCode } from '../runtime/file-system.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { formatDocument, parseDocument } from './json-document.ts';
import { parseSecretFile, writeNewFile } from './secret-file.ts';

const WHAT = 'a rollback guard';
/** What a guard of a plain store has for its keys. */
const PLAIN = 'none';

const guardSchema = z.strictObject({
  storeId: z.string().regex(/^[0-9a-f]{32}$/),
  keys: z.union([z.literal(PLAIN), z.string().regex(/^[0-9a-f]{64}$/)]),
  generation: z.int().min(1),
  commit: z.int().min(0),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
});

/** What is remembered of a store. */
export interface GuardState {
  /** 16 bytes in lower-case hex. */
  readonly storeId: string;
  /** The guard tag of the store's keys, 64 hex digits; `none` for a plain store. */
  readonly keys: string;
  /** Of the config. */
  readonly generation: number;
  /** The last commit number that was seen. */
  readonly commit: number;
  /** Digest of the journal record of that commit, 64 hex digits; zeros before the first commit. */
  readonly digest: string;
}

/** How far a store shows its journal to be now. */
export interface GuardedJournal {
  /** The newest commit number. */
  readonly commit: number;
  /**
   * Digest of the journal record of the *remembered* commit as the store has it; `undefined` when that record is gone,
   * as after a checkpoint. Then numbers alone are compared.
   */
  readonly digest: string | undefined;
}

/** Where a guard lies. */
export interface GuardPlace {
  readonly folder: string;
  /** Default: the real one. */
  readonly fileSystem?: FileSystem;
}

/** What of the keys of a store is remembered. */
export type GuardedKeys = Pick<GuardState, 'keys' | 'generation'>;

/** @param schedule absent for a plain store */
export function guardedKeys(config: { readonly generation: number }, schedule?: KeySchedule): GuardedKeys {
  const keys = schedule === undefined ? PLAIN : toHex(schedule.guardTag());
  return { keys, generation: config.generation };
}

/**
 * Compares the keys of a store with what is remembered of it: before anything of it is used, or written to it.
 * @throws `corrupt/ROLLBACK_DETECTED` when they are those of another store, or older than they were
 */
export function checkGuardedKeys(remembered: GuardState, actual: GuardedKeys): void {
  if (actual.keys !== remembered.keys) {
    const message = 'the keys of the store are not the ones it had: another store was put in its place';
    throw storeError('ROLLBACK_DETECTED', message, { details: { expected: remembered.keys, actual: actual.keys } });
  }
  if (actual.generation < remembered.generation) {
    throw rollback('the config of the store is older than it was', remembered.generation, actual.generation);
  }
}

/**
 * Compares the journal of a store with what is remembered of it.
 * @throws `corrupt/ROLLBACK_DETECTED` when it ends earlier than it did, or the commit that is remembered is another now
 */
export function checkGuardedJournal(remembered: GuardState, actual: GuardedJournal): void {
  if (actual.commit < remembered.commit) {
    throw rollback('the store has fewer commits than it had', remembered.commit, actual.commit);
  }
  if (actual.digest === undefined || actual.digest === remembered.digest) return;
  throw storeError('ROLLBACK_DETECTED', `commit ${remembered.commit} of the store is another one than it was`, {
    details: { commit: remembered.commit, expected: remembered.digest, actual: actual.digest },
  });
}

function rollback(problem: string, expected: number, actual: number): Error {
  const message = `${problem}: ${actual} and not ${expected} or more`;
  return storeError('ROLLBACK_DETECTED', message, { details: { expected, actual } });
}

/**
 * Reads what is remembered of a store.
 * @returns `undefined` when nothing is
 * @throws `invalid/CREDENTIAL_INVALID` when the file is damaged or of another store, `denied/KEY_FILE_EXPOSED` when
 *   others could have written it, `invalid/LOCATION_INVALID` and `denied/PERMISSION_DENIED` for the folder
 */
export async function readGuard(storeId: string, place: GuardPlace): Promise<GuardState | undefined> {
  const file = guardPath(storeId, place);
  const fileSystem = place.fileSystem ?? nodeFileSystem;
  try {
    await fileSystem.stat(file);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw guardError(error, place);
  }
  const schema = guardSchema.extend({ storeId: z.literal(storeId) });
  const parse = (bytes: Uint8Array): GuardState => parseDocument(bytes, schema, WHAT);
  return parseSecretFile(file, { what: WHAT, parse }, { fileSystem });
}

/**
 * Remembers a store, in place of what was remembered: whole and durable, or as it was. Of two processes the later one
 * wins; a caller that looks first with `readGuard` never remembers less than before.
 * @param random names the file that is written before it takes the other's place
 * @throws `invalid/LOCATION_INVALID` when the folder cannot be one, `denied/PERMISSION_DENIED`; other errors of the
 *   system as they are
 */
export async function writeGuard(state: GuardState, place: GuardPlace, random: RandomBytes): Promise<void> {
  const fileSystem = place.fileSystem ?? nodeFileSystem;
  const { storeId, keys, generation, commit, digest } = state;
  const file = guardPath(storeId, place);
  const temporary = `${file}.${toHex(random(8))}.tmp`;
  try {
    await fileSystem.mkdir(place.folder);
    await writeNewFile(
      fileSystem,
      temporary,
      utf8Encode(formatDocument({ storeId, keys, generation, commit, digest })),
    );
    await moveOrRemove(fileSystem, temporary, file);
    await fileSystem.syncDirectory(place.folder);
  } catch (error) {
    throw guardError(error, place);
  }
}

async function moveOrRemove(fileSystem: FileSystem, from: string, to: string): Promise<void> {
  try {
    await fileSystem.rename(from, to);
  } catch (error) {
    // Of no use to anybody; the first failure is the one to report.
    await fileSystem.unlink(from).catch(() => undefined);
    throw error;
  }
}

const NO_FOLDER: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EEXIST', 'ELOOP', 'ENAMETOOLONG']);
const DENIED: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS']);

function guardError(error: unknown, { folder }: GuardPlace): unknown {
  const system = systemCode(error);
  if (system === undefined) return error;
  const options = { details: { path: folder, system }, cause: error };
  const what = `${folder}, where it is remembered how far stores are`;
  if (NO_FOLDER.has(system)) return storeError('LOCATION_INVALID', `${what}, can be no folder (${system})`, options);
  if (DENIED.has(system)) return storeError('PERMISSION_DENIED', `${what}, is not permitted (${system})`, options);
  return error;
}

function guardPath(storeId: string, place: GuardPlace): string {
  return path.join(place.folder, `${storeId}.json`);
}
