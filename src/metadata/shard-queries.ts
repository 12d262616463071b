import type { PackRow } from './contract.ts';
import type { Database, SqlRow, SqlValue } from './database.ts';
import { packRow } from './item-queries.ts';
import { marginOf } from './shard-columns.ts';
import type { DegradedPack, ShardPlaces, VerifiedPack } from './shard-contract.ts';
import type { Tables } from './tables.ts';

/** A query of packs: `where`, then `order`. */
interface PackQuery {
  readonly where: string;
  readonly order: string;
  readonly parameters: readonly SqlValue[];
  readonly limit: number;
}

/** Rows with all columns, local ones too, unchecked. */
function packRows(database: Database, tables: Tables, query: PackQuery): Promise<readonly SqlRow[]> {
  const sql = `SELECT ${tables.packs.columnList} FROM packs WHERE ${query.where} ORDER BY ${query.order} LIMIT ?`;
  return database.read((reader) => reader.all(sql, [...query.parameters, query.limit]));
}

/** A pack of the queue; `undefined` where a damaged column, or a release that knew no places, left it in there. */
function degradedPack(tables: Tables, row: SqlRow): DegradedPack | undefined {
  const pack = tables.packs.check(row).row;
  const margin = marginOf(pack);
  const { places } = pack.descriptor;
  return places && margin !== undefined && margin === row.margin ? { ...packRow(pack), places, margin } : undefined;
}

/** See `ShardPlaces.packsToRepair`. */
export async function packsToRepair(
  database: Database,
  tables: Tables,
  query: Parameters<ShardPlaces['packsToRepair']>[0],
): Promise<readonly DegradedPack[]> {
  const order = 'margin, number';
  const found: DegradedPack[] = [];
  let after: readonly SqlValue[] = query.after ? [query.after.margin, query.after.number] : [];
  while (found.length < query.limit) {
    // `dropped` is not asked for: the index would not serve then, and what is dropped has no margin.
    const where = `margin IS NOT NULL ${after.length > 0 ? 'AND (margin, number) > (?, ?)' : ''}`;
    const limit = query.limit - found.length;
    const rows = await packRows(database, tables, { where, order, parameters: after, limit });
    found.push(...rows.flatMap((row) => degradedPack(tables, row) ?? []));
    const last = rows.at(-1);
    if (!last || rows.length < limit) break;
    after = [last.margin ?? null, last.number ?? null];
  }
  return found;
}

/** See `ShardPlaces.packsOfUnknownPlace`. */
export async function packsOfUnknownPlace(
  database: Database,
  tables: Tables,
  { after = 0, limit }: Parameters<ShardPlaces['packsOfUnknownPlace']>[0],
): Promise<readonly PackRow[]> {
  const where = 'dropped = 0 AND shards IS NULL AND number > ?';
  const rows = await packRows(database, tables, { where, order: 'number', parameters: [after], limit });
  return rows.map((row) => packRow(tables.packs.check(row).row));
}

/** See `ShardPlaces.packsVerifiedBefore`. */
export async function packsVerifiedBefore(
  database: Database,
  tables: Tables,
  { before, after, limit }: Parameters<ShardPlaces['packsVerifiedBefore']>[0],
): Promise<readonly VerifiedPack[]> {
  const next = after ? [after.verifiedAt, after.number] : [];
  const where = `dropped = 0 AND verified_at < ? ${after ? 'AND (verified_at, number) > (?, ?)' : ''}`;
  const parameters = [before, ...next];
  const rows = await packRows(database, tables, { where, order: 'verified_at, number', parameters, limit });
  // The time by which the row was found, not the one that follows from its shards: pages go on after it.
  return rows.map((row) => ({ ...packRow(tables.packs.check(row).row), verifiedAt: Number(row.verified_at) }));
}
