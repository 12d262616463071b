import { FS_WRITE_SLICE_BYTES } from '../limits.ts';
import type { FileHandle, FileSystem } from '../runtime/file-system.ts';
import { systemCode } from '../runtime/file-system.ts';
import { readAll, writeAll } from '../runtime/whole-io.ts';
import { rangeError, resolveRange } from './blob-range.ts';
import type { GetOptions } from './contract.ts';
import { notAFileError } from './fs-error.ts';

/** Uses a handle and closes it; a failure of the use outranks one of the close. */
async function withHandle<T>(handle: FileHandle, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await use(handle);
  } catch (error) {
    await handle.close().catch(() => undefined);
    throw error;
  }
  await handle.close();
  return result;
}

/** Cuts a value so that an abort is noticed within a large one. Views, no copies. */
export function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += FS_WRITE_SLICE_BYTES) {
    yield bytes.subarray(start, start + FS_WRITE_SLICE_BYTES);
  }
}

/** Removes a file of which nothing is known any more to be of use; one that is gone already is fine. */
export async function removeFile(fileSystem: FileSystem, path: string): Promise<boolean> {
  try {
    await fileSystem.unlink(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function writeParts(
  handle: FileHandle,
  parts: Iterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let position = 0;
  for (const part of parts) {
    signal?.throwIfAborted();
    await writeAll(handle, part, position);
    position += part.length;
  }
}

/**
 * Writes a new file whole and durable under a name that nobody looks at. When it resolves, the content is on stable
 * storage (its name need not be); when it rejects, the file is gone.
 */
export async function writeTemporary(
  fileSystem: FileSystem,
  path: string,
  source: { readonly parts: Iterable<Uint8Array>; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  // `wx`: two writers that drew one name must not share a file.
  const handle = await fileSystem.open(path, 'wx');
  try {
    await withHandle(handle, async () => {
      await writeParts(handle, source.parts, source.signal);
      // Content before name: a file system may make a rename durable before the bytes it names, and would then show an
      // empty or torn blob after a power cut.
      await handle.sync();
      source.signal?.throwIfAborted();
    });
  } catch (error) {
    // The first failure is the one to report; a file that cannot be removed now is swept when the backend is next
    // opened.
    await removeFile(fileSystem, path).catch(() => undefined);
    throw error;
  }
}

/**
 * Reads a blob file, or the asked part of it, into fresh memory.
 * @throws `invalid/BACKEND_RANGE_INVALID` (B6); system errors as they are, `ENOENT` when there is no such file
 */
export async function readBlobFile(
  fileSystem: FileSystem,
  path: string,
  blob: { readonly root: string; readonly key: string; readonly range: GetOptions },
): Promise<Uint8Array> {
  const { root, key, range } = blob;
  const handle = await fileSystem.open(path, 'r');
  return withHandle(handle, async () => {
    range.signal?.throwIfAborted();
    const stat = await handle.stat();
    if (!stat.isFile()) throw notAFileError({ action: 'get', root, key });
    const { start, end } = resolveRange(key, range, stat.size);
    const buffer = new Uint8Array(end - start);
    const filled = await readAll(handle, buffer, { position: start, signal: range.signal });
    // Blobs are replaced by rename and never shortened, so a file that ends early was tampered with while it was read.
    if (filled < buffer.length) throw rangeError(key, range, start + filled);
    return buffer;
  });
}
