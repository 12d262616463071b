/** Validates and normalises what callers pass; behind it everything is known to be well-formed. */
import { fromHex, utf8Encode } from '../bytes/bytes.ts';
import { argumentRangeError, argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { attributesBytes } from '../format/index.ts';
import { ATTRIBUTES_BYTES_MAX, CONTENT_TYPE_BYTES_MAX, ENTRY_KEY_BYTES_MAX } from '../limits.ts';
import type { StreamOptions } from './types.ts';

/**
 * An entry key as bytes. Keys are data, never paths: any well-formed text of 1 to 1,024 UTF-8 bytes is one.
 * @throws `TypeError`, `invalid/KEY_INVALID`
 */
export function encodeKey(key: unknown, parameter = 'key'): Uint8Array {
  if (typeof key !== 'string') throw argumentTypeError(parameter, 'a string', key);
  const invalid = (why: string): Error =>
    storeError('KEY_INVALID', `${parameter} ${why}`, { details: { key: key.toWellFormed().slice(0, 100) } });
  if (key === '') throw invalid('must not be empty');
  if (!key.isWellFormed()) throw invalid('holds half of a surrogate pair, which is no text');
  const bytes = utf8Encode(key);
  if (bytes.length > ENTRY_KEY_BYTES_MAX)
    throw invalid(`has ${bytes.length} bytes as UTF-8, at most ${ENTRY_KEY_BYTES_MAX} are allowed`);
  return bytes;
}

/** The beginning of keys, or a place between them: a key, or nothing. @throws `TypeError`, `invalid/KEY_INVALID` */
export function encodePrefix(prefix: unknown, parameter = 'prefix'): Uint8Array {
  return prefix === '' ? new Uint8Array(0) : encodeKey(prefix, parameter);
}

/** A version as it is handed out: 64 hex digits. @throws `TypeError`, `invalid/DIGEST_INVALID` */
export function parseVersion(text: unknown, parameter: string): Uint8Array {
  if (typeof text !== 'string') throw argumentTypeError(parameter, 'a version', text);
  const bytes = fromHex(text);
  if (bytes?.length !== 32)
    throw storeError('DIGEST_INVALID', `${parameter} must be a version of 64 hex digits`, {
      details: { digest: text.slice(0, 80) },
    });
  return bytes;
}

/** @throws `TypeError`, `invalid/ATTRIBUTES_INVALID` */
export function checkContentType(contentType: unknown): string {
  if (typeof contentType !== 'string') throw argumentTypeError('contentType', 'a string', contentType);
  if (!contentType.isWellFormed() || utf8Encode(contentType).length > CONTENT_TYPE_BYTES_MAX) {
    throw storeError('ATTRIBUTES_INVALID', `contentType must be text of at most ${CONTENT_TYPE_BYTES_MAX} bytes`);
  }
  return contentType;
}

/** @returns the attributes sorted by name. @throws `TypeError`, `invalid/ATTRIBUTES_INVALID` */
export function checkAttributes(attributes: unknown): Readonly<Record<string, string>> {
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) {
    throw argumentTypeError('attributes', 'an object of strings', attributes);
  }
  const pairs: [string, string][] = [];
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value !== 'string') throw argumentTypeError(`attributes[${JSON.stringify(name)}]`, 'a string', value);
    if (name === '' || !name.isWellFormed() || !value.isWellFormed()) {
      throw storeError(
        'ATTRIBUTES_INVALID',
        'attribute names must not be empty, and names and values must be well-formed text',
      );
    }
    pairs.push([name, value]);
  }
  pairs.sort(([a], [b]) => (a < b ? -1 : 1));
  const sorted = Object.fromEntries(pairs);
  const bytes = attributesBytes(sorted);
  if (bytes > ATTRIBUTES_BYTES_MAX) {
    throw storeError(
      'ATTRIBUTES_INVALID',
      `attributes have ${bytes} bytes as encoded, at most ${ATTRIBUTES_BYTES_MAX} are allowed`,
      { details: { size: bytes } },
    );
  }
  return sorted;
}

/** @throws `TypeError` for what nobody can iterate over */
export function checkItems(items: unknown): void {
  const isIterable =
    typeof items === 'object' && items !== null && (Symbol.asyncIterator in items || Symbol.iterator in items);
  if (!isIterable) throw argumentTypeError('items', 'an iterable of { key, source }', items);
}

/** @returns milliseconds since 1970. @throws `TypeError`, `RangeError` */
export function parseTime(time: unknown, parameter: string): number {
  if (!(time instanceof Date) && typeof time !== 'string')
    throw argumentTypeError(parameter, 'a Date or an ISO 8601 string', time);
  const milliseconds = typeof time === 'string' ? Date.parse(time) : time.getTime();
  if (Number.isNaN(milliseconds)) throw argumentRangeError(parameter, 'a time such as 2026-01-31T12:00:00Z', time);
  return milliseconds;
}

/** @throws `TypeError` and `RangeError` for what is no number of bytes, or neither true nor false */
export function checkStreaming({ readAheadBytes, lent = false }: StreamOptions): {
  readonly aheadBytes?: number;
  readonly lent: boolean;
} {
  if (typeof lent !== 'boolean') throw argumentTypeError('lent', 'true or false', lent);
  if (readAheadBytes === undefined) return { lent };
  return { lent, aheadBytes: checkInteger('readAheadBytes', readAheadBytes, { min: 0 }) };
}

/**
 * The bytes of an entry that a read asks for.
 * @throws `TypeError` and `RangeError` for what is no range at all, `invalid/RANGE_INVALID` past the end
 */
export function resolveRange(
  { key, size }: { readonly key: string; readonly size: number },
  options: { readonly offset?: number | undefined; readonly length?: number | undefined },
): { readonly offset: number; readonly end: number } {
  const offset = options.offset === undefined ? 0 : checkInteger('offset', options.offset, { min: 0 });
  const length =
    options.length === undefined ? Math.max(0, size - offset) : checkInteger('length', options.length, { min: 0 });
  if (offset > size || length > size - offset) {
    throw storeError('RANGE_INVALID', `bytes ${offset} to ${offset + length} are past the end at ${size}`, {
      details: { key, offset, length, size },
    });
  }
  return { offset, end: offset + length };
}
