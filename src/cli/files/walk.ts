import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { storeError } from '../../errors/store-error.ts';
import { fileError } from '../file-error.ts';
import type { Matcher } from './glob.ts';

/** What a walk meets: a file to put, something left out on purpose, or something that could not be looked at. */
export type Found =
  | { readonly kind: 'file'; readonly path: string; readonly name: string; readonly regular: boolean }
  | { readonly kind: 'skipped'; readonly path: string; readonly reason: string }
  | { readonly kind: 'failed'; readonly path: string; readonly error: unknown };

export interface WalkOptions {
  /** Follow symbolic links inside folders. A path given by the caller is followed always. */
  readonly follow: boolean;
  readonly excludes: readonly Matcher[];
  /** Real path of the store, which must not swallow itself. */
  readonly avoid?: string | undefined;
  readonly signal: AbortSignal;
}

interface Place {
  readonly path: string;
  readonly name: string;
  /** Real paths of the folders above, to notice links that lead back up. */
  readonly above: readonly string[];
}

/** What Node puts in place of bytes of a name that are not UTF-8; then there is no file of the name it gives. */
const REPLACEMENT = '\ufffd';

function byName(a: Dirent, b: Dirent): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function unreadable(error: unknown, place: Place): Found {
  const mangled = path.basename(place.path).includes(REPLACEMENT);
  const told = mangled
    ? storeError('KEY_INVALID', `${place.path}: the name is not valid UTF-8`, {
        details: { path: place.path },
        cause: error,
      })
    : fileError(error, place.path, 'read');
  return { kind: 'failed', path: place.path, error: told };
}

async function* walkFolder(place: Place, options: WalkOptions): AsyncGenerator<Found, void, undefined> {
  let real: string;
  let entries: Dirent[];
  try {
    real = await realpath(place.path);
    if (real === options.avoid) return yield { kind: 'skipped', path: place.path, reason: 'is the store itself' };
    if (place.above.includes(real)) {
      return yield { kind: 'skipped', path: place.path, reason: 'is a link to a folder above it' };
    }
    entries = (await readdir(place.path, { withFileTypes: true })).sort(byName);
  } catch (error) {
    return yield unreadable(error, place);
  }
  const above = [...place.above, real];
  for (const entry of entries) {
    options.signal.throwIfAborted();
    const inner: Place = {
      path: path.join(place.path, entry.name),
      name: place.name === '' ? entry.name : `${place.name}/${entry.name}`,
      above,
    };
    yield* walkEntry(entry, inner, options);
  }
}

async function* walkEntry(entry: Dirent, place: Place, options: WalkOptions): AsyncGenerator<Found, void, undefined> {
  let type: Dirent | Stats = entry;
  if (entry.name.includes(REPLACEMENT)) {
    try {
      await lstat(place.path);
    } catch (error) {
      return yield unreadable(error, place);
    }
  }
  if (entry.isSymbolicLink()) {
    if (options.excludes.some((matches) => matches(place.name, false))) return;
    if (!options.follow)
      return yield { kind: 'skipped', path: place.path, reason: 'is a symbolic link (see --follow)' };
    try {
      type = await stat(place.path);
    } catch (error) {
      return yield unreadable(error, place);
    }
  }
  if (options.excludes.some((matches) => matches(place.name, type.isDirectory()))) return;
  if (type.isDirectory()) return yield* walkFolder(place, options);
  if (type.isFile()) return yield { kind: 'file', path: place.path, name: place.name, regular: true };
  yield { kind: 'skipped', path: place.path, reason: 'is neither a file nor a folder' };
}

/**
 * Finds every file of a path, folders recursively in the order of their names. Links are not followed unless asked, the
 * store is left out, and what cannot be read is told and passed by. Memory: one listing per level of folders.
 *
 * @param root.name what the path is called; names inside are below it
 */
export async function* walk(
  root: { readonly path: string; readonly name: string },
  options: WalkOptions,
): AsyncGenerator<Found, void, undefined> {
  const place: Place = { ...root, above: [] };
  let type: Stats;
  try {
    type = await stat(root.path);
  } catch (error) {
    return yield unreadable(error, place);
  }
  if (type.isDirectory()) return yield* walkFolder(place, options);
  // A pipe or device is read to its end when somebody names it: `put -k dump <(pg_dump)`.
  yield { kind: 'file', path: root.path, name: root.name, regular: type.isFile() };
}
