import { toHex, utf8Decode } from '../bytes/bytes.ts';
import { isStoreError, storeError } from '../errors/store-error.ts';
import { type EntryValue, type ItemIds, unscopeKey } from '../format/index.ts';
import { asDigest, formatDigest } from '../hash/index.ts';
import type { EntryRow } from '../metadata/contract.ts';
import type { ItemReader } from '../pipeline/item-reader.ts';
import type { EntryInfo } from './types.ts';

/** An entry whose value can be read, and who reads its content. */
export interface OpenedEntry {
  readonly row: EntryRow;
  readonly value: EntryValue;
  /** Of its namespace, or of the entry alone. */
  readonly reader: ItemReader;
  readonly ids: ItemIds;
  readonly isolated: boolean;
}

/** A digest as users see it: `blake3:<hex>`. */
export function digestText(digest: Uint8Array): string {
  return formatDigest('blake3', asDigest(digest));
}

/** The key of a row as users see it. */
export function keyText(row: Pick<EntryRow, 'key'>): string {
  return utf8Decode(unscopeKey(row.key).key);
}

/** What users see of an entry. */
export function toEntryInfo({ row, value, isolated }: OpenedEntry): EntryInfo {
  return Object.freeze({
    key: keyText(row),
    version: toHex(row.version),
    digest: digestText(value.digest),
    size: value.size,
    chunks: value.chunkCount,
    root: digestText(value.root),
    ...(value.contentType !== undefined && { contentType: value.contentType }),
    attributes: Object.freeze({ ...value.attributes }),
    ...(value.parent && { parent: toHex(value.parent) }),
    ...(isolated && { isolated }),
    created: new Date(row.created).toISOString(),
    modified: new Date(row.modified).toISOString(),
  });
}

/**
 * What is known of an entry that is at the version which is expected.
 * @throws `conflict/PRECONDITION_FAILED` when it is at another
 */
export function currentAt(entry: OpenedEntry, expected: Uint8Array | undefined): EntryInfo {
  const info = toEntryInfo(entry);
  if (expected === undefined || toHex(expected) === info.version) return info;
  throw storeError('PRECONDITION_FAILED', `entry ${JSON.stringify(info.key)} is not at version ${toHex(expected)}`, {
    details: { key: info.key, expected: toHex(expected), actual: info.version },
  });
}

/** Damage found under an entry, and backends that it needs, name the entry; every other error stays as it is. */
export function namingEntry(error: unknown, key: string): unknown {
  if (!isStoreError(error) || error.details.key !== undefined) return error;
  if (error.kind !== 'corrupt' && error.code !== 'BACKEND_UNREACHABLE') return error;
  return storeError(error.code, `entry ${JSON.stringify(key)}: ${error.message}`, {
    details: { ...error.details, key },
    cause: error,
  });
}
