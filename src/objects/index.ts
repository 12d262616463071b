/** Typed, immutable, content-addressed objects: values and graphs of values. How they are stored is for others. */

export { ancestry, parentsOf } from './ancestry.ts';
export { buildTree } from './build-tree.ts';
export { encodeCanonicalJson, parseCanonicalJson } from './canonical-json.ts';
export { diffTrees, type TreeChange } from './diff-trees.ts';
export {
  createBlobObject,
  createBundle,
  createSnapshot,
  createTree,
  withBundles,
  withChild,
  withoutChild,
  withParent,
} from './edit-objects.ts';
export type { JsonObject, JsonValue } from './json-value.ts';
export type { Loaded, LoadObjects, PutObject } from './load.ts';
export { mergeBase } from './merge-base.ts';
export { type MergedBundles, mergeBundles } from './merge-bundles.ts';
export type { ConflictReason } from './merge-children.ts';
export { mergeTrees, type TreeConflict, type TreesToMerge } from './merge-trees.ts';
export {
  decodeObject,
  decodeStoredObject,
  encodeObject,
  objectId,
  parseBlobObject,
  parseBundle,
  parseObject,
  parseSnapshot,
  parseTree,
} from './object.ts';
export { objectCorrupt, objectInvalid, objectMissing } from './object-error.ts';
export { formatObjectTime, parseObjectTime } from './object-time.ts';
export { findChild, readTree, walkPath } from './read-tree.ts';
export { referenceKey, referenceOfChild, referencesOf } from './references.ts';
export { isObjectId } from './shape.ts';
export { parseJsonStrict } from './strict-json.ts';
export { formatTreePath, nameBytesOf, treeName } from './tree-name.ts';
export type {
  BlobObject,
  BundleObject,
  EntryChild,
  FileChild,
  FolderChild,
  LinkChild,
  NamedReference,
  ObjectReference,
  ObjectType,
  SnapshotContent,
  SnapshotObject,
  StructuredObject,
  TreeChild,
  TreeInner,
  TreeLeaf,
  TreeName,
  TreeNodeLink,
  TreeObject,
} from './types.ts';
export { type Reached, type ReachVisitor, type Unreachable, walkReachable } from './walk-reachable.ts';
