/**
 * The rollback guard: what a client remembers of a store, outside the store. Whoever can write the store can put an old
 * copy of all of it in its place, with every check and MAC in order; only memory kept elsewhere tells. One small file a
 * store, in a folder that the caller names.
 */

import path from 'node:path';
import { z } from 'zod';
import { toHex, utf8Encode } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { type FileSystem, nodeFileSystem, systemCode } from '../runtime/file-system.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { formatDocument, parseDocument } from './json-document.ts';
import { readSecretFile, writeNewFile } from './secret-file.ts';

const WHAT = 'a rollback guard';

const guardSchema = z.strictObject({
  storeId: z.string().regex(/^[0-9a-f]{32}$/),
  generation: z.int().min(1),
  commit: z.int().min(0),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
});

/** What is remembered of a store. */
export interface GuardState {
  /** 16 bytes in lower-case hex. */
  readonly storeId: string;
  /** Of the config. */
  readonly generation: number;
  /** The last commit number that was seen. */
  readonly commit: number;
  /** Digest of the journal record of that commit, 64 hex digits; zeros before the first commit. */
  readonly digest: string;
}

/** What a store shows now, to be held against what is remembered. */
export interface GuardedStore {
  readonly generation: number;
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

/**
 * Compares a store with what is remembered of it.
 * @throws `corrupt/ROLLBACK_DETECTED` when the config or the journal is older than it was, or the commit that is
 *   remembered is another one now
 */
export function checkGuard(remembered: GuardState, actual: GuardedStore): void {
  if (actual.generation < remembered.generation) {
    throw rollback('the config of the store is older than it was', remembered.generation, actual.generation);
  }
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
 *   others could have written it, `denied/PERMISSION_DENIED`
 */
export async function readGuard(storeId: string, place: GuardPlace): Promise<GuardState | undefined> {
  const file = guardPath(storeId, place);
  const fileSystem = place.fileSystem ?? nodeFileSystem;
  try {
    await fileSystem.stat(file);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  const schema = guardSchema.extend({ storeId: z.literal(storeId) });
  return parseDocument(await readSecretFile(file, WHAT, { fileSystem }), schema, WHAT);
}

/**
 * Remembers a store, in place of what was remembered: whole and durable, or as it was. Of two processes the later one
 * wins; a caller that looks first with `readGuard` never remembers less than before.
 * @param random names the file that is written before it takes the other's place
 * @throws errors of the system as they are
 */
export async function writeGuard(state: GuardState, place: GuardPlace, random: RandomBytes): Promise<void> {
  const fileSystem = place.fileSystem ?? nodeFileSystem;
  const { storeId, generation, commit, digest } = state;
  const file = guardPath(storeId, place);
  const temporary = `${file}.${toHex(random(8))}.tmp`;
  await fileSystem.mkdir(place.folder);
  await writeNewFile(fileSystem, temporary, utf8Encode(formatDocument({ storeId, generation, commit, digest })));
  try {
    await fileSystem.rename(temporary, file);
  } catch (error) {
    // Of no use to anybody; the first failure is the one to report.
    await fileSystem.unlink(temporary).catch(() => undefined);
    throw error;
  }
  await fileSystem.syncDirectory(place.folder);
}

function guardPath(storeId: string, place: GuardPlace): string {
  return path.join(place.folder, `${storeId}.json`);
}
