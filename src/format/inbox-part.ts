/**
 * Parts of inbox messages: the content, as a run of pieces that is sealed and padded as a whole. Layout in
 * `docs/format.md`, section "Inbox".
 *
 * Invariant: a part is read without any other part, in bounded memory, and nothing of it before it authenticates.
 */

import { BinaryReader } from '../bytes/binary-reader.ts';
import { BinaryWriter } from '../bytes/binary-writer.ts';
import { concatBytes, toHex, utf8Encode } from '../bytes/bytes.ts';
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, openAead, sealAead } from '../crypto/aead.ts';
import { padmeBytes } from '../crypto/padme.ts';
import { checkInteger } from '../errors/argument-error.ts';
import { invariant } from '../errors/store-error.ts';
import { CHUNK_BYTES_MAX, INBOX_PART_BYTES, INBOX_PARTS_MAX, KIB } from '../limits.ts';
import type { Fail } from './damage.ts';
import { DIGEST_BYTES } from './sizes.ts';

/** Bytes of the largest part. */
export const MESSAGE_PART_BYTES_MAX = INBOX_PART_BYTES + AEAD_TAG_BYTES;

const AAD = utf8Encode('holdfast message part v1');
const CODES = { end: 0, bytes: 1, again: 2, stored: 3 } as const;
/** Code and length of a piece that brings its bytes. */
const BYTES_HEAD = 5;
const AGAIN_BYTES = 9;
const STORED_BYTES = 5 + DIGEST_BYTES;

/** The next bytes of the content: in the part itself, or in the store under their digest. */
export type MessagePiece =
  /** A view of the part. */
  | { readonly bytes: Uint8Array; readonly digest?: undefined }
  /** `digest`: BLAKE3 of the plain chunk. */
  | { readonly digest: Uint8Array; readonly length: number; readonly bytes?: undefined };

/** What a builder begins with: small contents take little memory. */
const FIRST_BUFFER_BYTES = 64 * KIB;

/** Gathers the pieces of one part after the other, in one buffer. */
export class PartBuilder {
  #buffer = new Uint8Array(FIRST_BUFFER_BYTES);
  /** Where the bytes of each whole chunk lie, by digest. */
  readonly #offsets = new Map<string, number>();
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /**
   * Adds content as bytes; what the part holds already is not written again.
   * @param chunk copied
   * @param digest of the chunk; absent for the rest of one that began in another part
   * @returns how many of the bytes found room: fewer means that the part is full
   */
  addBytes(chunk: Uint8Array, digest?: Uint8Array): { readonly taken: number; readonly written: number } {
    const name = digest && toHex(digest);
    const offset = name === undefined ? undefined : this.#offsets.get(name);
    if (offset !== undefined && this.#room >= AGAIN_BYTES) {
      this.#push(new BinaryWriter(AGAIN_BYTES).u8(CODES.again).u32(offset).u32(chunk.length).bytes);
      return { taken: chunk.length, written: 0 };
    }
    const taken = Math.min(chunk.length, Math.max(0, this.#room - BYTES_HEAD));
    if (taken === 0) return { taken, written: 0 };
    this.#push(new BinaryWriter(BYTES_HEAD).u8(CODES.bytes).u32(taken).bytes);
    if (name !== undefined && taken === chunk.length) this.#offsets.set(name, this.#length);
    this.#push(chunk.subarray(0, taken));
    return { taken, written: taken };
  }

  /** Adds a chunk that is in the store. @returns whether it found room */
  addStored(digest: Uint8Array, length: number): boolean {
    invariant(digest.length === DIGEST_BYTES, 'a digest has 32 bytes');
    if (this.#room < STORED_BYTES) return false;
    this.#push(new BinaryWriter(STORED_BYTES).u8(CODES.stored).u32(length).put(digest).bytes);
    return true;
  }

  /**
   * Ends the part, and begins the next one.
   * @returns the run of pieces with zeros behind it, which read as its end: as long as Padmé makes it. Valid until
   *   something is added
   */
  finish(): Uint8Array {
    const length = this.#length;
    const padded = Math.min(INBOX_PART_BYTES, padmeBytes(length));
    this.#reserve(padded);
    this.#buffer.fill(0, length, padded);
    this.#offsets.clear();
    this.#length = 0;
    return this.#buffer.subarray(0, padded);
  }

  get #room(): number {
    return INBOX_PART_BYTES - this.#length;
  }

  #push(bytes: Uint8Array): void {
    this.#reserve(this.#length + bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.min(INBOX_PART_BYTES, Math.max(bytes, 2 * this.#buffer.length)));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

/**
 * Goes through the pieces of an opened part.
 * @throws what `fail` throws
 */
export function* readPieces(plain: Uint8Array, fail: Fail): Generator<MessagePiece> {
  const reader = new BinaryReader(plain, fail);
  while (reader.remaining > 0) {
    const start = reader.offset;
    const code = reader.u8();
    switch (code) {
      case CODES.end:
        return;
      case CODES.bytes:
        yield { bytes: reader.bytes(reader.u32()) };
        break;
      case CODES.again: {
        const offset = reader.u32();
        const end = offset + reader.u32();
        if (end > start) fail('repeats bytes that are not before it');
        yield { bytes: plain.subarray(offset, end) };
        break;
      }
      case CODES.stored: {
        const length = reader.u32();
        if (length === 0 || length > CHUNK_BYTES_MAX) fail(`names a chunk of ${length} bytes`);
        yield { digest: reader.bytes(DIGEST_BYTES), length };
        break;
      }
      default:
        fail(`has a piece of the unknown kind ${code}`);
    }
  }
}

/** Seals what `PartBuilder.finish` gave. @param index of the part, never the same twice under one key */
export function sealMessagePart(key: Uint8Array, index: number, plain: Uint8Array): Uint8Array {
  const { sealed, tag } = sealAead(key, { nonce: nonceOf(index), aad: AAD }, plain);
  return concatBytes([sealed, tag]);
}

/** @throws what `fail` throws for a part that was not sealed under this key and index */
export function openMessagePart(
  key: Uint8Array,
  part: { readonly index: number; readonly bytes: Uint8Array },
  fail: Fail,
): Uint8Array {
  const { index, bytes } = part;
  const end = Math.max(0, bytes.length - AEAD_TAG_BYTES);
  const frame = { nonce: nonceOf(index), aad: AAD, tag: bytes.subarray(end) };
  return openAead(key, frame, bytes.subarray(0, end)) ?? fail(`has a part ${index} that does not open under its key`);
}

function nonceOf(index: number): Uint8Array {
  checkInteger('index', index, { min: 0, max: INBOX_PARTS_MAX - 1 });
  return new BinaryWriter(AEAD_NONCE_BYTES).u32(index).bytes;
}
