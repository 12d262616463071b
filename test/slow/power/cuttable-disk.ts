import { execFile, execFileSync } from 'node:child_process';
import { mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { PowerSupply } from '../kill/kill-rounds.ts';

const run = promisify(execFile);

export const FILE_SYSTEMS = ['ext4', 'xfs'] as const;
export type FileSystemName = (typeof FILE_SYSTEMS)[number];

const MIB = 1024 ** 2;
/** The smallest that mkfs.xfs makes is 300 MiB; what is not written takes no space. */
const IMAGE_BYTES = 512 * MIB;

/** A file system of its own, on a loop device, whose power can be cut. */
export interface CuttableDisk extends PowerSupply {
  readonly path: string;
  remove(): Promise<void>;
}

/** Tells what this machine lacks to cut the power of a file system; `undefined` when nothing. */
export async function whatIsMissing(name: FileSystemName, folder: string): Promise<string | undefined> {
  try {
    await run(`mkfs.${name}`, ['-V']);
    await run('xfs_io', ['-V']);
  } catch (error) {
    return `mkfs.${name} and xfs_io are needed (${(error as Error).message})`;
  }
  try {
    await (await makeDisk(name, folder)).remove();
  } catch (error) {
    return `mounting a loop device needs Linux and root (${(error as Error).message})`;
  }
  return undefined;
}

/**
 * Makes and mounts a file system in a file. It is unmounted when this process ends, too.
 *
 * The cut is the shutdown that ext4 and XFS have for such tests: it flushes no log. What the page cache held is gone when
 * the file system is mounted the next time.
 */
export async function makeDisk(name: FileSystemName, folder: string): Promise<CuttableDisk> {
  const [image, mounted] = [path.join(folder, `${name}.image`), path.join(folder, name)];
  await mkdir(mounted, { recursive: true });
  await rm(image, { force: true });
  const file = await open(image, 'w');
  await file.truncate(IMAGE_BYTES);
  await file.close();
  await run(`mkfs.${name}`, ['-q', image]);
  await run('mount', ['-o', 'loop', image, mounted]);
  // Lazily: also while a store of this process is still open there.
  const unmountAtEnd = (): void => void execFileSync('umount', ['-l', mounted]);
  process.once('exit', unmountAtEnd);
  return {
    path: mounted,
    cut: async () => void (await run('xfs_io', ['-x', '-c', 'shutdown', mounted])),
    remount: async () => {
      await run('umount', [mounted]);
      await run('mount', ['-o', 'loop', image, mounted]);
    },
    remove: async () => {
      process.off('exit', unmountAtEnd);
      await run('umount', ['-l', mounted]);
      await rm(image);
    },
  };
}
