import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type BackendModule, openFsBackend } from '../../src/backend/index.ts';
import {
  createStore,
  diagnoseStore,
  isStoreError,
  openStore,
  rebuildStore,
  repairBackends,
  type Store,
  StoreError,
} from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { closedAfterTest, SOUND, testFolder } from '../support/stores.ts';

/** Folders, under a scheme of its own: `dir:///path`. */
const dir: BackendModule = {
  openBackend: async (url, options) =>
    await openFsBackend(fileURLToPath(url.replace(/^dir:/, 'file:')), { ...options, reserveBytes: 0 }),
};
const HOW = { reserveBytes: 0, backendModules: { dir } } as const;

const urlOf = (folder: string): string => pathToFileURL(folder).href.replace(/^file:/, 'dir:');

interface Made {
  readonly root: string;
  readonly home: string;
  readonly store: Store;
}

/** A store whose shards are where the module has them. */
async function makeStore(): Promise<Made> {
  const root = await testFolder();
  const [home, location] = [path.join(root, 'home'), urlOf(path.join(root, 'disk'))];
  const how = { ...HOW, keys: 'none', backends: [{ location, name: 'disk' }], homeWeight: 0 } as const;
  const store = closedAfterTest(await createStore(home, how));
  await store.put('a', noise(200_000));
  return { root, home, store };
}

describe('a backend of a module', () => {
  it('is kept by its URL, and opened by whoever names the module', async () => {
    const { root, home, store } = await makeStore();
    expect(await readdir(path.join(root, 'disk'))).toContain('packs');
    await store.close();
    const again = closedAfterTest(await openStore(home, HOW));
    expect((await again.backends.list())[1]).toMatchObject({ name: 'disk', url: urlOf(path.join(root, 'disk')) });
    expect(await again.get('a')).toEqual(noise(200_000));
    await again.backends.add({ location: urlOf(path.join(root, 'second')), name: 'second' });
    await again.backends.drain('disk');
    await again.backends.remove('disk');
    expect(await again.maintenance.check({ invariants: true })).toMatchObject(SOUND);
    await again.close();
    await rm(path.join(home, '.metadata'), { recursive: true });
    expect(await rebuildStore(home, HOW)).toMatchObject({ entries: 1, problems: [] });
    expect(await diagnoseStore(home, HOW)).toMatchObject({ healthy: true });
    expect(await repairBackends(home, { ...HOW, dryRun: true })).toMatchObject({ outcome: 'ok' });
  });

  it('is away for whoever does not', async () => {
    const { home, store } = await makeStore();
    await store.close();
    const without = closedAfterTest(await openStore(home, { reserveBytes: 0 }));
    await expect(without.get('a')).rejects.toMatchObject({
      code: 'BACKEND_UNREACHABLE',
      message: expect.stringContaining('HOLDFAST_BACKENDS'),
    });
    expect((await without.backends.list())[1]?.health.state).toBe('down');
  });

  it('is refused where the store has it already, or where its URL would tell a password', async () => {
    const { root, store } = await makeStore();
    const add = (location: string): Promise<unknown> => store.backends.add({ location });
    await expect(add(urlOf(path.join(root, 'disk')))).rejects.toMatchObject({ code: 'BACKEND_EXISTS' });
    await expect(add(`${urlOf(path.join(root, 'disk'))}?other`)).rejects.toMatchObject({ code: 'BACKEND_EXISTS' });
    const telling = add('dir://me:secret@host/disk');
    await expect(telling).rejects.toMatchObject({ code: 'BACKEND_INVALID' });
    await expect(telling).rejects.not.toThrow(/secret/);
    await expect(add(`dir://${'x'.repeat(1100)}`)).rejects.toMatchObject({ code: 'BACKEND_INVALID' });
  });
});

describe('a URL of no module', () => {
  it.each([
    'ftp://example.org/there',
    'data:text/javascript,process.exit()',
    'node:fs',
    'constructor://there',
  ])('loads nothing, and says what to do: %s', async (location) => {
    const { store } = await makeStore();
    const adding = store.backends.add({ location });
    await expect(adding).rejects.toMatchObject({ code: 'BACKEND_UNSUPPORTED', kind: 'unsupported' });
    await expect(adding).rejects.toThrow(/backendModules/);
  });
});

describe('an error', () => {
  it('is known also when another copy of the package made it, as modules elsewhere have', async () => {
    const here = new URL('../../src/errors/store-error.ts', import.meta.url).href;
    const other = (await import(`${here}?copy`)) as { storeError(code: string, message: string): Error };
    const error = other.storeError('BLOB_EXISTS', 'there');
    expect(error).not.toBeInstanceOf(StoreError);
    expect([isStoreError(error, 'BLOB_EXISTS'), isStoreError(error, 'DISK_FULL')]).toEqual([true, false]);
    expect(isStoreError(new Error('none'))).toBe(false);
  });
});

describe('a module', () => {
  const withModule = async (openBackend: unknown): Promise<Promise<unknown>> => {
    const { home, store } = await makeStore();
    await store.close();
    const module = { openBackend } as BackendModule;
    const opened = closedAfterTest(await openStore(home, { ...HOW, backendModules: { dir, odd: module } }));
    return opened.backends.add({ location: 'odd://there' });
  };

  it('that fails in its own words is told as a failure of the backend, with its cause', async () => {
    const cause = new Error('no such disk');
    const failing = withModule(() => Promise.reject(cause));
    await expect(failing).rejects.toMatchObject({ code: 'BACKEND_IO', retry: false, cause });
  });

  it('that gives no backend is refused', async () => {
    await expect(withModule(async () => ({ capabilities: {} }))).rejects.toMatchObject({ code: 'BACKEND_INVALID' });
    await expect(withModule(async () => undefined)).rejects.toMatchObject({ code: 'BACKEND_INVALID' });
  });

  it('is refused under a scheme that means something else, or that is none', async () => {
    for (const scheme of ['s3', 'file', 'postgres', 'Dir', 'd', 'dir:', ''])
      await expect(openStore('nowhere', { backendModules: { [scheme]: dir } })).rejects.toThrow(RangeError);
    const odd = { backendModules: { dir: {} as BackendModule } };
    await expect(openStore('nowhere', odd)).rejects.toThrow(TypeError);
  });
});
