import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import type { BackendModule } from '../../src/backend/index.ts';
import { createStore, openStore } from '../../src/index.ts';
import { describeBackend } from '../../src/testing/index.ts';
import { ROOT } from '../support/consumer-folder.ts';
import { noise } from '../support/contents.ts';
import { runProcess } from '../support/run-process.ts';
import { closedAfterTest, SOUND, testFolder } from '../support/stores.ts';
import { openRelay, SERVER, WHY_SKIPPED } from './services.ts';

const MODULE = path.join(ROOT, 'examples/postgres-backend.mjs');
const SERVED = describe.skipIf(SERVER === undefined);
let tables = 0;

async function loadExample(): Promise<BackendModule> {
  return (await import(pathToFileURL(MODULE).href)) as BackendModule;
}

/** The URL of a table that there is none of yet. */
function newTable(): { readonly url: string; drop(): Promise<void> } {
  tables += 1;
  const table = `blobs_${process.pid}_${tables}`;
  return {
    url: `${SERVER?.replace(/^postgres:/, 'pg:')}?table=${table}`,
    drop: async () => {
      const client = new pg.Client(SERVER);
      await client.connect();
      await client.query(`DROP TABLE IF EXISTS "${table}"`);
      await client.end();
    },
  };
}

describeBackend({ describe: SERVED, it }, `the example of the guide${WHY_SKIPPED}`, {
  open: async () => {
    const { openBackend } = await loadExample();
    const [relay, { url, drop }] = [await openRelay(SERVER), newTable()];
    const backend = await openBackend(relay.over(url), { readOnly: false, create: true });
    const again = (readOnly = false) => openBackend(url, { readOnly, create: false });
    return {
      backend,
      reopen: () => again(),
      // What was committed is the server's: this process is all that ends.
      crash: () => again(),
      fail: () => relay.cut(),
      openReadOnly: () => again(true),
      dispose: async () => {
        await backend.close();
        await relay.cut();
        await drop();
      },
    };
  },
});

SERVED(`a store with a backend of a module${WHY_SKIPPED}`, () => {
  it('keeps its URL, and is opened by those who name the module', async () => {
    const [home, { url, drop }] = [path.join(await testFolder(), 'home'), newTable()];
    const how = { reserveBytes: 0, backendModules: { pg: await loadExample() } };
    const backends = [{ location: url, name: 'rows' }];
    const store = await createStore(home, { ...how, keys: 'none', backends, homeWeight: 0 });
    await store.put('a', noise(3_000_000));
    await store.close();
    const again = closedAfterTest(await openStore(home, how));
    expect((await again.backends.list()).map((one) => one.url)).toEqual([pathToFileURL(home).href, url]);
    expect(Buffer.compare(await again.get('a'), noise(3_000_000))).toBe(0);
    expect(await again.maintenance.check({ invariants: true })).toMatchObject(SOUND);
    const without = closedAfterTest(await openStore(home, { reserveBytes: 0 }));
    await expect(without.get('a')).rejects.toMatchObject({
      code: 'BACKEND_UNREACHABLE',
      message: expect.stringContaining('nobody has said what opens pg: URLs'),
    });
    await drop();
  });

  it('has its home there, with its metadata in the same database', async () => {
    const { url, drop } = newTable();
    const place = { backend: url, metadata: `${SERVER}?schema=rows_${process.pid}` };
    const how = { backendModules: { pg: await loadExample() } };
    const store = await createStore(place, { ...how, keys: 'none' });
    await store.put('a', noise(300_000));
    await store.close();
    const again = closedAfterTest(await openStore(place, how));
    expect(Buffer.compare(await again.get('a'), noise(300_000))).toBe(0);
    expect(await again.maintenance.check({ invariants: true })).toMatchObject(SOUND);
    await expect(openStore(place)).rejects.toMatchObject({ code: 'LOCATION_INVALID' });
    await drop();
  });

  it('is reached from the command line', async () => {
    const [folder, { url, drop }] = [await testFolder(), newTable()];
    const environment = { ...process.env, HOLDFAST_STORE: path.join(folder, 'home') };
    const run = (args: readonly string[], backends = `pg=${MODULE}`) =>
      runProcess(process.execPath, [path.join(ROOT, 'dist/cli/main.js'), ...args], {
        ...{ cwd: folder, env: { ...environment, HOLDFAST_BACKENDS: backends } },
      });
    expect(await run(['init', '--plain'])).toMatchObject({ status: 0 });
    expect(await run(['backend', 'add', url, '--name', 'rows'], '')).toMatchObject({
      ...{ status: 9, stderr: expect.stringContaining('HOLDFAST_BACKENDS') },
    });
    expect(await run(['backend', 'add', url, '--name', 'rows'])).toMatchObject({ status: 0 });
    expect(await run(['put', '--data', 'x'.repeat(50_000), '-k', 'a'])).toMatchObject({ status: 0 });
    expect((await run(['get', 'a'])).stdout).toHaveLength(50_000);
    await drop();
  });
});

describe('the guide', () => {
  it('shows the example as it is', async () => {
    const guide = await readFile(path.join(ROOT, 'docs/backend-guide.md'), 'utf8');
    expect(guide).toContain(`\`\`\`js no-run\n${await readFile(MODULE, 'utf8')}\`\`\`\n`);
  });
});
