import { type StoreError, storeError } from '../errors/store-error.ts';
import { readHandleBytes } from '../runtime/file-reader.ts';
import { type FolderSystem, type NodeHandle, type NodeStat, nodeFolderSystem } from '../runtime/folder-system.ts';
import type { SmallFileReader } from '../runtime/small-file-reader.ts';
import { itemError, pathText } from './item-error.ts';
import { joinPath, type ScannedNode, scannedNode } from './scanned.ts';

/**
 * Reads a file that a scan found, whatever bytes its path is made of.
 *
 * @param root the folder that was scanned
 * @yields pieces in order; each is valid until the next one is asked for
 * @returns what the file was when it was opened: facts that belong to the content, which those of the scan may not any
 *   more
 * @throws `conflict/SOURCE_CHANGED` when another file has the name by now (so that nobody can slip one in that the
 *   reader may read and they may not), or it was written to meanwhile; `not-found/SOURCE_NOT_FOUND`,
 *   `denied/PERMISSION_DENIED`, `invalid/SOURCE_INVALID`; the signal's reason
 */
export async function* readScannedFile(
  root: string | Buffer,
  node: ScannedNode,
  options: { readonly signal?: AbortSignal; readonly system?: FolderSystem } = {},
): AsyncGenerator<Uint8Array, ScannedNode> {
  const absolute = joinPath(typeof root === 'string' ? Buffer.from(root) : root, node.path);
  try {
    const handle = await (options.system ?? nodeFolderSystem).open(absolute);
    await checkSame(handle, node);
    let size = 0;
    const pieces = readHandleBytes(handle, options.signal);
    try {
      for (;;) {
        const next = await pieces.next();
        if (next.done) return checkQuiet(node, next.value, size);
        size += next.value.length;
        yield next.value;
      }
    } finally {
      // Closes the file when its reader stops early.
      await pieces.return(undefined as never);
    }
  } catch (error) {
    throw itemError(error, node.path, 'read');
  }
}

async function checkSame(handle: NodeHandle, node: ScannedNode): Promise<void> {
  let same = false;
  try {
    const found = await handle.stat();
    same = isSame(found, node);
  } finally {
    if (!same) await handle.close();
  }
  if (!same) throw nameTaken(node);
}

/** What reads small files whole. */
export type WholeFileReader = Pick<SmallFileReader, 'readWhole'>;

/**
 * {@link readScannedFile} of a small file at once.
 * @param from.buffer what it is read into: longer than the file, by a byte or more
 * @returns its content, a view of the buffer, and what the file was when it was opened
 * @throws as {@link readScannedFile}
 */
export async function readSmallFile(
  root: string | Buffer,
  node: ScannedNode,
  from: { readonly files: WholeFileReader; readonly buffer: Uint8Array },
): Promise<{ readonly bytes: Uint8Array; readonly facts: ScannedNode }> {
  const absolute = joinPath(typeof root === 'string' ? Buffer.from(root) : root, node.path);
  try {
    // One byte more than the scan saw: a file that has grown since is longer than it says.
    const { before, after, bytes } = await from.files.readWhole(absolute, from.buffer.subarray(0, node.size + 1));
    if (!isSame(before, node)) throw nameTaken(node);
    return { bytes, facts: checkQuiet(node, { before, after }, bytes.length) };
  } catch (error) {
    throw itemError(error, node.path, 'read');
  }
}

function isSame(found: NodeStat, node: ScannedNode): boolean {
  return found.kind === 'file' && found.ino === node.ino && found.dev === node.dev;
}

function nameTaken({ path }: ScannedNode): StoreError {
  const text = pathText(path);
  return storeError('SOURCE_CHANGED', `${text}: something else has this name by now`, { details: { path: text } });
}

function checkQuiet(
  node: ScannedNode,
  stats: { readonly before: NodeStat; readonly after: NodeStat },
  size: number,
): ScannedNode {
  const { before, after } = stats;
  if (before.size === size && after.size === size && before.mtimeNs === after.mtimeNs) {
    return scannedNode(node.name, node.path, before);
  }
  const path = pathText(node.path);
  throw storeError('SOURCE_CHANGED', `${path} changed while it was read`, {
    details: { path, expected: before.size, actual: size },
  });
}
