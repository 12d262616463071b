/**
 * Which references to content the changes of one transaction made and unmade. They follow from what rows were and what
 * they become, so no change can forget them; counting them is done later (`reference-counts.ts`).
 */
import { BinaryReader } from '../bytes/binary-reader.ts';
import { concatBytes } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { isIsolatedEntry } from '../format/isolated-entry.ts';
import { namespaceOfKey } from '../format/scoped-key.ts';
import { ISOLATED_NAMESPACE_MIN } from '../limits.ts';
import { hasMet } from './census-place.ts';
import type { ReferenceKind, UncountedRow } from './collection-contract.ts';
import type { EntryRow } from './contract.ts';
import type { SqlParameters } from './database.ts';
import { decodeStep, placeOfStep } from './history-steps.ts';
import type { ObjectRow, RefRow } from './object-contract.ts';
import { type CountedObject, parseHistoryKey, type StepRow } from './object-rows.ts';
import type { Tables } from './tables.ts';

/** A reference before it has a row. */
export type NewReference = Pick<UncountedRow, 'change' | 'kind' | 'value' | 'namespace'> &
  Partial<Pick<UncountedRow, 'epoch' | 'parked'>>;

/** What `object` rows hold: the length of the key (u16), the key, the encoded entry of the content. */
function encodeObjectReference({ key, entry }: ObjectRow): Uint8Array {
  return concatBytes([Uint8Array.of(key.length & 0xff, key.length >> 8), key, entry]);
}

/** The key of an object and the encoded entry of its content, out of an `object` row. */
export function decodeObjectReference(value: Uint8Array): { readonly key: Uint8Array; readonly entry: Uint8Array } {
  const reader = new BinaryReader(value, (what) => {
    throw storeError('METADATA_CORRUPT', `metadata table uncounted: the object ${what}`, {
      details: { table: 'uncounted' },
    });
  });
  const key = reader.bytes(reader.u16());
  return { key, entry: reader.bytes(reader.remaining) };
}

interface Reference {
  readonly kind: ReferenceKind;
  readonly value: Uint8Array;
}

/** The content of an isolated entry lies in a namespace of its own, which goes with it: it is never counted. */
function ofEntry({ entry }: Pick<EntryRow, 'entry'>): readonly Reference[] {
  return isIsolatedEntry(entry) ? [] : [{ kind: 'content', value: entry }];
}

function ofStep(row: StepRow): readonly Reference[] {
  const { kind } = parseHistoryKey(placeOfStep(row).history);
  if (kind === 'version') return ofEntry(decodeStep(kind, row).row);
  const { from, to } = decodeStep(kind, row);
  return [from, to].flatMap((value) => (value ? [{ kind: 'target', value } as const] : []));
}

/** What is condemned was uncounted in advance: it refers to nothing, and going it unmakes nothing. */
function ofObject(row: CountedObject): readonly Reference[] {
  return row.condemned > 0 ? [] : [{ kind: 'object', value: encodeObjectReference(row) }];
}

/** The references that a row of each table holds. */
export const REFERENCES = {
  entries: ofEntry,
  steps: ofStep,
  objects: ofObject,
  refs: ({ target }: RefRow): readonly Reference[] => [{ kind: 'target', value: target }],
} as const;

/** Tables whose rows refer to content, in the order of the census. */
export type ReferringTable = keyof typeof REFERENCES;

/** Collects references while rows are saved. */
export class ReferenceLog {
  readonly #tables: Tables;
  #census: Uint8Array | undefined;
  #found: NewReference[] = [];
  /** Namespaces that leave with all they hold: what they refer to goes with them. */
  readonly leaving = new Set<number>();

  constructor(tables: Tables, census: Uint8Array | undefined) {
    this.#tables = tables;
    this.#census = census;
  }

  /** How far the census is from now on: what it is yet to meet is not told of. */
  follow(census: Uint8Array | undefined): void {
    this.#census = census;
  }

  addEntry(before: EntryRow | undefined, after: EntryRow | undefined): void {
    // A rename or a new time leaves what it refers to as it was.
    if (before && after && before.entry === after.entry) return;
    this.#add('entries', [before, after]);
  }

  addStep(before: StepRow | undefined, after: StepRow | undefined): void {
    this.#add('steps', [before, after]);
  }

  addObject(before: CountedObject | undefined, after: CountedObject | undefined): void {
    // Counts of the object itself change nothing of what it refers to.
    const isSame = before?.entry === after?.entry && before?.condemned === 0 && after?.condemned === 0;
    if (!isSame) this.#add('objects', [before, after]);
  }

  addRef(before: RefRow | undefined, after: RefRow | undefined): void {
    this.#add('refs', [before, after]);
  }

  /** What was found since the last call, in its order. */
  take(): readonly NewReference[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }

  #add<Row extends { readonly key: Uint8Array }>(
    table: ReferringTable,
    [before, after]: readonly [Row | undefined, Row | undefined],
  ): void {
    const row = after ?? before;
    if (!row || !this.#hasMet(table, row.key)) return;
    // `kind (u8)` stands before the keys of steps.
    const namespace = namespaceOfKey(table === 'steps' ? row.key.subarray(1) : row.key);
    if (this.leaving.has(namespace) || namespace >= ISOLATED_NAMESPACE_MIN) return;
    const referencesOf = REFERENCES[table] as unknown as (row: Row) => readonly Reference[];
    // New ones first: what is there before and after is never without a reference.
    if (after) for (const one of referencesOf(after)) this.#found.push({ ...one, change: 1, namespace });
    if (before) for (const one of referencesOf(before)) this.#found.push({ ...one, change: -1, namespace });
  }

  #hasMet(table: ReferringTable, key: Uint8Array): boolean {
    const storedKey = (): SqlParameters => this.#tables[table].storedKey([key]);
    return hasMet(this.#census, table, storedKey);
  }
}
