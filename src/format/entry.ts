/**
 * Entry values: what one version of an entry is, as journal records and metadata rows carry it. Deterministic CBOR;
 * layout in `docs/format.md`, section "Entry value".
 */

import { compareBytes, utf8Encode } from '../bytes/bytes.ts';
import { argumentRangeError, checkInteger } from '../errors/argument-error.ts';
import { invariant } from '../errors/store-error.ts';
import { blake3, type Digest } from '../hash/index.ts';
import { ATTRIBUTES_BYTES_MAX, CONTENT_TYPE_BYTES_MAX, MANIFEST_INLINE_BYTES_MAX } from '../limits.ts';
import { type CborValue, decodeCbor, encodeCbor } from './cbor.ts';
import { type Fail, failWith } from './damage.ts';
import { Fields } from './fields.ts';
import { DIGEST_BYTES } from './sizes.ts';
import type { EntryValue } from './types.ts';

/** Version 2 are isolated entries. */
const ENTRY_VERSION = 1;
/** Of the input to {@link entryVersion}: changing it would give every entry another version. */
const VERSION_SCHEME = 1;
const MANIFEST_INLINE = 0;
const MANIFEST_BY_ID = 1;

function textToCbor(parameter: string, text: string): string {
  if (!text.isWellFormed()) throw argumentRangeError(parameter, 'without lone surrogates', text);
  return text;
}

/** @throws RangeError for lone surrogates and for more than `ATTRIBUTES_BYTES_MAX` as encoded */
export function attributesToCbor(attributes: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const pairs = Object.entries(attributes);
  if (pairs.length === 0) return new Map();
  for (const [name, value] of pairs) {
    textToCbor('attributes', name);
    textToCbor('attributes', value);
  }
  const bytes = attributesBytes(attributes);
  if (bytes > ATTRIBUTES_BYTES_MAX)
    throw argumentRangeError('attributes', `at most ${ATTRIBUTES_BYTES_MAX} bytes`, bytes);
  return new Map(pairs);
}

/** Bytes of attributes as encoded: what `ATTRIBUTES_BYTES_MAX` bounds. Names and values are well-formed text. */
export function attributesBytes(attributes: Readonly<Record<string, string>>): number {
  return encodeCbor(new Map(Object.entries(attributes))).length;
}

/** @throws RangeError for lone surrogates and for more than `CONTENT_TYPE_BYTES_MAX` */
export function contentTypeToCbor(contentType: string | undefined): string | null {
  if (contentType === undefined) return null;
  const bytes = Buffer.byteLength(contentType);
  if (bytes > CONTENT_TYPE_BYTES_MAX)
    throw argumentRangeError('contentType', `at most ${CONTENT_TYPE_BYTES_MAX} bytes`, bytes);
  return textToCbor('contentType', contentType);
}

function manifestToCbor(manifest: EntryValue['manifest']): CborValue {
  if ('id' in manifest) {
    invariant(manifest.id.length === DIGEST_BYTES, 'a manifest id has 32 bytes');
    return [MANIFEST_BY_ID, manifest.id];
  }
  checkInteger('manifest.inline.length', manifest.inline.length, { min: 1, max: MANIFEST_INLINE_BYTES_MAX });
  return [MANIFEST_INLINE, manifest.inline];
}

/**
 * Encodes an entry value; the order in which attributes were given makes no difference.
 * @throws RangeError for lone surrogates, sizes out of range, and attributes (as encoded), a content type or an inline
 *   manifest above their limits
 */
export function encodeEntry(value: EntryValue): Uint8Array {
  invariant(
    value.digest.length === DIGEST_BYTES && value.root.length === DIGEST_BYTES,
    'digest and root have 32 bytes',
  );
  invariant(value.parent === undefined || value.parent.length === DIGEST_BYTES, 'a version has 32 bytes');
  return encodeCbor([
    ENTRY_VERSION,
    value.digest,
    checkInteger('size', value.size, { min: 0 }),
    checkInteger('chunkCount', value.chunkCount, { min: Math.min(1, value.size), max: value.size }),
    value.root,
    manifestToCbor(value.manifest),
    contentTypeToCbor(value.contentType),
    attributesToCbor(value.attributes),
    value.parent ?? null,
  ]);
}

function manifestFromCbor(value: unknown, fail: Fail): EntryValue['manifest'] {
  const fields = new Fields(value, fail);
  const form = fields.integer('form of manifest', { max: MANIFEST_BY_ID });
  const manifest =
    form === MANIFEST_BY_ID
      ? { id: fields.bytes('manifest id', DIGEST_BYTES) }
      : { inline: fields.bytesBetween('manifest', { min: 1, max: MANIFEST_INLINE_BYTES_MAX }) };
  fields.end();
  return manifest;
}

/** Attributes out of decoded CBOR, by name. @throws what `fail` throws */
export function attributesFromCbor(value: unknown, fail: Fail): Readonly<Record<string, string>> {
  if (!(value instanceof Map)) return fail('has attributes that are no map');
  const pairs: { readonly name: string; readonly order: Uint8Array; readonly text: string }[] = [];
  for (const [name, text] of value as Map<unknown, unknown>) {
    if (typeof name !== 'string' || typeof text !== 'string') return fail('has an attribute that is no text');
    pairs.push({ name, order: utf8Encode(name), text });
  }
  const bytes = encodeCbor(value as ReadonlyMap<string, string>).length;
  if (bytes > ATTRIBUTES_BYTES_MAX) fail(`has attributes of ${bytes} bytes`);
  pairs.sort((a, b) => compareBytes(a.order, b.order));
  // `fromEntries` defines properties: a name like `__proto__` stays an ordinary one.
  return Object.fromEntries(pairs.map(({ name, text }) => [name, text]));
}

/** A content type out of decoded CBOR. @throws what `fail` throws */
export function contentTypeFromCbor(value: unknown, fail: Fail): string {
  if (typeof value !== 'string') return fail('has a content type that is no text');
  if (Buffer.byteLength(value) > CONTENT_TYPE_BYTES_MAX) fail('has a content type that is too long');
  return value;
}

/**
 * Decodes an entry value; nothing of the result is a view of `bytes`. Attributes are in byte order of their names, as
 * far as JavaScript keeps the order of properties (whole numbers come first).
 * @throws `corrupt/ENTRY_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`
 */
export function decodeEntry(bytes: Uint8Array): EntryValue {
  const fail = failWith('ENTRY_CORRUPT', 'entry');
  const fields = new Fields(decodeCbor(bytes, fail), fail);
  fields.version('entry', ENTRY_VERSION);
  const digest = fields.bytes('digest', DIGEST_BYTES);
  const size = fields.integer('size');
  const chunkCount = fields.integer('chunk count', { min: Math.min(1, size), max: size });
  const root = fields.bytes('root', DIGEST_BYTES);
  const manifest = manifestFromCbor(fields.any('manifest'), fail);
  const contentType = fields.any('content type');
  const attributes = attributesFromCbor(fields.any('attributes'), fail);
  const parent = fields.nullable('parent', () => fields.bytes('parent', DIGEST_BYTES));
  fields.end();
  return {
    ...{ digest, size, chunkCount, root, manifest, attributes },
    ...(contentType !== null && { contentType: contentTypeFromCbor(contentType, fail) }),
    ...(parent && { parent }),
  };
}

/**
 * The version of an entry, 32 bytes: BLAKE3 over deterministic CBOR of content and user's metadata. Equal for equal
 * content, content type, attributes and parent, however the content was cut into chunks.
 */
export function entryVersion(
  value: Pick<EntryValue, 'digest' | 'size' | 'contentType' | 'attributes' | 'parent'>,
): Digest {
  const { digest, size, contentType, attributes, parent } = value;
  return blake3(
    encodeCbor([
      VERSION_SCHEME,
      digest,
      size,
      contentTypeToCbor(contentType),
      attributesToCbor(attributes),
      parent ?? null,
    ]),
  );
}
