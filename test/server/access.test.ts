import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHandler, type Grant, TokenFile, type Verb } from '../../src/server/index.ts';
import { pathsOf } from '../../src/server/route.ts';
import { ROUTES } from '../../src/server/routes/routes.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../src/testing/temporary-folder.ts';
import { STORE_KEY } from '../support/sealed-store.ts';
import { expectProblem, type ServedStore, serveStore } from '../support/served-store.ts';

let served: ServedStore;
let folder: TemporaryFolder;
let file: string;
let now = Date.parse('2026-01-01T00:00:00Z');
const clock = { now: () => now, monotonicMs: () => performance.now() };

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  file = path.join(folder.path, 'state', 'tokens.json');
  served = await serveStore({
    create: { keys: { key: STORE_KEY } },
    access: { tokens: new TokenFile(file, clock) },
  });
  await served.store.namespaces.create('mine');
  await served.store.namespaces.create('theirs');
  await served.store.put('k', 'everybody');
  await served.store.namespace('theirs').put('k', 'theirs');
});
afterAll(async () => {
  await served.close();
  await folder.remove();
});

let made = 0;
let foreigner: Awaited<ReturnType<typeof bearer>> | undefined;
/** Another process makes tokens: the server shares nothing with it but the file. */
async function bearer(verbs: readonly Verb[], options: { namespaces?: string[]; validMs?: number } = {}) {
  made += 1;
  const { token, name } = await new TokenFile(file, clock).add(`token-${made}`, { verbs, ...options });
  return { name, headers: { authorization: `Bearer ${token}` } };
}

describe('a token', () => {
  it('is needed by everybody where the loopback is not let in', async () => {
    const answer = await served.request('/files/k');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="holdfast"');
    await expectProblem(answer, 'denied/TOKEN_REQUIRED', 401);
    for (const authorization of [
      'Bearer',
      'Basic eDp5',
      'Bearer hft_0123456789abcdef_',
      `Bearer hft_${'0'.repeat(16)}_${'A'.repeat(43)}`,
    ]) {
      await expectProblem(
        await served.request('/files/k', { headers: { authorization } }),
        'denied/TOKEN_REQUIRED',
        401,
      );
    }
    expect((await served.request('/healthz')).status).toBe(200);
    expect((await served.request('/openapi.json')).status).toBe(200);
  });

  it('lets do what it names, and nothing else', async () => {
    const [reader, writer, admin] = await Promise.all([bearer(['read']), bearer(['write']), bearer(['admin'])]);
    const statuses = async ({ headers }: { headers: Record<string, string> }) => {
      const of = async (where: string, init: RequestInit = {}) =>
        (await served.request(where, { ...init, headers })).status;
      return [
        await of('/files/k'),
        await of('/files/new', { method: 'PUT', body: 'x' }),
        await of('/files/new', { method: 'DELETE' }),
      ];
    };
    expect(await statuses(reader)).toEqual([200, 403, 403]);
    expect(await statuses(writer)).toEqual([403, 201, 200]);
    expect(await statuses(admin)).toEqual([200, 201, 200]);
    await expectProblem(await served.put('k', 'x', reader.headers), 'denied/ACTION_FORBIDDEN', 403);
  });

  it('that only puts makes entries, and replaces and reads none', async () => {
    const { headers } = await bearer(['put']);
    expect((await served.put('dropped', 'v1', headers)).status).toBe(201);
    await expectProblem(await served.put('dropped', 'v2', headers), 'conflict/ENTRY_EXISTS', 409);
    await expectProblem(
      await served.put('dropped', 'v2', { ...headers, 'if-match': '*' }),
      'denied/ACTION_FORBIDDEN',
      403,
    );
    const nameless = (attributes: string) =>
      served.request('/files', {
        method: 'POST',
        body: 'v3',
        headers: { ...headers, 'holdfast-attributes': attributes },
      });
    expect((await nameless('a=1')).status).toBe(201);
    await expectProblem(await nameless('a=2'), 'conflict/ENTRY_EXISTS', 409);
    await expectProblem(await served.request('/files/dropped', { headers }), 'denied/ACTION_FORBIDDEN', 403);
    expect(Buffer.from(await served.store.get('dropped')).toString()).toBe('v1');
  });

  it('of a namespace sees of others what nobody can tell from nothing', async () => {
    const { headers } = await bearer(['read', 'write'], { namespaces: ['mine'] });
    const at = (where: string, init: RequestInit = {}) => served.request(where, { ...init, headers });
    expect((await at('/namespaces/mine/files/a/b', { method: 'PUT', body: 'x' })).headers.get('location')).toBe(
      '/namespaces/mine/files/a/b',
    );
    expect(await (await at('/namespaces/mine/files/a/b')).text()).toBe('x');
    expect(await (await at('/namespaces/mine/stats')).json()).toMatchObject({ entries: 1 });
    const told = async (name: string, where: string, init?: RequestInit) => {
      const answer = await at(`/namespaces/${name}${where}`, init);
      return `${answer.status} ${await answer.text()}`.replaceAll(name, 'NAME');
    };
    for (const [where, init] of [
      ['/files/k'],
      ['/files'],
      ['/stats'],
      ['/files/k', { method: 'DELETE' }],
      ['/versions/k'],
    ] as const) {
      const foreign = await told('theirs', where, init);
      expect(foreign).toMatch(/^404 .*NAMESPACE_NOT_FOUND/);
      expect(await told('nobody', where, init)).toBe(foreign);
    }
    await expectProblem(await at('/files/k'), 'not-found/NAMESPACE_NOT_FOUND', 404);
    await expectProblem(await at('/stats'), 'denied/ACTION_FORBIDDEN', 403);
    const all = await bearer(['read']);
    const unknown = await served.request('/namespaces/nobody/files/k', { headers: all.headers });
    await expectProblem(unknown, 'not-found/NAMESPACE_NOT_FOUND', 404);
    expect(await (await served.request('/namespaces/theirs/files/k', { headers: all.headers })).text()).toBe('theirs');
    expect(await (await served.request('/namespaces/default/files/k', { headers: all.headers })).text()).toBe(
      'everybody',
    );
  });

  const routes = ROUTES.flatMap(({ spec }) => pathsOf(spec).map((where) => ({ ...spec, where })));
  it.each(
    routes.filter(({ about }) => about !== 'open'),
  )('is asked for before anything else: $method $where', async (route) => {
    const at = (namespace: string, init?: RequestInit) => {
      const where = route.where.replace('{namespace}', namespace).replace(/\{[a-z]+\}/, 'k');
      return served.request(where, { method: route.method.toUpperCase(), ...init });
    };
    await expectProblem(await at('default'), 'denied/TOKEN_REQUIRED', 401);
    if (!route.where.includes('{namespace}')) return;
    foreigner ??= await bearer(['admin'], { namespaces: ['mine'] });
    const { headers } = foreigner;
    const [foreign, unknown] = await Promise.all(
      ['theirs', 'nobody'].map(async (name) => (await at(name, { headers })).text()),
    );
    expect(foreign?.replace('theirs', 'nobody')).toBe(unknown);
    expect(foreign).toMatch(/NAMESPACE_NOT_FOUND|concerns the whole store/);
  });

  it('opens nothing once it is revoked or has expired, without a restart', async () => {
    const revoked = await bearer(['read']);
    const expiring = await bearer(['read'], { validMs: 1000 });
    const status = async ({ headers }: { headers: Record<string, string> }) =>
      (await served.request('/files/k', { headers })).status;
    expect([await status(revoked), await status(expiring)]).toEqual([200, 200]);
    await new TokenFile(file).revoke(revoked.name);
    now += 1000;
    expect([await status(revoked), await status(expiring)]).toEqual([401, 401]);
  });

  it('is kept hashed, in a file of its own, and told of without what opens', async () => {
    const tokens = new TokenFile(file);
    const { token, id } = await tokens.add('kept', { verbs: ['read'], namespaces: ['mine'] });
    const text = await readFile(file, 'utf8');
    expect(text).toContain(id);
    expect(text).not.toContain(token.slice(-43));
    expect((await tokens.list()).find((one) => one.id === id)).toEqual({
      ...{ id, name: 'kept', verbs: ['read'], namespaces: ['mine'], created: expect.any(String) },
    });
    await expect(tokens.add('kept', { verbs: ['read'] })).rejects.toMatchObject({ code: 'TOKEN_EXISTS' });
    await expect(tokens.revoke('nobody')).rejects.toMatchObject({ code: 'TOKEN_NOT_FOUND' });
    const broken = path.join(folder.path, 'broken.json');
    await writeFile(broken, '{"version":2}');
    await expect(new TokenFile(broken).list()).rejects.toMatchObject({ code: 'TOKENS_INVALID' });
    await Promise.all(['p', 'q', 'r', 's'].map((name) => new TokenFile(file).add(name, { verbs: ['read'] })));
    expect((await tokens.list()).map(({ name }) => name)).toEqual(expect.arrayContaining(['p', 'q', 'r', 's']));
  });

  it('is guessed slowly: who is wrong too often waits, and nobody else', async () => {
    await using guessed = await serveStore({ access: { tokens: new TokenFile(file, clock) } });
    const guess = (at: number) =>
      guessed.request('/files/k', {
        headers: { authorization: `Bearer hft_${'0'.repeat(16)}_${`${at}`.padStart(43, 'A')}` },
      });
    const statuses = new Map<number, number>();
    for (let at = 0; at < 50; at += 1) {
      const { status } = await guess(at);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    expect([...statuses]).toEqual([
      [401, 20],
      [429, 30],
    ]);
    const late = await guess(50);
    expect(late.headers.get('retry-after')).toBe('5');
    await expectProblem(late, 'unavailable/REQUESTS_EXCEEDED', 429);
    const { headers } = await bearer(['read']);
    await expectProblem(await guessed.request('/files/k', { headers }), 'not-found/ENTRY_NOT_FOUND', 404);
  });
});

describe('the loopback', () => {
  let open: ServedStore;
  beforeAll(async () => {
    open = await serveStore();
    await open.store.put('k', 'v');
  });
  afterAll(() => open.close());
  const head = (...lines: string[]) => `GET /files/k HTTP/1.1\r\n${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`;

  it.each([
    ['another name for this machine', 'Host: attacker.example'],
    ['a name that only begins like it', 'Host: localhost.attacker.example'],
    ['an address that only begins like it', 'Host: 127.0.0.1.attacker.example'],
    ['a page of another site', 'Host: localhost', 'Origin: https://attacker.example'],
    ['a page without an origin', 'Host: localhost', 'Origin: null'],
    ['a page of another port', 'Host: 127.0.0.1', 'Origin: http://127.0.0.1:1'],
    ['a link on another site', 'Host: localhost', 'Sec-Fetch-Site: cross-site'],
    ['a page of a neighbouring site', 'Host: localhost', 'Sec-Fetch-Site: same-site'],
  ])('is not let in from %s', async (_, ...lines) => {
    expect(await open.raw(head(...lines))).toMatch(/^HTTP\/1\.1 403 [\s\S]*ACTION_FORBIDDEN/);
  });

  it.each([
    ['a proxy', 'Host: localhost', 'X-Forwarded-For: 127.0.0.1'],
    ['another proxy', 'Host: localhost', 'Via: 1.1 proxy'],
  ])('needs a token through %s', async (_, ...lines) => {
    expect(await open.raw(head(...lines))).toMatch(/^HTTP\/1\.1 401 /);
  });

  it.each([
    ['localhost'],
    ['LOCALHOST:80'],
    ['127.0.0.1'],
    ['127.1.2.3:8080'],
    ['[::1]:7070'],
  ])('is let in as %s', async (host) => {
    expect(await open.raw(head(`Host: ${host}`, `Origin: http://${host}`, 'Sec-Fetch-Site: same-origin'))).toMatch(
      /^HTTP\/1\.1 200 /,
    );
  });

  it('is nobody behind a proxy that is believed', async () => {
    const callers: string[] = [];
    const audit = ({ caller }: { caller: string }) => callers.push(caller);
    await using behind = await serveStore({ access: { loopback: true, behindProxy: true }, audit });
    const headers = { 'x-forwarded-for': '127.0.0.1, 203.0.113.9' };
    await expectProblem(await behind.request('/files/k', { headers }), 'denied/TOKEN_REQUIRED', 401);
    const wrong = { ...headers, authorization: 'Bearer wrong' };
    await expectProblem(await behind.request('/files/k', { headers: wrong }), 'denied/TOKEN_REQUIRED', 401);
    expect(callers).toEqual(['address 203.0.113.9', 'address 203.0.113.9']);
  });

  it('gets no word for other sites: no CORS, and no cookies', async () => {
    const preflight = await open.request('/files/k', { method: 'OPTIONS' });
    await expectProblem(preflight, 'unsupported/METHOD_UNSUPPORTED', 405);
    const { headers } = await open.request('/files/k');
    expect([...headers.keys()].filter((name) => /access-control|cookie/.test(name))).toEqual([]);
  });
});

describe('a handler inside of another application', () => {
  it('lets nobody do anything unless it is said, and takes grants from wherever they are', async () => {
    const closed = createHandler(served.store);
    const request = (headers = {}) => new Request('http://app.example/files/k', { headers });
    await expectProblem(await closed(request()), 'denied/TOKEN_REQUIRED', 401);
    const grants: Record<string, Grant> = { key: { name: 'app', verbs: ['read'] } };
    const handler = createHandler(served.store, { access: { tokens: { find: async (token) => grants[token] } } });
    expect(await (await handler(request({ authorization: 'bearer key' }))).text()).toBe('everybody');
  });
});
