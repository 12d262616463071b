import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noise } from '../support/contents.ts';
import { expectProblem, type ServedStore, serveStore } from '../support/served-store.ts';

let served: ServedStore;
beforeAll(async () => {
  served = await serveStore({ create: { chunking: 'fastcdc:256:1024:4096' } });
});
afterAll(() => served.close());

const sha256 = (bytes: Uint8Array | string) => `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;

describe('a file', () => {
  it('comes back as it was put, with what was said of it', async () => {
    const bytes = noise(200_000, 1);
    const stored = await served.put('docs/report.pdf?digests=true', bytes, {
      'content-type': 'application/pdf',
      'holdfast-attributes': 'author=Zo%C3%AB+B&__proto__=x',
    });
    expect(stored.status).toBe(201);
    const answer = (await stored.json()) as { storedBytes: number; stats: object; digests: string[] };
    const entry = await served.store.stat('docs/report.pdf');
    expect(answer).toMatchObject({
      key: 'docs/report.pdf',
      version: entry.version,
      digest: entry.digest,
      size: 200_000,
    });
    expect(answer.stats).toMatchObject({ totalBytes: 200_000, storedBytes: answer.storedBytes });
    expect(answer.digests).toHaveLength(entry.chunks);
    expect(Object.entries(entry.attributes)).toEqual([
      ['__proto__', 'x'],
      ['author', 'Zoë B'],
    ]);
    const got = await served.request('/files/docs/report.pdf');
    expect(Object.fromEntries(got.headers)).toMatchObject({
      'content-type': 'application/pdf',
      'content-length': '200000',
      etag: `"${entry.version}"`,
      'last-modified': new Date(entry.modified).toUTCString(),
      'repr-digest': `blake3=:${Buffer.from(entry.digest.slice(7), 'hex').toString('base64')}:`,
      'holdfast-attributes': '__proto__=x&author=Zo%C3%AB+B',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining('sandbox'),
    });
    expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true);
    const head = await served.request('/files/docs/report.pdf', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '200000', '']);
  });

  it('tells what deduplication saves, and is found under its location', async () => {
    const bytes = noise(50_000, 2);
    await served.put('one', bytes);
    const again = await served.request('/files', { method: 'POST', body: bytes });
    const { key, stats } = (await again.json()) as { key: string; stats: object };
    expect(stats).toEqual({ totalBytes: 50_000, storedBytes: 0, savingsPercent: 100 });
    expect(key).toBe((await served.store.stat('one')).digest);
    expect((await served.request(again.headers.get('location') ?? '')).status).toBe(200);
    expect(await served.json('/stats')).toMatchObject({ savingsPercent: expect.any(Number) });
  });

  it.each([
    ['a slash at each end', '/a/', '/a/'],
    ['slashes that are encoded', 'a%2Fb%2f%2fc', 'a/b//c'],
    ['dots between slashes', 'a%2F..%2F.%2Fb', 'a/../b'.replace('b', './b')],
    ['a percent sign', '100%25%2525', '100%%25'],
    ['a NUL, a line feed, a backslash', '%00%0A%5C', '\0\n\\'],
    ['letters of the world', 'Gr%C3%BC%C3%9Fe/%F0%9F%98%80', 'Grüße/😀'],
    ['what looks like a query', '%3Fa=b%26c%23d', '?a=b&c#d'],
    ['a plus sign, which is none of a form', 'a+b', 'a+b'],
    ['1,024 bytes', 'x'.repeat(1024), 'x'.repeat(1024)],
  ])('may have a key with %s', async (_, path, key) => {
    expect((await served.put(path, key)).status).toBe(201);
    expect(Buffer.from(await served.store.get(key)).toString()).toBe(key);
    expect(await (await served.request(`/files/${path}`)).text()).toBe(key);
    expect(await (await served.request(`/files/${path}`, { method: 'DELETE' })).json()).toEqual({ deleted: key });
    expect(await served.store.has(key)).toBe(false);
  });

  it('is not found under a path that is no key', async () => {
    await expectProblem(await served.request('/files/%C0%AF'), 'invalid/REQUEST_INVALID', 400);
    await expectProblem(await served.request('/files/%ff'), 'invalid/REQUEST_INVALID', 400);
    await expectProblem(await served.request('/files/nobody'), 'not-found/ENTRY_NOT_FOUND', 404);
    await expectProblem(await served.request('/files/nobody', { method: 'DELETE' }), 'not-found/ENTRY_NOT_FOUND', 404);
    await expectProblem(await served.put('x'.repeat(1025), ''), 'invalid/KEY_INVALID', 400);
    await expectProblem(await served.request('/nowhere'), 'not-found/ROUTE_NOT_FOUND', 404);
    const wrong = await served.request('/files/x', { method: 'PATCH' });
    expect(wrong.headers.get('allow')).toBe('GET, PUT, POST, DELETE, HEAD');
    await expectProblem(wrong, 'unsupported/METHOD_UNSUPPORTED', 405);
    await expectProblem(await served.request('/files?nonsense=1'), 'invalid/REQUEST_INVALID', 400);
  });

  it('is stored only as its digests and its length promise', async () => {
    expect((await served.put('sure', 'abc', { 'content-digest': sha256('abc') })).status).toBe(201);
    expect((await served.put('sure', 'abc', { 'repr-digest': `md9=:AA==:, ${sha256('abc')}` })).status).toBe(201);
    const wrong = await served.put('unsure', 'abd', { 'content-digest': sha256('abc') });
    await expectProblem(wrong, 'invalid/CONTENT_MISMATCH', 400);
    await expectProblem(
      await served.put('unsure', 'x', { 'repr-digest': 'sha-256=abc' }),
      'invalid/REQUEST_INVALID',
      400,
    );
    const blake3 = `blake3=:${Buffer.from((await served.store.stat('sure')).digest.slice(7), 'hex').toString('base64')}:`;
    expect((await served.put('sure', 'abc', { 'repr-digest': blake3 })).status).toBe(201);
    await expectProblem(await served.put('unsure', 'abd', { 'repr-digest': blake3 }), 'invalid/CONTENT_MISMATCH', 400);
    expect(await served.store.has('unsure')).toBe(false);
  });

  it('is taken as it is, and neither unpacked nor taken out of what is no form', async () => {
    const packed = await served.put('unsure', 'x', { 'content-encoding': 'gzip' });
    await expectProblem(packed, 'unsupported/MEDIA_TYPE_UNSUPPORTED', 415);
    const form = new FormData();
    form.append('file', new Blob(['x']));
    const sent = await served.request('/files/unsure', { method: 'PUT', body: form });
    await expectProblem(sent, 'unsupported/MEDIA_TYPE_UNSUPPORTED', 415);
    const twice = await served.put('unsure', 'x', { 'holdfast-attributes': 'a=1&a=2' });
    await expectProblem(twice, 'invalid/REQUEST_INVALID', 400);
  });
});

describe('ranges', () => {
  const CONTENT = 'abcdefghijklmnopqrstuvwxyz';
  beforeAll(() => served.put('alphabet', CONTENT, { 'content-type': 'text/plain' }));
  const get = (headers: Record<string, string>) => served.request('/files/alphabet', { headers });

  it.each([
    ['bytes=0-0', 'a', 'bytes 0-0/26'],
    ['bytes=23-', 'xyz', 'bytes 23-25/26'],
    ['bytes=-3', 'xyz', 'bytes 23-25/26'],
    ['bytes=-99', CONTENT, 'bytes 0-25/26'],
    ['bytes=24-99', 'yz', 'bytes 24-25/26'],
    ['bytes= 1-2 ,99-', 'bc', 'bytes 1-2/26'],
  ])('%s are sent', async (range, expected, contentRange) => {
    const answer = await get({ range });
    expect([answer.status, answer.headers.get('content-range'), await answer.text()]).toEqual([
      206,
      contentRange,
      expected,
    ]);
  });

  it.each([
    'bytes=',
    'bytes=-',
    'bytes=5-2',
    'lines=1-2',
    'bytes=a-b',
    'bytes=1-2;3-4',
  ])('%s is none', async (range) => {
    const answer = await get({ range });
    expect([answer.status, await answer.text()]).toEqual([200, CONTENT]);
  });

  it.each([
    ['past the end', 'bytes=26-'],
    ['nothing', 'bytes=-0'],
    ['a thousand', `bytes=${Array.from({ length: 1000 }, (_, at) => `${at}-${at}`).join()}`],
    ['overlapping', 'bytes=0-25,0-25,1-'],
  ])('%s are refused', async (_, range) => {
    const answer = await get({ range });
    expect(answer.headers.get('content-range')).toBe('bytes */26');
    await expectProblem(answer, 'invalid/RANGE_INVALID', 416);
  });

  it('are several parts when several are asked for', async () => {
    const answer = await get({ range: 'bytes=-2,0-2' });
    const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(answer.headers.get('content-type') ?? '')?.[1];
    const text = await answer.text();
    expect(text.length).toBe(Number(answer.headers.get('content-length')));
    const part = (range: string, body: string) =>
      `\r\n--${boundary}\r\ncontent-type: text/plain\r\ncontent-range: bytes ${range}/26\r\n\r\n${body}`;
    expect(text).toBe(`${part('24-25', 'yz')}${part('0-2', 'abc')}\r\n--${boundary}--\r\n`);
  });

  it('are sent of the version they are meant of, and else everything', async () => {
    const { headers } = await get({});
    const etag = headers.get('etag') ?? '';
    const modified = headers.get('last-modified') ?? '';
    const status = async (ifRange: string) => (await get({ range: 'bytes=0-0', 'if-range': ifRange })).status;
    expect(await Promise.all([etag, modified].map(status))).toEqual([206, 206]);
    expect(await Promise.all(['"other"', `W/${etag}`, 'Thu, 01 Jan 1970 00:00:00 GMT'].map(status))).toEqual([
      200, 200, 200,
    ]);
  });

  it('of an empty file are none', async () => {
    await served.put('empty', '');
    expect(await (await served.request('/files/empty')).text()).toBe('');
    await expectProblem(
      await served.request('/files/empty', { headers: { range: 'bytes=0-' } }),
      'invalid/RANGE_INVALID',
      416,
    );
  });
});

describe('conditions', () => {
  it('save a reader what it has, and stop one that wants something else', async () => {
    const etag = (await served.put('known', 'v1')).headers.get('etag') ?? '';
    const get = (headers: Record<string, string>) => served.request('/files/known', { headers });
    expect((await get({ 'if-none-match': `"x", W/${etag}` })).status).toBe(304);
    expect((await get({ 'if-none-match': '"x"' })).status).toBe(200);
    expect((await get({ 'if-modified-since': new Date(Date.now() + 60_000).toUTCString() })).status).toBe(304);
    expect((await get({ 'if-modified-since': 'yesterday' })).status).toBe(200);
    expect((await get({ 'if-match': `"x", ${etag}` })).status).toBe(200);
    await expectProblem(await get({ 'if-match': `W/${etag}` }), 'conflict/PRECONDITION_FAILED', 412);
    await expectProblem(
      await get({ 'if-unmodified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' }),
      'conflict/PRECONDITION_FAILED',
      412,
    );
    await expectProblem(await get({ 'if-none-match': 'no quotes' }), 'invalid/REQUEST_INVALID', 400);
  });

  it('let one of two writers win', async () => {
    const etag = (await served.put('fought-over', 'v1')).headers.get('etag') ?? '';
    const writers = await Promise.all(
      ['a', 'b', 'c', 'd'].map((text) => served.put('fought-over', text, { 'if-match': etag })),
    );
    expect(writers.map(({ status }) => status).sort()).toEqual([201, 412, 412, 412]);
    const makers = await Promise.all(
      ['a', 'b', 'c', 'd'].map((text) => served.put('new', text, { 'if-none-match': '*' })),
    );
    expect(makers.map(({ status }) => status).sort()).toEqual([201, 412, 412, 412]);
    const gone = await served.request('/files/fought-over', { method: 'DELETE', headers: { 'if-match': etag } });
    await expectProblem(gone, 'conflict/PRECONDITION_FAILED', 412);
    expect((await served.put('absent', 'x', { 'if-match': '*' })).status).toBe(412);
    expect((await served.put('new', 'x', { 'if-match': '*' })).status).toBe(201);
  });

  it('can be made a must', async () => {
    await using strict = await serveStore({ conditionalWrites: true });
    const etag = (await strict.put('k', 'v1')).headers.get('etag') ?? '';
    await expectProblem(await strict.put('k', 'v2'), 'conflict/CONDITION_REQUIRED', 428);
    await expectProblem(await strict.request('/files/k', { method: 'DELETE' }), 'conflict/CONDITION_REQUIRED', 428);
    expect((await strict.put('k', 'v2', { 'if-match': etag })).status).toBe(201);
    const refused: [string, object][] = [
      ['/copy', { from: 'k', to: 'k2', replace: true }],
      ['/rename', { from: 'k', to: 'k2', replace: true }],
      ['/batch', { operations: [{ op: 'put', key: 'k', text: 'x' }] }],
      ['/batch', { operations: [{ op: 'delete', key: 'k' }] }],
      ['/batch', { operations: [{ op: 'copy', from: 'k', to: 'k2', replace: true }] }],
      ['/restore', { key: 'k', version: etag.slice(1, -1) }],
      ['/snapshots/restore', { address: 'x', overwrite: 'always' }],
      ['/snapshots/restore', { address: 'x', delete: true }],
      ['/snapshots/restore-file', { address: 'x', key: 'k' }],
    ];
    for (const [path, body] of refused)
      await expectProblem(await strict.post(path, body), 'conflict/CONDITION_REQUIRED', 428);
    expect(
      (await strict.post('/batch', { operations: [{ op: 'put', key: 'n', text: 'x', ifAbsent: true }] })).status,
    ).toBe(200);
  });
});
