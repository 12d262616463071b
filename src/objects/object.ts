/**
 * Structured objects as values and as bytes. The id of an object is the BLAKE3 digest of its canonical JSON
 * `{type, content, metadata?}`; layouts in `docs/format.md`, section "Objects". Nothing here depends on the time.
 */

import { compareBytes, toHex } from '../bytes/bytes.ts';
import { argumentTypeError } from '../errors/argument-error.ts';
import { isStoreError } from '../errors/store-error.ts';
import { blake3 } from '../hash/index.ts';
import { TREE_NODE_BYTES_MAX, TREE_NODE_NAMES_MAX } from '../limits.ts';
import { encodeCopied, encodeSpelling, parseCanonicalJson, spellCopied } from './canonical-json.ts';
import { copyJson, isJsonObject, type JsonObject, type JsonValue } from './json-value.ts';
import { objectCorrupt, objectInvalid, type Place } from './object-error.ts';
import { isTime } from './object-time.ts';
import { anything, checkShape, isId, isIdList, isInteger, isObject, isText, shape } from './shape.ts';
import { checkByteText, checkChild, isMode } from './tree-child.ts';
import type {
  BlobObject,
  BundleObject,
  ObjectReference,
  ObjectType,
  SnapshotObject,
  StructuredObject,
  TreeChild,
  TreeNodeLink,
  TreeObject,
} from './types.ts';

const OBJECT = shape({ type: isText, content: isObject }, { metadata: isObject });
const BLOB = shape({ id: isId, size: isInteger(0) });
const TREE = shape({}, { entries: anything, nodes: anything });
const NODE = shape({ first: isText, id: isId, count: isInteger(1) }, { firstBytes: isText });
const SNAPSHOT = shape(
  {},
  {
    tree: isId,
    rootMode: isMode,
    rootMtime: isTime,
    entries: isId,
    bundles: isIdList,
    parent: isId,
    merged: isIdList,
  },
);

const CONTENT_CHECKS: Readonly<Record<ObjectType, (content: JsonObject, place: Place) => void>> = {
  blob: (content, place) => void checkShape(content, BLOB, place),
  bundle: () => undefined,
  tree: checkTreeContent,
  snapshot: checkSnapshotContent,
};

/** Objects that were checked and are frozen all through: they are what they were. With their spelling, where it is known. */
const checked = new WeakMap<object, string | undefined>();

/**
 * Checks that a value is a structured object, whatever it was made from.
 * @param what what it is, for messages; default `object`
 * @returns a copy, frozen all through; the value itself when it was checked before
 * @throws `invalid/OBJECT_INVALID` naming the place
 */
export function parseObject(value: unknown, what = 'object'): StructuredObject {
  if (typeof value === 'object' && value !== null && checked.has(value)) return value as StructuredObject;
  const object = checkObject(copyJson(value, what), what);
  return accept(object, encodeCopied(object as never, what).length);
}

/** {@link parseObject} of what must be a blob with metadata. */
export function parseBlobObject(value: unknown): BlobObject {
  return ofType(parseObject(value), 'blob') as BlobObject;
}

/** {@link parseObject} of what must be a bundle. */
export function parseBundle(value: unknown): BundleObject {
  return ofType(parseObject(value), 'bundle') as BundleObject;
}

/** {@link parseObject} of what must be a tree. */
export function parseTree(value: unknown): TreeObject {
  return ofType(parseObject(value), 'tree') as TreeObject;
}

/** {@link parseObject} of what must be a snapshot. */
export function parseSnapshot(value: unknown): SnapshotObject {
  return ofType(parseObject(value), 'snapshot') as SnapshotObject;
}

function ofType(object: StructuredObject, type: ObjectType): StructuredObject {
  if (object.type !== type) throw objectInvalid('object.type', `must be ${type}`);
  return object;
}

/**
 * The bytes of an object: what is stored, and what its id is the digest of.
 * @throws `invalid/OBJECT_INVALID` when it is none
 */
export function encodeObject(object: StructuredObject): Uint8Array {
  const parsed = parseObject(object);
  return encodeSpelling(checked.get(parsed) ?? spellCopied(parsed as never), 'object');
}

/**
 * A node of a tree out of what was checked already, in order and within bounds: `TreeBuilder` sees to both.
 * @param items with their canonical spellings
 * @param metadata checked and frozen, not empty
 */
export function composeNode(
  field: 'entries' | 'nodes',
  items: readonly { readonly value: TreeChild | TreeNodeLink; readonly text: string }[],
  metadata: JsonObject | undefined,
): TreeObject {
  const content = Object.freeze({ [field]: Object.freeze(items.map(({ value }) => value)) });
  const node = Object.freeze({ content, ...(metadata && { metadata }), type: 'tree' }) as unknown as TreeObject;
  const rest = metadata === undefined ? '' : `,"metadata":${spellCopied(metadata)}`;
  checked.set(node, `{"content":{"${field}":[${items.map(({ text }) => text).join(',')}]}${rest},"type":"tree"}`);
  return node;
}

/**
 * Reads an object from its bytes, which must be spelt exactly as {@link encodeObject} spells them.
 * @returns the object, frozen all through
 * @throws `invalid/OBJECT_INVALID` naming the place
 */
export function decodeObject(bytes: Uint8Array): StructuredObject {
  if (!(bytes instanceof Uint8Array)) throw argumentTypeError('bytes', 'a Uint8Array', bytes);
  return accept(checkObject(parseCanonicalJson(bytes, 'object'), 'object'), bytes.length);
}

/**
 * Reads what was stored for a reference: it must have that digest and be of that type.
 * @throws `corrupt/OBJECT_CORRUPT`
 */
export function decodeStoredObject(reference: ObjectReference, bytes: Uint8Array): StructuredObject {
  const { type, id } = reference;
  const actual = toHex(blake3(bytes));
  if (actual !== id) throw objectCorrupt(id, 'does not have the digest it is named by');
  const object = decodeOrCorrupt(id, bytes);
  if (object.type !== type) throw objectCorrupt(id, `is a ${object.type} and not a ${type}`);
  return object;
}

function decodeOrCorrupt(id: string, bytes: Uint8Array): StructuredObject {
  try {
    return decodeObject(bytes);
  } catch (error) {
    if (!isStoreError(error, 'OBJECT_INVALID')) throw error;
    throw objectCorrupt(id, `cannot be decoded: ${error.message}`, error);
  }
}

/** The id of an object, 64 digits of lower-case hex: the same for the same content and metadata, wherever it is made. */
export function objectId(object: StructuredObject): string {
  return toHex(blake3(encodeObject(object)));
}

/** Of what is plain JSON, frozen already. */
function checkObject(value: JsonValue, what: string): StructuredObject {
  const place: Place = { step: what };
  const object = checkShape(value, OBJECT, place);
  const type = object.type as string;
  if (!Object.hasOwn(CONTENT_CHECKS, type)) {
    throw objectInvalid({ within: place, step: 'type' }, 'must be blob, bundle, tree or snapshot');
  }
  // One spelling for every object: none and empty are the same.
  if (isJsonObject(object.metadata) && Object.keys(object.metadata).length === 0) {
    throw objectInvalid({ within: place, step: 'metadata' }, 'is empty: it must be left out');
  }
  if (type === 'blob' && object.metadata === undefined) {
    throw objectInvalid({ within: place, step: 'metadata' }, 'is missing: a blob without it is its bytes alone');
  }
  CONTENT_CHECKS[type as ObjectType](object.content as JsonObject, { within: place, step: 'content' });
  return object as unknown as StructuredObject;
}

function checkTreeContent(content: JsonObject, place: Place): void {
  const { entries, nodes } = checkShape(content, TREE, place);
  if ((entries === undefined) === (nodes === undefined))
    throw objectInvalid(place, 'must hold either entries or nodes');
  const [field, list] = entries === undefined ? (['nodes', nodes] as const) : (['entries', entries] as const);
  const within: Place = { within: place, step: field };
  if (!Array.isArray(list)) throw objectInvalid(within, 'must be a list');
  if (list.length > TREE_NODE_NAMES_MAX) {
    throw objectInvalid(within, `has more than ${TREE_NODE_NAMES_MAX} names: it must be split into nodes`);
  }
  if (field === 'nodes' && list.length === 0) throw objectInvalid(within, 'is empty');
  let before: Uint8Array | undefined;
  for (const [index, item] of (list as readonly JsonValue[]).entries()) {
    const at: Place = { within, step: index };
    const name = field === 'entries' ? checkChild(item, at) : checkNode(item, at);
    if (before !== undefined && compareBytes(before, name) >= 0) {
      throw objectInvalid(at, 'does not come after the one before it, by the bytes of their names');
    }
    before = name;
  }
}

/** @returns the bytes of the first name */
function checkNode(value: JsonValue, place: Place): Uint8Array {
  const node = checkShape(value, NODE, place);
  return checkByteText(node, 'first', { place, problemOf: () => undefined });
}

function checkSnapshotContent(value: JsonObject, place: Place): void {
  const content = checkShape(value, SNAPSHOT, place) as unknown as SnapshotObject['content'];
  const { tree, rootMode, rootMtime, entries, bundles, parent, merged } = content;
  if (tree === undefined && entries === undefined && bundles === undefined) {
    throw objectInvalid(place, 'must hold a tree, entries or bundles');
  }
  if (tree === undefined && (rootMode !== undefined || rootMtime !== undefined)) {
    throw objectInvalid(place, 'has the mode or time of a folder, and no tree');
  }
  if (merged === undefined) return;
  const all = [parent, ...merged];
  if (parent === undefined || merged.length === 0 || new Set(all).size !== all.length) {
    throw objectInvalid({ within: place, step: 'merged' }, 'must be further parents, each once, beside a parent');
  }
}

/**
 * The last check. A node of a tree is bounded without its metadata, so that where folders are split does not depend on
 * that.
 */
function accept(object: StructuredObject, objectBytes: number): StructuredObject {
  if (object.type === 'tree' && objectBytes > TREE_NODE_BYTES_MAX) {
    if (encodeCopied(object.content as never, 'object').length > TREE_NODE_BYTES_MAX) {
      throw objectInvalid('object.content', `has more than ${TREE_NODE_BYTES_MAX} bytes: it must be split into nodes`);
    }
  }
  checked.set(object, undefined);
  return object;
}
