/**
 * Blobs as rows of a PostgreSQL table: the worked example of docs/backend-guide.md.
 *
 * `pg://user@host:port/database?table=name`; the password comes from PGPASSWORD or ~/.pgpass.
 */
import { BaseBackend, BLOB_BYTES_MAX, blobExistsError, resolveRange, storeError } from 'holdfast/backend';
import pg from 'pg';

/** Calls at once: each has a connection of its own, so that none waits for one until it is given up. */
const CONNECTIONS = 8;
const TABLE = /^[a-z_][a-z0-9_]{0,62}$/;

/** What Holdfast asks of a module: see `BackendModule`. */
export async function openBackend(url, { readOnly, create }) {
  const { database, table } = parseUrl(url);
  const pool = new pg.Pool({
    ...{ connectionString: database, max: CONNECTIONS, connectionTimeoutMillis: 10_000 },
    // What is acknowledged survives a power cut of the server (B3), whatever its default is.
    options: '-c synchronous_commit=on',
  });
  // An idle connection that ends is no loss, and must not end the process.
  pool.on('error', () => undefined);
  try {
    if (create && !readOnly) await makeTable(pool, table);
    await pool.query(`SELECT FROM "${table}" LIMIT 0`);
    return new PostgresBackend(pool, table, !readOnly);
  } catch (error) {
    await pool.end();
    throw failure(error, `open table ${table}`);
  }
}

function parseUrl(text) {
  const url = new URL(text);
  const table = url.searchParams.get('table') ?? 'blobs';
  if (!TABLE.test(table) || url.pathname.length < 2) {
    throw storeError('BACKEND_INVALID', `${text} is no pg://user@host:port/database?table=name`, {
      details: { path: text },
    });
  }
  url.searchParams.delete('table');
  return { database: url.href.replace(/^pg:/, 'postgres:'), table };
}

/** Keys in the order of their bytes (B8); bytes out of line and not compressed, so that a range reads only its pages. */
async function makeTable(pool, table) {
  await pool.query(`CREATE TABLE IF NOT EXISTS "${table}" (key TEXT COLLATE "C" PRIMARY KEY, bytes BYTEA NOT NULL)`);
  await pool.query(`ALTER TABLE "${table}" ALTER COLUMN bytes SET STORAGE EXTERNAL`);
}

/** `BaseBackend` has checked arguments, keys, sizes, rights, aborts and whether it is closed when a method here is called. */
class PostgresBackend extends BaseBackend {
  #pool;
  #table;

  constructor(pool, table, writable) {
    super({ durable: true, ifAbsent: true, writable, concurrencyMax: CONNECTIONS, blobBytesMax: BLOB_BYTES_MAX });
    this.#pool = pool;
    this.#table = `"${table}"`;
  }

  /** One statement is one transaction: a blob is there whole or not at all (B2), for everybody once it is (B1). */
  async putBlob(key, bytes, { ifAbsent = false }) {
    const conflict = ifAbsent ? 'DO NOTHING' : '(key) DO UPDATE SET bytes = EXCLUDED.bytes';
    const insert = `INSERT INTO ${this.#table} (key, bytes) VALUES ($1, $2) ON CONFLICT ${conflict}`;
    // A view of the caller's bytes, which are sent before this settles and not kept (B10).
    const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const { rowCount } = await this.#query('put', insert, [key, value]);
    if (ifAbsent && rowCount === 0) throw blobExistsError(key);
  }

  async getBlob(key, options) {
    const { offset = 0, length = BLOB_BYTES_MAX } = options;
    const select = `SELECT octet_length(bytes) AS size, substring(bytes FROM $2::int FOR $3::int) AS bytes
      FROM ${this.#table} WHERE key = $1`;
    // No blob is larger: beyond, there is nothing but the answer that the range is invalid.
    const range = [Math.min(offset, BLOB_BYTES_MAX) + 1, Math.min(length, BLOB_BYTES_MAX)];
    const [row] = (await this.#query('get', select, [key, ...range])).rows;
    // Absent is `undefined`; whatever else goes wrong has thrown (B5).
    if (row === undefined) return undefined;
    // Past the end is an error, never fewer bytes (B6).
    resolveRange(key, options, row.size);
    return new Uint8Array(row.bytes);
  }

  /** Nobody sees a row before the commit that made it is on the disk: found is durable, also where that is asked for. */
  async headBlob(key) {
    const select = `SELECT octet_length(bytes) AS size FROM ${this.#table} WHERE key = $1`;
    const [row] = (await this.#query('head', select, [key])).rows;
    return row && { key, bytes: row.size };
  }

  async deleteBlob(key) {
    await this.#query('delete', `DELETE FROM ${this.#table} WHERE key = $1`, [key]);
  }

  /** `~` comes after every character that a key may have. */
  async listBlobs({ prefix, after = '', limit }) {
    const select = `SELECT key, octet_length(bytes) AS size FROM ${this.#table}
      WHERE key > $1 AND key >= $2 AND key < $3 ORDER BY key LIMIT $4::int`;
    const { rows } = await this.#query('list', select, [after, prefix, `${prefix}~`, limit]);
    return rows.map(({ key, size }) => ({ key, bytes: size }));
  }

  async measureSpace() {
    const select = `SELECT coalesce(sum(octet_length(bytes)), 0)::text AS total FROM ${this.#table}`;
    const [row] = (await this.#query('space', select, [])).rows;
    return { usedBytes: Number(row.total) };
  }

  async release() {
    await this.#pool.end();
  }

  async #query(action, text, values) {
    try {
      return await this.#pool.query(text, values);
    } catch (error) {
      throw failure(error, `${action} in table ${this.#table}`);
    }
  }
}

/** What the caller can do about it, by SQLSTATE; the cause stays (B13). What may pass says `retry`, as BACKEND_IO does. */
function failure(error, doing) {
  const { code = '', message } = error;
  const options = { cause: error, details: { system: code } };
  if (/^(?:28...|42501)$/.test(code)) return storeError('PERMISSION_DENIED', `${doing}: ${message}`, options);
  if (code === '53100') return storeError('DISK_FULL', `${doing}: ${message}`, options);
  if (code === '25006') return storeError('READ_ONLY', `${doing}: ${message}`, options);
  const isLasting = /^(?:3D...|42...)$/.test(code);
  return storeError('BACKEND_IO', `${doing}: ${message}`, { ...options, ...(isLasting && { retry: false }) });
}
