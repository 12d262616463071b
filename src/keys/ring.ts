/**
 * The key ring: every secret of a store that is not derived from another, with the names of namespaces and writers.
 * CBOR, sealed under the master key in the store config; layout in `docs/format.md`, section "Key ring".
 */

import { decodeCbor, encodeCbor } from '../format/cbor.ts';
import { isKeyLabel } from '../format/config-keys.ts';
import type { Fail } from '../format/damage.ts';
import { Fields } from '../format/fields.ts';
import { SECRET_BYTES } from '../format/sizes.ts';
import {
  EPOCH_NUMBER_MAX,
  ISOLATED_NAMESPACE_MIN,
  RING_EPOCHS_MAX,
  RING_NAMESPACES_MAX,
  RING_WRITERS_MAX,
} from '../limits.ts';
import { isNamespaceName } from './namespace-name.ts';

/** Format version of the ring. */
const RING_VERSION = 1;
/** An Ed25519 public key: RFC 8032, section 5.1.5. */
export const WRITER_KEY_BYTES = 32;

/** The last time that ECMAScript can tell (ECMA-262, section 21.4.1.1). */
const TIME_MS_MAX = 8.64e15;

export interface RingEpoch {
  /** From 1; the last one is what new data is sealed under. */
  readonly number: number;
  readonly secret: Uint8Array;
  /** Milliseconds since 1970-01-01 UTC; for people. */
  readonly created: number;
}

export interface RingNamespace {
  /** 0 is the default namespace; none is ever used twice. */
  readonly number: number;
  readonly name: string;
  readonly secret: Uint8Array;
  readonly created: number;
  /** Most bytes its entries may have together; absent: any. */
  readonly quotaBytes?: number;
}

export interface RingWriter {
  readonly label: string;
  /** Ed25519, 32 bytes: what the writer leaves is signed with it. */
  readonly publicKey: Uint8Array;
  readonly namespace: number;
  readonly created: number;
}

/** Numbers ascend in every list. */
export interface Ring {
  /** 32 bytes, the same for the whole life of the store. */
  readonly store: Uint8Array;
  readonly epochs: readonly RingEpoch[];
  readonly namespaces: readonly RingNamespace[];
  /** Number of the namespace that is made next. */
  readonly nextNamespace: number;
  readonly writers: readonly RingWriter[];
}

/** Encodes a ring; the result is as secret as the ring. */
export function encodeRing(ring: Ring): Uint8Array {
  return encodeCbor([
    RING_VERSION,
    ring.store,
    ring.epochs.map(({ number, secret, created }) => [number, secret, created]),
    ring.namespaces.map((one) => [one.number, one.name, one.secret, one.created, one.quotaBytes ?? null]),
    ring.nextNamespace,
    ring.writers.map(({ label, publicKey, namespace, created }) => [label, publicKey, namespace, created]),
  ]);
}

/**
 * Decodes what `encodeRing` wrote.
 * @throws what `fail` throws; `unsupported/FORMAT_UNSUPPORTED` for a newer version
 */
export function decodeRing(bytes: Uint8Array, fail: Fail): Ring {
  const fields = new Fields(decodeCbor(bytes, fail), fail);
  fields.version('key ring', RING_VERSION);
  const ring = {
    store: fields.bytes('store secret', SECRET_BYTES),
    epochs: fields.list('epochs').map((value) => epochOf(new Fields(value, fail))),
    namespaces: fields.list('namespaces').map((value) => namespaceOf(new Fields(value, fail), fail)),
    nextNamespace: fields.integer('next namespace', { min: 1, max: ISOLATED_NAMESPACE_MIN }),
    writers: fields.list('writers').map((value) => writerOf(new Fields(value, fail), fail)),
  };
  fields.end();
  checkRing(ring, fail);
  return ring;
}

function epochOf(fields: Fields): RingEpoch {
  const number = fields.integer('epoch', { min: 1, max: EPOCH_NUMBER_MAX });
  const secret = fields.bytes('epoch secret', SECRET_BYTES);
  const created = fields.integer('time', { max: TIME_MS_MAX });
  fields.end();
  return { number, secret, created };
}

function namespaceOf(fields: Fields, fail: Fail): RingNamespace {
  const number = fields.integer('namespace', { max: ISOLATED_NAMESPACE_MIN - 1 });
  const name = text(fields.any('name'), isNamespaceName, fail);
  const secret = fields.bytes('namespace secret', SECRET_BYTES);
  const created = fields.integer('time', { max: TIME_MS_MAX });
  const quotaBytes = fields.nullable('quota', () => fields.integer('quota'));
  fields.end();
  return { number, name, secret, created, ...(quotaBytes !== undefined && { quotaBytes }) };
}

function writerOf(fields: Fields, fail: Fail): RingWriter {
  const label = text(fields.any('label'), isKeyLabel, fail);
  const publicKey = fields.bytes('writer key', WRITER_KEY_BYTES);
  const namespace = fields.integer('namespace', { max: ISOLATED_NAMESPACE_MIN - 1 });
  const created = fields.integer('time', { max: TIME_MS_MAX });
  fields.end();
  return { label, publicKey, namespace, created };
}

function text(value: unknown, isRight: (text: string) => boolean, fail: Fail): string {
  if (typeof value !== 'string' || !isRight(value)) return fail('holds a name that is none');
  return value;
}

function checkRing(ring: Ring, fail: Fail): void {
  const { epochs, namespaces, writers } = ring;
  if (epochs.length === 0 || epochs.length > RING_EPOCHS_MAX) fail(`has ${epochs.length} epochs`);
  if (namespaces.length > RING_NAMESPACES_MAX) fail(`has ${namespaces.length} namespaces`);
  if (writers.length > RING_WRITERS_MAX) fail(`has ${writers.length} writers`);
  if (!ascends(epochs)) fail('has epochs out of order');
  if (!ascends(namespaces) || namespaces[0]?.number !== 0) fail('has namespaces out of order');
  if ((namespaces.at(-1)?.number ?? 0) >= ring.nextNamespace) fail('would use the number of a namespace again');
  if (new Set(namespaces.map(({ name }) => name)).size !== namespaces.length) fail('has two namespaces of one name');
  const numbers = new Set(namespaces.map(({ number }) => number));
  if (!writers.every(({ namespace }) => numbers.has(namespace))) fail('has a writer without a namespace');
}

function ascends(numbered: readonly { readonly number: number }[]): boolean {
  return numbered.every(({ number }, index) => index === 0 || number > (numbered[index - 1]?.number ?? number));
}
