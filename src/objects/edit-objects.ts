/** Makes objects, and new objects from old ones. What is passed in is copied and never changed; what comes out is frozen. */

import { compareBytes } from '../bytes/bytes.ts';
import type { JsonObject } from './json-value.ts';
import { copyMetadata } from './metadata.ts';
import { parseBlobObject, parseBundle, parseSnapshot, parseTree } from './object.ts';
import { objectInvalid } from './object-error.ts';
import { parseChild } from './tree-child.ts';
import { nameBytesOf, treeName } from './tree-name.ts';
import type { BlobObject, BundleObject, SnapshotContent, SnapshotObject, TreeChild, TreeObject } from './types.ts';

/**
 * A blob with metadata.
 * @param content id of the raw blob and its size in bytes
 * @param metadata not empty: a blob without metadata is its bytes alone
 * @throws `invalid/OBJECT_INVALID`
 */
export function createBlobObject(content: BlobObject['content'], metadata: JsonObject): BlobObject {
  return parseBlobObject({ type: 'blob', content, metadata });
}

/**
 * A bundle of any JSON object.
 * @param metadata a JSON object; empty is the same as none
 * @throws `invalid/OBJECT_INVALID`
 */
export function createBundle(content: JsonObject, metadata?: JsonObject): BundleObject {
  return parseBundle({ type: 'bundle', content, ...metadataOf(metadata) });
}

/**
 * A tree of children, in any order.
 * @throws `invalid/OBJECT_INVALID`, also for two of one name, and for more than fit one node: see `buildTree`
 */
export function createTree(children: readonly TreeChild[], metadata?: JsonObject): TreeObject {
  const named = children.map((child, index) => parseChild(child, `children[${index}]`));
  named.sort((a, b) => compareBytes(a.name, b.name));
  return parseTree({
    type: 'tree',
    content: { entries: named.map(({ child }) => child) },
    ...metadataOf(metadata),
  });
}

/**
 * A snapshot of a folder, of entries, of bundles, or of several of them.
 * @param fields what the snapshot holds, with `metadata` if there is any; fields that are `undefined` are left out
 * @throws `invalid/OBJECT_INVALID`
 */
export function createSnapshot(
  fields: { readonly [Field in keyof SnapshotContent]: SnapshotContent[Field] | undefined } & {
    readonly metadata?: JsonObject | undefined;
  },
): SnapshotObject {
  const { metadata, ...given } = fields;
  const content = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return parseSnapshot({ type: 'snapshot', content, ...metadataOf(metadata) });
}

/** The snapshot with another parent, or with none. Further parents of a merge stay. */
export function withParent(snapshot: SnapshotObject, id: string | undefined): SnapshotObject {
  const { content, metadata } = parseSnapshot(snapshot);
  return createSnapshot({ ...content, parent: id, metadata });
}

/** The snapshot with further bundles behind those it has. */
export function withBundles(snapshot: SnapshotObject, ids: readonly string[]): SnapshotObject {
  const { content, metadata } = parseSnapshot(snapshot);
  return createSnapshot({ ...content, bundles: [...(content.bundles ?? []), ...ids], metadata });
}

/** The tree with one more child; it takes the place of one of the same name. Of a leaf, as all that `createTree` makes. */
export function withChild(tree: TreeObject, child: TreeChild): TreeObject {
  const { entries, metadata } = leafOf(tree);
  const { child: added, name } = parseChild(child, 'child');
  return createTree([...entries.filter((one) => compareBytes(nameBytesOf(one), name) !== 0), added], metadata);
}

/**
 * The tree without the child of a name; the same tree when it has none.
 * @param name text, or bytes where it is not UTF-8
 */
export function withoutChild(tree: TreeObject, name: string | Uint8Array): TreeObject {
  const { entries, metadata } = leafOf(tree);
  const gone = nameBytesOf(typeof name === 'string' ? { name } : treeName(name));
  return createTree(
    entries.filter((one) => compareBytes(nameBytesOf(one), gone) !== 0),
    metadata,
  );
}

function leafOf(value: TreeObject): {
  readonly entries: readonly TreeChild[];
  readonly metadata: JsonObject | undefined;
} {
  const { content, metadata } = parseTree(value);
  if ('nodes' in content) throw objectInvalid('tree.content', 'is a node of a large folder: build the tree anew');
  return { entries: content.entries, metadata };
}

function metadataOf(metadata: JsonObject | undefined): { readonly metadata?: JsonObject } {
  const copy = copyMetadata(metadata);
  return copy === undefined ? {} : { metadata: copy };
}
