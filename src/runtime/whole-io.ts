/** Reads and writes of as many bytes as asked for: the system may take or give fewer than that in one call. */
import { invariant } from '../errors/store-error.ts';
import type { FileHandle } from './file-system.ts';

/**
 * Writes all of the bytes, at a position counted from the front of the file. The system may take less than it is given,
 * as at the edge of a full disk: what is left is offered again.
 * @throws the system's error; then any part of the bytes may have been written
 */
export async function writeAll(handle: Pick<FileHandle, 'write'>, bytes: Uint8Array, position = 0): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
    invariant(bytesWritten > 0, 'the system writes something or fails');
    written += bytesWritten;
  }
}

/**
 * Fills an array from a position on, or as much of it as there is before the file ends.
 * @param at.position from the front of the file. Default 0
 * @returns how many bytes were read: fewer than the array holds only at the end of the file
 * @throws the system's error, or the signal's reason
 */
export async function readAll(
  handle: Pick<FileHandle, 'read'>,
  into: Uint8Array,
  at: { readonly position?: number; readonly signal?: AbortSignal | undefined } = {},
): Promise<number> {
  const { position = 0, signal } = at;
  let filled = 0;
  while (filled < into.length) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(into, filled, into.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}
