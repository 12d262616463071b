import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectProblem, type ServedStore, serveStore } from '../support/served-store.ts';

let served: ServedStore;
beforeAll(async () => {
  served = await serveStore();
  await served.store.versions.setPolicy({ last: 10 });
});
afterAll(() => served.close());

describe('lists', () => {
  const keys = ['a', 'b/1', 'b/2', 'b/c/3', 'd', 'e/4', 'f'];
  beforeAll(async () => {
    for (const key of keys)
      await served.store.put(`list/${key}`, key.repeat(key.length), { attributes: { length: `${key.length}` } });
  });
  interface Page {
    readonly entries: readonly { readonly key: string }[];
    readonly prefixes: readonly string[];
    readonly next?: string;
  }
  const list = (query: string) => served.json<Page>(`/files?prefix=list/${query}`);
  const names = (page: Page) => page.entries.map(({ key }) => key.slice(5));

  it('page by page, by key, size or time', async () => {
    const found: string[] = [];
    let after = '';
    for (let pages = 0; pages < 10; pages += 1) {
      const page = await list(`&limit=2&sort=size&order=descending${after}`);
      found.push(...names(page));
      if (page.next === undefined) break;
      after = `&after=${page.next}`;
    }
    const bySize = await Array.fromAsync(served.store.list({ prefix: 'list/', sort: 'size', descending: true }));
    expect(found).toEqual(bySize.map(({ key }) => key.slice(5)));
    expect(names(await list(''))).toEqual(keys);
  });

  it('with common beginnings told once, across pages', async () => {
    expect(await list('&delimiter=/')).toMatchObject({ prefixes: ['list/b/', 'list/e/'] });
    const first = await list('&delimiter=/&limit=2');
    expect([names(first), first.prefixes]).toEqual([['a'], ['list/b/']]);
    const second = await list(`&delimiter=/&limit=3&after=${first.next}`);
    expect([names(second), second.prefixes]).toEqual([['d', 'f'], ['list/e/']]);
  });

  it('of what was asked for', async () => {
    expect(names(await list('&attribute=length=5'))).toEqual(['b/c/3']);
    expect(names(await list('&attribute=length=3&attribute=x=y'))).toEqual([]);
    expect(names(await list('&modifiedBefore=2000-01-01T00:00:00Z'))).toEqual([]);
    expect(names(await list('&modifiedFrom=2000-01-01T00:00:00%2B02:00&limit=1'))).toEqual(['a']);
  });

  it.each([
    'limit=0',
    'limit=1001',
    'limit=x',
    'after=x',
    'attribute=x',
    'sort=name',
    'delimiter=/&sort=size',
    'limit=1&limit=2',
  ])('refuses %s', async (query) => {
    await expectProblem(await served.request(`/files?${query}`), 'invalid/REQUEST_INVALID', 400);
  });

  it('tells of one entry what the library tells', async () => {
    expect(await served.json('/stat/list/b/1')).toEqual(
      JSON.parse(JSON.stringify(await served.store.stat('list/b/1'))),
    );
  });
});

describe('changes that move no bytes', () => {
  it('copy and rename', async () => {
    await served.store.put('from', 'content');
    expect(await (await served.post('/copy', { from: 'from', to: 'copy' })).json()).toMatchObject({
      key: 'copy',
      size: 7,
    });
    await expectProblem(await served.post('/rename', { from: 'from', to: 'copy' }), 'conflict/ENTRY_EXISTS', 409);
    expect((await served.post('/rename', { from: 'from', to: 'copy', replace: true })).status).toBe(200);
    expect(await served.store.has('from')).toBe(false);
    await expectProblem(await served.post('/copy', { from: 'nobody', to: 'x' }), 'not-found/ENTRY_NOT_FOUND', 404);
  });

  it('make all changes of a batch, or none', async () => {
    await served.store.put('old', 'x');
    const operations = [
      { op: 'put', key: 'batch/text', text: 'grüße', contentType: 'text/plain', attributes: { a: 'b' } },
      { op: 'put', key: 'batch/bytes', base64: 'AP8=' },
      { op: 'copy', from: 'batch/bytes', to: 'batch/copy' },
      { op: 'delete', key: 'old' },
    ];
    const results = [{ op: 'put', size: 7 }, { op: 'put', size: 2 }, { op: 'copy' }, { op: 'delete' }];
    expect(await (await served.post('/batch', { operations })).json()).toMatchObject({ results });
    expect([...(await served.store.get('batch/copy'))]).toEqual([0, 255]);
    expect(await served.store.has('old')).toBe(false);
    const failing = [
      { op: 'put', key: 'batch/never', text: 'x' },
      { op: 'rename', from: 'nobody', to: 'x' },
    ];
    await expectProblem(await served.post('/batch', { operations: failing }), 'not-found/ENTRY_NOT_FOUND', 404);
    expect(await served.store.has('batch/never')).toBe(false);
  });

  it.each([
    ['neither text nor base64', [{ op: 'put', key: 'k' }]],
    ['another operation', [{ op: 'drop', key: 'k' }]],
    ['a field that is unknown', [{ op: 'delete', key: 'k', force: true }]],
    ['too many', Array.from({ length: 1001 }, () => ({ op: 'delete', key: 'k' }))],
  ])('refuse a batch with %s', async (_, operations) => {
    await expectProblem(await served.post('/batch', { operations }), 'invalid/REQUEST_INVALID', 400);
  });

  it.each([
    ['nested without end', '['.repeat(100_000)],
    ['a name twice', '{"from":"a","from":"b","to":"c"}'],
    ['__proto__', '{"from":"a","to":"b","__proto__":{"replace":true}}'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ])('refuse JSON with %s', async (_, body) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await served.request('/copy', { method: 'POST', body, headers } as RequestInit);
    await expectProblem(answer, 'invalid/REQUEST_INVALID', 400);
  });

  it('refuse what is no JSON, or far too much of it', async () => {
    const form = await served.request('/copy', { method: 'POST', body: new URLSearchParams({ from: 'a', to: 'b' }) });
    await expectProblem(form, 'unsupported/MEDIA_TYPE_UNSUPPORTED', 415);
    await expectProblem(await served.post('/copy', 'x'.repeat(9 * 1024 * 1024)), 'exhausted/BODY_TOO_LARGE', 413);
  });
});

describe('versions', () => {
  it('are listed, read, restored and forgotten', async () => {
    for (const text of ['v1', 'v2', 'v3']) await served.put('versioned', text);
    const { versions } = await served.json<{ versions: { version: string }[] }>('/versions/versioned');
    expect(versions).toMatchObject([{ current: true }, { number: 2 }, { number: 1 }]);
    const first = versions[2]?.version ?? '';
    const old = await served.request(`/files/versioned?version=${first}`, { headers: { range: 'bytes=1-' } });
    expect([old.status, old.headers.get('etag'), await old.text()]).toEqual([206, `"${first}"`, '1']);
    expect(await (await served.request('/files/versioned?number=2')).text()).toBe('v2');
    await expectProblem(await served.request('/files/versioned?number=9'), 'not-found/VERSION_NOT_FOUND', 404);
    expect((await served.post('/restore', { key: 'versioned', version: first })).status).toBe(200);
    expect(await (await served.request('/files/versioned')).text()).toBe('v1');
    const forgotten = await (await served.post('/forget', { key: 'versioned', numbers: [1] })).json();
    expect(forgotten).toMatchObject({ numbers: [1], kept: 2, dryRun: false });
    expect(await served.json('/versions/nobody')).toEqual({ versions: [] });
  });
});

describe('what a server says of itself', () => {
  it('is whether it is well', async () => {
    expect(await served.json('/healthz')).toEqual({ status: 'ok' });
    expect(await served.json('/readyz')).toEqual({ status: 'ok' });
  });

  it('is a document of every route, and a page of that without scripts', async () => {
    const schema = { required: ['from', 'to'], additionalProperties: false };
    expect(await served.json('/openapi.json')).toMatchObject({
      openapi: '3.1.0',
      paths: {
        '/copy': { post: { requestBody: { content: { 'application/json': { schema } } } } },
        '/files/{key}': { put: { security: [{ token: ['put'] }, {}] } },
        '/namespaces/{namespace}/files/{key}': { get: { tags: ['namespaces'] } },
      },
    });
    const page = await served.request('/reference');
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
    const html = await page.text();
    expect(html).toContain('GET /files/{key}');
    expect(html).not.toMatch(/<script|http:|https:/);
  });
});
