/**
 * Rows of checkpoints: what the state holds, table by table, each row a CBOR array whose values have fixed places.
 * Layout in `docs/format.md`, section "Checkpoint".
 */

import {
  ISOLATED_NAMESPACE_MIN,
  JOURNAL_RECORD_BYTES_MAX,
  NAMESPACE_NUMBER_MAX,
  SCOPED_KEY_BYTES_MAX,
} from '../limits.ts';
import type { CborValue } from './cbor.ts';
import type { Fail } from './damage.ts';
import { Fields } from './fields.ts';
import { parseObjectKey } from './object-key.ts';
import { packDescriptorFromCbor, packDescriptorToCbor } from './pack-descriptor.ts';
import { isScopedKey, namespaceOfKey } from './scoped-key.ts';
import { DIGEST_BYTES } from './sizes.ts';
import { HISTORY_CODES, OBJECT_TYPE_CODES, RECORD_KIND_CODES } from './type-codes.ts';
import type { HistoryKind, ObjectType, PackDescriptor, VersionPolicy } from './types.ts';

/** The tables of a checkpoint, in their order: what a row names stands before it. */
export const CHECKPOINT_TABLE_CODES = {
  packs: 1,
  items: 2,
  entries: 3,
  objects: 4,
  refs: 5,
  histories: 6,
  steps: 7,
  relations: 8,
  policies: 9,
  shreds: 10,
} as const;

export type CheckpointTable = keyof typeof CHECKPOINT_TABLE_CODES;

/** A row of each table. Keys are scoped keys. */
export interface CheckpointRows {
  /** A pack that is part of the state, or a journal pack in which something is found. Counted from 1 in their order. */
  readonly packs: PackDescriptor;
  readonly items: {
    readonly kind: 'chunk' | 'manifest';
    readonly id: Uint8Array;
    /** Which of the packs holds it; 0: the journal pack that holds the record of `commit`. */
    readonly pack: number;
    /** Ordinal of its record in the pack. */
    readonly ordinal: number;
    /** The commit that placed it. */
    readonly commit: number;
  };
  readonly entries: {
    readonly key: Uint8Array;
    readonly entry: Uint8Array;
    readonly created: number;
    readonly modified: number;
  };
  readonly objects: {
    readonly key: Uint8Array;
    readonly type: ObjectType;
    readonly entry: Uint8Array;
    readonly stored: number;
  };
  readonly refs: { readonly key: Uint8Array; readonly target: Uint8Array; readonly moved: number };
  readonly histories: {
    readonly kind: HistoryKind;
    readonly key: Uint8Array;
    readonly first: number;
    readonly last: number;
    readonly steps: number;
  };
  readonly steps: {
    readonly kind: HistoryKind;
    readonly key: Uint8Array;
    readonly number: number;
    readonly time: number;
    readonly value: Uint8Array;
  };
  readonly relations: { readonly child: Uint8Array; readonly parent: Uint8Array };
  readonly policies: { readonly namespace: number; readonly policy: VersionPolicy };
  /** A namespace of one that was dropped and whose key page is still to be destroyed. */
  readonly shreds: { readonly namespace: number };
}

/** Where a row stands. */
export interface RowPlace {
  /** Of the page: 2 in sealed stores, 1 in plain ones. */
  readonly version: number;
  /** Whose keys it names. */
  readonly namespace: number;
}

interface Reading extends RowPlace {
  readonly fail: Fail;
}

interface RowCodec<Row> {
  encode(row: Row, place: RowPlace): readonly CborValue[];
  decode(fields: Fields, reading: Reading): Row;
}

const ANY_BYTES = { min: 1, max: JOURNAL_RECORD_BYTES_MAX } as const;
const { chunk, manifest } = RECORD_KIND_CODES;
const ITEM_KIND_CODES = { chunk, manifest } as const;

function named<Name extends string>(
  codes: Readonly<Record<Name, number>>,
  fields: Fields,
  { what, fail }: { readonly what: string; readonly fail: Fail },
): Name {
  const code = fields.integer(what);
  for (const name of Object.keys(codes) as Name[]) if (codes[name] === code) return name;
  return fail(`has an unknown ${what} ${code}`);
}

function keyOf(fields: Fields, { namespace, fail }: Reading): Uint8Array {
  const key = fields.bytesBetween('key', { min: 1, max: SCOPED_KEY_BYTES_MAX });
  return isScopedKey(key) && namespaceOfKey(key) === namespace ? key : fail(`has a key of another namespace`);
}

function objectKeyOf(fields: Fields, { namespace, fail }: Reading): Uint8Array {
  const key = fields.bytesBetween('object key', ANY_BYTES);
  return parseObjectKey(key)?.namespace === namespace ? key : fail(`has an object key of another namespace`);
}

const CODECS: { readonly [Table in CheckpointTable]: RowCodec<CheckpointRows[Table]> } = {
  packs: {
    encode: (pack, { version }) => [packDescriptorToCbor(pack, version)],
    decode: (fields, { version, fail }) => packDescriptorFromCbor(fields.any('descriptor'), version, fail),
  },
  items: {
    encode: ({ kind, id, pack, ordinal, commit }) => [ITEM_KIND_CODES[kind], id, pack, ordinal, commit],
    decode: (fields, { fail }) => ({
      kind: named(ITEM_KIND_CODES, fields, { what: 'kind', fail }),
      id: fields.bytes('id', DIGEST_BYTES),
      pack: fields.integer('pack'),
      ordinal: fields.integer('ordinal'),
      commit: fields.integer('commit', { min: 1 }),
    }),
  },
  entries: {
    encode: ({ key, entry, created, modified }) => [key, entry, created, modified],
    decode: (fields, reading) => ({
      key: keyOf(fields, reading),
      entry: fields.bytesBetween('entry', ANY_BYTES),
      created: fields.integer('created'),
      modified: fields.integer('modified'),
    }),
  },
  objects: {
    encode: ({ key, type, entry, stored }) => [key, OBJECT_TYPE_CODES[type], entry, stored],
    decode: (fields, reading) => ({
      key: objectKeyOf(fields, reading),
      type: named(OBJECT_TYPE_CODES, fields, { what: 'type of object', fail: reading.fail }),
      entry: fields.bytesBetween('entry', ANY_BYTES),
      stored: fields.integer('stored'),
    }),
  },
  refs: {
    encode: ({ key, target, moved }) => [key, target, moved],
    decode: (fields, reading) => ({
      key: keyOf(fields, reading),
      target: objectKeyOf(fields, reading),
      moved: fields.integer('moved'),
    }),
  },
  histories: {
    encode: ({ kind, key, first, last, steps }) => [HISTORY_CODES[kind], key, first, last, steps],
    decode: (fields, reading) => ({
      kind: named(HISTORY_CODES, fields, { what: 'kind of history', fail: reading.fail }),
      key: keyOf(fields, reading),
      first: fields.integer('first step', { min: 1 }),
      last: fields.integer('last step', { min: 1 }),
      steps: fields.integer('steps', { min: 1 }),
    }),
  },
  steps: {
    encode: ({ kind, key, number, time, value }) => [HISTORY_CODES[kind], key, number, time, value],
    decode: (fields, reading) => ({
      kind: named(HISTORY_CODES, fields, { what: 'kind of history', fail: reading.fail }),
      key: keyOf(fields, reading),
      number: fields.integer('number', { min: 1 }),
      time: fields.integer('time'),
      value: fields.bytesBetween('step', ANY_BYTES),
    }),
  },
  relations: {
    encode: ({ child, parent }) => [child, parent],
    decode: (fields, reading) => ({ child: keyOf(fields, reading), parent: keyOf(fields, reading) }),
  },
  policies: {
    encode: ({ namespace, policy }) => [namespace, policy.last ?? null, policy.forMs ?? null],
    decode: (fields, { version }) => {
      const namespace = fields.integer('namespace', { max: version > 1 ? ISOLATED_NAMESPACE_MIN - 1 : 0 });
      const last = fields.nullable('versions', () => fields.integer('versions'));
      const forMs = fields.nullable('time', () => fields.integer('time'));
      return { namespace, policy: { ...(last !== undefined && { last }), ...(forMs !== undefined && { forMs }) } };
    },
  },
  shreds: {
    encode: ({ namespace }) => [namespace],
    decode: (fields) => ({
      namespace: fields.integer('namespace', { min: ISOLATED_NAMESPACE_MIN, max: NAMESPACE_NUMBER_MAX }),
    }),
  },
};

/** A row as it stands in its page. */
export function checkpointRowToCbor<Table extends CheckpointTable>(
  table: Table,
  row: CheckpointRows[Table],
  place: RowPlace,
): CborValue {
  return CODECS[table].encode(row, place);
}

/** Reads a row. @throws what `fail` throws */
export function checkpointRowFromCbor<Table extends CheckpointTable>(
  table: Table,
  value: unknown,
  reading: Reading,
): CheckpointRows[Table] {
  const fields = new Fields(value, reading.fail);
  const row = CODECS[table].decode(fields, reading);
  fields.end();
  return row;
}
