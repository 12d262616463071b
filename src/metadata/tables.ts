import type { SessionRow, UncountedRow } from './collection-contract.ts';
import type { EntryRow } from './contract.ts';
import type { RefRow } from './object-contract.ts';
import {
  type CountedObject,
  type HistoryRow,
  historiesShape,
  objectsShape,
  type PolicyRow,
  policiesShape,
  type RelationRow,
  refsShape,
  relationsShape,
  type StepRow,
  stepsShape,
} from './object-rows.ts';
import { plainCodec, type RowCodec } from './row-codec.ts';
import {
  entriesShape,
  type HeadRow,
  headShape,
  type ItemRow,
  itemsShape,
  type NamespaceRow,
  namespacesShape,
  outboxRecordsShape,
  outboxShape,
  packsShape,
  type ShredRow,
  type StoredInlineRecord,
  type StoredPack,
  type StoredRecord,
  type SumRow,
  sessionsShape,
  settingsShape,
  shredsShape,
  sumsShapeOf,
} from './rows.ts';
import { Table } from './table.ts';
import { uncountedShape } from './uncounted-rows.ts';

/** The tables of one metadata, with its codec. */
export interface Tables {
  readonly entries: Table<EntryRow>;
  readonly items: Table<ItemRow>;
  readonly packs: Table<StoredPack>;
  readonly outbox: Table<StoredRecord>;
  readonly outboxRecords: Table<StoredInlineRecord>;
  readonly sessions: Table<SessionRow>;
  /** References that are to be counted. */
  readonly uncounted: Table<UncountedRow>;
  readonly objects: Table<CountedObject>;
  readonly refs: Table<RefRow>;
  readonly histories: Table<HistoryRow>;
  readonly steps: Table<StepRow>;
  readonly relations: Table<RelationRow>;
  readonly policies: Table<PolicyRow>;
  readonly head: Table<HeadRow>;
  readonly sums: Table<SumRow>;
  /** Of sealed stores only: a plain one has one namespace, whose counters are in the head, and shreds nothing. */
  readonly namespaced: NamespacedTables | undefined;
}

export interface NamespacedTables {
  readonly namespaces: Table<NamespaceRow>;
  readonly shreds: Table<ShredRow>;
}

/** Never sealed: read before there are keys. */
export const settingsTable = new Table(settingsShape, plainCodec);

function createBaseTables(codec: RowCodec): Omit<Tables, 'namespaced'> {
  return {
    entries: new Table(entriesShape, codec),
    items: new Table(itemsShape, codec),
    packs: new Table(packsShape, codec),
    outbox: new Table(outboxShape, codec),
    outboxRecords: new Table(outboxRecordsShape, codec),
    sessions: new Table(sessionsShape, codec),
    uncounted: new Table(uncountedShape, codec),
    objects: new Table(objectsShape, codec),
    refs: new Table(refsShape, codec),
    histories: new Table(historiesShape, codec),
    steps: new Table(stepsShape, codec),
    relations: new Table(relationsShape, codec),
    policies: new Table(policiesShape, codec),
    head: new Table(headShape, codec),
    sums: new Table(sumsShapeOf(codec.digestBytes), codec),
  };
}

/** The tables of a plain store. */
export function createPlainTables(): Tables {
  return { ...createBaseTables(plainCodec), namespaced: undefined };
}

/** The tables of a sealed store. */
export function createSealedTables(codec: RowCodec): Tables {
  const namespaced = { namespaces: new Table(namespacesShape, codec), shreds: new Table(shredsShape, codec) };
  return { ...createBaseTables(codec), namespaced };
}

/** The tables whose rows are counted and summed, those of the entry index aside. */
export function summedTables(tables: Tables): readonly Table<unknown>[] {
  const { entries, items, packs, outbox, outboxRecords, sessions, namespaced } = tables;
  const { objects, refs, histories, steps, relations, policies, uncounted } = tables;
  const all = [entries, items, packs, outbox, outboxRecords, sessions];
  all.push(...([objects, refs, histories, steps, relations, policies, uncounted] as unknown as typeof all));
  const more = namespaced ? [namespaced.namespaces, namespaced.shreds] : [];
  // Whoever goes over all tables hands a row to the table it came from.
  return [...all, ...more] as readonly Table<unknown>[];
}
