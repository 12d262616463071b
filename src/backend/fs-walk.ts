import { BACKEND_KEY_DEPTH_MAX } from '../limits.ts';
import type { DirectoryItem } from '../runtime/file-system.ts';
import { isBackendKey } from './backend-key.ts';

/** Which keys a walk gives. */
export interface KeyWindow {
  readonly prefix: string;
  readonly after?: string;
}

/** True when some key that starts with `folder` (which ends in `/`, or is empty) may lie in the window. */
function mayHold(folder: string, { prefix, after }: KeyWindow): boolean {
  if (!folder.startsWith(prefix) && !prefix.startsWith(folder)) return false;
  return after === undefined || folder > after || after.startsWith(folder);
}

/**
 * Every blob key of nested folders in byte order of the whole key, reading only folders that can hold one of the
 * window.
 *
 * A folder `d` takes the place of the text `d/`: all keys below start with it and no other key does, so ordering the
 * names of one folder with that `/` in place orders the whole tree. It is what puts `a-b` and `a.b` before `a/b`, and
 * `a0` behind. Names that cannot be a key, and with them dot names, are not blobs.
 * @param readFolder items of a folder given by its relative path, `''` for the root; none when it is absent
 */
export async function* walkKeys(
  readFolder: (folder: string) => Promise<DirectoryItem[]>,
  window: KeyWindow,
): AsyncGenerator<string> {
  const { prefix, after } = window;
  async function* walk(folder: string, depth: number): AsyncGenerator<string> {
    const names: string[] = [];
    for (const item of await readFolder(folder.slice(0, -1))) {
      if (!isBackendKey(item.name)) continue;
      if (item.isFile()) names.push(folder + item.name);
      else if (item.isDirectory() && depth < BACKEND_KEY_DEPTH_MAX) names.push(`${folder}${item.name}/`);
    }
    for (const name of names.sort()) {
      if (name.endsWith('/')) {
        if (mayHold(name, window)) yield* walk(name, depth + 1);
      } else if (name.startsWith(prefix) && (after === undefined || name > after) && isBackendKey(name)) yield name;
    }
  }
  // The folders of the prefix need no search: their names are given.
  const start = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  if (mayHold(start, window)) yield* walk(start, start.split('/').length);
}
