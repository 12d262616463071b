import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noise } from '../support/contents.ts';
import { expectProblem, RawClient, type ServedStore, serveStore } from '../support/served-store.ts';

const HOST = 'Host: localhost\r\n';
let served: ServedStore;
beforeAll(async () => {
  served = await serveStore({ limits: { bodyBytesMax: 100_000 } });
  await served.store.put('k', 'value');
});
afterAll(() => served.close());

/** A client that began an upload, and was told to go on. */
async function beginUpload(port: number, key: string, headers: string): Promise<RawClient> {
  const client = await RawClient.connect(port);
  client.send(`PUT /files/${key} HTTP/1.1\r\n${HOST}Expect: 100-continue\r\n${headers}\r\n\r\n`);
  await client.until('100 Continue');
  return client;
}

describe('an upload', () => {
  it.each([
    ['without a word', ''],
    ['after one byte', 'x'],
    ['one byte before its end', 'x'.repeat(999)],
  ])('that breaks off %s leaves nothing', async (_, sent) => {
    const client = await beginUpload(served.port, 'broken', 'Content-Length: 1000');
    client.send(sent);
    client.leave();
    expect(await client.closed()).not.toContain(' 201 ');
    expect(await served.store.has('broken')).toBe(false);
  });

  it('that breaks off amid its chunks leaves nothing', async () => {
    const client = await beginUpload(served.port, 'broken', 'Transfer-Encoding: chunked');
    client.send('5\r\nhello\r\n');
    client.leave();
    await client.closed();
    const cut = await served.raw(
      `PUT /files/broken HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\n`,
    );
    expect(cut).not.toContain(' 201 ');
    expect(await served.store.has('broken')).toBe(false);
  });

  it.each([
    ['both a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n', 'hello!'],
    ['a length that is no number', 'Content-Length: five\r\n', 'hello'],
    ['a length below zero', 'Content-Length: -5\r\n', 'hello'],
    ['a chunk whose length is no number', 'Transfer-Encoding: chunked\r\n', '-5\r\nhello\r\n0\r\n\r\n'],
    ['a coding that is unknown', 'Transfer-Encoding: gzip\r\n', 'hello'],
  ])('with %s is refused', async (_, headers, body) => {
    const answer = await served.raw(`PUT /files/broken HTTP/1.1\r\n${HOST}${headers}Connection: close\r\n\r\n${body}`);
    expect(answer).toMatch(/^(?:HTTP\/1\.1 (?:400|501) |$)/);
    expect(await served.store.has('broken')).toBe(false);
  });

  it('that says it is too large is refused before it is sent, and one that is when it is', async () => {
    const head = 'Expect: 100-continue\r\nContent-Length: 100001\r\n';
    expect(await served.raw(`PUT /files/large HTTP/1.1\r\n${HOST}${head}\r\n`)).toMatch(/^HTTP\/1\.1 413 /);
    await expectProblem(await served.put('large', noise(100_001, 1)), 'exhausted/BODY_TOO_LARGE', 413);
    const endless = ReadableStream.from(Array.from({ length: 20 }, () => noise(10_000, 1)));
    const chunked = await served.request('/files/large', {
      method: 'PUT',
      body: endless,
      duplex: 'half',
    } as RequestInit);
    await expectProblem(chunked, 'exhausted/BODY_TOO_LARGE', 413);
    expect(await served.store.has('large')).toBe(false);
    expect((await served.put('large', noise(100_000, 1))).status).toBe(201);
  });

  it('that is refused anyway is not asked for', async () => {
    const head = 'Expect: 100-continue\r\nContent-Length: 10\r\nConnection: close\r\n';
    const answer = await served.raw(`PUT /files/k HTTP/1.1\r\n${HOST}${head}If-None-Match: *\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 412 /);
  });
});

describe('a client that is slow', () => {
  it('with its head or its body is cut off, and leaves nothing', async () => {
    await using hasty = await serveStore({ headerMs: 200 });
    expect(await hasty.raw(`GET /files/k HTTP/1.1\r\n${HOST}X-Never: `)).toMatch(/^HTTP\/1\.1 408 /);
    await using patient = await serveStore({ limits: { progressMs: 200, progressBytesMin: 1000 } });
    const answer = await patient.raw(`PUT /files/slow HTTP/1.1\r\n${HOST}Content-Length: 5000\r\n\r\nhello`);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('"code":"CLIENT_TOO_SLOW"');
    expect(await patient.store.has('slow')).toBe(false);
  });

  it('with what it is sent is cut off, and never takes it for whole', async () => {
    const limits = { requestsMax: 1, progressMs: 200, progressBytesMin: 1_000_000 };
    await using large = await serveStore({ limits });
    await large.store.put('large', noise(20_000_000, 1));
    const client = await RawClient.connect(large.port);
    client.send(`GET /files/large HTTP/1.1\r\n${HOST}\r\n`);
    await client.until('\r\n\r\n');
    client.pause();
    while ((await large.request('/healthz')).status === 429);
    client.resume();
    expect((await client.closed()).length).toBeLessThan(20_000_000);
    expect(large.logged).toEqual([]);
  });
});

describe('a client that leaves amid an answer', () => {
  it.each([
    '/events',
    '/files/large',
    '/snapshots/tar?address=all',
  ])('of %s is no failure of the server', async (path) => {
    await using large = await serveStore({ limits: { requestsMax: 1 } });
    await large.store.put('large', noise(2_000_000, 1));
    await large.store.snapshots.create({ prefix: '' }, { ref: 'all' });
    const client = await RawClient.connect(large.port);
    client.send(`GET ${path} HTTP/1.1\r\n${HOST}\r\n`);
    await client.until('\r\n\r\n');
    client.leave();
    while ((await large.request('/healthz')).status === 429);
    await large.close();
    expect(large.logged).toEqual([]);
  });
});

describe('a request', () => {
  it.each([
    ['a head without end', `GET /files/k HTTP/1.1\r\n${HOST}X: ${'x'.repeat(100_000)}\r\n\r\n`, 431],
    ['a path without end', `GET /files/${'x'.repeat(100_000)} HTTP/1.1\r\n${HOST}\r\n`, 431],
    ['no host', 'GET /files/k HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['two hosts', `GET /files/k HTTP/1.1\r\n${HOST}Host: attacker.example\r\nConnection: close\r\n\r\n`, 400],
    ['a host that is none', 'GET /files/k HTTP/1.1\r\nHost: a b/c\r\nConnection: close\r\n\r\n', 400],
    ['a NUL in its path', `GET /files/\0 HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['a NUL in a header', `GET /files/k HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n`, 400],
    ['a folded header', `GET /files/k HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n`, 400],
    ['a space before the colon', `GET /files/k HTTP/1.1\r\n${HOST}Content-Length : 5\r\n\r\n`, 400],
    ['another protocol', 'SSH-2.0-OpenSSH_9.0\r\n', 400],
    ['a backslash in its path', `GET /files\\k HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 400],
    ['a method that is unknown', `BREW /files/k HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['dots that lead out', `GET /files/../../etc/passwd HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 404],
    [
      'encoded dots that lead out',
      `GET /files/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
      404,
    ],
    [
      'encoded slashes that lead nowhere',
      `GET /files/..%2f..%2fetc%2fpasswd HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
      404,
    ],
    [
      'the address of somebody else',
      'GET http://attacker.example/files/k HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      403,
    ],
    ['many parameters', `GET /files?${'a=b&'.repeat(5000)} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 400],
    ['__proto__ for a parameter', `GET /files?__proto__=x HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 400],
  ])('with %s is refused', async (_, bytes, status) => {
    const answer = await served.raw(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).not.toMatch(/node_modules|at .*\.ts/);
  });

  it('for the head of an answer alone leaves nothing behind', async () => {
    await using small = await serveStore({ limits: { requestsMax: 3 } });
    await small.store.put('large', noise(1_000_000, 1));
    const { version } = await small.store.stat('large');
    const { id } = await small.store.objects.putBlob(noise(1_000_000, 1));
    const paths = [
      '/files/large',
      `/files/large?version=${version}`,
      '/chunks/large',
      `/blobs/${id}`,
      '/events',
      '/files',
      '/reference',
    ];
    for (const path of paths) {
      for (let times = 0; times < 5; times += 1) {
        const answer = await small.request(path, { method: 'HEAD' });
        expect([path, answer.status, await answer.text()]).toEqual([path, 200, '']);
      }
    }
  });

  it('too many at once waits, and one of others does not', async () => {
    await using small = await serveStore({ limits: { requestsOfCallerMax: 3 } });
    // Whoever was told to go on is counted.
    const held = await Promise.all(
      [1, 2, 3].map((at) => beginUpload(small.port, `held${at}`, 'Content-Length: 5\r\nConnection: close')),
    );
    const refused = await small.request('/files/k');
    expect(refused.headers.get('retry-after')).toBe('5');
    await expectProblem(refused, 'unavailable/REQUESTS_EXCEEDED', 429);
    for (const one of held) one.send('hello');
    for (const one of held) expect(await one.closed()).toContain('HTTP/1.1 201 ');
    await expectProblem(await small.request('/files/k'), 'not-found/ENTRY_NOT_FOUND', 404);
  });
});

describe('JSON', () => {
  const head = (length: number) =>
    `POST /batch HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`;
  const batch = (key: string) => JSON.stringify({ operations: [{ op: 'put', key, text: 'x'.repeat(500) }] });

  it.each([
    ['of one caller', { jsonHeldBytesOfCallerMax: 1000 }],
    ['of all callers', { jsonHeldBytesMax: 1000 }],
  ])('%s that is held at once is bounded, and what was held comes back', async (_, limits) => {
    await using small = await serveStore({ limits });
    const json = { 'content-type': 'application/json' };
    const [slow, failing] = [batch('slow'), '{"operations":'.padEnd(900)];
    const held = await RawClient.connect(small.port);
    held.send(head(slow.length));
    await held.until('100 Continue');
    held.send(slow.slice(0, -1));
    // Until all of that has come, this one may still be let in.
    const post = (body: string) => small.request('/batch', { method: 'POST', body, headers: json });
    let refused = await post(batch('other'));
    while (refused.status === 200) refused = await post(batch('other'));
    expect(refused.headers.get('retry-after')).toBe('5');
    await expectProblem(refused, 'unavailable/REQUESTS_EXCEEDED', 429);
    held.send(slow.slice(-1));
    expect(await held.closed()).toContain('HTTP/1.1 200 ');
    for (let times = 0; times < 3; times += 1) await expectProblem(await post(failing), 'invalid/REQUEST_INVALID', 400);
    expect((await post(batch('other'))).status).toBe(200);
  });
});

describe('a server', () => {
  it('goes on serving after all that', async () => {
    expect(await (await served.request('/files/k')).text()).toBe('value');
    expect(served.logged).toEqual([]);
  });

  it('tells nothing of itself when its store fails', async () => {
    await using failing = await serveStore();
    await failing.store.close();
    await expectProblem(await failing.request('/files/k'), 'closed/STORE_CLOSED', 503);
    await expectProblem(await failing.request('/readyz'), 'closed/STORE_CLOSED', 503);
    expect((await failing.request('/healthz')).status).toBe(200);
    expect(failing.logged).toMatchObject([
      { message: 'a request failed: STORE_CLOSED', instance: expect.any(String) },
      {},
    ]);
  });

  it('lets an upload end that is in flight when it is told to stop', async () => {
    const stopping = await serveStore({ graceMs: 5000 });
    const client = await beginUpload(stopping.port, 'late', 'Content-Length: 10');
    client.send('hello');
    const closed = stopping.close();
    client.send('world');
    expect(await client.closed()).toMatch(/\r\n\r\nHTTP\/1\.1 201 /);
    await closed;
  });

  it('cuts off what does not end in time', async () => {
    const stopping = await serveStore({ graceMs: 100 });
    const client = await beginUpload(stopping.port, 'never', 'Content-Length: 10');
    client.send('hello');
    await stopping.close();
    expect(await client.closed()).not.toContain(' 201 ');
  });
});
