/**
 * Isolated entries: values sealed under a key that is theirs alone, so that destroying the key shreds them. What stays
 * readable to whoever opens journal and metadata is the number of the namespace of one that holds the key, the size,
 * and a version that tells nothing about the content. Layout in `docs/format.md`, section "Isolated entry".
 */

import { BinaryWriter } from '../bytes/binary-writer.ts';
import { equalBytes, utf8Encode } from '../bytes/bytes.ts';
import { ENVELOPE_OVERHEAD_BYTES, EnvelopeOpener, EnvelopeSealer } from '../crypto/envelope.ts';
import { checkInteger } from '../errors/argument-error.ts';
import { invariant } from '../errors/store-error.ts';
import { blake3Keyed } from '../hash/index.ts';
import { ENTRY_VALUE_BYTES_MAX, ISOLATED_NAMESPACE_MIN, NAMESPACE_NUMBER_MAX } from '../limits.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';
import { failWith } from './damage.ts';
import { decodeEntry, encodeEntry, entryVersion } from './entry.ts';
import { Fields } from './fields.ts';
import type { KeySchedule } from './key-schedule.ts';
import { DIGEST_BYTES } from './sizes.ts';
import type { EntryValue } from './types.ts';

/** An isolated entry as it is kept: readable with its own key only. */
export interface IsolatedEntry {
  /** The namespace of one that holds its key: `ISOLATED_NAMESPACE_MIN` or more. */
  readonly namespace: number;
  /** 32 bytes: the version it shows, keyed. */
  readonly version: Uint8Array;
  readonly size: number;
  /** Envelope of the encoded `EntryValue`. */
  readonly sealed: Uint8Array;
}

/** What a kept entry is: a value, or the sealed one of an isolated entry. */
export type EntryRowValue = { readonly value: EntryValue } | { readonly isolated: IsolatedEntry };

/** The key of one isolated entry. */
interface Isolation {
  readonly namespace: number;
  readonly schedule: KeySchedule;
  readonly random: RandomBytes;
}

const ISOLATED_VERSION = 2;
const NAMESPACES = { min: ISOLATED_NAMESPACE_MIN, max: NAMESPACE_NUMBER_MAX } as const;
const LABEL = utf8Encode('holdfast isolated entry v1');
const fail = failWith('ENTRY_CORRUPT', 'isolated entry');

function aadOf({ namespace, version, size }: Omit<IsolatedEntry, 'sealed'>): Uint8Array {
  return new BinaryWriter(LABEL.length + 4 + DIGEST_BYTES + 8).put(LABEL).u32(namespace).put(version).u64(size).bytes;
}

/**
 * Seals the value of an entry under a key of its own.
 * @param isolation `namespace` is known to `schedule`
 * @returns the encoded entry, as metadata and journal keep it, and the version that it shows
 * @throws `denied/NAMESPACE_KEY_GONE`, and as `encodeEntry`
 */
export function sealIsolatedEntry(
  value: EntryValue,
  { namespace, schedule, random }: Isolation,
): { readonly entry: Uint8Array; readonly version: Uint8Array } {
  checkInteger('isolation.namespace', namespace, NAMESPACES);
  const encoded = encodeEntry(value);
  invariant(encoded.length <= ENTRY_VALUE_BYTES_MAX, 'the parts of an entry value are bounded');
  const version = blake3Keyed(schedule.isolatedVersionKey(namespace), entryVersion(value));
  const shown = { namespace, version, size: value.size };
  const sealed = new EnvelopeSealer(schedule.isolatedEntryKey(namespace), random).seal(encoded, aadOf(shown));
  return { entry: encodeCbor([ISOLATED_VERSION, namespace, version, value.size, sealed]), version };
}

/**
 * Opens an isolated entry.
 * @throws `corrupt/ENTRY_CORRUPT` when it was not sealed so, `denied/NAMESPACE_KEY_GONE`
 */
export function openIsolatedEntry(entry: IsolatedEntry, schedule: KeySchedule): EntryValue {
  const { namespace, version, size, sealed } = entry;
  const plain = new EnvelopeOpener(schedule.isolatedEntryKey(namespace)).open(sealed, aadOf(entry));
  const value = decodeEntry(plain ?? fail('does not open under its key'));
  const shown = blake3Keyed(schedule.isolatedVersionKey(namespace), entryVersion(value));
  if (value.size !== size || !equalBytes(shown, version)) fail('does not show the size and version of its value');
  return value;
}

/** Whether bytes that are an entry value are those of an isolated one; nothing else of them is looked at. */
export function isIsolatedEntry(bytes: Uint8Array): boolean {
  // One byte of CBOR says how many values follow, the next one is the version.
  return bytes[1] === ISOLATED_VERSION;
}

/**
 * Decodes an entry as metadata and journal keep it; nothing of the result is a view of `bytes`.
 * @throws `corrupt/ENTRY_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`
 */
export function decodeEntryRow(bytes: Uint8Array): EntryRowValue {
  // Every lookup of an entry comes by: nothing is decoded twice.
  if (!isIsolatedEntry(bytes)) return { value: decodeEntry(bytes) };
  const fields = new Fields(decodeCbor(bytes, fail), fail);
  fields.version('entry', ISOLATED_VERSION);
  const isolated: IsolatedEntry = {
    namespace: fields.integer('namespace', NAMESPACES),
    version: fields.bytes('version', DIGEST_BYTES),
    size: fields.integer('size'),
    sealed: fields.bytesBetween('sealed value', {
      min: ENVELOPE_OVERHEAD_BYTES + 1,
      max: ENVELOPE_OVERHEAD_BYTES + ENTRY_VALUE_BYTES_MAX,
    }),
  };
  fields.end();
  return { isolated };
}
