/**
 * The values of a row as they stand inside its seal: one after the other, then zeros.
 *
 *     number (not negative, to 2^53-1)   0x10 | n, then n bytes little-endian, the fewest that hold it
 *     bytes                              0x20 | n, length in n bytes as above, the bytes
 *     text                               0x30 | n, length in n bytes as above, UTF-8
 *     NULL                               0x40
 *
 * One row has one encoding; what opens was written by a holder of the keys, so any other is damage of ours.
 */
import { utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import type { SqlValue } from './database.ts';

const NUMBER = 0x10;
const BYTES = 0x20;
const TEXT = 0x30;
const NULL = 0x40;
const END = 0;

/** Head and length of any value but its bytes: one byte of type, and a safe integer. */
const VALUE_HEAD_BYTES_MAX = 8;

/** Collects values; one for all rows, since a row is encoded in one synchronous call. */
class ValueWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(2 * (this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes.fill(0);
    this.#bytes = grown;
  }

  #number(type: number, value: number): void {
    const head = this.#length;
    let rest = value;
    this.#length += 1;
    while (rest > 0) {
      this.#bytes[this.#length] = rest % 256;
      this.#length += 1;
      rest = Math.floor(rest / 256);
    }
    this.#bytes[head] = type | (this.#length - head - 1);
  }

  add(value: SqlValue): void {
    if (value === null) {
      this.#reserve(1);
      this.#bytes[this.#length++] = NULL;
      return;
    }
    if (typeof value === 'number') {
      invariant(Number.isSafeInteger(value) && value >= 0, 'numbers of rows are not negative');
      this.#reserve(VALUE_HEAD_BYTES_MAX);
      this.#number(NUMBER, value);
      return;
    }
    invariant(typeof value !== 'bigint', 'no row holds numbers beyond 2^53-1');
    const bytes = typeof value === 'string' ? utf8Encode(value) : value;
    this.#reserve(VALUE_HEAD_BYTES_MAX + bytes.length);
    this.#number(typeof value === 'string' ? TEXT : BYTES, bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** The values so far, zeros up to a multiple of `padBytes` after them; plain bytes do not stay here. */
  finish(padBytes: number): Uint8Array {
    const padded = new Uint8Array(Math.ceil(this.#length / padBytes) * padBytes);
    const written = this.#bytes.subarray(0, this.#length);
    padded.set(written);
    written.fill(0);
    this.#length = 0;
    return padded;
  }
}

const writer = new ValueWriter();

/** @param padBytes the result is a multiple of it long */
export function encodeValues(values: readonly SqlValue[], padBytes: number): Uint8Array {
  for (const value of values) writer.add(value);
  return writer.finish(padBytes);
}

/**
 * @param least of the values, the last ones may be missing down to so many
 * @returns the values, or `undefined` when these are not as many; byte arrays are views of `bytes`
 */
export function decodeValues(bytes: Uint8Array, count: number, least = count): readonly SqlValue[] | undefined {
  const values: SqlValue[] = [];
  let at = 0;
  while (values.length < count) {
    const head = bytes[at] ?? END;
    if (head === END && values.length >= least) break;
    at += 1;
    const width = head & 0x0f;
    let number = 0;
    for (let index = width - 1; index >= 0; index -= 1) number = number * 256 + (bytes[at + index] ?? 0);
    at += width;
    const type = head & 0xf0;
    if (at > bytes.length || !Number.isSafeInteger(number)) return undefined;
    if (type === NUMBER) values.push(number);
    else if (type === NULL) values.push(null);
    else if (type === BYTES || type === TEXT) {
      if (number > bytes.length - at) return undefined;
      const content = bytes.subarray(at, at + number);
      values.push(type === TEXT ? utf8Decode(content) : content);
      at += number;
    } else return undefined;
  }
  return bytes.subarray(at).every((byte) => byte === END) ? values : undefined;
}
