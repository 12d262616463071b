/** What snapshot-store promises of objects, refs and their verification, and what it gets wrong there. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createBundle,
  createSnapshot,
  createTree,
  type JsonObject,
  objectId,
  parseJsonStrict,
  referencesOf,
  type Store,
  StoreError,
  withBundles,
  withChild,
  withoutChild,
  withParent,
} from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { flipByte, journalFiles, packFiles } from '../support/store-files.ts';
import { all, folderStore, memoryStore, reopen, sharedStore } from '../support/stores.ts';

const shared = sharedStore();
const FINE = { outcome: 'ok', missing: [], corrupt: [] };
const ABSENT = '00'.repeat(32);

async function textOf(store: Store, id: string): Promise<string> {
  return Buffer.concat(await all(store.objects.read(id))).toString();
}

/** A large bundle, a pack of its own, beneath a snapshot with a ref. */
async function damagedStore() {
  const { path: folder, store } = await folderStore();
  const large = Buffer.from(noise(100_000, 9)).toString('hex');
  const bundle = await store.objects.putBundle({ large });
  const sound = await store.objects.putBundle({ sound: true });
  const snapshot = await store.objects.putSnapshot({ bundles: [bundle.id, sound.id] });
  await store.refs.set('main', snapshot.id);
  await store.close();
  return { folder, bundle: bundle.id, sound: sound.id, snapshot: snapshot.id };
}

describe('snapshot-store, its objects', () => {
  it('SS-1 has blobs, bundles, snapshots and trees, which never change', async () => {
    const { objects } = await memoryStore();
    const blob = await objects.putBlob('Hello, World!');
    const bundle = await objects.putBundle({ sequence: 1 });
    const tree = await objects.putTree([{ type: 'raw', name: 'hello', id: blob.id }]);
    const snapshot = await objects.putSnapshot({ tree: tree.id, bundles: [bundle.id] });
    expect((await all(objects.list())).map(({ type }) => type).sort()).toEqual(['blob', 'bundle', 'snapshot', 'tree']);
    const read = await objects.getSnapshot(snapshot.id);
    expect(() => Object.assign(read.content, { parent: snapshot.id })).toThrow(TypeError);
    expect(await objects.getTree(tree.id)).toEqual(createTree([{ type: 'raw', name: 'hello', id: blob.id }]));
  });

  it('SS-2 stores canonical JSON of type, content and metadata; a blob here is its bytes, a third smaller', async () => {
    const { store } = shared;
    const bundle = await store.objects.putBundle({ sequence: 1, operations: [] });
    expect(bundle.id).toBe('b7f742e496ddac12d70ccbc5f15a9d3ddb14dd87c8aad4cf0bb3835d529a6e21');
    expect(await textOf(store, bundle.id)).toBe('{"content":{"operations":[],"sequence":1},"type":"bundle"}');
    const snapshot = await store.objects.putSnapshot({ bundles: [bundle.id] }, { metadata: {} });
    expect(await textOf(store, snapshot.id)).toBe(`{"content":{"bundles":["${bundle.id}"]},"type":"snapshot"}`);
    const blob = await store.objects.putBlob('Hello, World!');
    expect(await textOf(store, blob.id)).toBe('Hello, World!');
    const named = await store.objects.putBlob('Hello, World!', { metadata: { a: 1 } });
    expect(await textOf(store, named.id)).toBe(
      `{"content":{"id":"${blob.id}","size":13},"metadata":{"a":1},"type":"blob"}`,
    );
  });

  it('SS-3 writes it by RFC 8785: keys by UTF-16 code unit, numbers as JavaScript prints them', async () => {
    const { store } = shared;
    const odd = { é: 1, '\u{1f600}': 2, '\uffff': 3, ctrl: '\u0001\u007f\u2028', numbers: [1.0, 1e16, 1e-7, -0] };
    const { id } = await store.objects.putBundle(odd);
    // Its own order is that of code points, which differs for what lies beyond U+FFFF; and it prints 1.0 and 1e+16.
    expect(await textOf(store, id)).toBe(
      `{"content":{"ctrl":"\\u0001\u007f\u2028","numbers":[1,10000000000000000,1e-7,0],"é":1,"\u{1f600}":2,"\uffff":3},"type":"bundle"}`,
    );
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, '\ud800', undefined, 1n])
      await expect(store.objects.putBundle({ wrong } as unknown as JsonObject)).rejects.toThrow();
  });

  it('SS-6 refuses what is no object of its type', async () => {
    const { objects } = shared.store;
    const wrong: unknown[] = [{}, [], 'x', null, { type: 'bundle' }, { content: {} }, { type: 'other', content: {} }];
    wrong.push({ type: 'bundle', content: [] }, { type: 'bundle', content: {}, metadata: [] });
    wrong.push({ type: 'bundle', content: {}, more: 1 }, { type: 'snapshot', content: {} });
    wrong.push({ type: 'snapshot', content: { bundles: ['xyz'] } }, { type: 'tree', content: { entries: [{}] } });
    for (const one of wrong)
      await expect(objects.put(one as never), JSON.stringify(one)).rejects.toMatchObject({ kind: 'invalid' });
    expect(() => parseJsonStrict('{"a":1,"a":2}')).toThrow(expect.objectContaining({ code: 'OBJECT_INVALID' }));
  });

  it('SS-9 has helpers that tell what an object holds and make others of it', async () => {
    const { objects } = shared.store;
    const { id } = await objects.putBundle({ sequence: 7, operations: ['x'] });
    expect((await objects.getBundle(id)).content).toMatchObject({ sequence: 7, operations: ['x'] });
    const snapshot = createSnapshot({ bundles: [id] });
    const parent = (await objects.put(snapshot)).id;
    expect(parent).toBe(objectId(snapshot));
    const child = withBundles(withParent(snapshot, parent), [id]);
    expect(child.content).toEqual({ bundles: [id, id], parent });
    expect(referencesOf(child).map((one) => one.id)).toEqual([id, parent]);
    const tree = withChild(createTree([]), { type: 'bundle', name: 'b', id });
    expect(objectId(withoutChild(tree, 'b'))).toBe(objectId(createTree([])));
    expect((await objects.stat(parent)).size).toBe((await textOf(shared.store, parent)).length);
  });

  it('SS-13 has refs: made, read, moved, deleted and listed; the target must be there', async () => {
    const store = await memoryStore();
    const one = await store.objects.putBundle({ one: 1 });
    const two = await store.objects.putBundle({ two: 2 });
    await expect(store.refs.set('v1', ABSENT)).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
    expect(await store.refs.get('v1')).toBeUndefined();
    await store.refs.set('v1', one.id);
    await store.refs.set('v1', two.id);
    expect((await all(store.refs.list())).map(({ name, id }) => [name, id])).toEqual([['v1', two.id]]);
    expect(await store.refs.delete('v1')).toBe(true);
    expect(await store.refs.delete('v1')).toBe(false);
    await expect(store.refs.set('', one.id)).rejects.toMatchObject({ code: 'REF_INVALID' });
  });

  it('SS-14 has snapshots of bundles, with parents and metadata', async () => {
    const { objects } = shared.store;
    const { id } = await objects.putBundle({ in: 'a snapshot' });
    const first = await objects.putSnapshot({ bundles: [id] });
    const second = await objects.putSnapshot({ bundles: [id], parent: first.id }, { metadata: { by: 'me' } });
    expect(await objects.getSnapshot(second.id)).toEqual({
      ...{ type: 'snapshot', content: { bundles: [id], parent: first.id }, metadata: { by: 'me' } },
    });
  });

  it('SS-19 verifies an object, and says whether it is corrupt or not there', async () => {
    const { folder, bundle, sound } = await damagedStore();
    for (const pack of await packFiles(folder)) await flipByte(pack, 5000);
    const { objects } = await reopen(folder, { readOnly: true });
    expect(await objects.verify({ address: sound, alone: true })).toMatchObject({ ...FINE, objects: 1 });
    const { corrupt } = await objects.verify({ address: bundle, alone: true });
    expect(corrupt).toMatchObject([{ object: bundle, code: 'CHUNK_CORRUPT' }]);
    await expect(objects.verify({ address: ABSENT })).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
  });

  it('SS-20 verifies a snapshot with all beneath it and all before it', async () => {
    const { folder, bundle, snapshot } = await damagedStore();
    const store = await reopen(folder);
    const next = await store.objects.putSnapshot({ bundles: [], parent: snapshot });
    expect(await store.objects.verify({ address: next.id })).toMatchObject({ ...FINE, objects: 4 });
    await store.close();
    for (const pack of await packFiles(folder)) await rm(pack);
    const again = await reopen(folder, { readOnly: true });
    const { outcome, missing } = await again.objects.verify({ address: next.id });
    expect(outcome).toBe('damaged');
    expect(missing).toMatchObject([{ object: bundle, referrers: [{ type: 'snapshot', id: snapshot }] }]);
  });

  it('SS-21 finds what was tampered with among all objects', async () => {
    for (const position of [400, 5000, 60_000]) {
      const { folder, bundle, snapshot } = await damagedStore();
      for (const pack of await packFiles(folder)) await flipByte(pack, position);
      const again = await reopen(folder, { readOnly: true });
      const { corrupt, objects } = await again.objects.verify({ all: true });
      expect(objects).toBe(3);
      expect(corrupt).toMatchObject([{ object: bundle, referrers: [{ type: 'snapshot', id: snapshot }] }]);
    }
  });
});

describe('what snapshot-store gets wrong with objects', () => {
  it('calls a diamond a cycle: here it is legal', async () => {
    const { objects } = await memoryStore();
    const { id } = await objects.putBundle({ member: true });
    const first = await objects.putSnapshot({ bundles: [id] });
    const parent = await objects.putSnapshot({ bundles: [id], parent: first.id });
    const last = await objects.putSnapshot({ bundles: [id], parent: parent.id, merged: [first.id] });
    expect(await objects.verify({ address: last.id })).toMatchObject({ ...FINE, objects: 4 });
  });

  it('does not look into trees, nor whether what is put refers to something: here both are told', async () => {
    const { objects } = shared.store;
    const child = { type: 'bundle', name: 'gone', id: ABSENT } as const;
    await expect(objects.putTree([child])).rejects.toMatchObject({ details: { object: ABSENT } });
    await expect(objects.putSnapshot({ bundles: [ABSENT] })).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
    await expect(objects.putSnapshot({ bundles: [], parent: ABSENT })).rejects.toMatchObject({ kind: 'not-found' });
    const bundle = await objects.putBundle({ not: 'a tree' });
    await expect(objects.putSnapshot({ tree: bundle.id })).rejects.toMatchObject({
      ...{ code: 'OBJECT_WRONG_TYPE', details: { object: bundle.id, actual: 'bundle' } },
    });
  });

  it('names the broken snapshot among the missing objects: here only what is missing', async () => {
    const { folder, bundle, sound } = await damagedStore();
    for (const pack of await packFiles(folder)) await rm(pack);
    const { missing, corrupt } = await (await reopen(folder, { readOnly: true })).objects.verify();
    expect(missing.map(({ object }) => object)).toEqual([bundle]);
    expect(corrupt).toEqual([]);
    expect(missing[0]?.object).not.toBe(sound);
  });

  it('takes a/b and a_b for one ref, and strips dots: here every name is what it is', async () => {
    const store = await memoryStore();
    const one = await store.objects.putBundle({ one: 1 });
    const two = await store.objects.putBundle({ two: 2 });
    await store.refs.set('a/b', one.id);
    await store.refs.set('a_b', two.id);
    await store.refs.set('.a_b', one.id);
    expect((await all(store.refs.list())).map(({ name }) => name)).toEqual(['.a_b', 'a/b', 'a_b']);
    expect((await store.refs.get('a/b'))?.id).toBe(one.id);
  });

  it('reads outside of the store for an id of ../../..: here an id is 64 digits before anything is looked up', async () => {
    const { objects, refs } = shared.store;
    for (const id of ['../../..', '..', '/etc/passwd', `${'a'.repeat(63)}/`, 'A'.repeat(64), '', `${ABSENT}0`]) {
      await expect(objects.get(id)).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
      await expect(objects.getBlob(id)).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
      await expect(refs.set('r', id)).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
      await expect(objects.resolve(id)).rejects.toMatchObject({ kind: 'invalid' });
    }
  });

  it('lists its temporary files as objects: here what an interrupted write left is none', async () => {
    const { path: folder, store } = await folderStore();
    const { id } = await store.objects.putBundle({ a: 1 });
    const [journal = ''] = await journalFiles(folder);
    await writeFile(path.join(path.dirname(journal), `.tmp_${ABSENT}.json`), '{"content":{},"type":"bundle"}');
    await mkdir(path.join(folder, '.tmp'), { recursive: true });
    await writeFile(path.join(folder, '.tmp', ABSENT), 'half of an object');
    expect((await all(store.objects.list())).map((one) => one.id)).toEqual([id]);
    expect(await store.objects.verify({ all: true })).toMatchObject({ ...FINE, objects: 1 });
    expect(await store.maintenance.check()).toMatchObject({ outcome: 'ok', objects: 1 });
  });

  it('changes a tree through the copy that with_child gives: here the first stays as it was', async () => {
    const { id } = await shared.store.objects.putBundle({ child: true });
    const tree = createTree([{ type: 'bundle', name: 'a', id }], { names: { a: 'first' } });
    const before = objectId(tree);
    withChild(tree, { type: 'bundle', name: 'b', id });
    withoutChild(tree, 'a');
    expect(objectId(tree)).toBe(before);
    expect(() => Object.assign(tree.metadata ?? {}, { names: {} })).toThrow(TypeError);
  });

  it('hashes what it has parsed, and misses added white space: here every byte counts', async () => {
    const { objects } = shared.store;
    const canonical = '{"content":{"a":1},"type":"bundle"}';
    const { id } = await objects.putBundle({ a: 1 });
    expect((await objects.putBlob(canonical)).id).toBe(id);
    expect((await objects.putBlob(canonical.replace(',', ', '))).id).not.toBe(id);
    expect(objectId(createBundle({ a: 1 }))).toBe(id);
  });

  it('raises ValueError for half of what is wrong: here all errors have one base, and codes', async () => {
    const { objects } = shared.store;
    const calls = [
      objects.get(ABSENT),
      objects.get('x'),
      objects.putBundle([] as never),
      objects.find('nobody'),
      objects.find('~~'),
    ];
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome.status).toBe('rejected');
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(StoreError);
    }
  });
});
