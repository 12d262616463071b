/**
 * Journal records: what one commit changed, chained by digest to the record before it. Deterministic CBOR, so that a
 * record has one encoding and one digest. Layout in `docs/format.md`, section "Journal record".
 * Plain stores write version 1, sealed ones version 2.
 *
 * Does not: check the chain, or know what an operation does. An unknown operation is refused, never skipped: the state
 * after it would be wrong.
 */

import { argumentRangeError, checkInteger } from '../errors/argument-error.ts';
import { invariant } from '../errors/store-error.ts';
import { blake3, type Digest } from '../hash/index.ts';
import { JOURNAL_RECORD_BYTES_MAX } from '../limits.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';
import { failWith } from './damage.ts';
import { Fields } from './fields.ts';
import { operationFromCbor, operationToCbor } from './operation.ts';
import { DIGEST_BYTES, INCARNATION_BYTES } from './sizes.ts';
import type { JournalRecord } from './types.ts';

const PLAIN_VERSION = 1;
/** Sealed stores: descriptors say how packs are sealed, and there are the operations of namespaces. */
const SEALED_VERSION = 2;
const NO_NAMESPACE = 0;

/**
 * Encodes a record; its digest is {@link journalRecordDigest} of the result.
 * @throws RangeError when the record is larger than `JOURNAL_RECORD_BYTES_MAX`
 */
export function encodeJournalRecord(record: JournalRecord): Uint8Array {
  checkInteger('record.commit', record.commit, { min: 1 });
  checkInteger('record.time', record.time, { min: 0 });
  invariant(record.previous.length === DIGEST_BYTES, 'a record names the digest before it');
  invariant(record.incarnation.length === INCARNATION_BYTES, 'an incarnation has 16 bytes');
  const version = record.sealed ? SEALED_VERSION : PLAIN_VERSION;
  const place = { version, namespace: NO_NAMESPACE };
  const operations = record.operations.map((operation) => operationToCbor(operation, place));
  const bytes = encodeCbor([version, record.commit, record.previous, record.incarnation, record.time, operations]);
  if (bytes.length > JOURNAL_RECORD_BYTES_MAX) {
    throw argumentRangeError('record', `at most ${JOURNAL_RECORD_BYTES_MAX} bytes as encoded`, bytes.length);
  }
  return bytes;
}

/**
 * Decodes a record; nothing of the result is a view of `bytes`.
 * @throws `corrupt/JOURNAL_CORRUPT`, `unsupported/OPERATION_UNSUPPORTED`, `unsupported/FORMAT_UNSUPPORTED`
 */
export function decodeJournalRecord(bytes: Uint8Array): JournalRecord {
  const fail = failWith('JOURNAL_CORRUPT', 'journal record');
  if (bytes.length > JOURNAL_RECORD_BYTES_MAX) fail(`has ${bytes.length} bytes`);
  const fields = new Fields(decodeCbor(bytes, fail), fail);
  const version = fields.version('journal record', [PLAIN_VERSION, SEALED_VERSION]);
  const commit = fields.integer('commit number', { min: 1 });
  const previous = fields.bytes('previous digest', DIGEST_BYTES);
  const incarnation = fields.bytes('incarnation', INCARNATION_BYTES);
  const time = fields.integer('time');
  const operations = fields.list('operations');
  fields.end();
  const recordFail = failWith('JOURNAL_CORRUPT', 'journal record', { commit });
  const place = { version, namespace: NO_NAMESPACE };
  return {
    ...{ commit, previous, incarnation, time },
    operations: operations.map((value) => operationFromCbor(value, place, recordFail)),
    ...(version === SEALED_VERSION && { sealed: true }),
  };
}

/** What the next record names as its predecessor: BLAKE3 of the encoded record. */
export function journalRecordDigest(bytes: Uint8Array): Digest {
  return blake3(bytes);
}
