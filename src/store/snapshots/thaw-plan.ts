/** Where frozen entries go, and what each of them becomes there. */
import { compareBytes, equalBytes, utf8Encode } from '../../bytes/bytes.ts';
import { argumentRangeError } from '../../errors/argument-error.ts';
import { isStoreError, type StoreError, storeError } from '../../errors/store-error.ts';
import { type EntryValue, encodeEntry, entryVersion } from '../../format/index.ts';
import type { Change, EntryRow } from '../../metadata/contract.ts';
import { type EntryChild, objectInvalid, objectMissing, parseObjectTime, type TreeChild } from '../../objects/index.ts';
import { checkAttributes, checkContentType, encodeKey } from '../arguments.ts';
import type { FoundObject } from '../objects/object-reader.ts';
import type { Scope } from '../scope.ts';
import { idBytes } from './graph-context.ts';
import type { ThawOptions } from './graph-types.ts';

type Overwrite = NonNullable<ThawOptions['overwrite']>;

/** A frozen entry and the key it gets. */
export interface ThawItem {
  readonly child: EntryChild;
  /** As the metadata has it. */
  readonly key: Uint8Array;
  readonly text: string;
  /** The version it will have. */
  readonly version: Uint8Array;
}

const NANOSECONDS_PER_MILLISECOND = 1_000_000n;
const OVERWRITES: readonly Overwrite[] = ['never', 'changed', 'always'];

/** @throws RangeError */
export function checkOverwrite(overwrite: unknown = 'never'): Overwrite {
  if (OVERWRITES.includes(overwrite as Overwrite)) return overwrite as Overwrite;
  throw argumentRangeError('overwrite', "'never', 'changed' or 'always'", String(overwrite));
}

/** Gives the keys of a frozen tree another beginning. Their order stays as it is. */
export class KeyMapping {
  readonly #scope: Scope;
  /** What all the frozen keys begin with. */
  readonly from: string;
  readonly to: string;

  constructor(scope: Scope, from: string, to: string) {
    this.#scope = scope;
    this.from = from;
    this.to = to;
  }

  /** Of a key that lies outside of what was frozen, as that of a parent may: itself. */
  text(key: string): string {
    return key.startsWith(this.from) ? this.to + key.slice(this.from.length) : key;
  }

  /** @throws `invalid/KEY_INVALID` */
  key(key: string): Uint8Array {
    return this.#scope.key(this.text(key));
  }

  /** @throws `invalid/*` for what cannot be an entry here */
  item(child: TreeChild): ThawItem {
    if (child.type !== 'entry') throw objectInvalid(child.name, `is a ${child.type} and no frozen entry`);
    if (!child.name.startsWith(this.from)) throw objectInvalid(child.name, 'does not begin as its tree says');
    const text = this.text(child.name);
    const version = entryVersion({ digest: idBytes(child.id), size: child.size, ...metadataOf(child) });
    return { child, key: this.#scope.key(text), text, version };
  }

  /** How the key of an entry compares with that of a row, as lists have them. */
  compare({ child }: { readonly child: TreeChild }, row: EntryRow): number {
    const whole = utf8Encode(this.text(child.name));
    // Both are of one namespace: what stands before the user's key is the same.
    return compareBytes(whole, row.key.subarray(this.#scope.prefix('').length));
  }
}

/** What an entry has beside its content. @throws `invalid/ATTRIBUTES_INVALID` */
function metadataOf(child: EntryChild): Pick<EntryValue, 'contentType' | 'attributes' | 'parent'> {
  const { contentType, attributes = {}, parentVersion } = child;
  return {
    attributes: checkAttributes(attributes),
    ...(contentType !== undefined && { contentType: checkContentType(contentType) }),
    ...(parentVersion !== undefined && { parent: idBytes(parentVersion) }),
  };
}

/** What to do with one entry. */
export type ThawDecision =
  | { readonly kind: 'put'; readonly change: Change; readonly replaces: boolean }
  | { readonly kind: 'keep' }
  | { readonly kind: 'fail'; readonly error: StoreError };

/**
 * Decides what becomes of one entry.
 * @param found its content, as the store has it
 * @param row the entry that is there now
 */
export function decide(
  item: ThawItem,
  found: FoundObject | StoreError | undefined,
  { row, overwrite }: { readonly row: EntryRow | undefined; readonly overwrite: Overwrite },
): ThawDecision {
  const { child, key, text } = item;
  const isSame = row !== undefined && equalBytes(row.version, item.version);
  if (isSame && overwrite !== 'always') return { kind: 'keep' };
  if (row && overwrite === 'never') return { kind: 'fail', error: entryExists(text) };
  if (found === undefined) return { kind: 'fail', error: objectMissing(child.id, 'blob') };
  if (isStoreError(found)) return { kind: 'fail', error: found };
  if (found.value.size !== child.size) {
    const error = objectInvalid(child.name, `is said to have ${child.size} bytes; its blob has ${found.value.size}`);
    return { kind: 'fail', error };
  }
  const { digest, size, chunkCount, root, manifest } = found.value;
  const entry = encodeEntry({ digest, size, chunkCount, root, manifest, ...metadataOf(child) });
  const change: Change = {
    ...{ type: 'put', key, entry, modified: modifiedOf(child) },
    // Somebody may put it meanwhile: then it is there, and stays.
    ...(overwrite === 'never' && { condition: { absent: true } }),
  };
  return { kind: 'put', change, replaces: row !== undefined };
}

function entryExists(key: string): StoreError {
  const message = `there is an entry ${JSON.stringify(key)} already, with another version`;
  return storeError('ENTRY_EXISTS', message, { details: { key } });
}

/** Milliseconds: what lies below was never the store's. */
function modifiedOf({ modified }: EntryChild): number {
  const time = parseObjectTime(modified);
  return time === undefined ? 0 : Number(time / NANOSECONDS_PER_MILLISECOND);
}

/** The key of the parent that an entry is to have. @throws `invalid/KEY_INVALID` */
export function parentKeyOf({ child }: ThawItem, mapping: KeyMapping): Uint8Array | undefined {
  return child.parent === undefined ? undefined : mapping.key(child.parent);
}

/** What a frozen tree says that its keys begin with; `undefined` for one that was made otherwise. */
export function frozenPrefix(metadata: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const prefix = metadata?.prefix;
  return typeof prefix === 'string' && prefix.isWellFormed() ? prefix : undefined;
}

/** @throws `TypeError`, `invalid/KEY_INVALID` */
export function checkToPrefix(prefix: string | undefined): string | undefined {
  if (prefix !== undefined && prefix !== '') encodeKey(prefix, 'toPrefix');
  return prefix;
}

export function sameKey(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && equalBytes(a, b));
}
