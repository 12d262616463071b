/** What a check says of content that no entry holds: objects, and earlier versions of entries. */
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { decodeStoreConfig } from '../../src/format/index.ts';
import { createTree } from '../../src/index.ts';
import { openSqliteMetadata } from '../../src/metadata/index.ts';
import { storeIdOf } from '../../src/store/location.ts';
import { noise } from '../support/contents.ts';
import { STORE_KEY } from '../support/sealed-store.ts';
import { metadataFile, packFiles } from '../support/store-files.ts';
import { folderStore, memoryStore, reopen, SOUND, storeTemplate } from '../support/stores.ts';

/** A snapshot over a tree over a blob, a file of a pack each: what is large enough does not ride in the journal. */
const template = storeTemplate(async (store) => {
  const { id } = await store.objects.putBlob(noise(200_000, 5));
  const child = {
    type: 'file',
    name: 'a',
    id,
    size: 200_000,
    mode: 0o644,
    mtime: '2026-01-01T00:00:00.000000000Z',
  } as const;
  const tree = await store.objects.put(createTree([child]));
  const snapshot = await store.objects.putSnapshot({ tree: tree.id });
  await store.refs.set('photos', snapshot.id);
  await store.refs.set('photos', tree.id);
});

async function checked(folder: string) {
  const store = await reopen(folder);
  return await store.maintenance.check();
}

function tamper(folder: string, statement: string): void {
  const database = new DatabaseSync(metadataFile(folder));
  database.exec(statement);
  database.close();
}

describe('check', () => {
  it('counts objects and proves that what they need is there', async () => {
    expect(await checked(await template.copy())).toMatchObject({ ...SOUND, objects: 3, entries: 0 });
  });

  it('proves it in every namespace of a sealed store', async () => {
    const store = await memoryStore({ keys: { key: STORE_KEY } });
    await store.namespaces.create('tenant');
    for (const entries of [store, store.namespace('tenant')]) {
      const { id } = await entries.objects.putBundle({ a: 1 });
      await entries.refs.set('r', (await entries.objects.putSnapshot({ bundles: [id] })).id);
    }
    expect(await store.maintenance.check()).toMatchObject({ ...SOUND, objects: 4 });
  });

  it('finds an object whose content is gone, although no entry has it', async () => {
    const folder = await template.copy();
    for (const pack of await packFiles(folder)) await rm(pack);
    const { outcome, problems } = await checked(folder);
    expect(outcome).toBe('damaged');
    const store = await reopen(folder, { readOnly: true });
    const [blob] = await Array.fromAsync(store.objects.list({ types: ['blob'] }));
    const about = problems.filter(({ object }) => object === blob?.id);
    expect(about).toMatchObject([{ code: 'CHUNK_MISSING', digest: expect.any(String) }]);
  });

  it('finds an object that others and refs refer to and that is not there', async () => {
    const folder = await template.copy();
    const store = await reopen(folder, { readOnly: true });
    const ids = new Map<string, string>();
    for await (const { id, type } of store.objects.list()) ids.set(type, id);
    await store.close();
    const [blob = '', tree = '', snapshot = ''] = ['blob', 'tree', 'snapshot'].map((type) => ids.get(type) ?? '');
    tamper(folder, `DELETE FROM objects WHERE hex(key) LIKE '%${tree.toUpperCase()}'`);
    const { problems } = await checked(folder);
    const missing = problems.filter(({ code }) => code === 'OBJECT_MISSING');
    expect(missing.every(({ object }) => object === tree)).toBe(true);
    expect(missing.map(({ message }) => message).sort()).toEqual([
      `object ${tree} is missing: the ref photos (move 2) leads to it`,
      `object ${tree} is missing: the ref photos leads to it`,
      `tree ${tree} is missing: the snapshot ${snapshot} refers to it`,
    ]);
    expect(problems.some(({ object }) => object === blob)).toBe(false);
  });

  it('finds an earlier version whose content is gone, although its entry has another one', async () => {
    const { path: folder, store } = await folderStore();
    await store.put('k', 'before');
    await store.close();
    const config = decodeStoreConfig(await readFile(path.join(folder, 'holdfast.json')));
    const metadata = await openSqliteMetadata({
      path: metadataFile(folder),
      storeId: storeIdOf(config),
      create: false,
    });
    const policy = { type: 'policy-set', namespace: 0, policy: { last: 3 } } as const;
    expect(await metadata.commit([{ changes: [policy], inline: [] }])).toMatchObject([{ ok: true }]);
    await metadata.close();
    const writer = await reopen(folder);
    await writer.put('k', noise(200_000, 1));
    await writer.put('k', 'after');
    expect(await writer.maintenance.check()).toMatchObject({ ...SOUND, versions: 2 });
    await writer.close();
    for (const pack of await packFiles(folder)) await rm(pack);
    const { outcome, problems } = await checked(folder);
    expect(outcome).toBe('damaged');
    const about = problems.filter(({ key }) => key !== undefined);
    expect(about).toMatchObject([{ code: 'CHUNK_MISSING', key: 'k', message: expect.stringMatching(/^version 2: /) }]);
  });
});
