/** A store with something in it, spread over five folders, behind a server. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { createStore, type Store } from '../../src/index.ts';
import { BreakableFolders } from '../../src/server/demo/breakable-backends.ts';
import { type Grant, type RunningServer, serve } from '../../src/server/index.ts';
import { makeTemporaryFolder } from '../../src/testing/temporary-folder.ts';
import { noise } from '../support/contents.ts';
import { launch, noBrowser } from './launch.ts';

export interface World extends AsyncDisposable {
  readonly store: Store;
  readonly url: string;
  /** Takes away everything that lies on one of the backends. */
  lose(backend: string): Promise<void>;
}

const GRANTS: Readonly<Record<string, Grant>> = {
  'token-of-reader': { name: 'reader', verbs: ['read'] },
  'token-of-dropper': { name: 'dropper', verbs: ['put'] },
};

/** A square, and a document of one empty page. */
export const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC',
  'base64',
);
export const DOCUMENT = Buffer.from(
  '%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n' +
    '3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n',
);

async function fill(store: Store): Promise<void> {
  await store.versions.setPolicy({ last: 10 });
  await store.put('docs/report.txt', 'first draft', { contentType: 'text/plain' });
  await store.put('docs/report.txt', 'second draft', { contentType: 'text/plain', attributes: { author: 'Ann' } });
  await store.put('docs/evil.html', '<script>document.title = "taken"</script>', { contentType: 'text/html' });
  // Enough for a stripe over all disks: what is small lies on fewer.
  await store.put(`docs/${'a-long-name-'.repeat(12)}.bin`, noise(4_000_000));
  await store.put('pictures/square.png', PICTURE, { contentType: 'image/png' });
  await store.put('pictures/page.pdf', DOCUMENT, { contentType: 'application/pdf' });
  await store.snapshots.create({ prefix: '' }, { ref: 'daily', message: 'before the change' });
}

/** @param mustAsk whether clients on this machine need a token too */
export async function createWorld({ mustAsk = false } = {}): Promise<World> {
  const folder = await makeTemporaryFolder();
  const disk = (number: number): string => path.join(folder.path, `disk-${number}`);
  const store = await createStore(path.join(folder.path, 'home'), {
    ...{ keys: 'none', redundancy: 'personal', heal: 'manual', gc: 'manual' },
    backends: [1, 2, 3, 4, 5].map((number) => ({ location: disk(number), name: `disk-${number}` })),
  });
  await fill(store);
  const tokens = { find: async (token: string) => GRANTS[token] };
  const uploads = { folder: path.join(folder.path, 'uploads') };
  const names = [1, 2, 3, 4, 5].map((number) => `disk-${number}`);
  const demo = new BreakableFolders(store, folder.path, names);
  const running: RunningServer = await serve(store, {
    port: 0,
    access: { loopback: !mustAsk, tokens },
    uploads,
    demo,
    graceMs: 100,
  });
  return {
    store,
    url: running.url,
    lose: (backend) => rm(path.join(folder.path, backend, 'packs'), { recursive: true }),
    async [Symbol.asyncDispose]() {
      await running.close();
      await store.close();
      await folder.remove();
    },
  };
}

/** A world and a browser for the tests of a file; nothing is there where the machine has no browser. */
export function useWorld(): { readonly world: World; readonly browser: Browser } {
  const used: { world?: World; browser?: Browser } = {};
  beforeAll(async () => {
    if (noBrowser) return;
    [used.world, used.browser] = await Promise.all([createWorld(), launch()]);
  });
  afterAll(async () => {
    await used.browser?.close();
    await used.world?.[Symbol.asyncDispose]();
  });
  return used as Required<typeof used>;
}
