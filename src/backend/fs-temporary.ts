import { hostname } from 'node:os';
import { join } from 'node:path';
import { TEMPORARY_AGE_MS_MAX } from '../limits.ts';
import type { Clock } from '../runtime/clock.ts';
import { type FileSystem, systemCode } from '../runtime/file-system.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { removeFile } from './fs-file.ts';

/** Tokens of the backends open in this process: tells our own files from those of an earlier process with our pid. */
const liveTokens = new Set<string>();

const HOST = hostname().replaceAll(/[^A-Za-z0-9-]/g, '-') || 'unknown';
const NAME = /^(?<pid>[0-9]+)\.(?<host>[A-Za-z0-9-]+)\.(?<token>[0-9a-f]{16})\.[0-9a-f]{16}$/;

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return systemCode(error) !== 'ESRCH';
  }
}

/**
 * Names for files being written, in a folder of the backend's own on the same disk (a rename does not cross disks).
 * A name tells its owner, so that whoever opens the folder next removes what a dead process left, and leaves alone what
 * a living one is writing.
 */
export class TemporaryFiles {
  readonly folder: string;
  readonly #fileSystem: FileSystem;
  readonly #random: RandomBytes;
  readonly #token: string;

  constructor(folder: string, seams: { readonly fileSystem: FileSystem; readonly random: RandomBytes }) {
    this.folder = folder;
    this.#fileSystem = seams.fileSystem;
    this.#random = seams.random;
    this.#token = hex(seams.random(8));
    liveTokens.add(this.#token);
  }

  /** A path nobody else uses. */
  next(): string {
    return join(this.folder, `${process.pid}.${HOST}.${this.#token}.${hex(this.#random(8))}`);
  }

  /** Removes the files of dead owners. @returns how many */
  async removeAbandoned(clock: Clock): Promise<number> {
    let removed = 0;
    for (const item of await this.#fileSystem.readdir(this.folder)) {
      const path = join(this.folder, item.name);
      if (item.isFile() && (await this.#isAbandoned(item.name, clock)) && (await removeFile(this.#fileSystem, path)))
        removed += 1;
    }
    return removed;
  }

  async #isAbandoned(name: string, clock: Clock): Promise<boolean> {
    const owner = NAME.exec(name)?.groups;
    // Nothing of ours: whoever put it there may want it.
    if (!owner) return false;
    if (owner.host !== HOST) return this.#isOld(name, clock);
    const pid = Number(owner.pid);
    if (pid === process.pid) return !liveTokens.has(owner.token ?? '');
    return !isAlive(pid);
  }

  async #isOld(name: string, clock: Clock): Promise<boolean> {
    try {
      const { mtimeMs } = await this.#fileSystem.stat(join(this.folder, name));
      return clock.now() - mtimeMs > TEMPORARY_AGE_MS_MAX;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** Ends the life of the token: what is still written under it may be removed by the next who opens the folder. */
  close(): void {
    liveTokens.delete(this.#token);
  }
}
