import { lstat, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { storeError } from '../../errors/store-error.ts';
import { fileError, systemCodeOf } from '../file-error.ts';

/**
 * Makes folders below a root without ever leaving it: a symbolic link on the way is refused, because a restore that
 * follows one writes wherever somebody pointed it.
 */
export class FolderMaker {
  readonly #root: string;
  readonly #known = new Map<string, Promise<void>>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Makes the root itself, with the folders above it. */
  async makeRoot(): Promise<void> {
    try {
      await mkdir(this.#root, { recursive: true });
    } catch (error) {
      throw fileError(error, this.#root, 'write');
    }
  }

  /** @throws `invalid/LOCATION_INVALID` when a component is there already and no folder */
  async make(components: readonly string[]): Promise<string> {
    let folder = this.#root;
    for (const component of components) {
      folder = path.join(folder, component);
      let made = this.#known.get(folder);
      if (!made) {
        made = makeOne(folder);
        this.#known.set(folder, made);
      }
      await made;
    }
    return folder;
  }
}

async function makeOne(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw fileError(error, folder, 'write');
    const found = await lstat(folder);
    if (found.isDirectory()) return;
    const reason = found.isSymbolicLink() ? 'is a symbolic link and is not followed' : 'is a file, not a folder';
    throw storeError('LOCATION_INVALID', `${folder}: ${reason}`, { details: { path: folder } });
  }
}
