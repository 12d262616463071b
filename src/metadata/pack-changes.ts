/**
 * What changes and journal operations do to packs and to where items are found.
 *
 * The last placement of an item wins, in the order of commits, and inside one commit: chunks that rode inline, then
 * operations in their order. A replay repeats the outcome and decides nothing: an item of a merge that is not stale was
 * in a dropped pack, whatever the directories that are still there say.
 */
import { toHex } from '../bytes/bytes.ts';
import { argumentRangeError } from '../errors/argument-error.ts';
import { type StoreError, storeError } from '../errors/store-error.ts';
import type { DirectoryItem, Operation, PackDescriptor } from '../format/types.ts';
import { checkDoom } from './condemning.ts';
import type { Change } from './contract.ts';
import type { PlannedChange } from './entry-changes.ts';
import { checkpointsOf } from './journal-packs.ts';
import { namespaceOfPack } from './namespace-tally.ts';
import { type ItemKind, itemKey, type StoredPack } from './rows.ts';
import type { Tables } from './tables.ts';
import { isLocated, type WorkingState } from './working-state.ts';

type PackAdd = Extract<Change, { readonly type: 'pack-add' }>;
type PackMerge = Extract<Change, { readonly type: 'pack-merge' }>;
type ItemsRemove = Extract<Change, { readonly type: 'items-remove' }>;
type PackOperation = Extract<Operation, { readonly type: 'pack-add' | 'pack-merge' }>;
type Directories = ReadonlyMap<string, readonly DirectoryItem[]>;

function failed(problem: string, id: Uint8Array): StoreError {
  const packId = toHex(id);
  return storeError('PRECONDITION_FAILED', `the pack ${packId} ${problem}`, { details: { packId } });
}

/** Ids of the packs that a change or operation reads. */
export function packIdsOf(change: PackAdd | PackMerge | PackOperation): readonly Uint8Array[] {
  if (change.type === 'pack-add') return [change.pack.id];
  return [...change.added.map((added) => ('pack' in added ? added.pack.id : added.id)), ...change.dropped];
}

interface Placement {
  readonly pack: StoredPack;
  readonly commit: number;
}

function place(
  state: WorkingState,
  item: DirectoryItem & { readonly kind: ItemKind },
  { pack, commit }: Placement,
): void {
  const { id, kind, ordinal, offset, storedLength, plainLength, codec, inner, length } = item;
  const position = { ordinal, offset, storedLength, plainLength, codec, inner, length };
  const namespace = namespaceOfPack(pack);
  state.placeItem({ ...position, kind, id, pack: pack.number, commit, suspect: false, namespace });
}

function addNewPack(state: WorkingState, descriptor: PackDescriptor): StoredPack {
  if (state.pack(descriptor.id)) throw failed('is already registered', descriptor.id);
  return state.addPack(descriptor);
}

async function planAdd(state: WorkingState, change: PackAdd, commit: number): Promise<PlannedChange> {
  const pack = addNewPack(state, change.pack);
  await state.eachItem(change.items.filter(isLocated), (item) => place(state, item, { pack, commit }));
  return { outcome: { existed: false }, operations: [{ type: 'pack-add', pack: change.pack }] };
}

function drop(state: WorkingState, pack: StoredPack): void {
  state.packs.put({ ...pack, dropped: true });
}

/**
 * What a rebuild needs stays: the records of a journal pack in another one, unless two checkpoints can do without them, of
 * which one may be damaged; and a checkpoint, unless there is a later one or the journal from its beginning.
 */
async function checkRecordsStay(state: WorkingState, sources: ReadonlySet<number>): Promise<void> {
  const packs = [...sources].map((number) => state.packByNumber(number));
  if (!packs.some(({ descriptor }) => descriptor.journal)) return;
  const { last, needed } = checkpointsOf((await state.checkpointPacks()).filter(({ number }) => !sources.has(number)));
  for (const { descriptor } of packs) {
    if (!descriptor.journal) continue;
    const { lastCommit } = descriptor.journal;
    const isCheckpoint = descriptor.class === 'checkpoint';
    if (isCheckpoint ? lastCommit <= last : lastCommit < needed) continue;
    const run = isCheckpoint ? FIRST_RECORD : descriptor.journal;
    const holders = await state.journalPacksHolding(run);
    if (!holders.some((holder) => !sources.has(holder.number))) {
      throw failed('holds a part of the journal that no other live pack holds', descriptor.id);
    }
  }
}

const FIRST_RECORD = { firstCommit: 1, lastCommit: 1 } as const;

/**
 * Removes items that are condemned and still not needed. Their rows must be loaded.
 * @throws `conflict/PRECONDITION_FAILED`
 */
export async function planRemoveItems(
  state: WorkingState,
  tables: Tables,
  { items }: ItemsRemove,
): Promise<PlannedChange> {
  const namespaces = new Set<number>();
  const [chunks, nodes]: [Uint8Array[], Uint8Array[]] = [[], []];
  let condemned = 0;
  for (const { kind, id } of items) {
    const row = state.items.get(itemKey(kind, id));
    if (!row || row.condemned === 0 || row.refs > 0) continue;
    condemned = Math.max(condemned, row.condemned);
    namespaces.add(row.namespace);
    state.removeItem(itemKey(kind, id));
    (kind === 'chunk' ? chunks : nodes).push(id);
  }
  const deleted = chunks.length + nodes.length;
  if (deleted === 0) return { outcome: { existed: false, deleted } };
  await checkDoom(state, tables, { condemned, namespaces });
  return { outcome: { existed: true, deleted }, operations: [{ type: 'items-remove', chunks, nodes }] };
}

/** Repeats the operation: what it names is not needed, wherever a replay found it. */
export async function replayRemoveItems(
  state: WorkingState,
  { chunks, nodes }: Extract<Operation, { readonly type: 'items-remove' }>,
): Promise<void> {
  const named = (kind: ItemKind, ids: readonly Uint8Array[]) => ids.map((id) => ({ kind, id }));
  const items = [...named('chunk', chunks), ...named('manifest', nodes)];
  await state.loadItems(items);
  for (const { kind, id } of items) state.removeItem(itemKey(kind, id));
}

async function planMerge(state: WorkingState, change: PackMerge, commit: number): Promise<PlannedChange> {
  // `stale` names ids alone, and one id may be a chunk and a manifest.
  const classes = new Set(change.added.map(({ pack }) => pack.class));
  if (classes.size > 1) throw argumentRangeError('added', 'packs of one class', [...classes].join(' and '));
  const sources = new Set<number>();
  for (const id of change.dropped) {
    const pack = state.pack(id);
    if (!pack || pack.dropped) throw failed('is not live', id);
    sources.add(pack.number);
  }
  await checkRecordsStay(state, sources);
  const stale: Uint8Array[] = [];
  // An item that lies in several of the copied records is placed by each of them, as in the replay: named as stale by
  // the second one, it would be lost there.
  const movable = new Set(sources);
  for (const added of change.added) {
    const pack = addNewPack(state, added.pack);
    movable.add(pack.number);
    await state.eachItem(added.items.filter(isLocated), (item) => {
      const found = state.item(item.kind, item.id)?.pack;
      if (found !== undefined && movable.has(found)) place(state, item, { pack, commit });
      else stale.push(item.id);
    });
  }
  for (const number of sources) {
    const pack = state.packByNumber(number);
    if (pack.items > 0) throw failed(`still holds ${pack.items} items that were not copied`, pack.descriptor.id);
    drop(state, pack);
  }
  const operation = {
    type: 'pack-merge',
    added: change.added.map(({ pack }) => pack),
    dropped: change.dropped,
    stale,
  } as const;
  return { outcome: { existed: false }, operations: [operation] };
}

/**
 * Applies a change if it fits the state. Rows of its packs must be loaded.
 * @throws `conflict/PRECONDITION_FAILED`
 */
export async function planPackChange(
  state: WorkingState,
  change: PackAdd | PackMerge,
  commit: number,
): Promise<PlannedChange> {
  return change.type === 'pack-add' ? planAdd(state, change, commit) : await planMerge(state, change, commit);
}

function replayNewPack(state: WorkingState, descriptor: PackDescriptor): StoredPack {
  if (!state.pack(descriptor.id)) return state.addPack(descriptor);
  const packId = toHex(descriptor.id);
  throw storeError('JOURNAL_CORRUPT', `the journal adds the pack ${packId} twice`, { details: { packId } });
}

/** Repeats an operation of the journal, with the directories that are still there. Rows of its packs must be loaded. */
export async function replayPackOperation(
  state: WorkingState,
  operation: PackOperation,
  context: { readonly commit: number; readonly directories: Directories },
): Promise<void> {
  const added = operation.type === 'pack-add' ? [operation.pack] : operation.added;
  const stale = new Set(operation.type === 'pack-add' ? [] : operation.stale.map(toHex));
  for (const descriptor of added) {
    const pack = replayNewPack(state, descriptor);
    const items = context.directories.get(toHex(descriptor.id)) ?? [];
    const placed = items.filter(isLocated).filter((item) => !stale.has(toHex(item.id)));
    await state.eachItem(placed, (item) => place(state, item, { pack, commit: context.commit }));
  }
  if (operation.type === 'pack-add') return;
  for (const id of operation.dropped) {
    const pack = state.pack(id);
    if (pack) drop(state, pack);
  }
}
