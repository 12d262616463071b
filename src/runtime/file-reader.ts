import { invariant } from '../errors/store-error.ts';
import { type FileHandle, type FileStat, type FileSystem, nodeFileSystem } from './file-system.ts';
import { readAll } from './whole-io.ts';

const READ_BYTES = 1024 * 1024;

/**
 * Reads a file front to back with one read ahead of the consumer.
 * @yields views of two buffers used in turn: a view is valid until the next one is asked for
 * @returns what the open file said of itself before the first byte and after the last, to tell whether it changed
 * @throws the system's error, or the signal's reason
 */
export async function* readFileBytes(
  path: string,
  options: { readonly signal?: AbortSignal; readonly fileSystem?: FileSystem } = {},
): AsyncGenerator<Uint8Array, { readonly before: FileStat; readonly after: FileStat }> {
  return yield* readHandleBytes(await (options.fileSystem ?? nodeFileSystem).open(path, 'r'), options.signal);
}

/** An open file as far as reading it through needs. */
interface Readable<S extends { readonly size: number }> {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  stat(): Promise<S>;
  close(): Promise<void>;
}

/** `readFileBytes` of a file that is open already; it is closed in any case. */
export async function* readHandleBytes<S extends { readonly size: number }>(
  handle: Readable<S>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, { readonly before: S; readonly after: S }> {
  let ahead: Promise<Uint8Array> | undefined;
  try {
    const before = await handle.stat();
    const length = Math.min(READ_BYTES, Math.max(before.size, 1) + 1);
    const buffers = [new Uint8Array(length), before.size < length ? new Uint8Array(1) : new Uint8Array(length)];
    let position = 0;
    let turn = 0;
    ahead = readAhead(handle, nextBuffer(buffers, turn), position);
    for (;;) {
      signal?.throwIfAborted();
      const bytes = await ahead;
      ahead = undefined;
      if (bytes.length === 0) break;
      position += bytes.length;
      turn += 1;
      ahead = readAhead(handle, nextBuffer(buffers, turn), position);
      yield bytes;
    }
    return { before, after: await handle.stat() };
  } finally {
    await ahead?.catch(() => undefined);
    await handle.close();
  }
}

function nextBuffer(buffers: readonly Uint8Array[], turn: number): Uint8Array {
  const buffer = buffers[turn % buffers.length];
  invariant(buffer, 'there are two read buffers');
  return buffer;
}

/**
 * Its failure waits for the reader, who may be busy with the piece before: until then it has no handler but this one.
 */
function readAhead(handle: Pick<FileHandle, 'read'>, buffer: Uint8Array, position: number): Promise<Uint8Array> {
  const reading = readAll(handle, buffer, { position }).then((filled) => buffer.subarray(0, filled));
  reading.catch(() => undefined);
  return reading;
}
