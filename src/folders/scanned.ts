import type { StoreError } from '../errors/store-error.ts';
import type { NodeStat } from '../runtime/folder-system.ts';

/** What a scan knows of a file, folder or symbolic link. */
export interface ScannedNode {
  /** The last component; empty for the root. Not always UTF-8. */
  readonly name: Buffer;
  /** From the root, components separated by `/`; empty for the root itself. */
  readonly path: Buffer;
  /** Permission bits: `0o7777`. */
  readonly mode: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly ino: bigint;
  readonly dev: bigint;
  /** Names that the file has, in all folders: more than one is a hard-link group, told by `dev` and `ino`. */
  readonly nlink: number;
  readonly size: number;
  /** Takes fewer bytes on its disk than it has: there are holes. A file system that compresses looks the same. */
  readonly sparse: boolean;
}

/** Why something was left out: no file, folder or link; a rule; the store itself; another file system. */
export type SkipReason = 'special' | 'excluded' | 'store' | 'file-system';

/**
 * What a scan tells, in this order for every folder: `enter`, all that is in it, `leave`. So a caller that keeps a list
 * of children per open folder has them complete when the folder is left.
 */
export type ScanItem =
  | { readonly kind: 'enter'; readonly node: ScannedNode; readonly count: number }
  | { readonly kind: 'leave'; readonly node: ScannedNode }
  | { readonly kind: 'file'; readonly node: ScannedNode }
  | { readonly kind: 'link'; readonly node: ScannedNode; readonly target: Buffer }
  | { readonly kind: 'skipped'; readonly path: Buffer; readonly reason: SkipReason }
  /** Could not be looked at, or is gone since its name was read. The walk goes on. */
  | { readonly kind: 'failed'; readonly path: Buffer; readonly error: StoreError };

const SLASH = Buffer.from('/');

/** A name as bytes, from text of one character per byte. */
export function nameBytes(name: string): Buffer {
  return Buffer.from(name, 'latin1');
}

/** A path with one more component. */
export function joinPath(folder: Buffer, name: Buffer): Buffer {
  if (folder.length === 0) return name;
  return folder.at(-1) === SLASH[0] ? Buffer.concat([folder, name]) : Buffer.concat([folder, SLASH, name]);
}

/** Tells two names of one file or folder from names of two. */
export function identityOf(stat: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${stat.dev}:${stat.ino}`;
}

/** Whether a file takes fewer bytes on its disk than it has. */
export function isSparse(stat: NodeStat): boolean {
  return stat.kind === 'file' && stat.allocated < stat.size;
}

export function scannedNode(name: Buffer, path: Buffer, stat: NodeStat): ScannedNode {
  return {
    name,
    path,
    mode: stat.mode,
    mtimeNs: stat.mtimeNs,
    ctimeNs: stat.ctimeNs,
    ino: stat.ino,
    dev: stat.dev,
    nlink: stat.nlink,
    size: stat.size,
    sparse: isSparse(stat),
  };
}
