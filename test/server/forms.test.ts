import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noise } from '../support/contents.ts';
import { expectProblem, RawClient, type ServedStore, serveStore } from '../support/served-store.ts';

let served: ServedStore;
beforeAll(async () => {
  served = await serveStore({ limits: { bodyBytesMax: 5_000_000 } });
});
afterAll(() => served.close());

type File = readonly [name: string, content: string | Uint8Array, type?: string];

const post = (path: string, files: readonly File[], headers: Record<string, string> = {}) => {
  const form = new FormData();
  form.append('comment', 'said before the files');
  for (const [name, content, type = ''] of files)
    form.append('file', new Blob([content as Uint8Array<ArrayBuffer>], { type }), name);
  return served.request(path, { method: 'POST', body: form, headers });
};

const BOUNDARY = 'xyz';
const raw = (path: string, body: string, headers: Record<string, string> = {}) =>
  served.request(path, {
    method: 'POST',
    body: Buffer.from(body),
    headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}`, ...headers },
  });
const part = (name: string, content: string) =>
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="${name}"\r\n\r\n${content}\r\n`;
const END = `--${BOUNDARY}--\r\n`;

const keys = async (prefix: string) => Array.fromAsync(served.store.list({ prefix }), ({ key }) => key);

describe('a form', () => {
  it('brings files under their names, all in one commit', async () => {
    const large = noise(3_000_000, 1);
    const answer = await post(
      '/files/photos/',
      [
        ['Grüße.txt', 'hello', 'text/plain'],
        ['large.bin', large],
        ['empty', ''],
      ],
      { 'holdfast-attributes': 'author=Ann' },
    );
    expect(answer.status).toBe(201);
    const { files } = (await answer.json()) as { files: { key: string; version: string; size: number }[] };
    expect(files).toMatchObject([
      { key: 'photos/Grüße.txt', size: 5 },
      { key: 'photos/large.bin', size: 3_000_000 },
      { key: 'photos/empty', size: 0 },
    ]);
    expect(await served.store.stat('photos/Grüße.txt')).toMatchObject({
      contentType: 'text/plain',
      attributes: { author: 'Ann' },
      version: files[0]?.version,
    });
    expect(Buffer.from(await served.store.get('photos/large.bin')).equals(large)).toBe(true);
  });

  it('brings one file under a key, or files under no prefix', async () => {
    expect((await post('/files/one.txt', [['other name', 'one']])).status).toBe(201);
    expect(Buffer.from(await served.store.get('one.txt')).toString()).toBe('one');
    await expectProblem(
      await post('/files/one.txt', [
        ['a', '1'],
        ['b', '2'],
      ]),
      'invalid/REQUEST_INVALID',
      400,
    );
    expect((await post('/files', [['top.txt', 'top']])).status).toBe(201);
    expect(Buffer.from(await served.store.get('top.txt')).toString()).toBe('top');
    expect((await post('/files', [['../../etc/passwd', 'x']])).status).toBe(201);
    expect(await served.store.has('passwd')).toBe(true);
    const empty = part('', '') + part('named', 'x') + END;
    expect((await raw('/files/left-empty/', empty)).status).toBe(201);
    expect(await keys('left-empty/')).toEqual(['left-empty/named']);
  });

  it('holds to conditions, all of it', async () => {
    await served.store.put('cond/b', 'there');
    const files: File[] = [
      ['a', '1'],
      ['b', '2'],
    ];
    await expectProblem(
      await post('/files/cond/', files, { 'if-none-match': '*' }),
      'conflict/PRECONDITION_FAILED',
      412,
    );
    expect(await keys('cond/')).toEqual(['cond/b']);
    expect((await post('/files/cond/', files)).status).toBe(201);
    expect(Buffer.from(await served.store.get('cond/b')).toString()).toBe('2');
  });

  it.each([
    ['that never ends', part('a', 'x') + part('b', 'y')],
    ['that ends amid a file', part('a', 'x') + part('b', 'y').slice(0, -4)],
    ['that ends amid a header', part('a', 'x') + part('b', 'y').slice(0, 30)],
    ['that is none', 'just some bytes'],
    ['that is empty', ''],
    ['without a file', END],
    ['with a file that has no name', part('a', 'x') + part('', 'y') + END],
    ['with two files of one name', part('a', 'x') + part('a', 'y') + END],
    ['with a thousand and one files', Array.from({ length: 1001 }, (_, at) => part(`${at}`, '')).join('') + END],
    [
      'with fields without end',
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="x"\r\n\r\ny\r\n`.repeat(101) + part('a', 'x') + END,
    ],
  ])('%s is refused, and leaves nothing', async (_, body) => {
    await expectProblem(await raw('/files/bad/', body), 'invalid/REQUEST_INVALID', 400);
    expect(await keys('bad/')).toEqual([]);
  });

  it('whose body is too large, or not what its digest says, leaves nothing', async () => {
    const large = [
      ['a', 'x'],
      ['b', noise(5_000_000, 2)],
    ] as const;
    await expectProblem(await post('/files/bad/', large), 'exhausted/BODY_TOO_LARGE', 413);
    const lying = { 'content-digest': `sha-256=:${Buffer.alloc(32).toString('base64')}:` };
    await expectProblem(await raw('/files/bad/', part('a', 'x') + END, lying), 'invalid/CONTENT_MISMATCH', 400);
    const boundless = { 'content-type': 'multipart/form-data' };
    await expectProblem(await raw('/files/bad/', part('a', 'x') + END, boundless), 'invalid/REQUEST_INVALID', 400);
    expect(await keys('bad/')).toEqual([]);
  });

  it('that breaks off leaves nothing', async () => {
    const client = await RawClient.connect(served.port);
    const type = `Content-Type: multipart/form-data; boundary=${BOUNDARY}\r\n`;
    client.send(
      `POST /files/bad/ HTTP/1.1\r\nHost: localhost\r\n${type}Expect: 100-continue\r\nContent-Length: 9000\r\n\r\n`,
    );
    await client.until('100 Continue');
    client.send(part('a', 'x') + part('b', 'y'.repeat(1000)));
    client.end();
    expect(await client.closed()).not.toContain(' 201 ');
    expect(await keys('bad/')).toEqual([]);
    expect(served.logged).toEqual([]);
  });
});
