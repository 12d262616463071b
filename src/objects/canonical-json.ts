/**
 * Canonical JSON (RFC 8785): one spelling for every value, so that equal values have equal digests.
 *
 * Numbers are IEEE 754 doubles in the shortest spelling (section 3.2.2.3), names are sorted by UTF-16 code units
 * (section 3.2.3), there is no white space. Beyond the RFC this module refuses the name `__proto__` and bounds depth and
 * size. It knows nothing of objects.
 */

import canonicalize from 'canonicalize';
import { utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import { OBJECT_BYTES_MAX } from '../limits.ts';
import { checkJsonDepth } from './json-depth.ts';
import { copyJson, isInOrder, type JsonValue } from './json-value.ts';
import { objectInvalid } from './object-error.ts';

/**
 * The canonical spelling of a value as UTF-8.
 * @param what what the value is, for messages; default `value`
 * @returns bytes of the caller's own
 * @throws `invalid/OBJECT_INVALID` when it is not plain JSON, nested too deep or too large
 * @see https://www.rfc-editor.org/rfc/rfc8785
 * @example encodeCanonicalJson({ b: 1e3, a: 'x' }) // {"a":"x","b":1000}
 */
export function encodeCanonicalJson(value: unknown, what = 'value'): Uint8Array {
  return encodeCopied(copyJson(value, what), what);
}

/** Whether two values that are plain JSON are the same, in whatever order their names stand. */
export function sameJson(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && canonicalize(a) === canonicalize(b));
}

/** {@link encodeCanonicalJson} of what {@link copyJson} gave, or a part of it, which needs no second look. */
export function encodeCopied(value: JsonValue, what: string): Uint8Array {
  return encodeSpelling(spellCopied(value), what);
}

/** A spelling as bytes, within the size of an object. @throws `invalid/OBJECT_INVALID` */
export function encodeSpelling(text: string, what: string): Uint8Array {
  const bytes = utf8Encode(text);
  if (bytes.length > OBJECT_BYTES_MAX) throw objectInvalid(what, `has more than ${OBJECT_BYTES_MAX} bytes`);
  return bytes;
}

/**
 * The canonical spelling of what {@link copyJson} gave, or a part of it. RFC 8785 spells primitives as `JSON.stringify`
 * does (section 3.2.2), and the names of a copy are in order already: a tenth of the time for a full tree node.
 */
export function spellCopied(value: JsonValue): string {
  const text = isInOrder(value) ? JSON.stringify(value) : canonicalize(value);
  invariant(text !== undefined, 'plain JSON has a spelling');
  return text;
}

/**
 * Reads bytes that must be the canonical spelling of a value: white space, another order, a name twice, another spelling
 * of a number or a string, anything that would not be written so again is refused.
 * @param what what the bytes are, for messages; default `JSON`
 * @returns the value, frozen all through
 * @throws `invalid/OBJECT_INVALID`
 */
export function parseCanonicalJson(bytes: Uint8Array, what = 'JSON'): JsonValue {
  const text = decodeText(bytes, what);
  checkJsonDepth(text, what);
  const value = copyJson(parseText(text, what), what);
  // Decoding UTF-8 strictly loses nothing: equal texts are equal bytes.
  if (spellCopied(value) !== text) throw objectInvalid(what, 'is not in canonical form');
  return value;
}

/** UTF-8 within the size of an object. */
function decodeText(bytes: Uint8Array, what: string): string {
  if (bytes.length > OBJECT_BYTES_MAX) throw objectInvalid(what, `has more than ${OBJECT_BYTES_MAX} bytes`);
  return textOf(bytes, what);
}

/** @throws `invalid/OBJECT_INVALID` for what is not UTF-8 */
export function textOf(bytes: Uint8Array, what: string): string {
  try {
    return utf8Decode(bytes);
  } catch {
    // A pure function of the bytes: whatever it throws, it is the reason.
    throw objectInvalid(what, 'is not UTF-8');
  }
}

/** @throws `invalid/OBJECT_INVALID` for what is no JSON */
export function parseText(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A pure function of the text: whatever it throws, it is the reason. Its message quotes the text.
    throw objectInvalid(what, 'is no JSON');
  }
}
