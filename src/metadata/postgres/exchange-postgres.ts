/** What a rebuild does to metadata in PostgreSQL: each a transaction of its own, on a connection of its own. */
import type { Client } from 'pg';
import { storeError } from '../../errors/store-error.ts';
import { CLOSED_CONNECTION_WAITS } from '../../limits.ts';
import { connectionName } from './postgres-database.ts';
import { fromPostgresError } from './postgres-errors.ts';
import { describePlace, type PostgresPlace, parsePostgresUrl } from './postgres-url.ts';

type Work<T> = (client: Client, place: PostgresPlace) => Promise<T>;

async function within<T>(text: string, work: Work<T>): Promise<T> {
  const place = parsePostgresUrl(text);
  const { Client } = (await import('pg')).default;
  const client = new Client({ connectionString: place.url, application_name: 'holdfast' });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('BEGIN');
    const result = await work(client, place);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    throw fromPostgresError(error);
  } finally {
    await client.end();
  }
}

async function isThere(client: Client, schema: string): Promise<boolean> {
  const { rows } = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema]);
  return rows.length > 0;
}

async function isConnectedTo(client: Client, { schema }: PostgresPlace): Promise<boolean> {
  const users = 'SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1';
  const { rows } = await client.query(users, [connectionName(schema)]);
  return rows.length > 0;
}

/** A connection that was closed is listed until its server process has ended: that is waited for. */
async function checkUnused(client: Client, place: PostgresPlace): Promise<void> {
  for (let wait = 0; wait < CLOSED_CONNECTION_WAITS; wait += 1) {
    if (!(await isConnectedTo(client, place))) return;
    // What a transaction has seen of them it goes on seeing.
    await client.query('SELECT pg_sleep(0.1), pg_stat_clear_snapshot()');
  }
  const message = `the metadata in ${describePlace(place)} are open in another process: close the store there first`;
  throw storeError('STORE_IN_USE', message);
}

/** Whether there is a schema. */
export async function hasPostgresMetadata(text: string): Promise<boolean> {
  return await within(text, (client, { schema }) => isThere(client, schema));
}

/**
 * @throws `conflict/STORE_IN_USE` while a process is connected to the metadata. One that was cut off and comes back later
 *   finds that its session is none of the new metadata's, and changes nothing
 */
export async function checkPostgresUnused(text: string): Promise<void> {
  await within(text, checkUnused);
}

/** Gives a schema the name of another one that is not there; an absent one is fine. @throws as `checkPostgresUnused` */
export async function renamePostgresMetadata(from: string, to: string): Promise<void> {
  const { schema: name } = parsePostgresUrl(to);
  await within(from, async (client, place) => {
    await checkUnused(client, place);
    if (await isThere(client, place.schema)) await client.query(`ALTER SCHEMA "${place.schema}" RENAME TO "${name}"`);
  });
}

/** Removes what a rebuild that was interrupted has left. @throws as `checkPostgresUnused` */
export async function removePostgresMetadata(text: string): Promise<void> {
  await within(text, async (client, place) => {
    await checkUnused(client, place);
    await client.query(`DROP SCHEMA IF EXISTS "${place.schema}" CASCADE`);
  });
}
