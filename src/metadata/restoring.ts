/**
 * A state that comes back from the pages of a checkpoint, into metadata in which nothing was ever committed. Where items
 * are in their packs the directories of these say, as in a replay; so the pages need not repeat it, and sealed ones tell
 * nothing of what lies in the packs of others.
 */
import { invariant, storeError } from '../errors/store-error.ts';
import { type CheckpointPage, decodeCheckpointPage, openCheckpointPage, type ReadPage } from '../format/checkpoint.ts';
import type { CheckpointRows, CheckpointTable } from '../format/checkpoint-rows.ts';
import type { DirectoryItem } from '../format/types.ts';
import type { CheckpointPlace } from './checkpoint-contract.ts';
import { factsOfEntry } from './entry-facts.ts';
import { namespaceOfPack } from './namespace-tally.ts';
import { historyKey, stepKey } from './object-rows.ts';
import type { OperationScope } from './operation-scope.ts';
import { IN_OUTBOX, type ItemRow, itemKey } from './rows.ts';
import { scanTable } from './table-scan.ts';
import type { Tables } from './tables.ts';
import { isLocated, type WorkingState } from './working-state.ts';

/** Lengths of an item whose place in its pack is not known yet; one that is somewhere has at least one byte. */
const NOT_PLACED = { offset: 0, storedLength: 0, plainLength: 0, codec: 0, inner: 0, length: 0 } as const;

type Restore<Table extends CheckpointTable> = (
  state: WorkingState,
  rows: readonly CheckpointRows[Table][],
) => Promise<void>;

function astray(problem: string): Error {
  return storeError('JOURNAL_CORRUPT', `the checkpoint ${problem}`);
}

const RESTORES: { readonly [Table in CheckpointTable]: Restore<Table> } = {
  packs: async (state, rows) => {
    await state.loadPacks(rows.map(({ id }) => id));
    for (const row of rows) {
      if (state.pack(row.id)) throw astray('names a pack twice');
      state.addPack(row);
    }
  },
  items: async (state, rows) => {
    await state.loadItems(rows);
    const numbers = new Set(rows.map(({ pack }) => pack).filter((pack) => pack !== IN_OUTBOX));
    const keys = [...numbers].map((number) => [number]);
    await state.packs.load(state.transaction, keys);
    for (const key of keys) if (!state.packs.get(key)) throw astray('finds items in a pack that it does not name');
    for (const { kind, id, pack, ordinal, commit } of rows) {
      const namespace = pack === IN_OUTBOX ? 0 : namespaceOfPack(state.packByNumber(pack));
      const place = { kind, id, pack, ordinal, commit, namespace, ...NOT_PLACED };
      state.putItem({ ...place, suspect: false, refs: 0, condemned: 0 });
    }
  },
  entries: async (state, rows) => {
    await state.entries.load(
      state.transaction,
      rows.map(({ key }) => [key]),
    );
    for (const row of rows) {
      const { version, size } = factsOfEntry(row.entry);
      state.putEntry({ ...row, version, size });
    }
  },
  objects: async (state, rows) => {
    await state.objects.load(
      state.transaction,
      rows.map(({ key }) => [key]),
    );
    for (const row of rows) state.objects.put({ ...row, refs: 0, condemned: 0 });
  },
  refs: async (state, rows) => {
    await state.refs.load(
      state.transaction,
      rows.map(({ key }) => [key]),
    );
    for (const row of rows) state.refs.put(row);
  },
  histories: async (state, rows) => {
    const histories = rows.map(({ kind, key, ...row }) => ({ ...row, key: historyKey(kind, key) }));
    await state.histories.load(
      state.transaction,
      histories.map(({ key }) => [key]),
    );
    for (const row of histories) state.histories.put(row);
  },
  steps: async (state, rows) => {
    const steps = rows.map(({ kind, key, number, time, value }) => {
      return { key: stepKey(historyKey(kind, key), number), time, value };
    });
    await state.steps.load(
      state.transaction,
      steps.map(({ key }) => [key]),
    );
    for (const row of steps) state.steps.put(row);
  },
  relations: async (state, rows) => {
    const { relations } = state;
    for (const { child, parent } of rows) {
      const above = (await relations.get(parent)) ?? (await relations.create(parent));
      relations.put({ ...above, children: above.children + 1 });
      const below = (await relations.get(child)) ?? (await relations.create(child));
      relations.put({ ...below, parent: above.node });
    }
  },
  policies: async (state, rows) => {
    await state.policies.load(
      state.transaction,
      rows.map(({ namespace }) => [namespace]),
    );
    for (const row of rows) state.policies.put(row);
  },
  shreds: async (state, rows) => {
    if (!state.shreds) throw astray('of a plain store names namespaces');
    await state.shreds.load(
      state.transaction,
      rows.map(({ namespace }) => [namespace]),
    );
    for (const row of rows) state.shreds.put(row);
  },
};

/** See `Checkpoints.restorePage`. */
export async function restorePage(
  state: WorkingState,
  page: Uint8Array,
  scope: OperationScope | undefined,
): Promise<void> {
  invariant(state.head.commit === 0, 'a checkpoint comes back where nothing was committed');
  const opened = openedPage(decodeCheckpointPage(page, scope !== undefined), scope);
  if (!opened) return;
  // Rows of each table go to the work of that table.
  await (RESTORES[opened.table] as Restore<CheckpointTable>)(state, opened.rows);
  await state.save();
}

function openedPage(page: ReadPage, scope: OperationScope | undefined): CheckpointPage | undefined {
  if (page.sealed === undefined) return page;
  const opener = scope?.openerOf(page.namespace);
  return opener && openCheckpointPage(page, opener);
}

/** See `Checkpoints.restoreDirectory`. */
export async function restoreDirectory(
  state: WorkingState,
  packId: Uint8Array,
  items: readonly DirectoryItem[],
): Promise<void> {
  await state.loadPacks([packId]);
  const pack = state.pack(packId);
  invariant(pack, 'directories are those of packs that the checkpoint names');
  await state.eachItem(items.filter(isLocated), (item) => {
    const row = state.item(item.kind, item.id);
    if (row?.pack !== pack.number || row.ordinal !== item.ordinal) return;
    // An item that stands in one record twice is found where it was placed: what rode in a commit first, all else last.
    if (pack.descriptor.class === 'journal' && row.length > 0) return;
    const { offset, storedLength, plainLength, codec, inner, length } = item;
    state.putItem({ ...row, offset, storedLength, plainLength, codec, inner, length });
  });
  await state.save();
}

function isNotPlaced({ pack, length }: ItemRow): boolean {
  return pack !== IN_OUTBOX && length === 0;
}

/** See `Checkpoints.endRestore`. */
export async function endRestore(state: WorkingState, tables: Tables, place: CheckpointPlace): Promise<void> {
  for await (const page of scanTable(state.transaction, tables.items)) {
    const lost = page.map((stored) => tables.items.check(stored).row).filter(isNotPlaced);
    if (lost.length === 0) continue;
    await state.loadItems(lost);
    for (const { kind, id } of lost) state.removeItem(itemKey(kind, id));
    await state.save();
  }
  const { commit, digest, incarnation: recordIncarnation } = place;
  state.head = { ...state.head, commit, digest, recordIncarnation, flushed: commit };
  await state.save();
}
