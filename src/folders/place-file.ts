import { argumentTypeError } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { SPARSE_BLOCK_BYTES } from '../limits.ts';
import type { FolderSystem, NodeHandle } from '../runtime/folder-system.ts';
import { randomId } from '../runtime/random.ts';
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

function wrongSize(item: RestoreItem, actual: number): Error {
  const path = item.path.map(pathText).join('/');
  return storeError('SOURCE_INVALID', `${path}: its content is not of the size that goes with it`, {
    details: { path, expected: item.size ?? 0, actual },
  });
}

async function fill(handle: NodeHandle, item: RestoreItem, signal: AbortSignal | undefined): Promise<number> {
  let position = 0;
  const size = item.size ?? 0;
  if (!item.content && size > 0) throw argumentTypeError('items', 'files with content', item.content);
  for await (const bytes of item.content?.() ?? []) {
    signal?.throwIfAborted();
    if (position + bytes.length > size) throw wrongSize(item, position + bytes.length);
    if (bytes.length === 0) continue;
    if (item.sparse) await writeSparse(handle, bytes, position);
    else await handle.write(bytes, position);
    position += bytes.length;
  }
  if (position !== size) throw wrongSize(item, position);
  // Also a hole at the end counts.
  if (item.sparse) await handle.truncate(size);
  return size;
}

export interface PlaceFileOptions {
  readonly system: FolderSystem;
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
  const { system, folder } = options;
  const temporary = joinPath(folder, temporaryName());
  const handle = await system.create(temporary);
  try {
    let size: number;
    try {
      size = await fill(handle, item, options.signal);
      // The mode after the content, as writing takes setuid away; a file that nobody may read stays so for all its life.
      await handle.setTime(options.mtimeNs);
      await handle.chmod(options.mode);
      if (options.sync) await handle.sync();
    } finally {
      await handle.close();
    }
    await system.rename(temporary, joinPath(folder, options.name));
    return size;
  } catch (error) {
    // The failure to tell is the one before; what stays says by its name what it is.
    await system.unlink(temporary).catch(() => undefined);
    throw error;
  }
}
