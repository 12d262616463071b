/** How objects, refs and histories are found; see `ObjectIndex`. */
import { concatBytes, prefixEnd } from '../bytes/bytes.ts';
import { objectKeyPrefix, parseObjectKey } from '../format/object-key.ts';
import type { HistoryKind, ObjectClass } from '../format/types.ts';
import { HISTORY_LOOKUPS_MIN, METADATA_SCAN_ROWS } from '../limits.ts';
import { yieldToEventLoop } from '../runtime/timers.ts';
import type { Database, SqlValue } from './database.ts';
import { decodeStep } from './history-steps.ts';
import type { ObjectIndex, ObjectRow, RefRow, StepOf } from './object-contract.ts';
import { type HistoryRow, historyKey, parseHistoryKey, type StepRow, stepKey } from './object-rows.ts';
import type { Table } from './table.ts';
import type { Tables } from './tables.ts';

/** The rows with these keys, in their order. */
export async function rowsOf<Row>(
  database: Database,
  table: Table<Row>,
  keys: readonly Uint8Array[],
): Promise<readonly (Row | undefined)[]> {
  const rows = await database.read((reader) =>
    table.load(
      reader,
      keys.map((key) => [key]),
    ),
  );
  return rows.map((found) => found?.row);
}

/** A page of the rows of a namespace, in the order they are stored in. */
interface PageQuery {
  readonly namespace: number;
  /** Key of the row that ended the page before. */
  readonly after?: Uint8Array | undefined;
  /** First bytes of the keys: of use to a plain store only. */
  readonly prefix?: Uint8Array | undefined;
  readonly limit: number;
}

async function page<Row>(
  database: Database,
  { table, sealed }: { readonly table: Table<Row>; readonly sealed: boolean },
  { namespace, after, prefix, limit }: PageQuery,
): Promise<readonly Row[]> {
  const [column = 'key'] = table.keyColumns;
  const conditions: string[] = [];
  const parameters: SqlValue[] = [];
  const add = (condition: string, value: SqlValue | undefined): void => {
    if (value === undefined) return;
    conditions.push(condition);
    parameters.push(value);
  };
  if (sealed) add('namespace = ?', namespace);
  if (after) add(`${column} > ?`, table.storedKey([after])[0]);
  else if (prefix && !sealed) add(`${column} >= ?`, prefix);
  if (prefix && !sealed) add(`${column} < ?`, prefixEnd(prefix));
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
  const tail = `${where} ORDER BY ${column} LIMIT ?`;
  const rows = await database.read((reader) => table.select(reader, tail, [...parameters, limit]));
  return rows.map(({ row }) => row);
}

function isSealed(tables: Tables): boolean {
  return tables.namespaced !== undefined;
}

type ObjectsQuery = Parameters<ObjectIndex['listObjects']>[0];

function wants({ digestPrefix, objectClass, types }: ObjectsQuery, { key, type }: ObjectRow): boolean {
  if (types && !types.includes(type)) return false;
  const name = parseObjectKey(key);
  if (objectClass && name?.objectClass !== objectClass) return false;
  return digestPrefix === undefined || digestPrefix.every((byte, index) => name?.digest[index] === byte);
}

/** The ranges of keys that a query is about: those of each class, where the digests are known to begin alike. */
function prefixesOf({ namespace, digestPrefix, objectClass }: ObjectsQuery): readonly (Uint8Array | undefined)[] {
  const classes: readonly ObjectClass[] = objectClass ? [objectClass] : ['raw', 'structured'];
  if (!digestPrefix && !objectClass) return [undefined];
  return classes.map((one) => concatBytes([objectKeyPrefix(namespace, one), digestPrefix ?? new Uint8Array(0)]));
}

function beginsWith(key: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.every((byte, index) => key[index] === byte);
}

/** See `ObjectIndex.listObjects`. */
export async function listObjects(
  database: Database,
  tables: Tables,
  query: ObjectsQuery,
): ReturnType<ObjectIndex['listObjects']> {
  const source = { table: tables.objects, sealed: isSealed(tables) };
  const prefixes = source.sealed ? [undefined] : prefixesOf(query);
  const rows: ObjectRow[] = [];
  let { after } = query;
  // A page may end in the range of the second class: the first is done then.
  const inSecond = after !== undefined && prefixes[1] !== undefined && beginsWith(after, prefixes[1].subarray(0, -1));
  for (const prefix of inSecond ? prefixes.slice(1) : prefixes) {
    for (;;) {
      const found = await page(database, source, {
        ...{ namespace: query.namespace, after, prefix, limit: METADATA_SCAN_ROWS },
      });
      for (const row of found) {
        after = row.key;
        if (!wants(query, row)) continue;
        rows.push(row);
        if (rows.length === query.limit) return { rows, next: row.key };
      }
      if (found.length < METADATA_SCAN_ROWS) break;
      await yieldToEventLoop();
    }
    after = undefined;
  }
  return { rows };
}

/** See `ObjectIndex.listRefs`. */
export function listRefs(
  database: Database,
  tables: Tables,
  query: Parameters<ObjectIndex['listRefs']>[0],
): Promise<readonly RefRow[]> {
  return page(database, { table: tables.refs, sealed: isSealed(tables) }, query);
}

/** See `ObjectIndex.listHistories`. */
export async function listHistories(
  database: Database,
  tables: Tables,
  { kind, namespace, after, limit }: Parameters<ObjectIndex['listHistories']>[1] & { readonly kind: HistoryKind },
): ReturnType<ObjectIndex['listHistories']> {
  const source = { table: tables.histories, sealed: isSealed(tables) };
  const prefix = historyKey(kind, new Uint8Array(0));
  let at = after && historyKey(kind, after);
  const keys: Uint8Array[] = [];
  for (;;) {
    const found: readonly HistoryRow[] = await page(database, source, {
      ...{ namespace, after: at, prefix, limit: METADATA_SCAN_ROWS },
    });
    for (const row of found) {
      at = row.key;
      // In a sealed store both kinds lie among each other.
      const history = parseHistoryKey(row.key);
      if (history.kind !== kind) continue;
      keys.push(history.key);
      if (keys.length === limit) return { keys, next: history.key };
    }
    if (found.length < METADATA_SCAN_ROWS) return { keys };
    await yieldToEventLoop();
  }
}

/** See `ObjectIndex.getHistory`. */
export function getHistory<Kind extends HistoryKind>(
  database: Database,
  tables: Tables,
  query: {
    readonly kind: Kind;
    readonly key: Uint8Array;
    readonly before?: number | undefined;
    readonly limit: number;
  },
): Promise<readonly StepOf<Kind>[]> {
  const { kind, before = Number.POSITIVE_INFINITY, limit } = query;
  const key = historyKey(kind, query.key);
  return database.read(async (reader) => {
    const [history] = await tables.histories.load(reader, [[key]]);
    const steps: StepRow[] = [];
    if (!history) return [];
    let number = Math.min(history.row.last, before - 1);
    while (number >= history.row.first && steps.length < limit) {
      // More than are wanted: a few steps may be left among many that were forgotten.
      const wanted = Math.min(Math.max(limit - steps.length, HISTORY_LOOKUPS_MIN), METADATA_SCAN_ROWS);
      const count = Math.min(wanted, number - history.row.first + 1);
      const keys = Array.from({ length: count }, (_, index) => [stepKey(key, number - index)]);
      for (const found of await tables.steps.load(reader, keys)) if (found) steps.push(found.row);
      number -= count;
    }
    return steps.slice(0, limit).map((step) => decodeStep(kind, step));
  });
}
