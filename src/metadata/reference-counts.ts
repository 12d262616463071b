/**
 * Counting: what uncounted references come to is added to the items and objects they name. A manifest node that comes
 * to be needed, or ceases to, makes references of its own; so does an object that lives again. They are as old as what
 * brought them about.
 */
import { BinaryReader } from '../bytes/binary-reader.ts';
import { concatBytes, EMPTY_BYTES, equalBytes, toHex } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { METADATA_SCAN_ROWS } from '../limits.ts';
import { CENSUS_ANEW } from './census-place.ts';
import type { CountedItem, CountedReferences, UncountedRow } from './collection-contract.ts';
import { itemKey } from './rows.ts';
import type { WorkingState } from './working-state.ts';

const ID_BYTES = 32;
const ITEM_CHUNK = 1;
const ITEM_NODE = 2;

/** What `item` rows hold: the kind (u8), the id, and of a manifest node its plain id. */
function encodeItemReference({ kind, id, digest = EMPTY_BYTES }: CountedItem): Uint8Array {
  return concatBytes([Uint8Array.of(kind === 'chunk' ? ITEM_CHUNK : ITEM_NODE), id, digest]);
}

/** The item that an `item` row is about. */
export function decodeItemReference(value: Uint8Array): CountedItem {
  const reader = new BinaryReader(value, (what) => {
    throw storeError('METADATA_CORRUPT', `metadata table uncounted: the item ${what}`, {
      details: { table: 'uncounted' },
    });
  });
  const isChunk = reader.u8() === ITEM_CHUNK;
  const id = reader.bytes(ID_BYTES);
  return isChunk ? { kind: 'chunk', id } : { kind: 'manifest', id, digest: reader.bytes(ID_BYTES) };
}

interface ItemChange {
  readonly item: CountedItem;
  readonly namespace: number;
  change: number;
}

interface ObjectChange {
  readonly key: Uint8Array;
  readonly namespace: number;
  change: number;
}

/** What the rows of one step come to together. */
class Changes {
  readonly items = new Map<string, ItemChange>();
  readonly objects = new Map<string, ObjectChange>();

  add(row: UncountedRow, counted: CountedReferences): void {
    const { namespace, change } = row;
    for (const item of counted.items) {
      const name = `${item.kind} ${toHex(item.id)}`;
      const known = this.items.get(name) ?? { item, namespace, change: 0 };
      known.change += change;
      this.items.set(name, known);
    }
    for (const key of counted.objects) {
      const name = toHex(key);
      const known = this.objects.get(name) ?? { key, namespace, change: 0 };
      known.change += change;
      this.objects.set(name, known);
    }
  }
}

function isOpposite(one: UncountedRow, other: UncountedRow): boolean {
  const { kind, namespace, change, value } = one;
  return (
    other.kind === kind && other.namespace === namespace && other.change === -change && equalBytes(other.value, value)
  );
}

/** References that cannot be read just now, among which what cancels one of them out is looked for. */
class ParkedRows {
  readonly #state: WorkingState;
  readonly #rows: UncountedRow[];

  private constructor(state: WorkingState, rows: UncountedRow[]) {
    this.#state = state;
    this.#rows = rows;
  }

  static async load(state: WorkingState): Promise<ParkedRows> {
    const { uncounted, transaction } = state;
    const tail = `WHERE parked > 0 ORDER BY parked, number LIMIT ${METADATA_SCAN_ROWS}`;
    return new ParkedRows(state, [...(await uncounted.loadWhere(transaction, tail, []))]);
  }

  /** Takes a row and the parked one that it undoes out of the table. @returns whether there was one */
  cancel(row: UncountedRow): boolean {
    const at = this.#rows.findIndex((other) => other.number !== row.number && isOpposite(row, other));
    const other = this.#rows[at];
    if (!other) return false;
    this.#rows.splice(at, 1);
    this.#state.uncounted.remove([other.number]);
    this.#state.uncounted.remove([row.number]);
    return true;
  }
}

async function loadRows(state: WorkingState, numbers: readonly number[]): Promise<readonly UncountedRow[]> {
  const keys = numbers.map((number) => [number]);
  await state.uncounted.load(state.transaction, keys);
  const rows = keys.flatMap((key) => state.uncounted.get(key) ?? []);
  // What follows from them is as old as the oldest of them.
  for (const { epoch } of rows) state.epoch = Math.min(state.epoch, epoch);
  return rows;
}

/** Nothing refers to anything less than not at all: counts that say so are made anew. */
function isDrift(state: WorkingState, count: number): boolean {
  if (count < 0) state.head = { ...state.head, census: CENSUS_ANEW };
  return count < 0;
}

async function countItems(state: WorkingState, changes: Changes): Promise<void> {
  const wanted = [...changes.items.values()].filter(({ change }) => change !== 0);
  await state.loadItems(wanted.map(({ item }) => item));
  for (const { item, change, namespace } of wanted) {
    const row = state.items.get(itemKey(item.kind, item.id));
    if (!row) {
      // It is counted when it is there again: nothing stands in for what was lost but the same bytes.
      const value = encodeItemReference(item);
      state.addUncounted({ kind: 'item', value, change, namespace, parked: 'harmless' });
      continue;
    }
    const refs = row.refs + change;
    if (isDrift(state, refs)) return;
    state.putItem({ ...row, refs, condemned: refs > 0 ? 0 : row.condemned });
    if (item.digest === undefined || row.refs > 0 === refs > 0) continue;
    state.addUncounted({ kind: 'node', value: item.digest, change: refs > 0 ? 1 : -1, namespace });
  }
}

async function countObjects(state: WorkingState, changes: Changes): Promise<void> {
  const wanted = [...changes.objects.values()].filter(({ change }) => change !== 0);
  await state.objects.load(
    state.transaction,
    wanted.map(({ key }) => [key]),
  );
  for (const { key, change, namespace } of wanted) {
    const row = state.objects.get([key]);
    if (!row) {
      state.addUncounted({ kind: 'target', value: key, change, namespace, parked: 'harmless' });
      continue;
    }
    const refs = row.refs + change;
    if (isDrift(state, refs)) return;
    state.objects.put({ ...row, refs, condemned: refs > 0 ? 0 : row.condemned });
  }
}

/** See `Collecting.countReferences`. */
export async function countReferences(state: WorkingState, counted: readonly CountedReferences[]): Promise<void> {
  const rows = new Map(
    (
      await loadRows(
        state,
        counted.map(({ number }) => number),
      )
    ).map((row) => [row.number, row]),
  );
  const parked = await ParkedRows.load(state);
  const changes = new Changes();
  for (const one of counted) {
    const row = rows.get(one.number);
    if (!row || !state.uncounted.get([row.number])) continue;
    if (row.kind !== 'item' && parked.cancel(row)) continue;
    changes.add(row, one);
    state.uncounted.remove([row.number]);
  }
  await countItems(state, changes);
  await countObjects(state, changes);
  await state.save();
}

/** See `Collecting.parkReferences`. What went and cannot be read needs nothing: it keeps others from nothing. */
export async function parkReferences(state: WorkingState, numbers: readonly number[]): Promise<void> {
  const rows = await loadRows(state, numbers);
  const parked = await ParkedRows.load(state);
  for (const row of rows) {
    if (!state.uncounted.get([row.number]) || parked.cancel(row)) continue;
    state.uncounted.put({ ...row, parked: row.change > 0 ? 'blocking' : 'harmless' });
  }
  await state.save();
}

/** One step of `Collecting.unparkReferences`. @returns whether there may be more */
export async function unparkReferences(state: WorkingState): Promise<boolean> {
  const tail = `WHERE parked > 0 ORDER BY parked, number LIMIT ${METADATA_SCAN_ROWS}`;
  const rows = await state.uncounted.loadWhere(state.transaction, tail, []);
  for (const row of rows) state.uncounted.put({ ...row, parked: false });
  await state.save();
  return rows.length === METADATA_SCAN_ROWS;
}
