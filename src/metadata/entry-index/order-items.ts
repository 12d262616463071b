/**
 * Items: what the sealed lists of names hold. An entry has one item in each order, a byte string whose lexicographic
 * order is the order asked for, so that one kind of tree serves all:
 *
 * - `key`: the scoped key
 * - `modified`, `size`: namespace (u32) ‖ value (u64) ‖ key without its scope, integers big-endian
 *
 * The namespace comes first everywhere, so the entries of one are one range in every order.
 */
import { BinaryReader } from '../../bytes/binary-reader.ts';
import { compareBytes, concatBytes, EMPTY_BYTES, equalBytes, prefixEnd } from '../../bytes/bytes.ts';
import { invariant, storeError } from '../../errors/store-error.ts';
import { scopeKey, scopePrefix, unscopeKey } from '../../format/scoped-key.ts';
import type { EntryQuery } from '../contract.ts';

export const ENTRY_ORDERS = ['key', 'modified', 'size'] as const;
export type EntryOrder = (typeof ENTRY_ORDERS)[number];

/** What places an entry in every order. */
export interface EntryPlace {
  /** Scoped. */
  readonly key: Uint8Array;
  readonly modified: number;
  readonly size: number;
}

/** A half-open range of items; `before` absent is no bound. */
export interface ItemRange {
  readonly from: Uint8Array;
  readonly before: Uint8Array | undefined;
}

const SCOPE_MARK = 0xff;
const SCOPE_BYTES = 5;
const NAMESPACE_BYTES = 4;
const VALUE_BYTES = 8;

function namespaceBytes(namespace: number): Uint8Array {
  const bytes = new Uint8Array(NAMESPACE_BYTES);
  new DataView(bytes.buffer).setUint32(0, namespace, false);
  return bytes;
}

/** A bound of a query may lie outside of what values can be: it then stands for the nearest one that can. */
function valueBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(VALUE_BYTES);
  const clipped = Math.min(Math.max(Math.ceil(value), 0), Number.MAX_SAFE_INTEGER);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(clipped), false);
  return bytes;
}

function valueItem(scopedKey: Uint8Array, value: number): Uint8Array {
  const { namespace, key } = unscopeKey(scopedKey);
  return concatBytes([namespaceBytes(namespace), valueBytes(value), key]);
}

/** The item of an entry in an order. */
export function itemOf(place: EntryPlace, order: EntryOrder): Uint8Array {
  return order === 'key' ? place.key : valueItem(place.key, place[order]);
}

/** The scoped key that an item names. */
export function keyOfItem(item: Uint8Array, order: EntryOrder): Uint8Array {
  if (order === 'key') return item;
  const reader = new BinaryReader(item, (what) => {
    throw storeError('METADATA_CORRUPT', `metadata table names_nodes: an item ${what}`, {
      details: { table: 'names_nodes' },
    });
  });
  const head = reader.bytes(NAMESPACE_BYTES);
  reader.bytes(VALUE_BYTES);
  const namespace = new DataView(head.buffer, head.byteOffset, head.length).getUint32(0, false);
  return scopeKey(namespace, reader.bytes(reader.remaining));
}

/** Whether a scoped key begins with a prefix. */
export function hasPrefix(key: Uint8Array, prefix: Uint8Array | undefined): boolean {
  return prefix === undefined || equalBytes(key.subarray(0, prefix.length), prefix);
}

/** The least byte string after this one. */
export function justAfter(item: Uint8Array): Uint8Array {
  return concatBytes([item, new Uint8Array(1)]);
}

/** The namespace that a query is about: that of its prefix, else the default one. */
function namespaceOf(prefix: Uint8Array = EMPTY_BYTES): number {
  if (prefix[0] !== SCOPE_MARK || prefix.length < SCOPE_BYTES) return 0;
  return new DataView(prefix.buffer, prefix.byteOffset, SCOPE_BYTES).getUint32(1, false);
}

function intersect(a: ItemRange, b: ItemRange): ItemRange {
  const from = compareBytes(a.from, b.from) >= 0 ? a.from : b.from;
  if (!a.before || !b.before) return { from, before: a.before ?? b.before };
  return { from, before: compareBytes(a.before, b.before) <= 0 ? a.before : b.before };
}

function keyRange(prefix: Uint8Array | undefined): ItemRange {
  const namespace = namespaceOf(prefix);
  const scope = scopePrefix(namespace);
  const before = namespace === 0 ? Uint8Array.of(SCOPE_MARK) : prefixEnd(scope);
  const whole = { from: scope, before };
  return prefix === undefined ? whole : intersect(whole, { from: prefix, before: prefixEnd(prefix) });
}

function valueRange(order: EntryOrder, { prefix, where = {} }: EntryQuery): ItemRange {
  const head = namespaceBytes(namespaceOf(prefix));
  const whole = { from: head, before: prefixEnd(head) };
  if (order !== 'modified') return whole;
  const { modifiedFrom, modifiedBefore } = where;
  const at = (value: number): Uint8Array => concatBytes([head, valueBytes(value)]);
  return intersect(whole, {
    from: modifiedFrom === undefined ? head : at(modifiedFrom),
    before: modifiedBefore === undefined ? undefined : at(modifiedBefore),
  });
}

/** The range minus the item and everything that was before it in the direction of a listing. */
export function rangeAfter(range: ItemRange, item: Uint8Array, descending: boolean): ItemRange {
  return intersect(
    range,
    descending ? { from: EMPTY_BYTES, before: item } : { from: justAfter(item), before: undefined },
  );
}

/** Where the items that a query may want lie: all that it wants and, in value orders, other prefixes too. */
export function rangeOf(query: EntryQuery): ItemRange {
  const { sort: order = 'key', after, descending = false } = query;
  const range = order === 'key' ? keyRange(query.prefix) : valueRange(order, query);
  if (!after) return range;
  if (order === 'key') return rangeAfter(range, after.key, descending);
  invariant(after.value !== undefined, 'a place in this order has a value');
  return rangeAfter(range, valueItem(after.key, after.value), descending);
}
