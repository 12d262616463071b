/**
 * A whole store of version 1 over four backends, each pack in 2+1 shards, with objects, refs, relations, versions and what
 * a collection left. To make one anew for a new format: `HOLDFAST_GOLDEN=write npx vitest run test/golden`; what is there
 * is never overwritten.
 */
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Backend, openFsBackend } from '../../src/backend/index.ts';
import { createStore, rebuildStore, type Store, type StoreLocation } from '../../src/index.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { all, reopen, testFolder } from '../support/stores.ts';

const GOLDEN = path.resolve(import.meta.dirname, 'v1/sharded-store');
const NAMES = ['b1', 'b2', 'b3', 'b4'];
const METADATA = 'metadata.sqlite';

const random = seededRandom(6);
const CONTENTS: Readonly<Record<string, Uint8Array>> = {
  child: random.bytes(3000),
  kept: random.bytes(120_000),
  parent: random.bytes(90_000),
  'tiny 🙂': new TextEncoder().encode('rides in the journal'),
  versioned: random.bytes(70_000),
};
const OLDER = random.bytes(80_000);

async function locationIn(folder: string): Promise<Exclude<StoreLocation, string>> {
  const opened: Backend[] = [];
  for (const name of NAMES) opened.push(await openFsBackend(path.join(folder, name), { reserveBytes: 0 }));
  const [backend, ...backends] = opened as [Backend, ...Backend[]];
  return { backend, backends, metadata: path.join(folder, METADATA) };
}

async function writeGolden(): Promise<void> {
  mkdirSync(GOLDEN, { recursive: true });
  const { backend, backends = [], metadata } = await locationIn(GOLDEN);
  const options = { keys: 'none', redundancy: '2+1', homeWeight: 1, gc: 'manual' } as const;
  const others = backends.map((location) => ({ location }));
  const store = await createStore({ backend, metadata }, { ...options, backends: others });
  await store.versions.setPolicy({ last: 5 });
  await store.put('versioned', OLDER);
  for (const [key, content] of Object.entries(CONTENTS)) await store.put(key, content);
  await store.relations.set('child', 'parent');
  await store.snapshots.create({ prefix: '' }, { ref: 'all', message: 'golden' });
  const { id } = await store.objects.putBlob('a blob of its own', { metadata: { by: 'Ada' } });
  await store.refs.set('blob', id);
  await store.put('gone', random.bytes(200_000));
  await store.delete('gone');
  await store.maintenance.gc();
  await store.close();
}

async function copyOfGolden(): Promise<string> {
  const folder = await testFolder();
  cpSync(GOLDEN, folder, { recursive: true });
  return folder;
}

async function expectGoldenContents(store: Store): Promise<void> {
  expect((await all(store.list())).map(({ key }) => key)).toEqual(Object.keys(CONTENTS));
  for (const [key, content] of Object.entries(CONTENTS)) expect(await store.get(key), key).toEqual(content);
  const versions = await all(store.versions.list('versioned'));
  expect(versions).toHaveLength(2);
  expect(await all(store.relations.children('parent'))).toMatchObject([{ key: 'child' }]);
  expect((await all(store.refs.list())).map(({ name }) => name)).toEqual(['all', 'blob']);
}

describe('the golden sharded store of version 1', () => {
  if (process.env.HOLDFAST_GOLDEN === 'write' && !existsSync(GOLDEN)) {
    it('is written', writeGolden);
  }

  it('opens, everything is there, and nothing is amiss', async () => {
    const store = await reopen(await locationIn(await copyOfGolden()));
    await expectGoldenContents(store);
    expect(await store.maintenance.check()).toMatchObject({ outcome: 'ok', garbage: { blobs: 0, bytes: 0 } });
    expect(await store.maintenance.verify()).toMatchObject({ outcome: 'ok' });
    expect(await store.maintenance.gc()).toMatchObject({ itemsRemoved: 0, objectsRemoved: 0 });
  });

  it('reads everything with any one backend gone, and repairs what is missing', async () => {
    for (const gone of NAMES) {
      const folder = await copyOfGolden();
      rmSync(path.join(folder, gone, 'packs'), { recursive: true, force: true });
      const store = await reopen(await locationIn(folder));
      await expectGoldenContents(store);
      await store.maintenance.verify();
      await store.maintenance.repair();
      expect(await store.maintenance.verify()).toMatchObject({ outcome: 'ok' });
      await store.close();
    }
  });

  it('is rebuilt from packs and journal alone', async () => {
    const folder = await copyOfGolden();
    const before = await reopen(await locationIn(folder), { readOnly: true });
    const { commit, requests: _, ...counts } = await before.stats();
    await before.close();
    rmSync(path.join(folder, METADATA));
    expect(await rebuildStore(await locationIn(folder))).toMatchObject({ commit, problems: [] });
    const store = await reopen(await locationIn(folder));
    expect(await store.stats()).toMatchObject({ ...counts, commit });
    await expectGoldenContents(store);
  });
});
