import { dirname } from 'node:path';
import type { FileSystem } from '../runtime/file-system.ts';

/**
 * Makes the folders that keys need, so that a blob never stands in a folder which a power cut takes away.
 *
 * A folder is used only after its name is durable in its parent, up to the root. That holds for folders found as well
 * as for folders made: another process may have made one and died before it got to the fsync. Each folder costs that
 * once in the life of the backend; callers at the same time share one attempt.
 */
export class DurableFolders {
  readonly #fileSystem: FileSystem;
  readonly #root: string;
  readonly #ready = new Map<string, Promise<void>>();

  constructor(fileSystem: FileSystem, root: string) {
    this.#fileSystem = fileSystem;
    this.#root = root;
  }

  /** Resolves when the folder, a descendant of the root or the root itself, exists and survives a crash. */
  async ensure(path: string): Promise<void> {
    if (path === this.#root) return;
    let ready = this.#ready.get(path);
    if (!ready) {
      ready = this.#make(path);
      this.#ready.set(path, ready);
      // A failed attempt says nothing about the next one.
      ready.catch(() => this.#ready.delete(path));
    }
    await ready;
  }

  /** Drops what is known about folders, after a failure that may mean somebody removed one. */
  forget(): void {
    this.#ready.clear();
  }

  async #make(path: string): Promise<void> {
    const parent = dirname(path);
    await this.ensure(parent);
    await this.#fileSystem.mkdir(path);
    await this.#fileSystem.syncDirectory(parent);
  }
}
