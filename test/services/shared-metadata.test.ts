import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openS3Backend } from '../../src/backend/index.ts';
import { createStore, openStore, rebuildStore, type Store, type StoreError } from '../../src/index.ts';
import { checkPostgresUnused } from '../../src/metadata/postgres/exchange-postgres.ts';
import { openPostgresMetadata } from '../../src/metadata/postgres/open-postgres.ts';
import { connectionName } from '../../src/metadata/postgres/postgres-database.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { createCliFolder } from '../support/cli.ts';
import { noise } from '../support/contents.ts';
import { closedAfterTest, SOUND, testFolder } from '../support/stores.ts';
import { ENDPOINT, makeBucket, newSchema, openRelay, SERVER, WHY_SKIPPED } from './services.ts';

const KINDS = [
  ['plain', 'none'],
  ['sealed', { key: noise(32, 9) }],
] as const;
/** A place for the bytes in a bucket and the metadata in PostgreSQL, as any number of processes open it. */
async function sharedPlace(over = (url: string) => url) {
  const [backend, metadata] = [await makeBucket(), newSchema()];
  const place = { backend, metadata: over(metadata) };
  const opened = async (keys: (typeof KINDS)[number][1]) =>
    closedAfterTest(await openStore(place, { ...(keys !== 'none' && { keys }), gc: 'manual' }));
  return { place, opened };
}

async function contentsOf(store: Store): Promise<readonly unknown[]> {
  const infos = await Array.fromAsync(store.list());
  return await Promise.all(infos.map(async ({ key, digest }) => [key, digest, (await store.get(key)).length]));
}

describe.skipIf(ENDPOINT === undefined)(`a store in a bucket with its metadata in PostgreSQL${WHY_SKIPPED}`, () => {
  it.each(KINDS)('that is %s is one store to all who have it open', async (_, keys) => {
    const { place, opened } = await sharedPlace();
    const first = closedAfterTest(await createStore(place, { keys, gc: 'manual' }));
    const second = await opened(keys);
    const contents = Array.from({ length: 12 }, (_none, index) => noise(1000 + index * 9000, index % 7));
    await Promise.all(contents.map((content, index) => [first, second][index % 2]?.put(`k${index}`, content)));
    for (const store of [first, second])
      for (const [index, content] of contents.entries())
        expect(Buffer.compare(await store.get(`k${index}`), content)).toBe(0);
    const version = (await first.stat('k1')).version;
    const rivals = [first, second].map((store, who) => store.put('k1', `won by ${who}`, { ifMatch: version }));
    const outcomes = (await Promise.allSettled(rivals)).map(({ status }) => status);
    expect(outcomes.sort()).toEqual(['fulfilled', 'rejected']);
    for (const index of [2, 3, 4]) await second.delete(`k${index}`);
    // What the other one holds open may keep some of it until it is looked at again.
    await vi.waitFor(
      async () => {
        const collected = await first.maintenance.gc({ graceMs: 0, deadShare: 0 });
        expect(collected).toMatchObject({ problems: [] });
        expect(collected.itemsRemoved).toBeGreaterThan(0);
      },
      { timeout: 45_000, interval: 500 },
    );
    expect(await first.maintenance.check({ invariants: true })).toMatchObject(SOUND);
    expect(await contentsOf(first)).toEqual(await contentsOf(second));
    const { backends, metadata = { statements: 0, roundTrips: 0, connections: 0 } } = (await second.stats()).requests;
    expect(metadata.statements).toBeGreaterThan(metadata.roundTrips);
    expect(metadata.connections).toBeGreaterThan(0);
    const [bucket] = backends;
    expect(bucket?.service?.requests.PutObject).toBeGreaterThanOrEqual(bucket?.calls.put.calls ?? 0);
  });

  it.each(KINDS)('that is %s is made anew from the bucket alone', async (_, keys) => {
    const { place, opened } = await sharedPlace();
    const store = closedAfterTest(await createStore(place, { keys, gc: 'manual' }));
    for (const index of [1, 2, 3]) await store.put(`k${index}`, noise(index * 50_000, index));
    await store.snapshots.create({ prefix: '' }, { ref: 'all' });
    await store.delete('k2');
    const held = await contentsOf(store);
    const given = keys !== 'none' && { keys };
    await expect(rebuildStore(place, { ...given })).rejects.toMatchObject({ code: 'STORE_IN_USE' });
    await store.close();
    const { setAside } = await rebuildStore(place, { ...given });
    expect(setAside).toMatch(/schema=store_\d+_\d+_set_aside_/);
    const again = await opened(keys);
    expect(await contentsOf(again)).toEqual(held);
    expect(await again.refs.get('all')).toMatchObject({ type: 'snapshot' });
    expect(await again.maintenance.check({ invariants: true })).toMatchObject(SOUND);
    await again.close();
    // Into a schema that never was, as after the loss of the whole database.
    const elsewhere = { ...place, metadata: `${place.metadata}_new` };
    await rebuildStore(elsewhere, { ...given });
    expect(await contentsOf(closedAfterTest(await openStore(elsewhere, { ...given })))).toEqual(held);
  });

  it('takes nobody for silent whose clock is hours apart', async () => {
    const url = newSchema();
    const open = async (hours: number) => {
      const clock = { ...systemClock, now: () => Date.now() + hours * 3_600_000 };
      const metadata = await openPostgresMetadata(
        { url, storeId: new Uint8Array(16), create: true },
        { clock, random: systemRandom },
      );
      onTestFinished(() => metadata.close());
      await metadata.openSession(`${hours} hours`);
      return metadata;
    };
    for (const metadata of [await open(0), await open(2), await open(-2)]) {
      await metadata.publishEpoch(await metadata.currentEpoch());
      const sessions = await metadata.listSessions();
      expect(Math.max(...sessions.map(({ silentMs }) => silentMs))).toBeLessThan(60_000);
    }
  });

  it('is not in use by a connection that is going away', async () => {
    const { place } = await sharedPlace();
    const { default: pg } = await import('pg');
    const schema = new URL(place.metadata).searchParams.get('schema') ?? '';
    const leaving = new pg.Client({ connectionString: SERVER ?? '', application_name: connectionName(schema) });
    await leaving.connect();
    const checking = checkPostgresUnused(place.metadata);
    // It is there still when it is asked for first, by a connection that has to be made.
    setTimeout(() => void leaving.end(), 300);
    await checking;
    await leaving.end().catch(() => undefined);
  });

  it('goes on after its connections were cut, and loses nothing that it acknowledged', {
    timeout: 180_000,
  }, async () => {
    const relay = await openRelay(SERVER ?? '');
    const { place } = await sharedPlace((url) => relay.over(url));
    const store = closedAfterTest(await createStore(place, { keys: 'none', gc: 'manual' }));
    const acknowledged: string[] = [];
    let failures = 0;
    for (let index = 0; index < 120; index += 1) {
      if (index % 10 === 5) setTimeout(() => relay.drop(), index % 7);
      await store.put(`k${index}`, `value ${index}`).then(
        () => acknowledged.push(`k${index}`),
        (error: unknown) => {
          failures += 1;
          // What is committed, and lacks only its journal, is not to be put again.
          expect([
            ['METADATA_BUSY', true],
            ['COMMIT_PENDING', false],
          ]).toContainEqual([(error as StoreError).code, (error as StoreError).retry]);
        },
      );
    }
    expect(acknowledged.length).toBeGreaterThan(60);
    expect(failures).toBeGreaterThan(0);
    for (const key of acknowledged)
      expect(Buffer.from(await store.get(key)).toString()).toBe(key.replace('k', 'value '));
    expect(await store.maintenance.check({ invariants: true })).toMatchObject(SOUND);
    await relay.cut();
  });

  it('is opened by the command line on any machine that names both', async () => {
    const { place } = await sharedPlace();
    const env = { HOLDFAST_STORE: place.backend, HOLDFAST_DATABASE: place.metadata };
    const [one, other] = [await createCliFolder(), await createCliFolder()];
    expect(await one.start(['init', '--plain'], { env })).toMatchObject({ status: 0 });
    expect(await one.start(['put', '--data', 'from here', '--key', 'a'], { env })).toMatchObject({ status: 0 });
    const there = await other.start(['get', 'a'], { env });
    expect(there).toMatchObject({ status: 0 });
    expect(there.stdout).toBe('from here');
    const { HOLDFAST_DATABASE: _, ...without } = env;
    expect(await other.start(['get', 'a'], { env: without })).toMatchObject({ status: 2 });
    const argument = ['--database', 'postgres://me:secret@127.0.0.1/db', 'ls'];
    const seen = await other.start(argument, { env: without });
    expect(seen).toMatchObject({ status: 2, stderr: expect.stringContaining('HOLDFAST_DATABASE') });
  });

  it('is opened by nobody with metadata of their own', async () => {
    const { place } = await sharedPlace();
    await (await createStore(place, { keys: 'none' })).close();
    const { backend } = place;
    await expect(openStore(backend)).rejects.toMatchObject({ code: 'LOCATION_INVALID' });
    const own = async () => ({ backend: await openS3Backend(backend), metadata: ':memory:' });
    await expect(openStore(await own())).rejects.toMatchObject({ code: 'METADATA_ELSEWHERE' });
    await expect(
      rebuildStore({ ...(await own()), metadata: path.join(await testFolder(), 'own.sqlite') }),
    ).rejects.toMatchObject({
      code: 'METADATA_ELSEWHERE',
    });
    const folder = path.join(await testFolder(), 'shared');
    await (await createStore({ backend: folder, metadata: newSchema() }, { keys: 'none' })).close();
    await expect(openStore(folder)).rejects.toMatchObject({ code: 'METADATA_ELSEWHERE' });
    await expect(createStore(place, { keys: 'none' })).rejects.toMatchObject({ code: 'STORE_EXISTS' });
  });

  it('says what is wrong with the place of metadata, and never a password', async () => {
    const root = await testFolder();
    let folders = 0;
    const at = (metadata: string) => {
      folders += 1;
      return { backend: path.join(root, `${folders}`), metadata };
    };
    const { port } = new URL(SERVER ?? '');
    for (const [url, code] of [
      ['postgres://user:secret@127.0.0.1:1/none', 'METADATA_BUSY'],
      [`postgres://postgres:secret@127.0.0.1:${port}/nowhere`, 'BACKEND_IO'],
      [`postgres://nobody:secret@127.0.0.1:${port}/postgres`, 'PERMISSION_DENIED'],
      [`postgres://postgres:secret@127.0.0.1:${port}/postgres?schema=No+Name`, 'LOCATION_INVALID'],
    ] as const) {
      const creating = createStore(at(url), { keys: 'none' });
      const error: unknown = await creating.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code });
      expect(String(error)).not.toContain('secret');
    }
    const own = newSchema();
    await (await createStore(at(own), { keys: 'none' })).close();
    const other = { backend: path.join(await testFolder(), 'other'), metadata: own };
    await expect(createStore(other, { keys: 'none' })).rejects.toMatchObject({ code: 'METADATA_CORRUPT' });
  });
});
