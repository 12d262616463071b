/** Requests that nobody sends by mistake: each is answered as a problem, and nothing of it is visible. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectProblem, type ServedStore, serveStore } from '../support/served-store.ts';

const END = 'Host: localhost\r\nConnection: close\r\n';
let served: ServedStore;
beforeAll(async () => {
  served = await serveStore();
  await served.store.put('k', 'value');
});
afterAll(() => served.close());

const json = { 'content-type': 'application/json' };
const many = (count: number, text: (at: number) => string) => Array.from({ length: count }, (_, at) => text(at)).join();

describe('a path', () => {
  it.each([
    '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    '..%5c..%5cetc%5cpasswd',
    '%252e%252e%252fetc%252fpasswd',
    '....//....//etc/passwd',
    '..;/..;/etc/passwd',
    '%2f%2f%2fetc%2fpasswd',
    '%00',
    'k%00.txt',
    'k%0d%0aX-Injected:%201',
  ])('that spells traversal or control as %s names an entry that is not there', async (spelled) => {
    const answer = await served.request(`/files/${spelled}`);
    expect([400, 404]).toContain(answer.status);
    expect(answer.headers.get('x-injected')).toBeNull();
    expect(await answer.text()).not.toMatch(/root:|\n\s+at /);
  });

  it.each([
    '%c0%ae%c0%ae%c0%af',
    '%e0%80%af',
    '%f0%80%80%af',
    '%ed%a0%80',
    '%ff',
    '%',
    '%zz',
  ])('that is no UTF-8 (%s) is refused', async (spelled) => {
    const answer = await served.raw(`GET /files/${spelled} HTTP/1.1\r\n${END}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*REQUEST_INVALID/);
  });
});

describe('ranges', () => {
  it.each([
    ['a thousand', many(1000, (at) => `${at}-${at}`)],
    ['overlapping', '0-3,2-4'],
    ['the same one twice', '0-0,0-0'],
    ['past the end', '99-'],
    ['of no bytes', '-0'],
  ])('%s are refused', async (_, ranges) => {
    const answer = await served.request('/files/k', { headers: { range: `bytes=${ranges}` } });
    expect(answer.headers.get('content-range')).toBe('bytes */5');
    await expectProblem(answer, 'invalid/RANGE_INVALID', 416);
  });

  it.each([
    'bytes=4-1',
    'bytes=a-b',
    'bytes=-',
    'lines=0-1',
    'bytes=0--1',
  ])('that are none (%s) ask for all', async (range) => {
    const answer = await served.request('/files/k', { headers: { range } });
    expect([answer.status, await answer.text()]).toEqual([200, 'value']);
  });
});

describe('a body', () => {
  it.each(['gzip', 'deflate', 'br', 'zstd', 'gzip, gzip'])('encoded with %s is never unpacked', async (encoding) => {
    const answer = await served.put('bomb', 'x', { 'content-encoding': encoding });
    await expectProblem(answer, 'unsupported/MEDIA_TYPE_UNSUPPORTED', 415);
    expect(await served.store.has('bomb')).toBe(false);
  });

  it.each([
    ['that is deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['that is deep in fields', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`],
    ['with a huge number', `{"operations":1${'0'.repeat(10_000)}}`],
    ['with a huge list', `{"operations":[${many(100_000, () => '0')}]}`],
    ['with a field __proto__', '{"operations":[],"__proto__":{"admin":true}}'],
    ['with a field constructor', '{"operations":[],"constructor":{"prototype":{"admin":true}}}'],
    ['with a field twice', '{"operations":[],"operations":[]}'],
    ['that breaks off', '{"operations":['],
    ['of nothing', ''],
    ['of null', 'null'],
  ])('of JSON %s is refused', async (_, body) => {
    const answer = await served.request('/batch', { method: 'POST', body, headers: json });
    await expectProblem(answer, 'invalid/REQUEST_INVALID', 400);
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
  });
});

describe('a request that wants to be two', () => {
  it.each([
    ['a method that is overridden', `GET /files/k HTTP/1.1\r\n${END}X-HTTP-Method-Override: DELETE\r\n\r\n`, 200],
    [
      'an upgrade',
      `GET /files/k HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n`,
      200,
    ],
    [
      'a smuggled one behind a length of 0',
      `POST /batch HTTP/1.1\r\n${END}Content-Length: 0\r\n\r\nDELETE /files/k HTTP/1.1\r\n${END}\r\n`,
      400,
    ],
    ['a coding in disguise', `PUT /files/k HTTP/1.1\r\n${END}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 400],
  ])('with %s is one', async (_, bytes, status) => {
    const answer = await served.raw(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
    expect(await served.store.has('k')).toBe(true);
  });
});

describe('writers with conditions', () => {
  it('of which several expect the same version: one wins, each time', async () => {
    await served.put('race', 'v0');
    for (let round = 1; round <= 10; round += 1) {
      const etag = (await served.request('/files/race', { method: 'HEAD' })).headers.get('etag') ?? '';
      const writes = [1, 2, 3].map((writer) => served.put('race', `round ${round}, ${writer}`, { 'if-match': etag }));
      const statuses = (await Promise.all(writes)).map(({ status }) => status).sort();
      expect([round, statuses]).toEqual([round, [201, 412, 412]]);
    }
  });
});

describe('a server', () => {
  it('has nothing of all that to tell of', () => {
    expect(served.logged).toEqual([]);
  });
});
