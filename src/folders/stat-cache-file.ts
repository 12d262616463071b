/**
 * How a stat cache lies on disk. Little-endian; all of it is checked before anything of it is believed.
 *
 *     magic    8   "HFSTAT" and the version as two digits
 *     scope   32   SHA-256 of which store and which folder it is about
 *     count    4   records
 *     records      path length u16, path, size u64, mtime i64 ns, ctime i64 ns, inode u64, value 32
 *     digest  32   SHA-256 of everything before
 *
 * A digest, not a checksum: what is read here decides that a file is not read. It does not protect against somebody who
 * may write the file; they could change the files themselves.
 */
import { createHash } from 'node:crypto';

const MAGIC = Buffer.from('HFSTAT01');
const DIGEST_BYTES = 32;
const HEAD_BYTES = MAGIC.length + DIGEST_BYTES + 4;
export const CACHED_VALUE_BYTES = 32;
const FACTS_BYTES = 32;
const ENCODED_BYTES = FACTS_BYTES + CACHED_VALUE_BYTES;
const RECORD_FIXED_BYTES = 2 + ENCODED_BYTES;
/** Longer ones are not remembered; no system has them. */
export const CACHED_PATH_BYTES_MAX = 0xffff;

/** What a file must be for its value to hold. */
export interface CachedFacts {
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly ino: bigint;
}

/** Where in a decoded cache the facts of each path lie; paths as text of one character per byte. */
export interface DecodedStatCache {
  readonly bytes: Buffer;
  readonly offsets: Map<string, number>;
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** @returns `undefined` for bytes that are damaged, of another version or about something else */
export function decodeStatCache(bytes: Buffer, scope: Uint8Array): DecodedStatCache | undefined {
  const end = bytes.length - DIGEST_BYTES;
  if (end < HEAD_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (!bytes.subarray(MAGIC.length, MAGIC.length + DIGEST_BYTES).equals(scope)) return undefined;
  if (!digestOf(bytes.subarray(0, end)).equals(bytes.subarray(end))) return undefined;
  const count = bytes.readUInt32LE(HEAD_BYTES - 4);
  const offsets = new Map<string, number>();
  let offset = HEAD_BYTES;
  for (let index = 0; index < count; index += 1) {
    if (offset + RECORD_FIXED_BYTES > end) return undefined;
    const facts = offset + 2 + bytes.readUInt16LE(offset);
    if (facts + ENCODED_BYTES > end) return undefined;
    offsets.set(bytes.toString('latin1', offset + 2, facts), facts);
    offset = facts + ENCODED_BYTES;
  }
  return offset === end ? { bytes, offsets } : undefined;
}

/** Whether the facts at `offset` are those of a file. */
export function factsEqual(bytes: Buffer, offset: number, facts: CachedFacts): boolean {
  return (
    bytes.readBigUInt64LE(offset) === BigInt(facts.size) &&
    bytes.readBigInt64LE(offset + 8) === facts.mtimeNs &&
    bytes.readBigInt64LE(offset + 16) === facts.ctimeNs &&
    bytes.readBigUInt64LE(offset + 24) === BigInt.asUintN(64, facts.ino)
  );
}

/** A view of the value that goes with the facts at `offset`. */
export function valueAt(bytes: Buffer, offset: number): Buffer {
  return bytes.subarray(offset + FACTS_BYTES, offset + FACTS_BYTES + CACHED_VALUE_BYTES);
}

/** Facts and value as a record holds them; times beyond 64 bits of nanoseconds have none. */
export function encodeFacts(facts: CachedFacts, value: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(ENCODED_BYTES);
  bytes.writeBigUInt64LE(BigInt(facts.size), 0);
  bytes.writeBigInt64LE(facts.mtimeNs, 8);
  bytes.writeBigInt64LE(facts.ctimeNs, 16);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, facts.ino), 24);
  bytes.set(value, FACTS_BYTES);
  return bytes;
}

/** Facts and value at `offset` of a decoded cache, as they are. */
export function encodedAt(bytes: Buffer, offset: number): Buffer {
  return bytes.subarray(offset, offset + ENCODED_BYTES);
}

/** Records of one slab. */
const SLAB_RECORDS = 1024;

/**
 * Records that grow in number, by path as text of one character per byte. An array of its own for each would take
 * three times the memory, and have the garbage collector look at it again and again.
 */
export class CachedRecords {
  readonly #numbers = new Map<string, number>();
  readonly #slabs: Buffer[] = [];
  #pathBytes = 0;

  get size(): number {
    return this.#numbers.size;
  }

  /** Bytes of all paths. */
  get pathBytes(): number {
    return this.#pathBytes;
  }

  has(path: string): boolean {
    return this.#numbers.has(path);
  }

  /** @param record what `encodeFacts` or `encodedAt` gave; copied */
  set(path: string, record: Buffer): void {
    let number = this.#numbers.get(path);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(path, number);
      this.#pathBytes += path.length;
      if (number % SLAB_RECORDS === 0) this.#slabs.push(Buffer.allocUnsafeSlow(SLAB_RECORDS * ENCODED_BYTES));
    }
    this.#at(number).set(record);
  }

  /** Paths with views of their records, in the order in which they came. */
  *[Symbol.iterator](): Generator<readonly [string, Buffer]> {
    for (const [path, number] of this.#numbers) yield [path, this.#at(number)];
  }

  #at(number: number): Buffer {
    return encodedAt(this.#slabs[Math.floor(number / SLAB_RECORDS)] as Buffer, (number % SLAB_RECORDS) * ENCODED_BYTES);
  }
}

/** Bytes of a cache file with these paths. */
export function encodedLength(pathBytes: number, count: number): number {
  return HEAD_BYTES + pathBytes + count * RECORD_FIXED_BYTES + DIGEST_BYTES;
}

export function encodeStatCache(records: CachedRecords, scope: Uint8Array): Buffer {
  const bytes = Buffer.alloc(encodedLength(records.pathBytes, records.size));
  bytes.set(MAGIC, 0);
  bytes.set(scope, MAGIC.length);
  bytes.writeUInt32LE(records.size, HEAD_BYTES - 4);
  let offset = HEAD_BYTES;
  for (const [path, facts] of records) {
    bytes.writeUInt16LE(path.length, offset);
    offset += 2;
    bytes.write(path, offset, 'latin1');
    offset += path.length;
    bytes.set(facts, offset);
    offset += facts.length;
  }
  bytes.set(digestOf(bytes.subarray(0, offset)), offset);
  return bytes;
}
