/** Metadata in memory that one store after the other is kept in: its tables and statements are made once. */
import type { KeySecret } from '../../src/keys/index.ts';
import type { SqlRow } from '../../src/metadata/database.ts';
import { SqliteDatabase } from '../../src/metadata/sqlite-database.ts';
import type { MetadataHome } from '../support/living-store.ts';
import { modelParts } from './model-parts.ts';

/** The rows of every table. */
export type Rows = ReadonlyMap<string, readonly SqlRow[]>;

export class ReusedHome {
  readonly home: MetadataHome;
  /** What it holds before anybody opens it. */
  readonly bare: Rows;

  private constructor(home: MetadataHome, bare: Rows) {
    this.home = home;
    this.bare = bare;
  }

  static async make(keys: KeySecret | undefined): Promise<ReusedHome> {
    const home = await modelParts().newHome(keys);
    return new ReusedHome(home, await dumpRows(home));
  }

  dump(): Promise<Rows> {
    return dumpRows(this.home);
  }

  /** Puts back what another home, or this one, held. */
  async load(rows: Rows): Promise<void> {
    await this.home.database.write(async (transaction) => {
      for (const [table, found] of rows) {
        await transaction.run(`DELETE FROM ${table}`, [[]]);
        const [first] = found;
        if (first === undefined) continue;
        const columns = Object.keys(first);
        await transaction.run(
          `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
          found.map((row) => columns.map((column) => row[column] ?? null)),
        );
      }
    });
  }
}

const TABLES = {
  sqlite: "SELECT name FROM sqlite_schema WHERE type = 'table'",
  postgres: 'SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()',
} as const;

async function dumpRows({ database }: MetadataHome): Promise<Rows> {
  return await database.read(async (reader) => {
    const tables = await reader.all(TABLES[database instanceof SqliteDatabase ? 'sqlite' : 'postgres'], []);
    const rows = new Map<string, readonly SqlRow[]>();
    for (const { name } of tables) rows.set(String(name), await reader.all(`SELECT * FROM ${name}`, []));
    return rows;
  });
}
