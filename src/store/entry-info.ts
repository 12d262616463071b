import { toHex, utf8Decode } from '../bytes/bytes.ts';
import { isStoreError, storeError } from '../errors/store-error.ts';
import { decodeEntry, type EntryValue } from '../format/index.ts';
import { asDigest, formatDigest } from '../hash/index.ts';
import type { EntryRow } from '../metadata/contract.ts';
import type { EntryInfo } from './types.ts';

/** A digest as users see it: `blake3:<hex>`. */
export function digestText(digest: Uint8Array): string {
  return formatDigest('blake3', asDigest(digest));
}

/** @throws `corrupt/ENTRY_CORRUPT` naming the key */
export function entryValue(row: EntryRow): EntryValue {
  try {
    return decodeEntry(row.entry);
  } catch (error) {
    throw namingEntry(error, utf8Decode(row.key));
  }
}

/** What users see of an entry. */
export function toEntryInfo(row: EntryRow): EntryInfo {
  const value = entryValue(row);
  return Object.freeze({
    key: utf8Decode(row.key),
    version: toHex(row.version),
    digest: digestText(value.digest),
    size: value.size,
    chunks: value.chunkCount,
    root: digestText(value.root),
    ...(value.contentType !== undefined && { contentType: value.contentType }),
    attributes: Object.freeze({ ...value.attributes }),
    ...(value.parent && { parent: toHex(value.parent) }),
    created: new Date(row.created).toISOString(),
    modified: new Date(row.modified).toISOString(),
  });
}

/** Damage found under an entry names the entry; every other error stays as it is. */
export function namingEntry(error: unknown, key: string): unknown {
  if (!isStoreError(error) || error.kind !== 'corrupt' || error.details.key !== undefined) return error;
  return storeError(error.code, `entry ${JSON.stringify(key)}: ${error.message}`, {
    details: { ...error.details, key },
    cause: error,
  });
}
