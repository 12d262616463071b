/** What objects are: the shapes of `docs/format.md`, section "Objects". */

import type { JsonObject } from './json-value.ts';

/** What an object is. A blob is bytes of the user, or names them beside metadata; the others are canonical JSON. */
export type ObjectType = 'blob' | 'bundle' | 'tree' | 'snapshot';

/**
 * What one object says of another: its id in lower-case hex, and what it is. `raw` is a blob that is nothing but bytes,
 * the others are structured objects. Ids of the two classes are never mixed up.
 */
export interface ObjectReference {
  readonly type: 'raw' | ObjectType;
  readonly id: string;
}

/** A blob with metadata. A blob without is raw bytes and no structured object. */
export interface BlobObject {
  readonly type: 'blob';
  /** The raw blob and its size in bytes. */
  readonly content: { readonly id: string; readonly size: number };
  readonly metadata: JsonObject;
}

/** Any JSON object. */
export interface BundleObject {
  readonly type: 'bundle';
  readonly content: JsonObject;
  readonly metadata?: JsonObject;
}

/** A folder, or a node of a large one. */
export interface TreeObject {
  readonly type: 'tree';
  readonly content: TreeLeaf | TreeInner;
  readonly metadata?: JsonObject;
}

/** Children in the order of the bytes of their names. */
export interface TreeLeaf {
  readonly entries: readonly TreeChild[];
}

/** Nodes below, in the order of their first names. */
export interface TreeInner {
  readonly nodes: readonly TreeNodeLink[];
}

/** A node below an inner one. */
export interface TreeNodeLink extends TreeNode {
  readonly id: string;
  /** Children in all the leaves below. */
  readonly count: number;
}

/** Name of the first child below; `firstBytes` (base64) where that name is not UTF-8. */
export interface TreeNode {
  readonly first: string;
  readonly firstBytes?: string;
}

/** A name within a tree. `nameBytes` (base64) is there when it is not UTF-8; `name` is its text with U+FFFD then. */
export interface TreeName {
  readonly name: string;
  readonly nameBytes?: string;
}

/** A file of a folder. */
export interface FileChild extends TreeName {
  readonly type: 'file';
  /** A raw blob. */
  readonly id: string;
  readonly size: number;
  /** Permission bits, up to 0o7777. */
  readonly mode: number;
  /** With nanoseconds: `2026-11-21T20:00:00.123456789Z`. */
  readonly mtime: string;
  /** Path from the root of the snapshot of the first name of the same file; `sameAsBytes` where it is not UTF-8. */
  readonly sameAs?: string;
  readonly sameAsBytes?: string;
  /** The file had holes. */
  readonly sparse?: true;
}

/** A folder within a folder. */
export interface FolderChild extends TreeName {
  readonly type: 'folder';
  /** A tree. */
  readonly id: string;
  readonly mode: number;
  readonly mtime: string;
}

/** A symbolic link. */
export interface LinkChild extends TreeName {
  readonly type: 'link';
  readonly target: string;
  readonly targetBytes?: string;
  readonly mtime: string;
}

/** An entry frozen under its key, which is the name: the only name that may hold `/`. */
export interface EntryChild {
  readonly type: 'entry';
  readonly name: string;
  /** A raw blob. */
  readonly id: string;
  readonly size: number;
  readonly version: string;
  readonly contentType?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  /** Key of the parent entry. */
  readonly parent?: string;
  /** The version that this one says it was made from; part of what `version` is the digest of. */
  readonly parentVersion?: string;
  readonly modified: string;
}

/** A named reference to any object. */
export interface NamedReference {
  readonly type: ObjectReference['type'];
  readonly name: string;
  readonly id: string;
}

/** What a name in a tree stands for. */
export type TreeChild = FileChild | FolderChild | LinkChild | EntryChild | NamedReference;

/** At least one of `tree`, `entries` and `bundles` is there. */
export interface SnapshotContent {
  /** The tree of a folder, with the mode and time of the folder itself. */
  readonly tree?: string;
  readonly rootMode?: number;
  readonly rootMtime?: string;
  /** A tree whose children are entries. */
  readonly entries?: string;
  /** Ordered; one may stand there more than once. */
  readonly bundles?: readonly string[];
  /** The snapshot before this one. */
  readonly parent?: string;
  /** Further parents of a merge. */
  readonly merged?: readonly string[];
}

/** What something was at one time. */
export interface SnapshotObject {
  readonly type: 'snapshot';
  readonly content: SnapshotContent;
  readonly metadata?: JsonObject;
}

/** An object that is stored as canonical JSON. */
export type StructuredObject = BlobObject | BundleObject | TreeObject | SnapshotObject;
