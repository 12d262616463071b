import { stat } from 'node:fs/promises';
import path from 'node:path';
import { storeError } from '../errors/store-error.ts';
import type { StoreLocation } from '../index.ts';
import { usageError } from './usage-error.ts';

/** Name of the folder that is looked for upward when neither -s nor HOLDFAST_STORE says where the store is. */
export const STORE_FOLDER_NAME = '.holdfast';

export interface LocationHints {
  /** Value of -s/--store. */
  readonly option?: string | undefined;
  /** Value of HOLDFAST_STORE; empty counts as unset. */
  readonly environment?: string | undefined;
  readonly workingFolder: string;
}

async function isFolder(name: string): Promise<boolean> {
  // A folder that may not be looked into is none that could be opened: the search goes on above it.
  const found = await stat(name).catch(() => undefined);
  return found?.isDirectory() === true;
}

/**
 * Where the store is: -s, else HOLDFAST_STORE, else the nearest `.holdfast` folder upward; `undefined` when nowhere.
 */
export async function findStore(hints: LocationHints): Promise<string | undefined> {
  if (hints.option !== undefined) return hints.option;
  if (hints.environment) return hints.environment;
  for (let folder = path.resolve(hints.workingFolder); ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, STORE_FOLDER_NAME);
    if (await isFolder(candidate)) return candidate;
    if (folder === path.dirname(folder)) return undefined;
  }
}

/** Like `findStore`. @throws `not-found/STORE_NOT_FOUND` when nowhere */
export async function requireStore(hints: LocationHints): Promise<string> {
  const found = await findStore(hints);
  if (found !== undefined) return found;
  throw storeError('STORE_NOT_FOUND', `no ${STORE_FOLDER_NAME} folder in ${hints.workingFolder} or above it`, {
    details: { path: hints.workingFolder },
  });
}

/** Where a command line may name the database of a store. */
export interface DatabaseHints {
  readonly option: string | undefined;
  /** Variable of the environment; an empty one counts as unset. */
  readonly variable: string;
}

/** The location of a store whose bytes are at a path. @throws a usage error for a password that everybody sees */
export function locationAt(path: string, { option, variable }: DatabaseHints): StoreLocation {
  const metadata = option ?? (process.env[variable] || undefined);
  if (metadata === undefined) return path;
  if (option !== undefined && URL.canParse(option) && new URL(option).password !== '')
    throw usageError(`arguments are seen by all users: put the password into ${variable}, PGPASSWORD or ~/.pgpass`);
  return { backend: path, metadata };
}
