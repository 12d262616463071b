/**
 * Deterministic CBOR (RFC 8949, section 4.2.1): one value has one encoding, and the decoder takes no other. Values are
 * safe integers, byte strings, text, arrays, maps with text keys, and null; never floats, tags, indefinite lengths.
 *
 * Invariant: `decodeCbor(bytes)` gives a value only if `encodeCbor` of it gives the same bytes back. What a decoder
 * builds is bounded by the input and by `CBOR_ITEMS_MAX` and `CBOR_DEPTH_MAX`; nesting cannot overflow the stack.
 */

import { decode, encode, rfc8949EncodeOptions, type Token, Tokenizer, Type } from 'cborg';
import { equalBytes, utf8Decode } from '../bytes/bytes.ts';
import { CBOR_DEPTH_MAX, CBOR_ITEMS_MAX } from '../limits.ts';
import type { Fail } from './damage.ts';

/** What the formats are made of. Numbers are safe integers. */
export type CborValue = number | Uint8Array | string | null | readonly CborValue[] | ReadonlyMap<string, CborValue>;

const DECODE_OPTIONS = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  // Plain objects would take a key `__proto__` as their prototype.
  useMaps: true,
  rejectDuplicateMapKeys: true,
  retainStringBytes: true,
} as const;

/** Encodes a value. The result is the caller's own memory, never a view of a pool. */
export function encodeCbor(value: CborValue): Uint8Array {
  const bytes = encode(value, rfc8949EncodeOptions);
  // A short one is copied unseen, as asking for its buffer costs more.
  const isPooled = Buffer.isBuffer(bytes) || bytes.length <= SHORT_BYTES || bytes.length !== bytes.buffer.byteLength;
  // Not `slice`, which gives another view where the bytes are a `Buffer`.
  return isPooled ? new Uint8Array(bytes) : bytes;
}

const SHORT_BYTES = 64;

/** What CBOR has and the formats have not, apart from what the options keep out. */
const FOREIGN = [Type.float, Type.true, Type.false];

class BoundedTokenizer extends Tokenizer {
  /** Values still to come in every open array or map, innermost last. */
  readonly #open: number[] = [];
  #items = 0;

  override next(): Token {
    const token = super.next();
    this.#items += 1;
    if (this.#items > CBOR_ITEMS_MAX) throw new RangeError(`more than ${CBOR_ITEMS_MAX} values`);
    // The decoder below is lenient about UTF-8 and swallows byte order marks.
    if (Type.equals(token.type, Type.string)) token.value = utf8Decode(token.byteValue ?? new Uint8Array(0));
    if (FOREIGN.some((type) => Type.equals(token.type, type))) throw new TypeError(`a ${token.type.name}`);
    this.#nest(token);
    return token;
  }

  #nest(token: Token): void {
    const depth = this.#open.length;
    if (depth > 0) this.#open[depth - 1] = (this.#open[depth - 1] ?? 0) - 1;
    if (Type.equals(token.type, Type.array)) this.#open.push(token.value);
    if (Type.equals(token.type, Type.map)) this.#open.push(2 * token.value);
    if (this.#open.length > CBOR_DEPTH_MAX) throw new RangeError(`nested deeper than ${CBOR_DEPTH_MAX}`);
    while (this.#open.at(-1) === 0) this.#open.pop();
  }
}

/**
 * Decodes one value that fills the bytes. Byte strings are copies.
 * @throws what `fail` throws for anything but the deterministic encoding of a value
 */
export function decodeCbor(bytes: Uint8Array, fail: Fail): unknown {
  // Byte strings out of a `Buffer` would be views of it.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  let value: CborValue;
  let canonical: Uint8Array;
  try {
    value = decode(plain, { ...DECODE_OPTIONS, tokenizer: new BoundedTokenizer(plain, DECODE_OPTIONS) });
    canonical = encodeCbor(value);
  } catch (error) {
    // Pure functions over bytes: whatever they throw, these bytes are the reason.
    return fail('is not CBOR of the kind Holdfast writes', error);
  }
  if (!equalBytes(canonical, bytes)) fail('is not in deterministic CBOR');
  return value;
}
