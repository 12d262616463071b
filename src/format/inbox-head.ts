/**
 * Heads of inbox messages: what a put-only writer leaves last, and what makes its parts a message. Sealed for whoever
 * holds the keys of the namespace, signed by the writer. Layout in `docs/format.md`, section "Inbox".
 *
 * Invariant: the keys of a message follow from a KEM shared key that is fresh for it, and from store, message,
 * namespace and epoch; so no part and no head opens in the place of another, and no nonce is used twice.
 *
 * Does not: say who may leave messages (the ring does), or believe anything before the signature was verified.
 */

import { BinaryReader } from '../bytes/binary-reader.ts';
import { BinaryWriter } from '../bytes/binary-writer.ts';
import { concatBytes, copyBytes, utf8Encode } from '../bytes/bytes.ts';
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, openAead, sealAead } from '../crypto/aead.ts';
import { hkdfSha256 } from '../crypto/kdf.ts';
import { createKemKeyPair, KEM_CIPHERTEXT_BYTES } from '../crypto/kem.ts';
import { padmeBytes } from '../crypto/padme.ts';
import { SIGNATURE_BYTES, type Signer, verifySignature } from '../crypto/signature.ts';
import { invariant } from '../errors/store-error.ts';
import { ENTRY_KEY_BYTES_MAX, INBOX_HEAD_BYTES_MAX, INBOX_PARTS_MAX } from '../limits.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';
import { checkHolds, checkOf } from './check.ts';
import { type Fail, failWith } from './damage.ts';
import { attributesFromCbor, attributesToCbor, contentTypeFromCbor, contentTypeToCbor } from './entry.ts';
import { Fields } from './fields.ts';
import { MESSAGE_ID_BYTES, messageHeadKey, messageText } from './inbox-names.ts';
import type { KeySchedule } from './key-schedule.ts';
import { type Layout, PRELUDE_BYTES, readPrelude, readReserved, writePrelude } from './prelude.ts';
import { CHECK_BYTES, DIGEST_BYTES, STORE_ID_BYTES } from './sizes.ts';

const LAYOUT: Layout = { magic: 'HOLDMAIL', version: 1, component: 'message' };
const ENTRY_VERSION = 1;
const WRITER_KEY_BYTES = 32;
const RESERVED_BYTES = 4;
const PLACE_BYTES = STORE_ID_BYTES + MESSAGE_ID_BYTES + 8;
const FRONT_BYTES = PRELUDE_BYTES + PLACE_BYTES + 4 + RESERVED_BYTES + WRITER_KEY_BYTES + KEM_CIPHERTEXT_BYTES;
const TAIL_BYTES = AEAD_TAG_BYTES + SIGNATURE_BYTES.ed25519 + CHECK_BYTES;
const LENGTH_BYTES = 4;
/** Names and attributes of the usual length all look the same. */
const PLAIN_BYTES_MIN = 512;

/** One seal under a key of its own: there is no second one that could meet it. */
const HEAD_NONCE = new Uint8Array(AEAD_NONCE_BYTES);

/** Part of the format: none ever changes. */
const LABELS = {
  head: 'holdfast message head key v1',
  part: 'holdfast message part key v1',
  signature: utf8Encode('holdfast message signature v1'),
} as const;

/** Where a message belongs. */
export interface MessagePlace {
  /** 16 bytes. */
  readonly store: Uint8Array;
  /** Message id, 16 bytes. */
  readonly message: Uint8Array;
  readonly namespace: number;
  /** Key epoch of the namespace's KEM pair. */
  readonly epoch: number;
}

/** The entry that a message asks for. */
export interface MessageEntry {
  /** The user's key as UTF-8, without namespace. */
  readonly key: Uint8Array;
  readonly contentType?: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** BLAKE3 of the whole content, 32 bytes. */
  readonly digest: Uint8Array;
  readonly size: number;
  /** Parts that hold the content, from 0 on. */
  readonly parts: number;
}

/** A head as it was read: nothing in it is proven before `verifyMessageHead` and `openMessageHead`. */
export interface MessageHead extends MessagePlace {
  /** Ed25519 public key of the writer, 32 bytes. */
  readonly writer: Uint8Array;
  /** 1,568 bytes, for the KEM pair of the namespace in the epoch. */
  readonly ciphertext: Uint8Array;
  /** The whole head. */
  readonly bytes: Uint8Array;
}

/** Keys of one message, 32 bytes each. */
export interface MessageKeys {
  readonly head: Uint8Array;
  readonly part: Uint8Array;
}

/** @param sharedKey 32 bytes, of an encapsulation made for this message */
export function messageKeys(place: MessagePlace, sharedKey: Uint8Array): MessageKeys {
  const derive = (label: string): Uint8Array =>
    hkdfSha256(sharedKey, { info: concatBytes([utf8Encode(label), placeBytes(place)]) });
  return { head: derive(LABELS.head), part: derive(LABELS.part) };
}

/**
 * The keys of a message for whoever holds those of its namespace.
 * @throws `denied/EPOCH_UNKNOWN`, `denied/NAMESPACE_KEY_GONE`
 */
export function decapsulateMessageKeys(head: MessageHead, schedule: KeySchedule): MessageKeys {
  const seed = schedule.writerKemSeed(head.namespace, head.epoch);
  const sharedKey = createKemKeyPair(seed).decapsulate(head.ciphertext);
  const keys = messageKeys(head, sharedKey);
  seed.fill(0);
  sharedKey.fill(0);
  return keys;
}

/**
 * Seals and signs a head.
 * @throws RangeError for attributes or a content type above their limits
 */
export function encodeMessageHead(
  place: MessagePlace,
  entry: MessageEntry,
  secrets: { readonly keys: MessageKeys; readonly ciphertext: Uint8Array; readonly signer: Signer },
): Uint8Array {
  const { keys, ciphertext, signer } = secrets;
  invariant(ciphertext.length === KEM_CIPHERTEXT_BYTES, 'a ciphertext of the KEM has 1,568 bytes');
  const plain = padded(encodeEntry(entry));
  const front = new BinaryWriter(FRONT_BYTES);
  writePrelude(front, LAYOUT);
  front.put(placeBytes(place)).u32(plain.length).put(new Uint8Array(RESERVED_BYTES));
  front.put(signer.publicKey).put(ciphertext);
  const { sealed, tag } = sealAead(keys.head, { nonce: HEAD_NONCE, aad: front.bytes }, plain);
  const signed = concatBytes([front.bytes, sealed, tag]);
  const signature = signer.sign(concatBytes([LABELS.signature, signed]));
  return concatBytes([signed, signature, checkOf(signed, signature)]);
}

/**
 * Reads what of a head is in the clear. Damage by accident shows in its check, which takes no key.
 * @param message id that its backend key gives, 32 hex digits
 * @throws `corrupt/MESSAGE_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`
 */
export function decodeMessageHead(bytes: Uint8Array, message: string): MessageHead {
  const fail = messageFail(message);
  if (bytes.length < FRONT_BYTES + TAIL_BYTES || bytes.length > INBOX_HEAD_BYTES_MAX) {
    fail(`has a head of ${bytes.length} bytes`);
  }
  const end = bytes.length - CHECK_BYTES;
  readPrelude(bytes, LAYOUT, { fail, intact: () => checkHolds(bytes.subarray(end), bytes.subarray(0, end)) });
  const reader = new BinaryReader(bytes, fail);
  reader.bytes(PRELUDE_BYTES);
  const store = copyBytes(reader.bytes(STORE_ID_BYTES));
  const id = copyBytes(reader.bytes(MESSAGE_ID_BYTES));
  const place = { store, message: id, namespace: reader.u32(), epoch: reader.u32() };
  if (reader.u32() !== bytes.length - FRONT_BYTES - TAIL_BYTES) fail('has a head of another length than it says');
  readReserved(reader, RESERVED_BYTES, fail);
  const writer = copyBytes(reader.bytes(WRITER_KEY_BYTES));
  const ciphertext = copyBytes(reader.bytes(KEM_CIPHERTEXT_BYTES));
  if (messageText(id) !== message) fail('has the head of another message');
  return { ...place, writer, ciphertext, bytes };
}

/** Whether the writer that the head names has signed it. The caller must know that writer. */
export function verifyMessageHead(head: MessageHead): boolean {
  const { writer, bytes } = head;
  const end = bytes.length - CHECK_BYTES;
  const signed = bytes.subarray(0, end - SIGNATURE_BYTES.ed25519);
  const message = concatBytes([LABELS.signature, signed]);
  const key = { algorithm: 'ed25519', publicKey: writer } as const;
  return verifySignature(key, message, bytes.subarray(signed.length, end));
}

/**
 * Opens the entry that a head asks for.
 * @throws `corrupt/MESSAGE_CORRUPT`
 */
export function openMessageHead({ bytes, message }: MessageHead, keys: MessageKeys): MessageEntry {
  const fail = messageFail(messageText(message));
  const end = bytes.length - TAIL_BYTES;
  const tag = bytes.subarray(end, end + AEAD_TAG_BYTES);
  const frame = { nonce: HEAD_NONCE, aad: bytes.subarray(0, FRONT_BYTES), tag };
  const plain = openAead(keys.head, frame, bytes.subarray(FRONT_BYTES, end));
  if (plain === undefined) return fail('does not open under its key');
  const reader = new BinaryReader(plain, fail);
  return decodeEntry(reader.bytes(reader.u32()), fail);
}

/** The error of a message that is damaged, or not what it says. @param message 32 hex digits */
export function messageFail(message: string): Fail {
  return failWith('MESSAGE_CORRUPT', 'message', { backendKey: messageHeadKey(message) });
}

function placeBytes({ store, message, namespace, epoch }: MessagePlace): Uint8Array {
  invariant(store.length === STORE_ID_BYTES && message.length === MESSAGE_ID_BYTES, 'ids have 16 bytes');
  return new BinaryWriter(PLACE_BYTES).put(store).put(message).u32(namespace).u32(epoch).bytes;
}

function padded(content: Uint8Array): Uint8Array {
  const bytes = padmeBytes(Math.max(PLAIN_BYTES_MIN, LENGTH_BYTES + content.length));
  return new BinaryWriter(bytes).u32(content.length).put(content).bytes;
}

function encodeEntry({ key, contentType, attributes, digest, size, parts }: MessageEntry): Uint8Array {
  invariant(key.length > 0 && key.length <= ENTRY_KEY_BYTES_MAX, 'an entry key has 1 to 1,024 bytes');
  invariant(digest.length === DIGEST_BYTES, 'a digest has 32 bytes');
  const described = [contentTypeToCbor(contentType), attributesToCbor(attributes)];
  return encodeCbor([ENTRY_VERSION, key, ...described, digest, size, parts]);
}

function decodeEntry(bytes: Uint8Array, fail: Fail): MessageEntry {
  const fields = new Fields(decodeCbor(bytes, fail), fail);
  fields.version('message', ENTRY_VERSION);
  const key = fields.bytesBetween('key', { min: 1, max: ENTRY_KEY_BYTES_MAX });
  const contentType = fields.nullable('content type', () => contentTypeFromCbor(fields.any('content type'), fail));
  const attributes = attributesFromCbor(fields.any('attributes'), fail);
  const digest = fields.bytes('digest', DIGEST_BYTES);
  const size = fields.integer('size');
  const parts = fields.integer('number of parts', { max: INBOX_PARTS_MAX });
  fields.end();
  return { key, attributes, digest, size, parts, ...(contentType !== undefined && { contentType }) };
}
