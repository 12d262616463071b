/** Rows of sealed metadata in the place of others: of the same table, another one, another store, an earlier time; or gone. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CheckReport, openStore } from '../../src/index.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../src/testing/index.ts';
import { pointsOf, SAMPLE } from '../support/points.ts';
import {
  honest,
  makeSampleStore,
  metadataPath,
  nameThings,
  readEverything,
  SEALED_OPTIONS,
  StoreImage,
  sampleEntries,
} from '../support/sealed-store.ts';

/** Of many chunks: without them a check takes a third of the time. */
const LEFT = ['many', 'packed'];
const KNOWN = sampleEntries().filter(({ key }) => !LEFT.includes(key));
/** Rows of one table that take part. */
const ROWS_MAX = 4;
/** Of their pairs, in one run. */
const PAIRS = 2;

type Row = Readonly<Record<string, SQLInputValue>>;

/** A table with what names its rows, and some of them. */
interface Rows {
  readonly table: string;
  readonly keys: readonly string[];
  readonly rows: readonly Row[];
}

const folders: TemporaryFolder[] = [];
let image: StoreImage;
let file: string;
let pristine: Uint8Array;
/** Tables of the store, of the other one, and of the store as it was some commits ago. */
let now: readonly Rows[];
let foreign: readonly Rows[];
let before: readonly Rows[];

async function newFolder(): Promise<string> {
  const folder = await makeTemporaryFolder();
  folders.push(folder);
  return folder.path;
}

/** Every table of a database, those that SQLite keeps for itself apart. */
function tablesOf(path: string): readonly Rows[] {
  const database = new DatabaseSync(path);
  try {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
    return tables.map(({ name }) => {
      const columns = database.prepare(`SELECT name FROM pragma_table_info('${name}') WHERE pk > 0 ORDER BY pk`).all();
      const keys = columns.map((column) => String(column.name));
      const rows = database.prepare(`SELECT * FROM ${name} ORDER BY ${keys.join(', ')}`).all() as Row[];
      return { table: String(name), keys, rows };
    });
  } finally {
    database.close();
  }
}

/** Changes the file, looks at the store as a new process does, and puts the file back. */
async function after<T>(change: (database: DatabaseSync) => void, look: () => Promise<T>): Promise<T> {
  const database = new DatabaseSync(file);
  try {
    change(database);
  } finally {
    database.close();
  }
  try {
    return await look();
  } finally {
    await image.metadata.close();
    for (const suffix of ['-wal', '-shm']) await rm(file + suffix, { force: true });
    await writeFile(file, pristine);
  }
}

/** What a changed store answers: codes of what it refused, and what its check says, if it opens at all. */
async function look(): Promise<{ readonly codes: ReadonlySet<string>; readonly check?: CheckReport }> {
  const reopened = await honest(() => image.reopenMetadata());
  if (reopened.code !== undefined) return { codes: new Set([reopened.code]) };
  const opened = await honest(() => image.open());
  if (opened.value === undefined) return { codes: new Set([`${opened.code}`]) };
  const codes = await readEverything(opened.value.store, KNOWN);
  const { value, code } = await honest(async () => opened.value?.store.maintenance.check());
  return value ? { codes, check: value } : { codes: new Set([...codes, `${code}`]) };
}

/** Fails unless the store does not open, or says in its check that it is damaged. */
async function expectNoticed(what: string, change: (database: DatabaseSync) => void): Promise<void> {
  const { codes, check } = await after(change, look);
  const said = check ? check.outcome : `refused: ${[...codes].join(', ')}`;
  expect(said, what).toMatch(/^(damaged|refused)/);
}

function where({ keys }: Rows): string {
  return keys.map((key) => `${key} = ?`).join(' AND ');
}

function keyOf({ keys }: Rows, row: Row): SQLInputValue[] {
  return keys.map((key) => row[key] ?? null);
}

function spread<T>(rows: readonly T[]): readonly T[] {
  const step = Math.max(1, Math.floor(rows.length / ROWS_MAX));
  return rows.filter((_, index) => index % step === 0).slice(0, ROWS_MAX);
}

function pairsOf<T>(rows: readonly T[]): readonly (readonly [T, T])[] {
  return rows.flatMap((one) => rows.filter((other) => other !== one).map((other) => [one, other] as const));
}

/** The tables whose rows are sealed. */
function sealed(tables: readonly Rows[]): readonly Rows[] {
  return tables.filter(({ rows }) => rows[0] !== undefined && 'sealed' in rows[0]);
}

beforeAll(async () => {
  const [ours, theirs, earlier] = [await newFolder(), await newFolder(), await newFolder()];
  await makeSampleStore(ours, 1, LEFT);
  await cp(ours, earlier, { recursive: true });
  const store = await openStore(ours, { keys: SEALED_OPTIONS.keys, reserveBytes: 0 });
  await store.put('inline', KNOWN[0]?.bytes ?? '', { attributes: { colour: 'red' } });
  await store.put('moved', 'what will be gone');
  await store.delete('moved');
  await nameThings(store, 2);
  await store.close();
  await makeSampleStore(theirs, 101, LEFT);
  image = await StoreImage.of(ours);
  await image.metadata.close();
  file = metadataPath(ours);
  pristine = await readFile(file);
  now = tablesOf(file);
  foreign = tablesOf(metadataPath(theirs));
  before = tablesOf(metadataPath(earlier));
});

afterAll(async () => {
  for (const folder of folders) await folder.remove();
});

describe('sealed metadata', () => {
  it('is sound before anybody touches it', async () => {
    const { codes, check } = await after(() => undefined, look);
    expect(codes).toEqual(new Set());
    expect(check).toMatchObject({ outcome: 'ok' });
  });

  it('notices every row that vanishes, of every table', async () => {
    const tables = now.filter(({ rows }) => rows.length > 0);
    expect(tables.map(({ table }) => table)).toEqual(expect.arrayContaining(['entries', 'items', 'packs', 'head']));
    for (const rows of tables) {
      for (const row of spread(rows.rows)) {
        await expectNoticed(`a row of ${rows.table} ${keyOf(rows, row)}`, (database) =>
          database.prepare(`DELETE FROM ${rows.table} WHERE ${where(rows)}`).run(...keyOf(rows, row)),
        );
      }
    }
  });

  it('notices every table that is emptied', async () => {
    for (const { table } of now.filter(({ rows }) => rows.length > 0)) {
      await expectNoticed(table, (database) => database.exec(`DELETE FROM ${table}`));
    }
  });

  it(`notices the seal of any row in the place of that of another of its table (${SAMPLE})`, async () => {
    for (const rows of sealed(now)) {
      const pairs = pairsOf(spread(rows.rows));
      for (const point of pointsOf(pairs.length, 0, PAIRS)) {
        const [target, source] = pairs[point] as readonly [Row, Row];
        await expectNoticed(`a seal of ${rows.table}, pair ${point}`, (database) =>
          database
            .prepare(`UPDATE ${rows.table} SET sealed = ? WHERE ${where(rows)}`)
            .run(source.sealed ?? null, ...keyOf(rows, target)),
        );
      }
    }
  });

  it('notices the seal of a row of any other table, and of the same row of another store', async () => {
    for (const rows of sealed(now)) {
      const target = rows.rows[0] ?? {};
      const sources = [
        ...sealed(now).filter((one) => one !== rows),
        ...sealed(foreign).filter((one) => one.table === rows.table),
      ];
      for (const source of sources) {
        await expectNoticed(`a seal of ${source.table} in ${rows.table}`, (database) =>
          database
            .prepare(`UPDATE ${rows.table} SET sealed = ? WHERE ${where(rows)}`)
            .run(source.rows[0]?.sealed ?? null, ...keyOf(rows, target)),
        );
      }
    }
  });

  it('notices the row of some commits ago in its own place, of every table', async () => {
    const changed: string[] = [];
    for (const rows of now) {
      const old = before.find(({ table }) => table === rows.table)?.rows ?? [];
      const rowsNow = new Map(rows.rows.map((row) => [JSON.stringify(keyOf(rows, row)), row]));
      const stale = old.filter((row) => {
        const same = rowsNow.get(JSON.stringify(keyOf(rows, row)));
        // These were empty then and are now: the sums of the tables say the same, sealed anew.
        return JSON.stringify(same) !== JSON.stringify(row) && !/^(outbox|names_nodes|shreds)/.test(`${row.name}`);
      });
      for (const row of spread(stale)) {
        const columns = Object.keys(row);
        const marks = columns.map(() => '?').join(', ');
        await expectNoticed(`an old row of ${rows.table} ${keyOf(rows, row)}`, (database) =>
          database
            .prepare(`INSERT OR REPLACE INTO ${rows.table} (${columns.join(', ')}) VALUES (${marks})`)
            .run(...Object.values(row)),
        );
      }
      if (stale.length > 0) changed.push(rows.table);
    }
    expect(changed).toEqual(expect.arrayContaining(['entries', 'head', 'names_roots', 'table_sums']));
  });

  it('notices any clear column that is changed', async () => {
    for (const rows of sealed(now)) {
      const [row] = rows.rows;
      for (const column of Object.keys(row ?? {}).filter((one) => one !== 'sealed')) {
        const value = row?.[column];
        const other =
          value instanceof Uint8Array ? value.map((byte, at) => (at === 0 ? byte ^ 1 : byte)) : Number(value) + 1000;
        const changed = typeof value === 'string' ? `${value}s` : other;
        await expectNoticed(`${rows.table}.${column}`, (database) =>
          database
            .prepare(`UPDATE ${rows.table} SET ${column} = ? WHERE ${where(rows)}`)
            .run(changed, ...keyOf(rows, row ?? {})),
        );
      }
    }
  });
});
