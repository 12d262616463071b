import { mkdtemp, open, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Upload } from 'tus-js-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TokenFile } from '../../src/server/index.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../src/testing/temporary-folder.ts';
import { noise } from '../support/contents.ts';
import { STORE_KEY } from '../support/sealed-store.ts';
import { expectProblem, RawClient, type ServedStore, serveStore } from '../support/served-store.ts';

const TUS = { 'tus-resumable': '1.0.0' };
const OFFSET_TYPE = { 'content-type': 'application/offset+octet-stream' };

let folder: TemporaryFolder;
let served: ServedStore;
let spool: string;
beforeAll(async () => {
  folder = await makeTemporaryFolder();
});
afterAll(() => folder.remove());
beforeEach(async () => {
  spool = await mkdtemp(path.join(folder.path, 'uploads-'));
});

type Metadata = Readonly<Record<string, string>>;

const encode = (metadata: Metadata) =>
  Object.entries(metadata)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    .join();

interface Creation {
  readonly on?: ServedStore;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array;
  readonly path?: string;
}

function create(length: number, metadata: Metadata, { on = served, headers, body, path: where }: Creation = {}) {
  const names = Object.keys(metadata).length > 0 && { 'upload-metadata': encode(metadata) };
  const said = { ...TUS, 'upload-length': `${length}`, ...names, ...headers };
  const init = { method: 'POST', headers: { ...said, ...(body && OFFSET_TYPE) }, ...(body && { body }) };
  return on.request(where ?? '/uploads', init as RequestInit);
}

async function begin(length: number, metadata: Metadata, options: Creation = {}): Promise<string> {
  const answer = await create(length, metadata, options);
  expect([answer.status, await answer.text()]).toEqual([201, '']);
  return answer.headers.get('location') ?? '';
}

const patch = (where: string, offset: number, body: Uint8Array | string, headers: Record<string, string> = {}) =>
  served.request(where, {
    method: 'PATCH',
    headers: { ...TUS, ...OFFSET_TYPE, 'upload-offset': `${offset}`, ...headers },
    body,
  } as RequestInit);

const head = (where: string, headers: Record<string, string> = {}) =>
  served.request(where, { method: 'HEAD', headers: { ...TUS, ...headers } });

const offsetOf = async (where: string) => Number((await head(where)).headers.get('upload-offset'));

describe('a resumable upload', () => {
  beforeAll(async () => {
    served = await serveStore({ uploads: { folder: path.join(folder.path, 'shared') } });
  });
  afterAll(() => served.close());

  it('becomes an entry with its last byte, and is nothing before', async () => {
    const bytes = noise(3_000_000, 1);
    const metadata = { key: 'docs/Grüße.bin', contentType: 'image/png', attributes: 'author=Ann', ifNoneMatch: '*' };
    const where = await begin(bytes.length, metadata);
    expect(where).toMatch(/^\/uploads\/[A-Za-z0-9_-]{43}$/);
    const first = await patch(where, 0, bytes.subarray(0, 2_500_000));
    expect([first.status, first.headers.get('upload-offset')]).toEqual([204, '2500000']);
    expect(Date.parse(first.headers.get('upload-expires') ?? '')).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    expect(await served.json('/files')).toEqual({ entries: [], prefixes: [] });
    const between = await head(where);
    expect(Object.fromEntries(between.headers)).toMatchObject({
      'upload-offset': '2500000',
      'upload-length': '3000000',
      'upload-metadata': encode(metadata),
      'tus-resumable': '1.0.0',
      'cache-control': 'no-store',
    });
    const last = await patch(where, 2_500_000, bytes.subarray(2_500_000));
    const { version } = await served.store.stat('docs/Grüße.bin');
    expect(Object.fromEntries(last.headers)).toMatchObject({
      'upload-offset': '3000000',
      etag: `"${version}"`,
      'content-location': '/files/docs/Gr%C3%BC%C3%9Fe.bin',
    });
    expect(last.headers.has('access-control-allow-origin')).toBe(false);
    expect(await served.store.stat('docs/Grüße.bin')).toMatchObject({
      contentType: 'image/png',
      attributes: { author: 'Ann' },
    });
    expect(Buffer.from(await served.store.get('docs/Grüße.bin')).equals(bytes)).toBe(true);
    expect((await head(where)).headers.get('etag')).toBe(`"${version}"`);
  });

  it('may bring all with its creation, or nothing at all', async () => {
    const made = await create(5, { key: 'at-once' }, { body: Buffer.from('hello') });
    expect([made.status, made.headers.get('upload-offset')]).toEqual([201, '5']);
    expect(Buffer.from(await served.store.get('at-once')).toString()).toBe('hello');
    await begin(0, { filename: 'empty', filetype: 'text/plain' });
    expect(await served.store.stat('empty')).toMatchObject({ size: 0, contentType: 'text/plain' });
    const unnamed = await create(7, {}, { body: Buffer.from('unnamed') });
    const { digest } = await served.store.stat(
      decodeURIComponent((unnamed.headers.get('content-location') ?? '').slice('/files/'.length)),
    );
    expect(digest).toMatch(/^blake3:/);
  });

  it('says what it speaks', async () => {
    const asked = await served.request('/uploads', { method: 'OPTIONS' });
    expect([asked.status, asked.headers.get('tus-version')]).toEqual([204, '1.0.0']);
    expect(asked.headers.get('tus-extension')).toBe('creation,creation-with-upload,termination,expiration');
    expect([...asked.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('goes on where it is, and nowhere else', async () => {
    const where = await begin(10, { key: 'on' });
    await patch(where, 0, 'hello');
    await expectProblem(await patch(where, 0, 'hello'), 'conflict/UPLOAD_OFFSET_MISMATCH', 409);
    await expectProblem(await patch(where, 7, 'x'), 'conflict/UPLOAD_OFFSET_MISMATCH', 409);
    await expectProblem(await patch(where, 5, 'worlds'), 'exhausted/BODY_TOO_LARGE', 413);
    const other = await patch(where, 5, 'world', { 'content-type': 'text/plain' });
    await expectProblem(other, 'invalid/REQUEST_INVALID', 400);
    const older = await patch(where, 5, 'world', { 'tus-resumable': '0.2.2' });
    await expectProblem(older, 'invalid/REQUEST_INVALID', 400);
    const mute = await served.request(where, { method: 'HEAD' });
    expect([mute.status, mute.headers.get('tus-version')]).toEqual([412, '1.0.0']);
    expect((await patch(where, 5, 'world')).status).toBe(204);
    expect(Buffer.from(await served.store.get('on')).toString()).toBe('helloworld');
  });

  it('keeps nothing of a body that is not as it says, nor content that is not', async () => {
    const digest = (text: string) => `blake3=:${Buffer.from(text).toString('base64')}:`;
    const where = await begin(10, { key: 'sure', contentDigest: digest('0'.repeat(32)) });
    await patch(where, 0, 'hel');
    const wrong = await patch(where, 3, 'lo', { 'content-digest': digest('1'.repeat(32)) });
    await expectProblem(wrong, 'invalid/CONTENT_MISMATCH', 400);
    expect(await offsetOf(where)).toBe(3);
    await expectProblem(await patch(where, 3, 'loworld'), 'invalid/CONTENT_MISMATCH', 400);
    expect(await served.store.has('sure')).toBe(false);
    expect((await head(where)).status).toBe(404);
  });

  it('keeps what came before its connection was cut', async () => {
    const bytes = noise(500_000, 2);
    const where = await begin(bytes.length, { key: 'cut' });
    const client = await RawClient.connect(served.port);
    const fields = `Host: localhost\r\nTus-Resumable: 1.0.0\r\nContent-Type: ${OFFSET_TYPE['content-type']}\r\n`;
    client.send(
      `PATCH ${where} HTTP/1.1\r\n${fields}Upload-Offset: 0\r\nContent-Length: ${bytes.length}\r\nExpect: 100-continue\r\n\r\n`,
    );
    await client.until('100 Continue');
    client.send(Buffer.from(bytes.subarray(0, 300_000)).toString('latin1'));
    client.end();
    await client.closed();
    const offset = await offsetOf(where);
    expect(offset).toBeGreaterThan(100_000);
    expect(offset).toBeLessThanOrEqual(300_000);
    expect((await patch(where, offset, bytes.subarray(offset))).status).toBe(204);
    expect(Buffer.from(await served.store.get('cut')).equals(bytes)).toBe(true);
  });

  it('is refused at its beginning where its end would be', async () => {
    await served.store.put('taken', 'x');
    await expectProblem(await create(1, { key: 'taken', ifNoneMatch: '*' }), 'conflict/PRECONDITION_FAILED', 412);
    await expectProblem(await create(1, { key: 'x'.repeat(1025) }), 'invalid/KEY_INVALID', 400);
    await expectProblem(await create(1, { key: 'a', attributes: 'a=1&a=2' }), 'invalid/REQUEST_INVALID', 400);
    await expectProblem(await create(1, { key: 'a', contentType: 'Grüße ☺' }), 'invalid/REQUEST_INVALID', 400);
    await expectProblem(await create(2 ** 52, { key: 'a' }), 'exhausted/FREE_SPACE_LOW', 507);
    const deferred = await create(1, { key: 'a' }, { headers: { 'upload-length': '-1' } });
    await expectProblem(deferred, 'invalid/REQUEST_INVALID', 400);
    const parts = await create(1, { key: 'a' }, { headers: { 'upload-concat': 'partial' } });
    await expectProblem(parts, 'unsupported/CAPABILITY_UNSUPPORTED', 501);
  });

  it('is decided by its conditions when it ends', async () => {
    const where = await begin(3, { key: 'raced', ifNoneMatch: '*' });
    await served.store.put('raced', 'first');
    await expectProblem(await patch(where, 0, 'new'), 'conflict/PRECONDITION_FAILED', 412);
    expect(Buffer.from(await served.store.get('raced')).toString()).toBe('first');
    await expectProblem(await patch(where, 0, 'new'), 'not-found/UPLOAD_NOT_FOUND', 404);
    const { version } = await served.store.stat('raced');
    const again = await begin(3, { key: 'raced', ifMatch: `"${version}"` });
    expect((await patch(again, 0, 'new')).status).toBe(204);
    expect(Buffer.from(await served.store.get('raced')).toString()).toBe('new');
  });

  it('is given up on request, and is unknown then', async () => {
    const where = await begin(10, { key: 'gone' });
    await patch(where, 0, 'hello');
    expect((await served.request(where, { method: 'DELETE', headers: TUS })).status).toBe(204);
    await expectProblem(await patch(where, 5, 'world'), 'not-found/UPLOAD_NOT_FOUND', 404);
    const never = `/uploads/${'A'.repeat(43)}`;
    await expectProblem(await served.request(never, { headers: TUS }), 'not-found/UPLOAD_NOT_FOUND', 404);
    await expectProblem(
      await served.request('/uploads/..%2F..%2Fetc', { headers: TUS }),
      'not-found/UPLOAD_NOT_FOUND',
      404,
    );
  });
});

/** The only file of a spool. */
async function onlyFile(): Promise<string> {
  const [name = ''] = await readdir(spool);
  return path.join(spool, name);
}

describe('the folder of uploads', () => {
  const restart = async (store: ServedStore['store'], options: { keptMs?: number; ofCallerMax?: number } = {}) => {
    served = await serveStore({ store, uploads: { folder: spool, ...options } });
  };

  it('outlives its server, and holds no plaintext', async () => {
    await using first = await serveStore({ uploads: { folder: spool } });
    served = first;
    const bytes = Buffer.from('a secret of ours, said many times. '.repeat(200_000));
    const where = await begin(bytes.length, { key: 'the-secret-name', attributes: 'hidden=yes' });
    await patch(where, 0, bytes.subarray(0, 5_000_000));
    const file = await onlyFile();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const kept = await readFile(file, 'latin1');
    expect(kept).toContain('"owner":"loopback"');
    expect(kept).not.toMatch(/secret|hidden/);
    expect(kept).not.toContain(where.slice('/uploads/'.length));
    await restart(first.store);
    expect(await offsetOf(where)).toBe(5_000_000);
    expect((await patch(where, 5_000_000, bytes.subarray(5_000_000))).status).toBe(204);
    expect(Buffer.from(await first.store.get('the-secret-name')).equals(bytes)).toBe(true);
    expect((await stat(file)).size).toBeLessThan(1000);
    await served.close();
  });

  it('is cut back to what is whole where a crash left part of a record', async () => {
    await using first = await serveStore({ uploads: { folder: spool } });
    served = first;
    const bytes = noise(2_500_000, 3);
    const where = await begin(bytes.length, { key: 'torn' });
    await patch(where, 0, bytes.subarray(0, 2_400_000));
    const file = await onlyFile();
    const { size } = await stat(file);
    await using handle = await open(file, 'r+');
    // The head of a record of content, and none of it.
    await handle.write(Buffer.from([2, 100, 0, 0, 0, 1, 2, 3]), 0, 8, size);
    expect(await offsetOf(where)).toBe(2_400_000);
    await handle.truncate(size - 1);
    const offset = await offsetOf(where);
    expect(offset).toBe(2 * 1024 * 1024);
    expect((await patch(where, offset, bytes.subarray(offset))).status).toBe(204);
    expect(Buffer.from(await first.store.get('torn')).equals(bytes)).toBe(true);
  });

  it('never gives out what was damaged in it', async () => {
    await using first = await serveStore({ uploads: { folder: spool } });
    served = first;
    const bytes = noise(20_000_000, 4);
    const where = await begin(bytes.length + 1, { key: 'damaged' });
    await patch(where, 0, bytes);
    await using handle = await open(await onlyFile(), 'r+');
    await handle.write(Buffer.from('x'), 0, 1, 1_500_000);
    await expectProblem(await patch(where, bytes.length, 'x'), 'corrupt/UPLOAD_CORRUPT', 500);
    expect(await first.store.has('damaged')).toBe(false);
    await expectProblem(await patch(where, 0, 'x'), 'not-found/UPLOAD_NOT_FOUND', 404);
    expect(await readdir(spool)).toEqual([]);
    const other = await begin(5, { key: 'headless' });
    await writeFile(await onlyFile(), '');
    await expectProblem(await patch(other, 0, 'x'), 'corrupt/UPLOAD_CORRUPT', 500);
    expect((await head(other)).status).toBe(404);
    expect(first.logged).toHaveLength(2);
  });

  it('gives back the space of what expired, and of what nobody finished making', async () => {
    await using first = await serveStore({ uploads: { folder: spool, keptMs: 60_000 } });
    served = first;
    const where = await begin(10, { key: 'late' });
    await patch(where, 0, 'hello');
    await writeFile(path.join(spool, `${'0'.repeat(32)}.new`), 'x');
    await writeFile(path.join(spool, 'notes.txt'), 'mine');
    for (const name of await readdir(spool)) await utimes(path.join(spool, name), 0, Date.now() / 1000 - 61);
    expect((await head(where)).status).toBe(404);
    const other = await begin(10, { key: 'other' });
    expect(await readdir(spool)).toHaveLength(2);
    expect(await readdir(spool)).toContain('notes.txt');
    expect((await patch(other, 0, 'helloworld')).status).toBe(204);
  });

  it.each([
    ['before it was stored', false],
    ['after it was stored, and before that was remembered', true],
  ])('finishes what was cut off with all of its bytes there, %s', async (_, isStored) => {
    await using first = await serveStore({ uploads: { folder: spool } });
    served = first;
    const where = await begin(10, { key: 'ends', contentType: 'text/plain', ifNoneMatch: '*' });
    await patch(where, 0, 'hello');
    const file = await onlyFile();
    const before = await readFile(file);
    let begun = before;
    const { put } = first.store;
    first.store.put = async (...given) => {
      // What lies in the file while the store stores, as a crash would leave it.
      begun = await readFile(file);
      return await put.apply(first.store, given as never);
    };
    await patch(where, 5, 'world');
    first.store.put = put;
    const { version } = await first.store.stat('ends');
    if (!isStored) await first.store.delete('ends');
    await writeFile(file, begun);
    const again = await head(where);
    expect([again.headers.get('upload-offset'), again.headers.get('etag')]).toEqual(['10', `"${version}"`]);
    expect((await first.store.stat('ends')).version).toBe(version);
    // Somebody else has the key: nobody takes that for ours.
    await first.store.put('ends', 'helloWORLD', { contentType: 'text/plain' });
    await writeFile(file, begun);
    await expectProblem(await patch(where, 10, ''), 'conflict/PRECONDITION_FAILED', 412);
    expect(before.length).toBeLessThan(begun.length);
  });

  it('has bounds of what lies in it, by caller and by namespace', async () => {
    await using sealed = await serveStore({
      create: { keys: { key: STORE_KEY } },
      uploads: { folder: spool, ofCallerMax: 2 },
    });
    served = sealed;
    await sealed.store.namespaces.create('small', { quotaBytes: 1000 });
    await sealed.store.namespace('small').put('there', noise(400, 5));
    const where = { path: '/namespaces/small/uploads' };
    const one = await begin(500, { key: 'one' }, where);
    expect(one).toMatch(/^\/namespaces\/small\/uploads\//);
    await expectProblem(await create(101, { key: 'two' }, where), 'exhausted/QUOTA_EXCEEDED', 507);
    await begin(100, { key: 'two' }, where);
    const third = await create(1, { key: 'three' });
    expect(third.headers.get('retry-after')).toBe('5');
    await expectProblem(third, 'unavailable/REQUESTS_EXCEEDED', 429);
    const done = await patch(one, 0, noise(500, 6));
    expect([done.status, done.headers.get('content-location')]).toEqual([204, '/namespaces/small/files/one']);
    expect(await sealed.store.has('one')).toBe(false);
    await begin(1, { key: 'three' });
    await expectProblem(
      await create(1, {}, { path: '/namespaces/nobody/uploads' }),
      'not-found/NAMESPACE_NOT_FOUND',
      404,
    );
  });

  it('shows an upload to its maker alone, and its address to no log', async () => {
    const tokens = new TokenFile(path.join(spool, 'tokens.json'));
    const audited: { path: string }[] = [];
    await using guarded = await serveStore({
      create: { keys: { key: STORE_KEY } },
      access: { tokens },
      uploads: { folder: path.join(spool, 'own') },
      audit: (event) => void audited.push(event),
    });
    served = guarded;
    await guarded.store.namespaces.create('theirs');
    const bearer = async (name: string, verbs: readonly ('put' | 'read' | 'write')[], namespaces?: string[]) => {
      const { token } = await tokens.add(name, { verbs, ...(namespaces && { namespaces }) });
      return { authorization: `Bearer ${token}` };
    };
    const [ann, bob] = [await bearer('ann', ['put']), await bearer('bob', ['write'])];
    const [reader, foreigner] = [await bearer('reader', ['read']), await bearer('foreigner', ['put'], ['theirs'])];
    await expectProblem(await create(5, { key: 'k' }), 'denied/TOKEN_REQUIRED', 401);
    await expectProblem(await create(5, { key: 'k' }, { headers: reader }), 'denied/ACTION_FORBIDDEN', 403);
    await expectProblem(await create(5, { key: 'k' }, { headers: foreigner }), 'not-found/NAMESPACE_NOT_FOUND', 404);
    const where = await begin(5, { key: 'k' }, { headers: ann });
    for (const other of [bob, foreigner])
      expect((await served.request(where, { method: 'DELETE', headers: { ...TUS, ...other } })).status).toBe(404);
    const elsewhere = `/namespaces/theirs${where}`;
    await expectProblem(await patch(elsewhere, 0, 'hello', ann), 'not-found/UPLOAD_NOT_FOUND', 404);
    expect((await patch(where, 0, 'hello', ann)).status).toBe(204);
    // Who may only put replaces nothing.
    await expectProblem(await create(5, { key: 'k' }, { headers: ann }), 'conflict/ENTRY_EXISTS', 409);
    const secret = where.slice('/uploads/'.length);
    expect(audited.map((event) => event.path)).toContain('/uploads/*');
    expect(JSON.stringify([audited, guarded.logged])).not.toContain(secret);
  });

  it('is no must', async () => {
    await using bare = await serveStore();
    served = bare;
    await expectProblem(await create(1, { key: 'k' }), 'unsupported/CAPABILITY_UNSUPPORTED', 501);
  });
});

describe('the JavaScript client of tus', () => {
  it('uploads, and goes on with what another one began', async () => {
    await using first = await serveStore({ uploads: { folder: spool } });
    const bytes = Buffer.from(noise(3_000_000, 7));
    const stop = new AbortController();
    const upload = (url?: string) =>
      new Promise<string | null>((resolve, reject) => {
        const one = new Upload(bytes, {
          endpoint: `${first.url}/uploads`,
          ...(url && { uploadUrl: url }),
          chunkSize: 1_000_000,
          metadata: { filename: 'client.bin', filetype: 'application/x-test' },
          onError: reject,
          onSuccess: () => resolve(one.url),
          onChunkComplete: () => {
            if (url !== undefined || stop.signal.aborted) return;
            stop.abort();
            void one.abort().then(() => resolve(one.url));
          },
        });
        one.start();
      });
    const url = await upload();
    expect(await first.store.has('client.bin')).toBe(false);
    await upload(url ?? '');
    expect(await first.store.stat('client.bin')).toMatchObject({ size: 3_000_000, contentType: 'application/x-test' });
    expect(bytes.equals(await first.store.get('client.bin'))).toBe(true);
  });
});
