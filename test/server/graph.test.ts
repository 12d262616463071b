import { crc32 } from 'node:zlib';
import { packTar } from 'modern-tar';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyRangeProof } from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { expectProblem, type ServedStore, serveStore } from '../support/served-store.ts';

let served: ServedStore;
beforeAll(async () => {
  served = await serveStore({ create: { chunking: 'fastcdc:256:1024:4096' } });
});
afterAll(() => served.close());

/** Lines of a list. */
async function lines(path: string): Promise<Record<string, unknown>[]> {
  const answer = await served.request(path);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
  const text = await answer.text();
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** What the library says, as it comes through JSON. */
async function same(items: AsyncIterable<unknown>): Promise<unknown> {
  return JSON.parse(JSON.stringify(await Array.fromAsync(items)));
}

const put = (path: string, value: unknown) =>
  served.request(path, {
    method: 'PUT',
    body: JSON.stringify(value),
    headers: { 'content-type': 'application/json' },
  });

describe('what an entry is made of', () => {
  it('is listed and proven', async () => {
    const bytes = noise(300_000, 3);
    await served.store.put('proven/x', bytes);
    const chunks = await lines('/chunks/proven/x');
    expect(chunks).toEqual(await same(served.store.chunks('proven/x')));
    expect(chunks.length).toBeGreaterThan(100);
    const proof = await (await served.request('/proofs/proven/x?offset=1000&length=5')).text();
    const { root } = await served.store.stat('proven/x');
    expect(verifyRangeProof(proof, root, { offset: 1000, length: 5 })).toBe(true);
    await expectProblem(await served.request('/proofs/proven/x?offset=300001'), 'invalid/RANGE_INVALID', 416);
    await expectProblem(await served.request('/chunks/nobody'), 'not-found/ENTRY_NOT_FOUND', 404);
  });
});

describe('relations', () => {
  it('are set, listed and taken away', async () => {
    for (const key of ['book', 'book/1', 'book/1/a']) await served.store.put(key, key);
    expect((await put('/relations/book/1', { parent: 'book' })).status).toBe(200);
    expect((await put('/relations/book/1/a', { parent: 'book/1' })).status).toBe(200);
    await expectProblem(await put('/relations/book', { parent: 'book/1/a' }), 'conflict/RELATION_CYCLE', 409);
    expect(await served.json('/relations/book/1')).toEqual({
      key: 'book/1',
      parent: 'book',
      children: 1,
      descendants: 1,
    });
    const keys = async (path: string) => (await lines(path)).map(({ key }) => key);
    expect(await keys('/children/book')).toEqual(['book/1']);
    expect(await keys('/descendants/book')).toEqual(['book/1', 'book/1/a']);
    expect(await keys('/descendants/book?depth=1')).toEqual(['book/1']);
    expect(await keys('/ancestors/book/1/a')).toEqual(['book/1', 'book']);
    expect(await keys('/roots?prefix=book&parents=true')).toEqual(['book']);
    await expectProblem(await served.request('/files/book', { method: 'DELETE' }), 'conflict/ENTRY_HAS_CHILDREN', 409);
    expect((await put('/relations/book/1', { parent: null })).status).toBe(200);
    expect((await served.request('/files/book', { method: 'DELETE' })).status).toBe(200);
    expect((await served.request('/files/book/1?children=delete', { method: 'DELETE' })).status).toBe(200);
    expect(await served.store.has('book/1/a')).toBe(false);
  });
});

describe('objects and refs', () => {
  it('are put, read and named, and of two who move a ref one wins', async () => {
    const first = await served.post('/objects', { type: 'bundle', content: { n: 1 } });
    expect(first.status).toBe(201);
    const { id } = (await first.json()) as { id: string };
    expect(await served.json(`/objects/${id}`)).toEqual({ type: 'bundle', content: { n: 1 } });
    const { id: other } = (await (await served.post('/objects', { type: 'bundle', content: { n: 2 } })).json()) as {
      id: string;
    };
    const blob = await served.request('/blobs', { method: 'POST', body: noise(100_000, 4) });
    const { id: raw } = (await blob.json()) as { id: string };
    expect(Buffer.from(await (await served.request(`/blobs/${raw}`)).arrayBuffer()).equals(noise(100_000, 4))).toBe(
      true,
    );
    expect((await lines('/objects?type=bundle')).map((one) => one.id).sort()).toEqual([id, other].sort());
    expect((await put('/refs/team/main', { id, expected: null, message: 'begin' })).status).toBe(200);
    const moves = await Promise.all([1, 2, 3].map(() => put('/refs/team/main', { id: other, expected: id })));
    expect(moves.map(({ status }) => status).sort()).toEqual([200, 412, 412]);
    expect(await served.json('/refs/team/main')).toMatchObject({ name: 'team/main', id: other, type: 'bundle' });
    expect(await lines('/refs?prefix=team/')).toEqual(await same(served.store.refs.list({ prefix: 'team/' })));
    expect(await lines('/ref-history/team/main')).toMatchObject([{ number: 2 }, { number: 1, message: 'begin' }]);
    expect(await served.json(`/find?address=${encodeURIComponent('team/main@{1}')}`)).toMatchObject({
      reference: { id },
    });
    expect((await served.request('/refs/team/main', { method: 'DELETE' })).status).toBe(200);
    await expectProblem(await served.request('/refs/team/main'), 'not-found/REF_NOT_FOUND', 404);
    await expectProblem(await served.request('/refs/team/main', { method: 'DELETE' }), 'not-found/REF_NOT_FOUND', 404);
    await expectProblem(
      await served.post('/objects', { type: 'tree', content: { n: 1 } }),
      'invalid/OBJECT_INVALID',
      400,
    );
    await expectProblem(await served.request(`/objects/${'0'.repeat(64)}`), 'not-found/OBJECT_NOT_FOUND', 404);
  });
});

describe('snapshots', () => {
  it('of entries are made, browsed, compared and put back', async () => {
    await served.store.put('album/one', 'first');
    await served.store.put('album/two', 'second');
    const make = async () =>
      (await served.post('/snapshots', { prefix: 'album/', ref: 'albums', message: 'kept' })).json();
    const before = (await make()) as { id: string };
    await served.store.put('album/one', 'changed');
    await served.store.delete('album/two');
    await make();
    expect(await lines('/snapshots?ref=albums')).toEqual(await same(served.store.snapshots.list({ ref: 'albums' })));
    const differences = await lines(`/snapshots/diff?from=${before.id}&to=albums`);
    expect(differences.map(({ path, kind }) => [path, kind])).toEqual([
      ['album/one', 'changed'],
      ['album/two', 'removed'],
    ]);
    expect((await lines(`/snapshots/names?address=${before.id}&recursive=true`)).map(({ path }) => path)).toEqual([
      'album/one',
      'album/two',
    ]);
    const restored = await served.post('/snapshots/restore', { address: before.id, overwrite: 'changed' });
    expect(await restored.json()).toMatchObject({ created: 1, replaced: 1, failed: 0 });
    expect(await (await served.request('/files/album/one')).text()).toBe('first');
  });

  it('give single entries back as they were, and tell why they are kept', async () => {
    const given = { contentType: 'text/plain', attributes: { author: 'Ann' } };
    await served.store.put('frozen/one', 'frozen', given);
    await served.post('/snapshots', { prefix: 'frozen/', ref: 'frozen' });
    await served.store.delete('frozen/one');
    const address = 'frozen:frozen/one';
    expect((await served.post('/snapshots/restore-file', { address, key: 'frozen/one' })).status).toBe(201);
    expect(await served.store.stat('frozen/one')).toMatchObject(given);
    const told = await served.json<{ lifelines: unknown[] }>(`/explain?address=${encodeURIComponent(address)}`);
    expect(told).toMatchObject({
      lifelineCount: 2,
      lifelines: [{ root: { name: 'frozen' } }, { root: { number: 1 } }],
    });
    await expectProblem(await served.request('/explain?address=nobody'), 'not-found/REF_NOT_FOUND', 404);
  });

  it('of archives come back as archives, and single files of them under keys', async () => {
    const tar = await tarOf({ 'docs/a.txt': 'content of a', 'docs/b.txt': 'content of b' });
    const made = await served.request('/snapshots/tar?ref=docs&message=uploaded', { method: 'POST', body: tar });
    expect(made.status).toBe(201);
    expect(await made.json()).toMatchObject({ files: 2, failed: 0 });
    expect(await lines('/snapshots/log?address=docs')).toHaveLength(1);
    const file = await served.request('/snapshots/file?address=docs:docs/b.txt');
    expect(await file.text()).toBe('content of b');
    await expectProblem(await served.request('/snapshots/file?address=docs:docs'), 'invalid/OBJECT_WRONG_TYPE', 400);
    expect(
      (await served.post('/snapshots/restore-file', { address: 'docs:docs/a.txt', key: 'back/a.txt' })).status,
    ).toBe(201);
    expect(Buffer.from(await served.store.get('back/a.txt')).toString()).toBe('content of a');
    const again = await served.request('/snapshots/tar?address=docs:docs&compression=gzip');
    expect(again.headers.get('content-type')).toBe('application/gzip');
    const copy = await served.request('/snapshots/tar?ref=copy', { method: 'POST', body: await again.bytes() });
    expect(await copy.json()).toMatchObject({ files: 2, failed: 0 });
    await expectProblem(await served.request('/snapshots/tar?address=nobody'), 'not-found/REF_NOT_FOUND', 404);
  });

  it('come as zip archives, under names that every system takes', async () => {
    const keys = ['zip/a.txt', 'zip/../up', 'zip//b', 'zip/c\\d', 'zip/C_d', 'zip/\u0000', 'zip/Grüße'];
    for (const key of keys) await served.store.put(key, `content of ${JSON.stringify(key)}`);
    await served.store.put('zip/large', noise(3_000_000, 1));
    await served.store.snapshots.create({ prefix: 'zip/' }, { ref: 'zips' });
    const answer = await served.request('/snapshots/zip?address=zips');
    expect(answer.headers.get('content-type')).toBe('application/zip');
    const unpacked = unzip(Buffer.from(await answer.arrayBuffer()));
    const large = unpacked.get('zip/large');
    expect(large && Buffer.from(large).equals(noise(3_000_000, 1))).toBe(true);
    unpacked.delete('zip/large');
    expect([...unpacked].map(([name, bytes]) => [name, Buffer.from(bytes).toString()]).sort()).toEqual(
      [
        ['zip/Grüße', 'content of "zip/Grüße"'],
        ['zip/_', 'content of "zip/\\u0000"'],
        ['zip/_/b', 'content of "zip//b"'],
        ['zip/_/up', 'content of "zip/../up"'],
        ['zip/a.txt', 'content of "zip/a.txt"'],
        ['zip/C_d', 'content of "zip/C_d"'],
        ['zip/c_d (2)', 'content of "zip/c\\\\d"'],
      ].sort(),
    );
    await expectProblem(await served.request('/snapshots/zip?address=nobody'), 'not-found/REF_NOT_FOUND', 404);
    const tar = await tarOf({ 'sub/one': '1', 'sub/two': '2' });
    await served.request('/snapshots/tar?ref=zipped', { method: 'POST', body: tar });
    const folder = await served.request('/snapshots/zip?address=zipped:sub');
    expect([...unzip(Buffer.from(await folder.arrayBuffer())).keys()]).toEqual(['one', 'two']);
    // Whoever leaves amid it leaves nothing open that a collection would have to wait for.
    const left = await served.request('/snapshots/zip?address=zips');
    await left.body?.cancel();
    expect((await served.store.maintenance.gc()).waitingFor ?? []).toEqual([]);
  });

  it('move as files, are merged, and are forgotten by rules', async () => {
    await served.store.put('merge/base', '1');
    const freeze = async (ref: string) =>
      ((await (await served.post('/snapshots', { prefix: 'merge/', ref })).json()) as { id: string }).id;
    const base = await freeze('ours');
    await served.store.put('merge/ours', 'o');
    await freeze('ours');
    await served.store.delete('merge/ours');
    await served.store.put('merge/theirs', 't');
    const theirs = await freeze('theirs');
    const merged = await served.post('/snapshots/merge', { ours: 'ours', theirs, base, ref: 'both', message: 'm' });
    expect(await merged.json()).toMatchObject({ outcome: 'merged', conflicts: [] });
    const names = await lines('/snapshots/names?address=both&recursive=true');
    expect(names.map(({ path }) => path)).toEqual(['merge/base', 'merge/ours', 'merge/theirs']);
    const file = await served.request('/snapshots/export?address=both&history=false');
    await using other = await serveStore();
    const bytes = await file.bytes();
    const taken = await other.request('/snapshots/import?ref=taken', { method: 'POST', body: bytes });
    expect([taken.status, await taken.json()]).toMatchObject([201, { blobs: 3, bytes: 3 }]);
    const half = await other.request('/snapshots/import?ref=half', {
      method: 'POST',
      body: bytes.subarray(0, bytes.length / 2),
    });
    expect(half.status).toBeGreaterThanOrEqual(400);
    await expectProblem(await other.request('/refs/half'), 'not-found/REF_NOT_FOUND', 404);
    const rules = { ref: 'ours', rules: { last: 1 } };
    const would = await served.post('/snapshots/forget', { ...rules, dryRun: true });
    expect(await would.json()).toMatchObject({ dryRun: true, kept: [{ number: 2 }], forgotten: [{ number: 1 }] });
    await served.post('/snapshots/forget', rules);
    expect(await lines('/snapshots?ref=ours')).toHaveLength(1);
    await expectProblem(
      await served.post('/snapshots/forget', { ref: 'ours', rules: {} }),
      'invalid/REQUEST_INVALID',
      400,
    );
  });

  it('of an upload that breaks off are none', async () => {
    const tar = await tarOf({ a: 'x'.repeat(10_000) });
    const cut = await served.request('/snapshots/tar?ref=broken', { method: 'POST', body: tar.subarray(0, 5000) });
    await expectProblem(cut, 'invalid/ARCHIVE_INVALID', 400);
    await expectProblem(await served.request('/refs/broken'), 'not-found/REF_NOT_FOUND', 404);
  });
});

/** What an archive holds, by its directory, which is the last of it; content that was stored as it is. */
function unzip(archive: Buffer): Map<string, Buffer> {
  const end = archive.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  const found = new Map<string, Buffer>();
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [crc, size, nameLength, start] = [16, 24, 28, 42].map((field) => archive.readUInt32LE(at + field));
    const name = archive.toString('utf8', at + 46, at + 46 + ((nameLength ?? 0) & 0xffff));
    const content =
      (start ?? 0) + 30 + archive.readUInt16LE((start ?? 0) + 26) + archive.readUInt16LE((start ?? 0) + 28);
    const bytes = archive.subarray(content, content + (size ?? 0));
    expect([name, crc32(bytes)]).toEqual([name, crc]);
    if (!name.endsWith('/')) found.set(name, bytes);
    at += 46 + [28, 30, 32].reduce((sum, field) => sum + archive.readUInt16LE(at + field), 0);
  }
  expect(archive.readUInt32LE(at)).toBe(0x0605_4b50);
  return found;
}

/** An archive, made by the library that others use. */
async function tarOf(files: Readonly<Record<string, string>>): Promise<Buffer<ArrayBuffer>> {
  const entries = Object.entries(files).map(([name, body]) => ({ header: { name, size: body.length }, body }));
  return Buffer.from(await packTar(entries));
}
