import { argumentTypeError } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { RESTORE_PARALLEL, SPARSE_BLOCK_BYTES } from '../limits.ts';
import { BufferPool } from '../runtime/buffer-pool.ts';
import type { FolderSystem, NodeHandle } from '../runtime/folder-system.ts';
import { randomId } from '../runtime/random.ts';
import type { SmallFile, SmallFileWriter } from '../runtime/small-file-writer.ts';
import { pathText } from './item-error.ts';
import type { RestoreItem } from './restore-options.ts';
import { joinPath } from './scanned.ts';

/** A name for a file on its way; not to be guessed, as an item of that name would be taken for it. */
export function temporaryName(): Buffer {
  return Buffer.from(`.holdfast-${randomId()}.tmp`);
}

const ZEROS = Buffer.alloc(SPARSE_BLOCK_BYTES);

/** Writes a piece but for the blocks of it that are all zeros. Blocks are counted from the start of the file. */
async function writeSparse(handle: NodeHandle, bytes: Uint8Array, position: number): Promise<void> {
  let from = 0;
  let at = 0;
  while (at < bytes.length) {
    const end = Math.min(at + SPARSE_BLOCK_BYTES - ((position + at) % SPARSE_BLOCK_BYTES), bytes.length);
    const isHole = Buffer.compare(bytes.subarray(at, end), ZEROS.subarray(0, end - at)) === 0;
    if (isHole) {
      if (from < at) await handle.write(bytes.subarray(from, at), position + from);
      from = end;
    }
    at = end;
  }
  if (from < bytes.length) await handle.write(bytes.subarray(from), position + from);
}

export function wrongSize(item: RestoreItem, actual: number): Error {
  const path = item.path.map(pathText).join('/');
  return storeError('SOURCE_INVALID', `${path}: its content is not of the size that goes with it`, {
    details: { path, expected: item.size ?? 0, actual },
  });
}

/** The content of a file, which is of the size that goes with it. */
async function* pieces(
  item: RestoreItem,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ readonly bytes: Uint8Array; readonly position: number }> {
  let position = 0;
  const size = item.size ?? 0;
  if (!item.content && size > 0) throw argumentTypeError('items', 'files with content', item.content);
  for await (const bytes of item.content?.() ?? []) {
    signal?.throwIfAborted();
    if (position + bytes.length > size) throw wrongSize(item, position + bytes.length);
    if (bytes.length > 0) yield { bytes, position };
    position += bytes.length;
  }
  if (position !== size) throw wrongSize(item, position);
}

async function fill(handle: NodeHandle, item: RestoreItem, signal: AbortSignal | undefined): Promise<number> {
  const size = item.size ?? 0;
  for await (const { bytes, position } of pieces(item, signal)) {
    if (item.sparse) await writeSparse(handle, bytes, position);
    else await handle.write(bytes, position);
  }
  // Also a hole at the end counts.
  if (item.sparse) await handle.truncate(size);
  return size;
}

/** Files up to this size are written by a thread, many to a message, where they come one by one. */
const SMALL_BYTES_MAX = 64 * 1024;

/** Writes small files whose content comes piece by piece. */
export class SmallFiles {
  readonly #writer: SmallFileWriter;
  readonly #buffers = new BufferPool({ bytes: SMALL_BYTES_MAX, keptMax: RESTORE_PARALLEL });

  constructor(writer: SmallFileWriter) {
    this.#writer = writer;
  }

  takes(item: RestoreItem): boolean {
    return !item.sparse && (item.size ?? 0) <= SMALL_BYTES_MAX;
  }

  async place(item: RestoreItem, file: SmallFile, signal: AbortSignal | undefined): Promise<number> {
    const buffer = this.#buffers.take();
    try {
      let filled = 0;
      for await (const { bytes, position } of pieces(item, signal)) {
        buffer.set(bytes, position);
        filled = position + bytes.length;
      }
      await this.#writer.write(file, buffer.subarray(0, filled));
      return filled;
    } finally {
      this.#buffers.give(buffer);
    }
  }
}

export interface PlaceFileOptions {
  readonly system: FolderSystem;
  /** What writes small files; absent where the system is to write all. */
  readonly smallFiles: SmallFiles | undefined;
  readonly folder: Buffer;
  readonly name: Buffer;
  readonly mode: number;
  readonly mtimeNs: bigint;
  /** Flush before it gets its name. */
  readonly sync: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a file so that its name stands for all of it or for what it stood for before: a temporary file beside it, with
 * its mode and time, is renamed. Removed when anything fails.
 * @returns bytes written
 */
export async function placeFile(item: RestoreItem, options: PlaceFileOptions): Promise<number> {
  const { system, smallFiles, folder, mode, mtimeNs, sync, signal } = options;
  const path = joinPath(folder, options.name);
  if (smallFiles?.takes(item)) return await smallFiles.place(item, { path, mode, mtimeNs, sync }, signal);
  const temporary = joinPath(folder, temporaryName());
  const handle = await system.create(temporary);
  try {
    let size: number;
    try {
      size = await fill(handle, item, signal);
      // The mode after the content, as writing takes setuid away; a file that nobody may read stays so for all its life.
      await handle.setTime(mtimeNs);
      await handle.chmod(mode);
      if (sync) await handle.sync();
    } finally {
      await handle.close();
    }
    await system.rename(temporary, path);
    return size;
  } catch (error) {
    // The failure to tell is the one before; what stays says by its name what it is.
    await system.unlink(temporary).catch(() => undefined);
    throw error;
  }
}
