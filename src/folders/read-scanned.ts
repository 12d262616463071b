import { type StoreError, storeError } from '../errors/store-error.ts';
import { readHandleBytes } from '../runtime/file-reader.ts';
import {
  type FolderSystem,
  type NodeHandle,
  type NodeStat,
  nodeFolderSystem,
  type WholeFile,
} from '../runtime/folder-system.ts';
import type { SmallFileReader } from '../runtime/small-file-reader.ts';
import { itemError, pathText } from './item-error.ts';
import { isSparse, joinPath, type ScannedNode, scannedNode } from './scanned.ts';

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

/** A small file that was read whole. */
export interface ScannedFile {
  readonly bytes: Uint8Array;
  /** What the file was when it was opened. */
  readonly facts: ScannedNode;
}

/** Small files that were read together. */
export interface ScannedFiles {
  /** Of each file what it is, or why it cannot be had: what {@link readScannedFile} throws. */
  readonly files: readonly (ScannedFile | Error)[];
  /** Lets go of the bytes, which nobody may look at any more. */
  release(): void;
}

/** What reads small files whole. */
export type SmallFilesReader = Pick<SmallFileReader, 'readTogether'>;

/**
 * {@link readScannedFile} of many small files at once.
 * @param nodes of 2 MiB in all at most, with one byte more for each
 * @throws when the thread that reads is gone
 */
export async function readSmallFiles(
  root: string | Buffer,
  nodes: readonly ScannedNode[],
  reader: SmallFilesReader,
): Promise<ScannedFiles> {
  const folder = typeof root === 'string' ? Buffer.from(root) : root;
  const paths = nodes.map(({ path }) => joinPath(folder, path));
  // One byte more than the scan saw: a file that has grown since is longer than it says.
  const rooms = nodes.map(({ size }) => size + 1);
  const { files, release } = await reader.readTogether(paths, rooms);
  return { files: nodes.map((node, index) => readFile(node, files[index] as WholeFile | Error)), release };
}

function readFile(node: ScannedNode, found: WholeFile | Error): ScannedFile | Error {
  try {
    if (found instanceof Error) throw found;
    if (!isSame(found.before, node)) throw nameTaken(node);
    return { bytes: found.bytes, facts: checkQuiet(node, found, found.bytes.length) };
  } catch (error) {
    return itemError(error, node.path, 'read') as Error;
  }
}

function isSame(found: NodeStat, node: ScannedNode): boolean {
  return found.kind === 'file' && found.ino === node.ino && found.dev === node.dev;
}

/** Whether a scan would tell the same of it. */
function isAsScanned(found: NodeStat, node: ScannedNode): boolean {
  const { mtimeNs, ctimeNs, mode, size, nlink } = found;
  return (
    ctimeNs === node.ctimeNs &&
    mtimeNs === node.mtimeNs &&
    mode === node.mode &&
    size === node.size &&
    nlink === node.nlink &&
    isSparse(found) === node.sparse
  );
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
    return isAsScanned(before, node) ? node : scannedNode(node.name, node.path, before);
  }
  const path = pathText(node.path);
  throw storeError('SOURCE_CHANGED', `${path} changed while it was read`, {
    details: { path, expected: before.size, actual: size },
  });
}
