import { MIB } from '../limits.ts';
import { type FileSystem, systemCode } from '../runtime/file-system.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { removeFile, writeTemporary } from './fs-file.ts';
import type { TemporaryFiles } from './fs-temporary.ts';

/** What a reserve is made of. */
export interface ReserveParts {
  readonly fileSystem: FileSystem;
  /** Folder of the backend, and the reserve's file in it. */
  readonly root: string;
  readonly path: string;
  readonly bytes: number;
  readonly temporary: TemporaryFiles;
  readonly random: RandomBytes;
}

/** The reserve as the disk shows it. */
export interface ReserveState {
  readonly wantedBytes: number;
  /** 0 after it was spent, until there is room again. */
  readonly heldBytes: number;
}

/**
 * Space set aside while there is some, so that a full disk can still be freed: deleting needs a commit, and a commit
 * needs a few blocks. The reserve is a plain file of random bytes; spending it is removing it.
 */
export class Reserve {
  readonly #parts: ReserveParts;
  #held = false;
  #restoring: Promise<void> | undefined;

  constructor(parts: ReserveParts) {
    this.#parts = parts;
  }

  /** Sets the space aside again if it is not, and if the disk has twice as much free. Callers at once share one try. */
  async restore(): Promise<void> {
    if (this.#held || this.#parts.bytes === 0) return;
    this.#restoring ??= this.#restore().finally(() => {
      this.#restoring = undefined;
    });
    await this.#restoring;
  }

  /** Gives the space back to the disk. @returns false when it was not held */
  async release(): Promise<boolean> {
    this.#held = false;
    return removeFile(this.#parts.fileSystem, this.#parts.path);
  }

  async state(): Promise<ReserveState> {
    return { wantedBytes: this.#parts.bytes, heldBytes: await this.#heldBytes() };
  }

  async #heldBytes(): Promise<number> {
    try {
      return (await this.#parts.fileSystem.stat(this.#parts.path)).size;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return 0;
      throw error;
    }
  }

  async #restore(): Promise<void> {
    const { fileSystem, root, path, bytes, temporary } = this.#parts;
    if ((await this.#heldBytes()) >= bytes) {
      this.#held = true;
      return;
    }
    // Twice the size: taking the last free bytes would make the very disk full that the reserve is there for.
    if ((await fileSystem.freeBytes(root)) < 2 * bytes) return;
    const file = temporary.next();
    try {
      await writeTemporary(fileSystem, file, { parts: this.#filling() });
      await fileSystem.rename(file, path);
    } catch (error) {
      await removeFile(fileSystem, file);
      // Another writer was faster than the look at the free space: the disk is full, as if there had been no room.
      if (systemCode(error) === 'ENOSPC' || systemCode(error) === 'EDQUOT') return;
      throw error;
    }
    await fileSystem.syncDirectory(root);
    this.#held = true;
  }

  /** Random, so that no file system keeps it as a hole, compressed or only once. */
  *#filling(): Generator<Uint8Array> {
    for (let left = this.#parts.bytes; left > 0; left -= MIB) yield this.#parts.random(Math.min(left, MIB));
  }
}
