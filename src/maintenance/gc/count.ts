/**
 * Counts what refers to content, in bounded batches: reads the manifests and objects that came or went since, and tells
 * the metadata what they name. Chunks are never read, but those in which objects are written.
 */
import { concatBytes, equalBytes, fromHex, toHex } from '../../bytes/bytes.ts';
import { isStoreError, type StoreError, storeError } from '../../errors/store-error.ts';
import {
  decodeEntry,
  decodeManifestNode,
  type EntryValue,
  encodeObjectKey,
  type ItemIds,
  type ManifestNode,
  parseObjectKey,
} from '../../format/index.ts';
import { blake3 } from '../../hash/index.ts';
import { GC_COUNT_ROWS, GC_ITEMS } from '../../limits.ts';
import {
  type CountedItem,
  type CountedReferences,
  decodeItemReference,
  decodeObjectReference,
  type HeldReference,
  type Metadata,
  type UncountedRow,
} from '../../metadata/index.ts';
import { decodeObject, objectCorrupt, referencesOf } from '../../objects/index.ts';
import { readContent } from '../../pipeline/content-reader.ts';
import type { NamespaceContent } from '../checked-store.ts';

export interface CountContext {
  readonly metadata: Metadata;
  /** @throws `denied/NAMESPACE_KEY_GONE` */
  contentOf(namespace: number): NamespaceContent;
  readonly signal: AbortSignal;
}

/** What refers to something, and cannot be read. */
export interface Unreadable {
  readonly namespace: number;
  readonly error: StoreError;
  /** Id of the object it is of, where it is one. */
  readonly object?: string;
}

/** What one batch of counting came to. */
export interface CountStep {
  readonly counted: number;
  readonly unreadable: readonly Unreadable[];
  /** How much it found: nothing, less than one step takes, or as much, so that more may wait. */
  readonly found: 'nothing' | 'some' | 'all it takes';
}

const NOTHING = { items: [], objects: [] } as const;

/** What a reference names. */
export type NamedThings = Omit<CountedReferences, 'number'>;

/** Counts the oldest references that wait; no more of them than name about as much as fits one transaction. */
export async function countStep(context: CountContext): Promise<CountStep> {
  const { metadata, signal } = context;
  const rows = await metadata.uncountedReferences({ limit: GC_COUNT_ROWS });
  const counted: CountedReferences[] = [];
  const parked: number[] = [];
  const unreadable: Unreadable[] = [];
  let named = 0;
  for (const row of rows) {
    signal.throwIfAborted();
    if (named >= GC_ITEMS) break;
    const found = await readReferences(context, row);
    if (!isStoreError(found)) {
      counted.push({ number: row.number, ...found });
      named += found.items.length + found.objects.length;
    } else {
      parked.push(row.number);
      if (row.change > 0) unreadable.push({ namespace: row.namespace, error: found, ...objectOf(row) });
    }
  }
  if (counted.length > 0) await metadata.countReferences(counted);
  if (parked.length > 0) await metadata.parkReferences(parked);
  const isFull = rows.length === GC_COUNT_ROWS || named >= GC_ITEMS;
  return { counted: counted.length, unreadable, found: isFull ? 'all it takes' : rows.length > 0 ? 'some' : 'nothing' };
}

function objectOf({ kind, value }: UncountedRow): Pick<Unreadable, 'object'> {
  if (kind !== 'object') return {};
  const name = parseObjectKey(decodeObjectReference(value).key);
  return name ? { object: toHex(name.digest) } : {};
}

/** What a row names; the error where that cannot be told. */
async function readReferences(context: CountContext, row: UncountedRow): Promise<NamedThings | StoreError> {
  try {
    return await referencesOfRow(context, row);
  } catch (error) {
    // A namespace that is being dropped takes its references along.
    if (isStoreError(error, 'NAMESPACE_KEY_GONE')) return NOTHING;
    if (isStoreError(error) && (error.kind === 'corrupt' || error.kind === 'unavailable')) return error;
    throw error;
  }
}

/**
 * What a reference comes to: the items and objects that it names, as often as it does.
 * @throws what reading a manifest or an object throws, `denied/NAMESPACE_KEY_GONE`
 */
export async function referencesOfRow(
  context: Pick<CountContext, 'contentOf' | 'signal'>,
  { kind, value, namespace }: HeldReference,
): Promise<NamedThings> {
  const { signal } = context;
  if (kind === 'target') return { items: [], objects: [value] };
  if (kind === 'item') return { items: [decodeItemReference(value)], objects: [] };
  const content = context.contentOf(namespace);
  if (kind === 'node') {
    const node = decodeManifestNode(await content.reader.readNode(value, signal));
    return { items: itemsOf(node, content.ids), objects: [] };
  }
  const { entry, key } = kind === 'object' ? decodeObjectReference(value) : { entry: value, key: undefined };
  const decoded = decodeEntry(entry);
  const objects = key ? await objectsNamedBy(key, decoded, { content, signal }) : [];
  return { items: itemsOfContent(decoded, content.ids), objects };
}

/** What holds a content together: its top node, or what that lists where it rides in the entry. */
function itemsOfContent({ manifest }: EntryValue, ids: ItemIds): readonly CountedItem[] {
  return 'inline' in manifest ? itemsOf(decodeManifestNode(manifest.inline), ids) : [nodeItem(manifest.id, ids)];
}

function nodeItem(digest: Uint8Array, ids: ItemIds): CountedItem {
  return { kind: 'manifest', id: ids.idOf('manifest', digest), digest };
}

const DIGEST_BYTES = 32;

function itemsOf(node: ManifestNode, ids: ItemIds): readonly CountedItem[] {
  if (node.type === 'inner') return node.children.map(({ id }) => nodeItem(id, ids));
  return node.lengths.map((_, index): CountedItem => {
    const digest = node.digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
    return { kind: 'chunk', id: ids.idOf('chunk', digest) };
  });
}

/** Keys of the objects that an object names. Bytes of a user name nothing, whatever they say. */
async function objectsNamedBy(
  key: Uint8Array,
  value: EntryValue,
  { content, signal }: { readonly content: NamespaceContent; readonly signal: AbortSignal },
): Promise<readonly Uint8Array[]> {
  const name = parseObjectKey(key);
  if (!name) throw storeError('METADATA_CORRUPT', 'metadata table uncounted: a key of an object is none');
  if (name.objectClass === 'raw') return [];
  const pieces: Uint8Array[] = [];
  for await (const piece of readContent(content.reader, value, { signal })) pieces.push(piece);
  const bytes = concatBytes(pieces);
  const id = toHex(name.digest);
  if (!equalBytes(blake3(bytes), name.digest)) throw objectCorrupt(id, 'does not have the digest it is named by');
  return referencesOf(decodeNamed(id, bytes)).map((reference) => {
    const digest = fromHex(reference.id);
    if (!digest) throw objectCorrupt(id, 'names an object by what is no id');
    const objectClass = reference.type === 'raw' ? 'raw' : 'structured';
    return encodeObjectKey({ namespace: name.namespace, objectClass, digest });
  });
}

function decodeNamed(id: string, bytes: Uint8Array): ReturnType<typeof decodeObject> {
  try {
    return decodeObject(bytes);
  } catch (error) {
    if (!isStoreError(error, 'OBJECT_INVALID')) throw error;
    throw objectCorrupt(id, `cannot be decoded: ${error.message}`, error);
  }
}
