/** What the rows of objects, refs, histories, relations and policies say. Their columns are in `object-schema.ts`. */
import { concatBytes } from '../bytes/bytes.ts';
import { invariant, storeError } from '../errors/store-error.ts';
import { namespaceOfKey } from '../format/scoped-key.ts';
import { HISTORY_CODES, OBJECT_TYPE_CODES } from '../format/type-codes.ts';
import type { HistoryKind, ObjectType, VersionPolicy } from '../format/types.ts';
import type { ObjectRow, RefRow } from './object-contract.ts';
import type { TableShape } from './table.ts';

/** Names and messages have lengths of their own: padding lets few of them be told apart. */
const NAMED_PAD_BYTES = 64;

function typeOf(code: number): ObjectType {
  for (const type of Object.keys(OBJECT_TYPE_CODES) as ObjectType[]) if (OBJECT_TYPE_CODES[type] === code) return type;
  throw storeError('FORMAT_UNSUPPORTED', `the metadata holds the unknown type of object ${code}`);
}

/** An object with what counts for its life. */
export interface CountedObject extends ObjectRow {
  /** How many counted refs, moves and objects that are not condemned name it. */
  readonly refs: number;
  /** The epoch in which it was condemned, 0 for one that is not. What it refers to is not counted for it then. */
  readonly condemned: number;
}

export const objectsShape: TableShape<CountedObject> = {
  name: 'objects',
  keyColumns: ['key'],
  valueColumns: ['type', 'stored', 'entry', 'refs', 'condemned'],
  laterColumns: ['refs', 'condemned'],
  sealedColumns: ['namespace'],
  clearColumns: ['namespace'],
  hiddenKey: true,
  keyOf: ({ key }) => [key],
  encode: ({ key, type, stored, entry, refs, condemned }) => [
    ...[key, OBJECT_TYPE_CODES[type], stored, entry, refs || null, condemned || null, namespaceOfKey(key)],
  ],
  decode: (columns) => ({
    key: columns.bytes('key'),
    type: typeOf(columns.integer('type')),
    stored: columns.integer('stored'),
    entry: columns.bytes('entry'),
    refs: columns.optionalInteger('refs') ?? 0,
    condemned: columns.optionalInteger('condemned') ?? 0,
  }),
};

export const refsShape: TableShape<RefRow> = {
  name: 'refs',
  keyColumns: ['key'],
  valueColumns: ['target', 'moved'],
  sealedColumns: ['namespace'],
  clearColumns: ['namespace'],
  hiddenKey: true,
  padBytes: NAMED_PAD_BYTES,
  keyOf: ({ key }) => [key],
  encode: ({ key, target, moved }) => [key, target, moved, namespaceOfKey(key)],
  decode: (columns) => ({
    key: columns.bytes('key'),
    target: columns.bytes('target'),
    moved: columns.integer('moved'),
  }),
};

/** Which steps a history has: numbers from `first` to `last`, some of which may have been forgotten. */
export interface HistoryRow {
  /** See `historyKey`. */
  readonly key: Uint8Array;
  readonly first: number;
  readonly last: number;
  /** Steps that are there. */
  readonly steps: number;
}

export const historiesShape: TableShape<HistoryRow> = {
  name: 'histories',
  keyColumns: ['key'],
  valueColumns: ['first', 'last', 'steps'],
  sealedColumns: ['namespace'],
  clearColumns: ['namespace'],
  hiddenKey: true,
  padBytes: NAMED_PAD_BYTES,
  keyOf: ({ key }) => [key],
  encode: ({ key, first, last, steps }) => [key, first, last, steps, namespaceOfKey(key.subarray(1))],
  decode: (columns) => ({
    key: columns.bytes('key'),
    first: columns.integer('first'),
    last: columns.integer('last'),
    steps: columns.integer('steps'),
  }),
};

/** One step of a history. */
export interface StepRow {
  /** See `stepKey`. */
  readonly key: Uint8Array;
  /** When it happened, milliseconds since 1970. */
  readonly time: number;
  /** See `history-steps.ts`. */
  readonly value: Uint8Array;
}

export const stepsShape: TableShape<StepRow> = {
  name: 'steps',
  keyColumns: ['key'],
  valueColumns: ['time', 'value'],
  sealedColumns: ['namespace'],
  clearColumns: ['namespace'],
  hiddenKey: true,
  padBytes: NAMED_PAD_BYTES,
  keyOf: ({ key }) => [key],
  encode: ({ key, time, value }) => [key, time, value, namespaceOfKey(key.subarray(1))],
  decode: (columns) => ({
    key: columns.bytes('key'),
    time: columns.integer('time'),
    value: columns.bytes('value'),
  }),
};

/** What the history of an entry or ref is found by: `kind (u8) ‖ scoped key`. */
export function historyKey(kind: HistoryKind, key: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(HISTORY_CODES[kind]), key]);
}

/** What one of its steps is found by: the key of the history, then `number (u64, big-endian)`. */
export function stepKey(history: Uint8Array, number: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number));
  return concatBytes([history, bytes]);
}

/** The kind and scoped key of a history. */
export function parseHistoryKey(bytes: Uint8Array): { readonly kind: HistoryKind; readonly key: Uint8Array } {
  const kind = (['version', 'move'] as const).find((name) => HISTORY_CODES[name] === bytes[0]);
  invariant(kind, 'a history is one of versions or of moves');
  return { kind, key: bytes.subarray(1) };
}

/** How an entry is related to others. Numbers are local to this metadata, like those of packs. */
export interface RelationRow {
  /** Of the entry. */
  readonly key: Uint8Array;
  /** From 1; never that of another entry. */
  readonly node: number;
  /** Node of the parent entry, 0 without one. */
  readonly parent: number;
  /** How many entries have this one as their parent. */
  readonly children: number;
}

export const relationsShape: TableShape<RelationRow> = {
  name: 'relations',
  keyColumns: ['key'],
  valueColumns: ['node', 'parent', 'children'],
  sealedColumns: ['namespace'],
  clearColumns: ['node', 'parent', 'namespace'],
  hiddenKey: true,
  padBytes: NAMED_PAD_BYTES,
  keyOf: ({ key }) => [key],
  encode: ({ key, node, parent, children }) => [key, node, parent, children, namespaceOfKey(key)],
  decode: (columns) => ({
    key: columns.bytes('key'),
    node: columns.integer('node'),
    parent: columns.integer('parent'),
    children: columns.integer('children'),
  }),
};

/** Which earlier versions of entries a namespace keeps. */
export interface PolicyRow {
  readonly namespace: number;
  readonly policy: VersionPolicy;
}

export const policiesShape: TableShape<PolicyRow> = {
  name: 'policies',
  keyColumns: ['namespace'],
  valueColumns: ['last', 'for_ms'],
  encode: ({ namespace, policy }) => [namespace, policy.last ?? null, policy.forMs ?? null],
  decode: (columns) => {
    const last = columns.optionalInteger('last');
    const forMs = columns.optionalInteger('for_ms');
    const policy = { ...(last !== undefined && { last }), ...(forMs !== undefined && { forMs }) };
    return { namespace: columns.integer('namespace'), policy };
  },
};
