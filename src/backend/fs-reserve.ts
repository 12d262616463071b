import { MIB } from '../limits.ts';
import { type FileSystem, systemCode } from '../runtime/file-system.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { Semaphore } from '../runtime/semaphore.ts';
import { isDiskFull } from './fs-error.ts';
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
  /** Releasing and restoring exclude each other, else a release would find nothing and the space be taken after it. */
  readonly #changing = new Semaphore(1);
  #isHeld = false;

  constructor(parts: ReserveParts) {
    this.#parts = parts;
  }

  /**
   * Sets the space aside in passing, where it is known to be spent and the disk has twice as much free: taking the last
   * free bytes unasked would make the very disk full that the reserve is there for.
   */
  async restoreWithEase(): Promise<void> {
    if (!this.#isHeld) await this.restore({ freeBytesMin: 2 * this.#parts.bytes });
  }

  /**
   * Sets the space aside again unless the disk shows that it is, or has less than that free.
   * @param options least free bytes to try it; default the size of the reserve
   * @returns whether it is held now
   */
  async restore(options: { readonly freeBytesMin?: number } = {}): Promise<boolean> {
    const { bytes, fileSystem, root } = this.#parts;
    if (bytes === 0) return true;
    await this.#changing.acquire();
    try {
      this.#isHeld = (await this.#heldBytes()) >= bytes;
      if (this.#isHeld || (await fileSystem.freeBytes(root)) < (options.freeBytesMin ?? bytes)) return this.#isHeld;
      this.#isHeld = await this.#write();
      return this.#isHeld;
    } finally {
      this.#changing.release();
    }
  }

  /** Gives the space back to the disk. @returns false when it was not held */
  async release(): Promise<boolean> {
    await this.#changing.acquire();
    try {
      this.#isHeld = false;
      return await removeFile(this.#parts.fileSystem, this.#parts.path);
    } finally {
      this.#changing.release();
    }
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

  async #write(): Promise<boolean> {
    const { fileSystem, root, path, temporary } = this.#parts;
    const file = temporary.next();
    try {
      await writeTemporary(fileSystem, file, { parts: this.#filling() });
      await fileSystem.rename(file, path);
    } catch (error) {
      await removeFile(fileSystem, file).catch(() => undefined);
      // Another writer was faster than the look at the free space: the disk is full, as if there had been no room.
      if (isDiskFull(systemCode(error))) return false;
      throw error;
    }
    await fileSystem.syncDirectory(root);
    return true;
  }

  /** Random, so that no file system keeps it as a hole, compressed or only once. */
  *#filling(): Generator<Uint8Array> {
    for (let left = this.#parts.bytes; left > 0; left -= MIB) yield this.#parts.random(Math.min(left, MIB));
  }
}
