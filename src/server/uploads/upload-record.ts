/**
 * Records of an unfinished upload: what the server has taken of it, sealed with a key that only the address of the upload has.
 *
 * record = kind u8 | length u32 | nonce (12 bytes) | ciphertext | tag (16 bytes); integers little-endian. AES-256-GCM binds each
 * record to its file, its place in that and its kind, so that none can be left out, moved or taken from elsewhere.
 * @see NIST SP 800-38D, section 8.2.2 (random nonces: far fewer than 2^32 records are sealed with one key)
 */
import { type CipherGCM, createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { storeError } from '../../errors/store-error.ts';
import { UPLOAD_RECORD_BYTES } from '../../limits.ts';
import { systemRandom } from '../../runtime/random.ts';

/** What a record holds: what the upload is about, content, that it began to be stored, or what came of that. */
export const RECORD_KINDS = { facts: 1, content: 2, begun: 3, result: 4 } as const;

export type RecordKind = keyof typeof RECORD_KINDS;

export const RECORD_HEAD_BYTES = 17;
const [NONCE_AT, NONCE_BYTES, TAG_BYTES, KEY_BYTES] = [5, 12, 16, 32];
const KIND_OF = new Map<number, RecordKind>(
  Object.entries(RECORD_KINDS).map(([name, code]) => [code, name as RecordKind]),
);

/** Bytes of a record around what it holds. */
export const RECORD_EXTRA_BYTES = RECORD_HEAD_BYTES + TAG_BYTES;

/** What seals the records of one file. */
export interface RecordSeal {
  readonly key: Uint8Array;
  /** The beginning of the file, which is not sealed. */
  readonly head: Uint8Array;
}

/** @param secret 32 random bytes, which nobody has but who made the upload */
export function sealOf(secret: Uint8Array, head: Uint8Array): RecordSeal {
  return { key: new Uint8Array(hkdfSync('sha256', secret, '', 'holdfast upload 1', KEY_BYTES)), head };
}

function boundTo({ head }: RecordSeal, code: number, position: number): Uint8Array {
  const place = Buffer.alloc(9);
  place.writeUInt8(code);
  place.writeBigUInt64LE(BigInt(position), 1);
  return Buffer.concat([place, head]);
}

/** A record as it grows. */
export class OpenRecord {
  readonly #head = Buffer.alloc(RECORD_HEAD_BYTES);
  readonly #cipher: CipherGCM;
  readonly #parts: Uint8Array[] = [this.#head];
  #length = 0;

  /** @param position where in the file it will begin */
  constructor(seal: RecordSeal, kind: RecordKind, position: number) {
    const code = RECORD_KINDS[kind];
    const nonce = systemRandom(NONCE_BYTES);
    this.#head.writeUInt8(code);
    this.#head.set(nonce, NONCE_AT);
    this.#cipher = createCipheriv('aes-256-gcm', seal.key, nonce);
    this.#cipher.setAAD(boundTo(seal, code, position));
  }

  /** Bytes that still go into it. */
  get room(): number {
    return UPLOAD_RECORD_BYTES - this.#length;
  }

  get length(): number {
    return this.#length;
  }

  add(bytes: Uint8Array): void {
    this.#parts.push(this.#cipher.update(bytes));
    this.#length += bytes.length;
  }

  /** @returns the record, in pieces to be written one after the other */
  end(): Uint8Array[] {
    this.#head.writeUInt32LE(this.#length, 1);
    return [...this.#parts, this.#cipher.final(), this.#cipher.getAuthTag()];
  }
}

/** The head of a record. @returns `undefined` for what is none */
export function parseRecordHead(head: Buffer): { readonly kind: RecordKind; readonly length: number } | undefined {
  const kind = KIND_OF.get(head.readUInt8());
  const length = head.readUInt32LE(1);
  return kind === undefined || length > UPLOAD_RECORD_BYTES ? undefined : { kind, length };
}

/** @param record all of its bytes. @throws `corrupt/UPLOAD_CORRUPT` when they are not those that were written there */
export function openRecord(seal: RecordSeal, record: Buffer, position: number): Uint8Array {
  const nonce = record.subarray(NONCE_AT, RECORD_HEAD_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', seal.key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(boundTo(seal, record.readUInt8(), position));
  decipher.setAuthTag(record.subarray(-TAG_BYTES));
  const bytes = decipher.update(record.subarray(RECORD_HEAD_BYTES, -TAG_BYTES));
  try {
    decipher.final();
  } catch (cause) {
    throw storeError('UPLOAD_CORRUPT', 'what was taken of the upload is damaged', { cause });
  }
  return bytes;
}
