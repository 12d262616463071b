/**
 * Checkpoints: the complete state at one commit number, so that a rebuild need not go through all records before it. A
 * checkpoint is pages of rows and a head that names every page by its digest, all of them items of packs of a class of
 * their own; the head is written last. Layout in `docs/format.md`, section "Checkpoint". Deterministic CBOR, of version 1
 * in plain stores and 2 in sealed ones, like journal records.
 *
 * Invariant: a checkpoint whose head is there and all of whose pages have their digest is the state at its commit. Rows
 * that name keys of another namespace than the default one are sealed under the key of that, like operations.
 */

import { BinaryWriter } from '../bytes/binary-writer.ts';
import { concatBytes, utf8Encode } from '../bytes/bytes.ts';
import type { EnvelopeOpener, EnvelopeSealer } from '../crypto/envelope.ts';
import { checkInteger } from '../errors/argument-error.ts';
import { invariant } from '../errors/store-error.ts';
import { ISOLATED_NAMESPACE_MIN, JOURNAL_RECORD_BYTES_MAX } from '../limits.ts';
import { type CborValue, decodeCbor, encodeCbor } from './cbor.ts';
import {
  CHECKPOINT_TABLE_CODES,
  type CheckpointRows,
  type CheckpointTable,
  checkpointRowFromCbor,
  checkpointRowToCbor,
} from './checkpoint-rows.ts';
import { failWith } from './damage.ts';
import { Fields } from './fields.ts';
import { DIGEST_BYTES, INCARNATION_BYTES, PACK_ID_BYTES } from './sizes.ts';

const PLAIN_VERSION = 1;
const SEALED_VERSION = 2;
const VERSIONS = [PLAIN_VERSION, SEALED_VERSION] as const;
/** Stands where a page has the code of its table. */
const HEAD_CODE = 0;
const LABEL = utf8Encode('holdfast scoped checkpoint v1');

/** Some rows of one table. */
export interface CheckpointPage<Table extends CheckpointTable = CheckpointTable> {
  readonly table: Table;
  /** Whose keys they name; 0 for tables without keys. */
  readonly namespace: number;
  readonly rows: readonly CheckpointRows[Table][];
}

/** A page as it was read, its rows sealed where they are of a namespace. */
export type ReadPage =
  | (CheckpointPage & { readonly sealed?: undefined })
  | { readonly table: CheckpointTable; readonly namespace: number; readonly sealed: Uint8Array };

export interface CheckpointHead {
  readonly sealed: boolean;
  /** Whose state it is, and the digest of its journal record. */
  readonly commit: number;
  readonly digest: Uint8Array;
  /** Incarnation that this record names. */
  readonly incarnation: Uint8Array;
  /** First commit whose record a rebuild needs beside the checkpoint: chunks that rode in it are found there. */
  readonly first: number;
  /** 32 bytes each, in the order in which they are to be read. */
  readonly pages: readonly Uint8Array[];
  /** Ids of the packs that hold the pages and this head, 16 bytes each. */
  readonly packs: readonly Uint8Array[];
}

function aadOf(table: CheckpointTable, namespace: number): Uint8Array {
  return new BinaryWriter(LABEL.length + 8).put(LABEL).u32(namespace).u32(CHECKPOINT_TABLE_CODES[table]).bytes;
}

/**
 * Encodes a page.
 * @param how `sealer` holds `KeySchedule.operationKey(page.namespace)`: given for other namespaces than 0, and only then
 */
export function encodeCheckpointPage<Table extends CheckpointTable>(
  { table, namespace, rows }: CheckpointPage<Table>,
  how: { readonly sealed: boolean; readonly sealer?: EnvelopeSealer | undefined },
): Uint8Array {
  const version = how.sealed ? SEALED_VERSION : PLAIN_VERSION;
  invariant((namespace === 0) === (how.sealer === undefined), 'rows of a namespace are sealed');
  invariant(namespace === 0 || how.sealed, 'plain stores have no namespaces');
  const content: CborValue = rows.map((row) => checkpointRowToCbor(table, row, { version, namespace }));
  const inPlace = how.sealer ? how.sealer.seal(encodeCbor(content), aadOf(table, namespace)) : content;
  return encodeCbor([version, CHECKPOINT_TABLE_CODES[table], namespace, inPlace]);
}

/**
 * Decodes a page; nothing of the result is a view of `bytes`.
 * @param sealed whether the store is
 * @throws `corrupt/JOURNAL_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`
 */
export function decodeCheckpointPage(bytes: Uint8Array, sealed: boolean): ReadPage {
  const fail = failWith('JOURNAL_CORRUPT', 'page of a checkpoint');
  if (bytes.length > JOURNAL_RECORD_BYTES_MAX) fail(`has ${bytes.length} bytes`);
  const fields = new Fields(decodeCbor(bytes, fail), fail);
  const version = versionOf(fields, sealed);
  const code = fields.integer('table');
  const table = (Object.keys(CHECKPOINT_TABLE_CODES) as CheckpointTable[]).find(
    (name) => CHECKPOINT_TABLE_CODES[name] === code,
  );
  if (table === undefined) return fail(`has an unknown table ${code}`);
  const namespace = fields.integer('namespace', { max: sealed ? ISOLATED_NAMESPACE_MIN - 1 : 0 });
  const content = fields.any('rows');
  fields.end();
  if (namespace > 0) {
    if (!(content instanceof Uint8Array)) return fail('has rows of a namespace that are not sealed');
    return { table, namespace, sealed: content };
  }
  if (!Array.isArray(content)) return fail('has rows that are no array');
  return {
    table,
    namespace,
    rows: content.map((row) => checkpointRowFromCbor(table, row, { version, namespace, fail })),
  };
}

/**
 * Opens the rows of a page of another namespace than 0. Nothing is parsed before it authenticates.
 * @param opener holds `KeySchedule.operationKey(page.namespace)`
 * @throws `corrupt/JOURNAL_CORRUPT`
 */
export function openCheckpointPage(
  { table, namespace, sealed }: ReadPage & { readonly sealed: Uint8Array },
  opener: EnvelopeOpener,
): CheckpointPage {
  const fail = failWith('JOURNAL_CORRUPT', 'page of a checkpoint', { namespace });
  const plain = opener.open(sealed, aadOf(table, namespace)) ?? fail('does not open under the key of its namespace');
  const content = decodeCbor(plain, fail);
  if (!Array.isArray(content)) return fail('has rows that are no array');
  const place = { version: SEALED_VERSION, namespace, fail };
  return { table, namespace, rows: content.map((row) => checkpointRowFromCbor(table, row, place)) };
}

function versionOf(fields: Fields, sealed: boolean): number {
  const version = fields.version('checkpoint', VERSIONS);
  if ((version === SEALED_VERSION) === sealed) return version;
  return failWith('JOURNAL_CORRUPT', 'checkpoint')(`is not one of a ${sealed ? 'sealed' : 'plain'} store`);
}

export function encodeCheckpointHead(head: CheckpointHead): Uint8Array {
  checkInteger('head.commit', head.commit, { min: 1 });
  checkInteger('head.first', head.first, { min: 1, max: head.commit + 1 });
  invariant(head.digest.length === DIGEST_BYTES && head.incarnation.length === INCARNATION_BYTES, 'both are whole');
  const version = head.sealed ? SEALED_VERSION : PLAIN_VERSION;
  const names = [concatBytes(head.pages), concatBytes(head.packs)];
  return encodeCbor([version, HEAD_CODE, head.commit, head.digest, head.incarnation, head.first, ...names]);
}

/**
 * Decodes a head.
 * @returns `undefined` for what is a page
 * @throws `corrupt/JOURNAL_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`
 */
export function decodeCheckpointHead(bytes: Uint8Array, sealed: boolean): CheckpointHead | undefined {
  const fail = failWith('JOURNAL_CORRUPT', 'head of a checkpoint');
  const fields = new Fields(decodeCbor(bytes, fail), fail);
  versionOf(fields, sealed);
  if (fields.integer('table') !== HEAD_CODE) return undefined;
  const commit = fields.integer('commit number', { min: 1 });
  const digest = fields.bytes('digest', DIGEST_BYTES);
  const incarnation = fields.bytes('incarnation', INCARNATION_BYTES);
  const first = fields.integer('first commit', { min: 1, max: commit + 1 });
  const pages = listed(fields, DIGEST_BYTES, fail);
  const packs = listed(fields, PACK_ID_BYTES, fail);
  fields.end();
  if (packs.length === 0) fail('names no pack');
  return { sealed, commit, digest, incarnation, first, pages, packs };
}

function listed(fields: Fields, bytes: number, fail: (problem: string) => never): Uint8Array[] {
  const joined = fields.bytesBetween('list', { min: 0, max: JOURNAL_RECORD_BYTES_MAX });
  if (joined.length % bytes !== 0) fail('has a list that is not whole');
  return Array.from({ length: joined.length / bytes }, (_, index) => joined.slice(index * bytes, (index + 1) * bytes));
}
