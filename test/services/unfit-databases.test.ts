/** PostgreSQL as it is on a bad day: a replica, read-only, of a user with fewer rights, without space. */
import { spawnSync } from 'node:child_process';
import { chmod, chown } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createStore, openStore, type StoreLocation } from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { closedAfterTest, SOUND, testFolder } from '../support/stores.ts';
import { startPostgres, startReplica } from './postgres-server.ts';
import { ENDPOINT, SERVER, WHY_SKIPPED } from './services.ts';

const PLAIN = { keys: 'none' } as const;
/** An empty database takes half of it. */
const DISK_BYTES = 14 * 1024 ** 2;
let names = 0;

function newName(): string {
  names += 1;
  return `unfit_${process.pid}_${names}`;
}

/** Statements as the one who may do everything, each a transaction of its own. */
async function administer(...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: SERVER });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

/** A location in a database of its own, as a user sees it. */
async function placeIn(database: string, user = 'postgres'): Promise<{ backend: string; metadata: string }> {
  const url = new URL(SERVER ?? '');
  url.pathname = `/${database}`;
  url.username = user;
  return { backend: path.join(await testFolder(), 'bytes'), metadata: url.href };
}

async function refusedToOpen(place: StoreLocation): Promise<unknown> {
  const readOnly = await openStore(place, { readOnly: true });
  expect(Buffer.from(await readOnly.get('before')).toString()).toBe('acknowledged');
  await readOnly.close();
  return await openStore(place).then(
    (store) => store.close(),
    (error: unknown) => error,
  );
}

describe.skipIf(ENDPOINT === undefined)(`a store whose database is unfit${WHY_SKIPPED}`, () => {
  it('is refused by a user who may make no schema, and used by one to whom somebody gave an empty one', async () => {
    const [database, user] = [newName(), newName()];
    await administer(`CREATE DATABASE ${database}`, `CREATE ROLE ${user} LOGIN`);
    const place = await placeIn(database, user);
    await expect(createStore(place, PLAIN)).rejects.toMatchObject({ code: 'PERMISSION_DENIED', kind: 'denied' });
    const own = await placeIn(database, user);
    const client = new pg.Client({ connectionString: (await placeIn(database)).metadata });
    await client.connect();
    await client.query(`CREATE SCHEMA holdfast AUTHORIZATION ${user}`);
    await client.end();
    const store = closedAfterTest(await createStore(own, PLAIN));
    await store.put('before', 'acknowledged');
    expect(await store.maintenance.check({ invariants: true })).toMatchObject(SOUND);
  });

  it('that somebody made read-only is read, and not written to', async () => {
    const database = newName();
    await administer(`CREATE DATABASE ${database}`);
    const place = await placeIn(database);
    const store = closedAfterTest(await createStore(place, PLAIN));
    await store.put('before', 'acknowledged');
    await store.close();
    await administer(`ALTER DATABASE ${database} SET default_transaction_read_only = on`);
    expect(await refusedToOpen(place)).toMatchObject({ code: 'READ_ONLY', kind: 'denied' });
    await administer(`ALTER DATABASE ${database} RESET default_transaction_read_only`);
    expect(Buffer.from(await closedAfterTest(await openStore(place)).get('before')).toString()).toBe('acknowledged');
  });

  it('that is a replica is read, and not written to', { timeout: 120_000 }, async () => {
    const folder = await testFolder();
    await chmod(folder, 0o755);
    // The one of all other tests is too large to be copied in passing.
    const first = await startPostgres(path.join(folder, 'first'));
    onTestFinished(() => first.stop());
    const place = { backend: path.join(folder, 'bytes'), metadata: first.url };
    const store = closedAfterTest(await createStore(place, PLAIN));
    await store.put('before', 'acknowledged');
    await store.close();
    const replica = await startReplica(path.join(folder, 'replica'), first.url);
    onTestFinished(() => replica.stop());
    expect(await refusedToOpen({ ...place, metadata: replica.url })).toMatchObject({ code: 'READ_ONLY' });
  });

  it('that has no space left keeps what it acknowledged, and goes on when it has', {
    timeout: 120_000,
  }, async () => {
    const disk = await mountSmallDisk(DISK_BYTES);
    if (disk === undefined) throw new Error('mounting a tmpfs needs Linux and root');
    const [database, space] = [newName(), newName()];
    const [uid, gid] = ['-u', '-g'].map((which) => Number(spawnSync('id', [which, 'postgres']).stdout));
    await chmod(disk.path, 0o700);
    await chown(disk.path, uid ?? 0, gid ?? 0);
    await administer(
      `CREATE TABLESPACE ${space} LOCATION '${disk.path}'`,
      `CREATE DATABASE ${database} TABLESPACE ${space}`,
    );
    try {
      const place = await placeIn(database);
      const store = await createStore(place, { ...PLAIN, gc: 'manual' });
      const acknowledged: string[] = [];
      let failure: unknown;
      for (let index = 0; failure === undefined && index < 5000; index += 1) {
        await store
          .put(`key ${index}`, noise(900, index), {
            attributes: { filler: Buffer.from(noise(6000, -index)).toString('hex') },
          })
          .then(
            () => acknowledged.push(`key ${index}`),
            (error: unknown) => {
              failure = error;
            },
          );
      }
      expect(failure).toMatchObject({ code: 'DISK_FULL', kind: 'exhausted' });
      expect(acknowledged.length).toBeGreaterThan(20);
      for (const key of acknowledged) expect((await store.get(key)).length).toBe(900);
      // Closing tells what is flushed, for which there may be no room either; whoever opens the store next finds it out.
      await store.close().catch((error: unknown) => expect(error).toMatchObject({ code: 'DISK_FULL' }));
      await disk.resize(10 * DISK_BYTES);
      const again = await openStore(place);
      expect(await again.maintenance.check({ invariants: true })).toMatchObject(SOUND);
      for (const key of acknowledged) expect((await again.get(key)).length).toBe(900);
      await again.put('after', 'x');
      await again.close();
    } finally {
      await disk.resize(10 * DISK_BYTES);
      await administer(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`, `DROP TABLESPACE ${space}`);
      await disk.unmount();
    }
  });
});
