import { entryVersion } from '../format/entry.ts';
import { decodeEntryRow } from '../format/isolated-entry.ts';

/** What the metadata reads out of an encoded entry. */
export interface EntryFacts {
  readonly version: Uint8Array;
  readonly size: number;
  /** Of an isolated entry: the namespace of one that holds its content. */
  readonly isolation: number | undefined;
}

/** @throws `corrupt/ENTRY_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED` */
export function factsOfEntry(bytes: Uint8Array): EntryFacts {
  const decoded = decodeEntryRow(bytes);
  if ('value' in decoded) {
    return { version: entryVersion(decoded.value), size: decoded.value.size, isolation: undefined };
  }
  const { version, size, namespace: isolation } = decoded.isolated;
  return { version, size, isolation };
}
