import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHandler } from '../../src/server/index.ts';
import { expectProblem, type ServedStore, serveStore } from '../support/served-store.ts';

let served: ServedStore;
beforeAll(async () => {
  served = await serveStore({ access: {} });
});
afterAll(() => served.close());

const PLAIN = { 'accept-encoding': 'identity' };

describe('the dashboard', () => {
  it('is one page, of which the policy names every script and style by its digest', async () => {
    const answer = await served.request('/dashboard', { headers: PLAIN });
    const html = await answer.text();
    const policy = answer.headers.get('content-security-policy') ?? '';
    for (const element of ['script', 'style']) {
      const [one, more] = [...html.matchAll(new RegExp(`<${element}[^>]*>([^]*?)</${element}>`, 'g'))];
      expect(more).toBeUndefined();
      const digest = createHash('sha256')
        .update(one?.[1] ?? '')
        .digest('base64');
      expect(policy).toContain(`${element}-src 'sha256-${digest}';`);
    }
    expect(policy).toMatch(/^default-src 'none';.*frame-ancestors 'none'/);
    expect(html).not.toMatch(/<(?:script|link|img)[^>]+(?:src|href)="(?!data:)/);
  });

  it('is less than 100 kB, compressed', async () => {
    const handler = createHandler(served.store);
    const get = (headers: Record<string, string>, method = 'GET') =>
      handler(new Request('http://localhost/dashboard', { headers, method }));
    const packed = await get({ 'accept-encoding': 'br, gzip' });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    const bytes = await packed.bytes();
    expect(bytes.length).toBeLessThan(100_000);
    const plain = await get({ 'accept-encoding': 'gzip;q=0' });
    expect(gunzipSync(bytes).equals(await plain.bytes())).toBe(true);
    const etag = plain.headers.get('etag') ?? '';
    expect((await get({ 'if-none-match': etag })).status).toBe(304);
    expect(await (await get({}, 'HEAD')).text()).toBe('');
  });

  it('is shown to everybody, from links too, while the store is not', async () => {
    const fromElsewhere = { 'sec-fetch-site': 'cross-site', accept: 'text/html' };
    expect((await served.request('/dashboard', { headers: fromElsewhere })).status).toBe(200);
    const led = await served.request('/', { headers: fromElsewhere, redirect: 'manual' });
    expect([led.status, led.headers.get('location')]).toEqual([302, 'dashboard']);
    await expectProblem(await served.request('/'), 'not-found/ROUTE_NOT_FOUND', 404);
    await expectProblem(await served.request('/access'), 'denied/TOKEN_REQUIRED', 401);
  });

  it('can be left out', async () => {
    const handler = createHandler(served.store, { dashboard: false });
    for (const path of ['/', '/dashboard']) {
      const answer = await handler(new Request(`http://localhost${path}`, { headers: { accept: 'text/html' } }));
      expect(answer.status).toBe(404);
    }
  });
});

describe('what the caller may do', () => {
  it('is told', async () => {
    await using open = await serveStore();
    expect(await open.json('/access')).toEqual({
      ...{ name: 'loopback', verbs: ['admin'], sealed: false },
      ...{ conditionalWrites: false, resumable: false, demo: false },
    });
    const grant = { name: 'a', verbs: ['read'] as const, namespaces: ['x'] };
    const handler = createHandler(open.store, { access: { tokens: { find: async () => grant } } });
    const asked = new Request('http://localhost/access', { headers: { authorization: 'Bearer t' } });
    expect(await (await handler(asked)).json()).toMatchObject({ ...grant, sealed: false });
  });
});
