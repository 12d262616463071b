import type { Stats } from 'node:fs';
import { type FileHandle, lstat, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { fileError, systemCodeOf } from '../file-error.ts';
import { type WriteBuffers, writeContent } from './write-content.ts';

let temporaryCount = 0;

export interface WriteFileOptions {
  /** Called with the bytes of what is written. */
  readonly onBytes?: (bytes: number) => void;
  /**
   * Replace whatever has the target's name, instead of writing through a link or into a pipe: for names that come from
   * a store and not from the user. Default false.
   */
  readonly replace?: boolean;
}

async function statIfAny(target: string, options: WriteFileOptions): Promise<Stats | undefined> {
  try {
    return await (options.replace ? lstat(target) : stat(target));
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw fileError(error, target, 'write');
  }
}

async function openTemporary(target: string, mode: number): Promise<{ name: string; handle: FileHandle }> {
  for (;;) {
    temporaryCount += 1;
    const name = path.join(path.dirname(target), `.holdfast-${process.pid}-${temporaryCount}.tmp`);
    try {
      return { name, handle: await open(name, 'wx', mode) };
    } catch (error) {
      // Left by a killed process that had our id: take the next name.
      if (systemCodeOf(error) !== 'EEXIST') throw fileError(error, target, 'write');
    }
  }
}

async function fill(
  handle: FileHandle,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { onBytes, target }: WriteFileOptions & { readonly target: string },
) {
  const write: WriteBuffers = async (buffers) => {
    try {
      return (await handle.writev(buffers)).bytesWritten;
    } catch (error) {
      throw fileError(error, target, 'write');
    }
  };
  await writeContent(content, write, onBytes);
}

/** Makes the names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders and needs no such call: its renames are journalled.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeInPlace(
  target: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: WriteFileOptions,
): Promise<void> {
  const handle = await open(target, 'w').catch((error: unknown) => {
    throw fileError(error, target, 'write');
  });
  try {
    await fill(handle, content, { ...options, target });
  } finally {
    await handle.close();
  }
}

/**
 * Writes content to a file so that the target holds all of it or what it held before: a temporary file beside it,
 * fsync, rename, fsync of the folder. An existing file keeps its permissions; a link to a file stays a link, and what
 * is no regular file (`/dev/null`, a pipe) is written to directly, but for `replace`.
 *
 * @throws `denied/PERMISSION_DENIED`, `exhausted/DISK_FULL`, `invalid/LOCATION_INVALID`, and whatever `content` throws
 */
export async function writeFileAtomically(
  target: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: WriteFileOptions = {},
): Promise<void> {
  const existing = await statIfAny(target, options);
  if (existing && !existing.isFile() && !options.replace) return writeInPlace(target, content, options);
  const real = existing && !options.replace ? await realpath(target) : target;
  const temporary = await openTemporary(real, 0o666);
  let renamed = false;
  try {
    try {
      if (existing?.isFile()) await temporary.handle.chmod(existing.mode & 0o7777);
      await fill(temporary.handle, content, { ...options, target });
      await temporary.handle.sync();
    } finally {
      await temporary.handle.close();
    }
    await rename(temporary.name, real);
    renamed = true;
    await syncFolder(path.dirname(real));
  } catch (error) {
    // The failure to tell is the one before; what stays is a file that says by its name what it is.
    if (!renamed) await unlink(temporary.name).catch(() => undefined);
    throw fileError(error, target, 'write');
  }
}
