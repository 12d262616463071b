import { execFile } from 'node:child_process';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A real file system of a few bytes, mounted for one test file. */
export interface SmallDisk {
  readonly path: string;
  /** Gives it another size. */
  resize(bytes: number): Promise<void>;
  /** Lets nobody write to it any more. */
  makeReadOnly(): Promise<void>;
  unmount(): Promise<void>;
}

/** Mounts an empty tmpfs; `undefined`, after a visible line, where this system or user may not. */
export async function mountSmallDisk(bytes: number): Promise<SmallDisk | undefined> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path]);
  } catch (error) {
    await rmdir(path);
    console.warn(`tests on a small real disk are skipped: mounting a tmpfs needs Linux and root (${error})`);
    return undefined;
  }
  return {
    path,
    resize: async (size) => {
      await run('mount', ['-o', `remount,size=${size}`, path]);
    },
    makeReadOnly: async () => {
      await run('mount', ['-o', 'remount,ro', path]);
    },
    unmount: async () => {
      await run('umount', [path]);
      await rmdir(path);
    },
  };
}
