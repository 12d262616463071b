/** Files of one snapshot: out of one store, into another, and what becomes of damaged ones. */
import { beforeEach, describe, expect, it } from 'vitest';
import { readTar, type TarItem, writeTar } from '../../src/archive/index.ts';
import { concatBytes, utf8Encode } from '../../src/bytes/bytes.ts';
import { blake3 } from '../../src/hash/index.ts';
import {
  createBundle,
  createSnapshot,
  type FileChild,
  generateIdentity,
  objectId,
  type Store,
  type StructuredObject,
  signSnapshot,
  verifySnapshotSignature,
} from '../../src/index.ts';
import { formatPublicIdentity } from '../../src/keys/index.ts';
import { buildTree, type LoadObjects } from '../../src/objects/index.ts';
import { ObjectWriter } from '../../src/store/objects/object-writer.ts';
import { extendSnapshot, importBundles } from '../../src/store/snapshots/bundle-snapshots.ts';
import { childrenFirst } from '../../src/store/snapshots/children-first.ts';
import { exportSnapshot } from '../../src/store/snapshots/export-snapshot.ts';
import { freezeEntries } from '../../src/store/snapshots/freeze-entries.ts';
import type { GraphContext } from '../../src/store/snapshots/graph-context.ts';
import { importSnapshot } from '../../src/store/snapshots/import-snapshot.ts';
import { noise } from '../support/contents.ts';
import { type GraphStore, graphStore } from '../support/graph-store.ts';
import { STORE_KEY } from '../support/sealed-store.ts';
import { all, SOUND } from '../support/stores.ts';

const MTIME = '2026-11-21T20:00:00.123456789Z';

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function fileOf(...how: Parameters<typeof exportSnapshot>): Promise<Uint8Array> {
  return concatBytes(await all(exportSnapshot(...how)));
}

interface Member {
  readonly path: string;
  readonly bytes: Uint8Array;
}

async function membersOf(file: Uint8Array): Promise<Member[]> {
  const members: Member[] = [];
  for await (const item of readTar(once(file))) {
    if (item.type === 'refused') throw item.error;
    const pieces = (await all(item.content?.() ?? once(new Uint8Array(0)))).map((piece) => piece.slice());
    members.push({ path: new TextDecoder().decode(item.path), bytes: concatBytes(pieces) });
  }
  return members;
}

async function* tarOf(members: readonly Member[]): AsyncGenerator<Uint8Array> {
  async function* items(): AsyncGenerator<TarItem> {
    for (const { path, bytes } of members) {
      const content = () => once(bytes);
      yield { path: utf8Encode(path), type: 'file', mode: 0o644, mtime: MTIME, size: bytes.length, content };
    }
  }
  yield* writeTar(items());
}

/** A snapshot with everything in it: nested folders, entries, bundles, named references, two snapshots before it. */
async function fill({ store, context }: GraphStore): Promise<string> {
  const first = await importBundles(context, [{ n: 1 }], { ref: 'first' });
  const second = await extendSnapshot(context, first.id, [{ n: 2 }]);
  const file = async (name: string, bytes: Uint8Array): Promise<FileChild> => {
    const { id, size } = await store.objects.putBlob(bytes);
    return { type: 'file', name, id, size, mode: 0o644, mtime: MTIME };
  };
  const inner = await store.objects.putTree([
    await file('large', noise(300_000, 5)),
    await file('empty', new Uint8Array(0)),
    { type: 'link', name: 'link', target: '../elsewhere', mtime: MTIME },
  ]);
  const blob = await store.objects.putBlob('described', { metadata: { title: 'x' } });
  const tree = await store.objects.putTree([
    { type: 'folder', name: 'inner', id: inner.id, mode: 0o755, mtime: MTIME },
    { type: 'folder', name: 'inner again', id: inner.id, mode: 0o700, mtime: MTIME },
    { type: 'blob', name: 'blob', id: blob.id },
    { type: 'snapshot', name: 'first', id: first.id },
    await file('small', utf8Encode('small')),
    await file('same', utf8Encode('small')),
  ]);
  await store.put('key', 'an entry', { attributes: { a: 'b' } });
  const { tree: entries } = await freezeEntries(context, '');
  const bundles = (await store.objects.getSnapshot(second.id)).content.bundles ?? [];
  const content = { tree: tree.id, rootMode: 0o755, rootMtime: MTIME, entries, bundles, parent: second.id };
  return (await store.objects.putSnapshot(content, { metadata: { by: 'me' } })).id;
}

async function idsOf(store: Store): Promise<readonly string[]> {
  return (await all(store.objects.list())).map(({ id, raw }) => `${raw ? 'raw ' : ''}${id}`).sort();
}

const STORES = [
  { name: 'a plain store', options: {} },
  { name: 'a sealed store', options: { keys: { key: STORE_KEY } } },
];

describe.each(STORES)('the file of a snapshot of $name', ({ options }) => {
  let from: GraphStore;
  let to: GraphStore;
  let id: string;
  let file: Uint8Array;
  beforeEach(async () => {
    from = await graphStore({ chunking: 'fastcdc:256:1024:4096', ...options });
    to = await graphStore();
    id = await fill(from);
    file = await fileOf(from.context, id);
  });

  it('holds everything, named by what it is, what is referred to first', async () => {
    const [head, ...members] = await membersOf(file);
    expect(head?.path).toBe('snapshot.json');
    const said = JSON.parse(new TextDecoder().decode(head?.bytes));
    const blobs = members.filter(({ path }) => path.startsWith('blobs/'));
    expect(said).toEqual({
      ...{ format: 'holdfast snapshot', version: 1, snapshot: id, history: true },
      objects: members.length - blobs.length,
      blobs: blobs.length,
      bytes: blobs.reduce((sum, { bytes }) => sum + bytes.length, 0),
    });
    const before = new Set<string>();
    for (const { path, bytes } of members) {
      const [, digest = ''] = /\/([0-9a-f]{64})/.exec(path) ?? [];
      expect(Buffer.from(blake3(bytes)).toString('hex')).toBe(digest);
      if (path.startsWith('objects/')) {
        for (const [reference] of new TextDecoder().decode(bytes).matchAll(/(?<="id":")[0-9a-f]{64}/g))
          expect(before).toContain(reference);
      }
      expect(before).not.toContain(digest);
      before.add(digest);
    }
    expect(members.at(-1)?.path).toBe(`objects/${id}.json`);
    expect(await fileOf(from.context, id)).toEqual(file);
  });

  it('makes the same snapshot in another store, once', async () => {
    const report = await importSnapshot(to.context, once(file), { ref: 'imported', message: 'from a file' });
    expect(report).toMatchObject({ id, original: id, detached: false, signatures: [] });
    expect((await to.store.refs.get('imported'))?.id).toBe(id);
    expect(report.newBytes).toBeGreaterThan(300_000);
    expect(report.storedBytes).toBeGreaterThan(300_000);
    expect(await idsOf(to.store)).toEqual(await idsOf(from.store));
    expect(await fileOf(to.context, id)).toEqual(file);
    expect(await importSnapshot(to.context, once(file))).toMatchObject({ id, newBytes: 0 });
    expect(await to.store.maintenance.check()).toMatchObject(SOUND);
    // And back again, into the one it came from.
    expect(await importSnapshot(from.context, once(file))).toMatchObject({ id, newBytes: 0 });
  });

  it('without history is one snapshot, whose parents are left out where they are not there', async () => {
    const alone = await fileOf(from.context, id, { history: false });
    // The first one is named in its tree, and therefore there; the second is not.
    const report = await importSnapshot(to.context, once(alone), { ref: 'alone' });
    expect(report).toMatchObject({ original: id, detached: true });
    const { content, metadata } = await from.store.objects.getSnapshot(id);
    const { parent: _, ...rest } = content;
    expect(report.id).toBe(objectId(createSnapshot({ ...rest, metadata })));
    expect((await to.store.refs.get('alone'))?.id).toBe(report.id);
    expect(await importSnapshot(from.context, once(alone))).toMatchObject({ id, detached: false });
  });

  it('goes in compressed, and in pieces of any size', async () => {
    const { gzipSync } = await import('node:zlib');
    async function* pieces(): AsyncGenerator<Uint8Array> {
      const zipped = gzipSync(file);
      for (let start = 0; start < zipped.length; start += 777) yield zipped.subarray(start, start + 777);
    }
    expect(await importSnapshot(to.context, pieces())).toMatchObject({ id });
  });

  it('is refused when a byte of it is not what it was, and no ref moves', async () => {
    const members = await membersOf(file);
    for (const [index, { path, bytes }] of members.entries()) {
      if (index === 0 || bytes.length === 0) continue;
      const changed = bytes.slice();
      changed[bytes.length >> 1] = (changed[bytes.length >> 1] ?? 0) ^ 1;
      const damaged = tarOf(members.with(index, { path, bytes: changed }));
      await expect(importSnapshot(to.context, damaged, { ref: 'imported' })).rejects.toMatchObject({
        ...{ kind: 'corrupt', code: 'IMPORT_CORRUPT', details: { path } },
      });
    }
    expect(await to.store.refs.get('imported')).toBeUndefined();
    expect(await idsOf(to.store)).toEqual([]);
  });

  it('is refused when anything is missing, cut off or out of order', async () => {
    const members = await membersOf(file);
    const corrupt = { code: 'IMPORT_CORRUPT' };
    for (const index of members.keys()) {
      const less = tarOf(members.toSpliced(index, 1));
      await expect(importSnapshot(to.context, less, { ref: 'imported' })).rejects.toMatchObject(corrupt);
    }
    const reversed = tarOf([...members.slice(0, 1), ...members.slice(1).reverse()]);
    await expect(importSnapshot(to.context, reversed)).rejects.toMatchObject(corrupt);
    for (const cut of [0, 100, 512, file.length >> 1, file.length - 1024]) {
      const expected = {
        code: cut === 0 ? 'ARCHIVE_INVALID' : expect.any(String),
        kind: expect.stringMatching(/invalid|corrupt/),
      };
      await expect(importSnapshot(to.context, once(file.subarray(0, cut)))).rejects.toMatchObject(expected);
    }
    expect(await to.store.refs.get('imported')).toBeUndefined();
    expect(await idsOf(to.store)).toEqual([]);
  });
});

describe('files that are none of a snapshot', () => {
  let context: GraphContext;
  beforeEach(async () => {
    ({ context } = await graphStore());
  });

  const head = (fields: object): Member => ({
    path: 'snapshot.json',
    bytes: utf8Encode(JSON.stringify({ format: 'holdfast snapshot', version: 1, ...fields })),
  });
  const EMPTY = objectId(createSnapshot({ bundles: [] }));
  const WHOLE = { snapshot: EMPTY, history: true, objects: 1, blobs: 0, bytes: 0 };
  const snapshot: Member = {
    path: `objects/${EMPTY}.json`,
    bytes: utf8Encode('{"content":{"bundles":[]},"type":"snapshot"}'),
  };

  it('are refused by what is wrong with them', async () => {
    expect(await importSnapshot(context, tarOf([head(WHOLE), snapshot]))).toMatchObject({ id: EMPTY });
    const bundle = objectId(createBundle({}));
    const bundleMember = { path: `objects/${bundle}.json`, bytes: utf8Encode('{"content":{},"type":"bundle"}') };
    const wrongs: readonly (readonly [readonly Member[], string])[] = [
      [[], 'IMPORT_CORRUPT'],
      [[snapshot], 'IMPORT_CORRUPT'],
      [[head(WHOLE), head(WHOLE), snapshot], 'IMPORT_CORRUPT'],
      [[head({ ...WHOLE, version: 2 }), snapshot], 'FORMAT_UNSUPPORTED'],
      [[head({ ...WHOLE, format: 'tar' }), snapshot], 'IMPORT_CORRUPT'],
      [[head({ ...WHOLE, objects: -1 }), snapshot], 'IMPORT_CORRUPT'],
      [[head({ ...WHOLE, snapshot: 'latest' }), snapshot], 'IMPORT_CORRUPT'],
      [[{ path: 'snapshot.json', bytes: utf8Encode('{') }, snapshot], 'IMPORT_CORRUPT'],
      [[head(WHOLE), { path: 'notes.txt', bytes: utf8Encode('x') }, snapshot], 'IMPORT_CORRUPT'],
      [[head({ ...WHOLE, objects: 2 }), snapshot], 'IMPORT_CORRUPT'],
      [[head({ ...WHOLE, snapshot: bundle }), bundleMember], 'IMPORT_CORRUPT'],
    ];
    for (const [members, code] of wrongs)
      await expect(importSnapshot(context, tarOf(members))).rejects.toMatchObject({ code });
    await expect(importSnapshot(context, once(noise(5000)))).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
  });

  it('cannot pass one type of object for another', async () => {
    const tree = utf8Encode('{"content":{"entries":[]},"type":"tree"}');
    const treeId = Buffer.from(blake3(tree)).toString('hex');
    const lying = utf8Encode(`{"content":{"bundles":["${treeId}"]},"type":"snapshot"}`);
    const id = Buffer.from(blake3(lying)).toString('hex');
    const members = [
      head({ ...WHOLE, snapshot: id, objects: 2 }),
      { path: `objects/${treeId}.json`, bytes: tree },
      { path: `objects/${id}.json`, bytes: lying },
    ];
    await expect(importSnapshot(context, tarOf(members))).rejects.toMatchObject({
      ...{ code: 'IMPORT_CORRUPT', details: { path: `objects/${id}.json`, digest: treeId } },
    });
  });
});

describe('signatures of snapshots', () => {
  it('say who vouches for an id, offline, and travel in its file', async () => {
    const from = await graphStore();
    const to = await graphStore();
    const { id } = await importBundles(from.context, [{ n: 1 }]);
    const [alice, bob] = [generateIdentity('ed25519'), generateIdentity('ml-dsa-87')];
    const signature = signSnapshot(id, alice);
    expect(verifySnapshotSignature(signature, formatPublicIdentity(alice), id)).toBe(true);
    expect(verifySnapshotSignature(signature, alice, 'ab'.repeat(32))).toBe(false);
    expect(verifySnapshotSignature(signature, bob, id)).toBe(false);
    expect(() => signSnapshot('latest', alice)).toThrow(expect.objectContaining({ code: 'DIGEST_INVALID' }));

    const file = await fileOf(from.context, id, { signatures: [signature, signSnapshot(id, bob)] });
    const signers = [formatPublicIdentity(alice)];
    const report = await importSnapshot(to.context, once(file), { signers });
    expect(report.signatures).toEqual([
      { signer: alice.fingerprint, verified: true },
      { signer: bob.fingerprint, verified: false },
    ]);
    const other = await importBundles(from.context, [{ n: 2 }]);
    const foreign = { code: 'CREDENTIAL_INVALID' };
    await expect(fileOf(from.context, other.id, { signatures: [signature] })).rejects.toMatchObject(foreign);
  });

  it('must be there and right for those that are asked for, before anything is stored', async () => {
    const from = await graphStore();
    const { store, context } = await graphStore();
    const { id } = await importBundles(from.context, [{ n: 1 }]);
    const alice = generateIdentity('ed25519');
    const bare = await fileOf(from.context, id);
    const corrupt = { code: 'IMPORT_CORRUPT' };
    await expect(importSnapshot(context, once(bare), { signers: [alice] })).rejects.toMatchObject(corrupt);
    const [head, ...rest] = await membersOf(bare);
    const path = `signatures/${alice.fingerprint}.json`;
    for (const document of [
      '{}',
      signSnapshot('ab'.repeat(32), alice),
      signSnapshot(id, generateIdentity('ed25519')),
    ]) {
      const members = [head as Member, { path, bytes: utf8Encode(document) }, ...rest];
      await expect(importSnapshot(context, tarOf(members), { signers: [alice] })).rejects.toMatchObject({
        ...{ code: 'IMPORT_CORRUPT', details: { path } },
      });
    }
    const late = [head as Member, ...rest, { path, bytes: utf8Encode(signSnapshot(id, alice)) }];
    await expect(importSnapshot(context, tarOf(late))).rejects.toMatchObject(corrupt);
    expect(await idsOf(store)).toEqual([]);
  });
});

describe('long histories and large folders', () => {
  /** Snapshots with so many before the last of them. */
  async function chain({ engine, scope }: GraphContext, length: number): Promise<readonly string[]> {
    const writer = new ObjectWriter(engine, scope);
    const ids: string[] = [];
    for (let number = 0; number < length; number += 1) {
      await writer.commitIfFull();
      const snapshot = createSnapshot({ bundles: [], parent: ids.at(-1), metadata: { number } });
      ids.push((await writer.put(snapshot)).reference.id);
    }
    await writer.commit();
    return ids;
  }

  it('are exported with 10,000 snapshots before, which are left out where that is asked for', async () => {
    const { context } = await graphStore();
    const last = (await chain(context, 10_000)).at(-1) ?? '';
    const to = await graphStore();
    const alone = await fileOf(context, last, { history: false });
    expect(alone.length).toBeLessThan(8192);
    expect(await importSnapshot(to.context, once(alone))).toMatchObject({ original: last, detached: true, objects: 1 });
  });

  it('are exported with all that came before, the oldest first', async () => {
    const { context } = await graphStore();
    const ids = await chain(context, 600);
    const to = await graphStore();
    const file = await fileOf(context, ids.at(-1) ?? '');
    const names = (await membersOf(file)).slice(1).map(({ path }) => path);
    expect(names).toEqual(ids.map((id) => `objects/${id}.json`));
    expect(await importSnapshot(to.context, once(file))).toMatchObject({
      id: ids.at(-1),
      objects: 600,
      detached: false,
    });
  });

  it('are walked without recursion, however long they are', async () => {
    const objects = new Map<string, StructuredObject>();
    let parent: string | undefined;
    for (let number = 0; number < 50_000; number += 1) {
      const snapshot = createSnapshot({ bundles: [], parent, metadata: { number } });
      parent = objectId(snapshot);
      objects.set(parent, snapshot);
    }
    const walked: string[] = [];
    const load: LoadObjects = async (references) => references.map(({ id }) => objects.get(id));
    for await (const step of childrenFirst(parent ?? '', load, { history: true }))
      if ('object' in step) walked.push(step.reference.id);
    expect(walked).toEqual([...objects.keys()]);
  });

  it('are imported in commits of a bounded size', async () => {
    const from = await graphStore();
    const writer = new ObjectWriter(from.context.engine, from.context.scope);
    async function* children(): AsyncGenerator<FileChild> {
      for (let number = 0; number < 6000; number += 1) {
        await writer.commitIfFull();
        const { reference, size } = await writer.putRaw(utf8Encode(`file ${number}`));
        const name = String(number).padStart(5, '0');
        yield { type: 'file', name, id: reference.id, size, mode: 0o644, mtime: MTIME };
      }
    }
    const tree = await buildTree(children(), async (node) => (await writer.put(node)).reference.id);
    const { id } = (await writer.put(createSnapshot({ tree }))).reference;
    await writer.commit();
    const to = await graphStore();
    const { commits } = to.store.metrics();
    const report = await importSnapshot(to.context, exportSnapshot(from.context, id));
    expect(report).toMatchObject({ id, blobs: 6000 });
    expect(to.store.metrics().commits - commits).toBeGreaterThan(1);
    expect(await idsOf(to.store)).toEqual(await idsOf(from.store));
  });
});
