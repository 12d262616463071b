/** Verification of objects: every missing and corrupt one is told, with who refers to it, and nothing hides another. */
import { rm } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { createSnapshot, type ObjectVerification, objectId, type Store, type TreeChild } from '../../src/index.ts';
import { ObjectWriter } from '../../src/store/objects/object-writer.ts';
import { noise } from '../support/contents.ts';
import { graphStore } from '../support/graph-store.ts';
import { STORE_KEY } from '../support/sealed-store.ts';
import { flipByte, metadataFile, packFiles } from '../support/store-files.ts';
import { folderStore, memoryStore, reopen } from '../support/stores.ts';

const FINE = { outcome: 'ok', missing: [], corrupt: [], unreachable: [] };
const STORES = [
  { name: 'a plain store', options: {} },
  { name: 'a sealed store', options: { keys: { key: STORE_KEY } } },
];

function named(type: 'blob' | 'tree' | 'bundle' | 'raw', name: string, id: string): TreeChild {
  return { type, name, id };
}

/** Two trees that share a blob of a pack of its own, beneath a snapshot that the ref `main` names. */
async function fillDiamond(store: Store) {
  const shared = await store.objects.putBlob(noise(200_000, 1));
  const left = await store.objects.putTree([named('raw', 'shared', shared.id)]);
  const right = await store.objects.putTree([named('raw', 'again', shared.id), named('tree', 'left', left.id)]);
  const top = await store.objects.putTree([named('tree', 'l', left.id), named('tree', 'r', right.id)]);
  const snapshot = await store.objects.putSnapshot({ tree: top.id });
  await store.refs.set('main', snapshot.id);
  return { shared: shared.id, left: left.id, right: right.id, top: top.id, snapshot: snapshot.id };
}

function removeRow(folder: string, id: string): void {
  const database = new DatabaseSync(metadataFile(folder));
  database.exec(`DELETE FROM objects WHERE hex(key) LIKE '%${id.toUpperCase()}'`);
  database.close();
}

function wrongIds({ missing, corrupt }: ObjectVerification): readonly string[] {
  return [...missing, ...corrupt].map(({ object }) => object).sort();
}

describe.each(STORES)('verification of objects of $name', ({ options }) => {
  it('reads each object once, however many refer to it', async () => {
    const store = await memoryStore(options);
    const ids = await fillDiamond(store);
    const other = await store.objects.putBundle({ nobody: 'needs this' });
    const seen: number[] = [];
    const onProgress = ({ done }: { readonly done: number }) => seen.push(done);
    expect(await store.objects.verify({ onProgress })).toMatchObject({ ...FINE, objects: 5, blobs: 1 });
    expect(seen.at(-1)).toBe(5);
    expect(await store.objects.verify({ all: true })).toMatchObject({ ...FINE, objects: 6 });
    expect(await store.objects.verify({ address: 'main~0:l' })).toMatchObject({ ...FINE, objects: 2 });
    expect(await store.objects.verify({ address: other.id })).toMatchObject({ ...FINE, objects: 1, blobs: 0 });
    expect(await store.objects.verify({ address: ids.right, alone: true })).toMatchObject({ ...FINE, objects: 1 });
    const present = await store.objects.verify({ content: false });
    expect(present).toMatchObject({ ...FINE, objects: 5, blobs: 1 });
    expect(present.bytes).toBeLessThan(2000);
    expect(Object.isFrozen(present.missing)).toBe(true);
  });

  it('goes on past a blob whose bytes were changed, and names everyone who refers to it', async () => {
    const { path, store } = await folderStore(options);
    const { shared, left, right } = await fillDiamond(store);
    await store.close();
    const [pack = ''] = await packFiles(path);
    await flipByte(pack, 7000);
    const again = await reopen(path, { readOnly: true, ...options });
    for (const how of [{}, { all: true }, { address: 'main' }]) {
      const found = await again.objects.verify(how);
      expect(found).toMatchObject({ outcome: 'damaged', missing: [], corruptCount: 1, objects: 5 });
      const [finding] = found.corrupt;
      expect(finding).toMatchObject({ object: shared, type: 'raw', code: 'CHUNK_CORRUPT', referrerCount: 2 });
      expect(finding?.referrers.map((one) => 'id' in one && one.id).sort()).toEqual([left, right].sort());
    }
    expect(await again.objects.verify({ content: false })).toMatchObject(FINE);
  });
});

describe('verification of objects', () => {
  it('names what a removed pack took away', async () => {
    const { path, store } = await folderStore();
    const ids = await fillDiamond(store);
    const lone = await store.objects.putBlob(noise(100_000, 2));
    await store.refs.set('lone', lone.id);
    await store.close();
    const [first = ''] = await packFiles(path);
    await rm(first);
    const again = await reopen(path);
    const found = await again.objects.verify();
    expect(found.outcome).toBe('damaged');
    expect([ids.shared, lone.id]).toEqual(expect.arrayContaining([...wrongIds(found)]));
    for (const { code, referrers } of found.missing) {
      expect(code).toBe('CHUNK_MISSING');
      expect(referrers.length).toBeGreaterThan(0);
    }
    // What is put again is whole again.
    await again.objects.putBlob(noise(200_000, 1));
    await again.objects.putBlob(noise(100_000, 2));
    expect(await again.objects.verify()).toMatchObject(FINE);
  });

  it('goes on beside a root, a tree and a child that are not there', async () => {
    const { path, store } = await folderStore();
    const ids = await fillDiamond(store);
    const damaged = await store.objects.putBlob(noise(300_000, 3));
    const bundle = await store.objects.putBundle({ a: 1 });
    const kept = await store.objects.putTree([named('raw', 'x', damaged.id), named('bundle', 'b', bundle.id)]);
    await store.refs.set('kept', kept.id);
    await store.close();
    removeRow(path, ids.snapshot);
    removeRow(path, bundle.id);
    for (const pack of await packFiles(path)) await flipByte(pack, 5000);
    const again = await reopen(path, { readOnly: true });
    const found = await again.objects.verify();
    expect(found.missing).toMatchObject([
      { object: ids.snapshot, code: 'OBJECT_MISSING', referrers: [{ type: 'ref', name: 'main' }, { number: 1 }] },
      { object: bundle.id, type: 'bundle', referrers: [{ type: 'tree', id: kept.id }] },
    ]);
    expect(found.corrupt).toMatchObject([{ object: damaged.id, referrers: [{ type: 'tree', id: kept.id }] }]);
    expect(wrongIds(await again.objects.verify({ all: true }))).toEqual(
      [ids.snapshot, bundle.id, damaged.id, ids.shared].sort(),
    );
    const alone = await again.objects.verify({ address: kept.id, alone: true });
    expect(wrongIds(alone)).toEqual([bundle.id]);
  });

  it('follows a chain of any length', async () => {
    const { store, context } = await graphStore();
    const LENGTH = 1000;
    const writer = new ObjectWriter(context.engine, context.scope);
    let parent: string | undefined;
    for (let number = 0; number < LENGTH; number += 1) {
      const snapshot = createSnapshot({ bundles: [], ...(parent && { parent }), metadata: { number } });
      parent = (await writer.put(snapshot)).reference.id;
      await writer.commitIfFull();
    }
    await writer.commit();
    await store.refs.set('chain', parent as string);
    expect(await store.objects.verify()).toMatchObject({ ...FINE, objects: LENGTH });
    const first = objectId(createSnapshot({ bundles: [], metadata: { number: 0 } }));
    const { lifelines, lifelineCount } = await store.objects.explain(first);
    expect(lifelineCount).toBe(2);
    expect(lifelines[0]?.path).toHaveLength(LENGTH);
  });

  it('heals what is put again', async () => {
    const { path, store } = await folderStore();
    const content = { text: Buffer.from(noise(100_000, 4)).toString('hex') };
    const { id } = await store.objects.putBundle(content);
    await store.refs.set('b', id);
    await store.close();
    for (const pack of await packFiles(path)) await flipByte(pack, 5000);
    const again = await reopen(path);
    await expect(again.objects.getBundle(id)).rejects.toMatchObject({ kind: 'corrupt', details: { object: id } });
    expect((await again.objects.verify()).corrupt).toMatchObject([{ object: id, referrers: [{ name: 'b' }, {}] }]);
    expect(await again.objects.putBundle(content)).toMatchObject({ id, existed: true });
    expect(await again.objects.getBundle(id)).toMatchObject({ content });
    expect(await again.objects.verify()).toMatchObject(FINE);
  });

  it('refuses what makes no sense, and ends when it is told to', async () => {
    const store = await memoryStore();
    const { objects } = store;
    const { snapshot } = await fillDiamond(store);
    await expect(objects.verify({ all: true, address: snapshot })).rejects.toBeInstanceOf(RangeError);
    await expect(objects.verify({ alone: true })).rejects.toBeInstanceOf(RangeError);
    await expect(objects.verify({ address: 'nobody' })).rejects.toMatchObject({ code: 'REF_NOT_FOUND' });
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error('enough'));
    await expect(objects.verify({ onProgress, signal: controller.signal })).rejects.toThrow('enough');
  });
});

describe('explain', () => {
  it('tells every ref and move that leads to an object, each with a way', async () => {
    const store = await memoryStore();
    const { shared, left, top, snapshot } = await fillDiamond(store);
    const other = await store.objects.putBundle({ other: true });
    await store.refs.set('main', other.id);
    await store.refs.set('direct', shared);
    const found = await store.objects.explain(shared);
    expect(found).toMatchObject({ object: { id: shared, type: 'blob' }, lifelineCount: 3, unreadable: 0 });
    const [direct, ...moves] = found.lifelines;
    expect(direct).toEqual({ root: { type: 'ref', name: 'direct' }, path: [{ type: 'raw', id: shared }] });
    const main = moves.find(({ root }) => root.name === 'main');
    expect(main?.root).toMatchObject({ number: 1 });
    expect(main?.path.map(({ id }) => id)).toEqual([snapshot, top, left, shared]);
    await store.refs.forget('main', [1]);
    expect((await store.objects.explain(left)).lifelineCount).toBe(0);
    await expect(store.objects.explain('00'.repeat(32))).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
  });

  it('says where it could not look', async () => {
    const { path, store } = await folderStore();
    const { shared, top } = await fillDiamond(store);
    await store.close();
    removeRow(path, top);
    const again = await reopen(path, { readOnly: true });
    expect(await again.objects.explain(shared)).toMatchObject({ lifelines: [], unreadable: 1 });
  });
});
