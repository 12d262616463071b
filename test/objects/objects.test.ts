/** Objects of a store: put, read, listed, found by the beginning of their ids; in plain and in sealed stores. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import { createTree, objectId } from '../../src/index.ts';
import { ObjectReader } from '../../src/store/objects/object-reader.ts';
import { noise } from '../support/contents.ts';
import { graphStore } from '../support/graph-store.ts';
import { STORE_KEY } from '../support/sealed-store.ts';
import { memoryStore } from '../support/stores.ts';

const STORES = [
  { name: 'a plain store', options: {} },
  { name: 'a sealed store', options: { keys: { key: STORE_KEY } } },
];

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all).toString();
}

async function idsOf(objects: AsyncIterable<{ readonly id: string }>): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { id } of objects) ids.push(id);
  return ids.sort();
}

describe.each(STORES)('objects of $name', ({ options }) => {
  let store: Store;
  beforeEach(async () => {
    store = await memoryStore(options);
  });

  it('are named by what they are, and put once', async () => {
    const put = await store.objects.putBundle({ b: 1, a: [true, null, 'x'] });
    const again = await store.objects.putBundle({ a: [true, null, 'x'], b: 1 });
    expect(put).toMatchObject({ type: 'bundle', raw: false, existed: false });
    expect(again).toMatchObject({ id: put.id, existed: true, newBytes: 0 });
    expect(await store.objects.getBundle(put.id)).toEqual({ type: 'bundle', content: { a: [true, null, 'x'], b: 1 } });
    expect(await bytesOf(store.objects.read(put.id))).toBe('{"content":{"a":[true,null,"x"],"b":1},"type":"bundle"}');
  });

  it('are new to one of those who put the same at once', async () => {
    const puts = await Promise.all([1, 2, 3].map(() => store.objects.putBundle({ at: 'once' })));
    expect(puts.map(({ existed }) => existed).sort()).toEqual([false, true, true]);
    const blobs = await Promise.all([1, 2].map(() => store.objects.putBlob('x', { metadata: { at: 'once' } })));
    expect(blobs.map(({ existed }) => existed).sort()).toEqual([false, true]);
  });

  it('hold blobs of any size, with metadata beside them', async () => {
    const content = noise(3 * 1024 * 1024, 7);
    const raw = await store.objects.putBlob(content);
    const named = await store.objects.putBlob(content, { metadata: { title: 'noise' } });
    expect(raw).toMatchObject({ type: 'blob', raw: true, size: content.length });
    expect(named).toMatchObject({ type: 'blob', raw: false });
    expect(Buffer.from(await store.objects.getBlob(raw.id)).equals(content)).toBe(true);
    expect(Buffer.from(await store.objects.getBlob(named.id)).equals(content)).toBe(true);
    expect(await store.objects.getBlobObject(named.id)).toMatchObject({
      content: { id: raw.id, size: content.length },
    });
    const range = await store.objects.readBlob(raw.id, { offset: 1_000_000, length: 5 });
    expect(await bytesOf(range)).toBe(Buffer.from(content.subarray(1_000_000, 1_000_005)).toString());
    expect(await store.objects.putBlob(new Uint8Array())).toMatchObject({ size: 0 });
  });

  it('are never taken for another type', async () => {
    const tree = createTree([]);
    const text = '{"content":{"entries":[]},"type":"tree"}';
    const blob = await store.objects.putBlob(text);
    expect(blob.id).toBe(objectId(tree));
    await expect(store.objects.getTree(blob.id)).rejects.toMatchObject({ code: 'OBJECT_WRONG_TYPE' });
    await expect(store.objects.putSnapshot({ tree: blob.id })).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
    const real = await store.objects.put(tree);
    expect(real.id).toBe(blob.id);
    expect(await store.objects.getTree(blob.id)).toEqual(tree);
    expect(Buffer.from(await store.objects.getBlob(blob.id)).toString()).toBe(text);
    await expect(store.objects.getBundle(real.id)).rejects.toMatchObject({ code: 'OBJECT_WRONG_TYPE' });
    await expect(store.objects.putSnapshot({ bundles: [real.id] })).rejects.toMatchObject({
      code: 'OBJECT_WRONG_TYPE',
    });
  });

  it('refer only to what is there', async () => {
    const missing = 'ab'.repeat(32);
    await expect(store.objects.putSnapshot({ bundles: [missing] })).rejects.toMatchObject({
      ...{ kind: 'not-found', code: 'OBJECT_NOT_FOUND', details: { object: missing } },
    });
    const { id } = await store.objects.putBundle({ a: 1 });
    const first = await store.objects.putSnapshot({ bundles: [id] });
    const second = await store.objects.putSnapshot({ bundles: [id], parent: first.id }, { metadata: { by: 'me' } });
    expect(await store.objects.getSnapshot(second.id)).toMatchObject({ content: { parent: first.id } });
    expect(await idsOf(store.objects.list())).toEqual([id, first.id, second.id].sort());
    expect(await idsOf(store.objects.list({ types: ['snapshot'] }))).toEqual([first.id, second.id].sort());
    expect(await store.objects.has(missing)).toBe(false);
    expect((await store.maintenance.check()).problems).toEqual([]);
  });

  it('refuse what is no object, and store nothing of it', async () => {
    for (const wrong of [[], 7, null, 'text', { a: Number.NaN }, { a: '\ud800' }, JSON.parse('{"__proto__":1}')]) {
      await expect(store.objects.putBundle(wrong)).rejects.toMatchObject({ code: 'OBJECT_INVALID' });
    }
    await expect(store.objects.stat('xyz')).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
    await expect(store.objects.get('00'.repeat(32))).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
    expect(await idsOf(store.objects.list())).toEqual([]);
  });

  it('are found by the beginning of their ids, where that is unique', async () => {
    const ids = new Map<string, string[]>();
    let clash: readonly string[] | undefined;
    for (let number = 0; clash === undefined; number += 1) {
      const id = objectId({ type: 'bundle', content: { number } });
      const alike = ids.get(id.slice(0, 4)) ?? [];
      alike.push(id);
      ids.set(id.slice(0, 4), alike);
      await store.objects.putBundle({ number });
      if (alike.length > 1) clash = alike;
    }
    const [one = '', other = ''] = clash;
    await expect(store.objects.resolve(one.slice(0, 4))).rejects.toMatchObject({
      code: 'ID_AMBIGUOUS',
      message: expect.stringContaining(one),
      details: { count: 2 },
    });
    const unique = [...one].findIndex((digit, index) => digit !== other[index]) + 1;
    expect(await store.objects.resolve(one.slice(0, Math.max(5, unique)))).toMatchObject({ id: one });
    await expect(store.objects.resolve('ab')).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
  });
});

describe('many objects that are read together', () => {
  it('are all there, also those that were at hand before the others came', async () => {
    const { store, context } = await graphStore();
    const put = await Promise.all(Array.from({ length: 300 }, (_, number) => store.objects.putBundle({ number })));
    const references = put.map(({ id }) => ({ type: 'bundle' as const, id }));
    const { load } = new ObjectReader(context.engine, context.scope);
    await load(references.slice(0, 10));
    expect(await load(references)).toMatchObject(put.map((_, number) => ({ type: 'bundle', content: { number } })));
  });
});
