/** Uploads that break off: after every byte of their bodies and frames, and around every line of their heads. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blake3 } from '../../src/hash/index.ts';
import { sleep } from '../../src/runtime/timers.ts';
import { noise, sameBytes, text } from '../support/contents.ts';
import { RawClient, type ServedStore, serveStore } from '../support/served-store.ts';

const TUS = 'Tus-Resumable: 1.0.0\r\n';
const OFFSET_TYPE = 'Content-Type: application/offset+octet-stream\r\n';
const SMALL = 'content of which something lacks';
/** Of several chunks and pieces; where it breaks off is at their borders, and before its last byte. */
const LARGE = Buffer.from(noise(300_000, 1)).toString('latin1');
const LARGE_CUTS = [65_535, 65_536, 65_537, 131_072, 262_144, 299_999];
/** Nothing at all, or that it broke off. */
const REFUSED = /^(?:HTTP\/1\.1 400 [\s\S]*)?$/;
/** At a time. */
const LANES = 8;

interface Upload {
  readonly head: string;
  readonly body: string;
}

const withLength = (head: string, body: string): Upload => ({
  head: `${head}Content-Length: ${body.length}\r\n\r\n`,
  body,
});

function inChunks(content: string): Upload {
  const middle = Math.floor(content.length / 2);
  const chunks = [content.slice(0, middle), content.slice(middle), ''];
  const body = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
  return { head: 'PUT /files/never HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n', body };
}

function asForm(content: string): Upload {
  const part = `--b\r\nContent-Disposition: form-data; name="file"; filename="never"\r\n\r\n${content}\r\n`;
  const type = 'Content-Type: multipart/form-data; boundary=b\r\n';
  return withLength(`POST /files HTTP/1.1\r\nHost: localhost\r\n${type}`, `${part}--b--\r\n`);
}

function asCreation(content: string): Upload {
  const said = `Upload-Length: ${content.length}\r\nUpload-Metadata: key ${btoa('never')}\r\n`;
  return withLength(`POST /uploads HTTP/1.1\r\nHost: localhost\r\n${TUS}${OFFSET_TYPE}${said}`, content);
}

const UPLOADS: Readonly<Record<string, (content: string) => Upload>> = {
  'with a length': (content) => withLength('PUT /files/never HTTP/1.1\r\nHost: localhost\r\n', content),
  'in chunks': inChunks,
  'in a form': asForm,
  'with the creation of a resumable upload': asCreation,
};

/** Around the ends of lines in the head, and everywhere in a body that is small. */
function cutsOf({ head, body }: Upload): readonly number[] {
  if (body.length > LARGE.length / 2) return LARGE_CUTS.map((at) => head.length + at);
  const lines = [...head.matchAll(/\r\n/g)].flatMap(({ index }) => [index - 1, index, index + 1, index + 2]);
  const all = new Set([0, 1, ...lines, ...Array.from({ length: body.length }, (_, at) => head.length + at)]);
  return [...all].filter((at) => at < head.length + body.length);
}

let folder: string;
let served: ServedStore;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'holdfast-early-'));
  served = await serveStore({ uploads: { folder } });
});
afterAll(async () => {
  await served.close();
  await rm(folder, { recursive: true });
});

/** Sends the beginning, and either nothing more, or is gone. @returns what was answered */
async function breakOff({ head, body }: Upload, at: number): Promise<string> {
  const client = await RawClient.connect(served.port);
  client.send((head + body).slice(0, at));
  if (at % 3 === 0) client.leave();
  else client.end();
  return await client.closed();
}

/** Sends all of it. @returns what was answered */
const send = ({ head, body }: Upload): Promise<string> =>
  served.raw(head.replace('\r\n', '\r\nConnection: close\r\n'), body);

/** Makes a resumable upload. @returns its path */
async function begin(content: string): Promise<string> {
  const headers = {
    ...{ 'tus-resumable': '1.0.0', 'upload-length': `${content.length}` },
    'upload-metadata': `key ${btoa('never')}`,
  };
  const answer = await served.request('/uploads', { method: 'POST', headers });
  return answer.headers.get('location') ?? '';
}

async function offsetOf(where: string): Promise<number> {
  const answer = await served.request(where, { method: 'HEAD', headers: { 'tus-resumable': '1.0.0' } });
  return Number(answer.headers.get('upload-offset'));
}

/** @param options `more`: further headers */
function asPart(where: string, content: string, { offset = 0, more = '' } = {}): Upload {
  const head = `PATCH ${where} HTTP/1.1\r\nHost: localhost\r\n${TUS}${OFFSET_TYPE}Upload-Offset: ${offset}\r\n${more}`;
  return withLength(head, content);
}

async function breakOffEverywhere(upload: Upload): Promise<void> {
  const cuts = [...cutsOf(upload)];
  const work = async (): Promise<void> => {
    for (let at = cuts.pop(); at !== undefined; at = cuts.pop()) {
      const answer = await breakOff(upload, at);
      expect([at, answer]).toEqual([at, expect.stringMatching(REFUSED)]);
    }
  };
  await Promise.all(Array.from({ length: LANES }, work));
}

describe('an upload that breaks off', () => {
  it.each(Object.entries(UPLOADS))('%s leaves nothing, wherever it does', async (_, uploadOf) => {
    await breakOffEverywhere(uploadOf(SMALL));
    await breakOffEverywhere(uploadOf(LARGE));
    expect(await served.json('/files')).toEqual({ entries: [], prefixes: [] });
    expect(await send(uploadOf(SMALL))).toMatch(/^HTTP\/1\.1 201 /);
    expect(Buffer.from(await served.store.get('never')).toString()).toBe(SMALL);
    await served.store.delete('never');
  });

  it('amid a part of a resumable upload keeps nothing where a digest was promised', async () => {
    const where = await begin(SMALL);
    const digest = `Content-Digest: blake3=:${Buffer.from(blake3(text(SMALL))).toString('base64')}:\r\n`;
    const part = asPart(where, SMALL, { more: digest });
    for (const at of cutsOf(part)) expect([at, await breakOff(part, at)]).toEqual([at, expect.stringMatching(REFUSED)]);
    expect(await offsetOf(where)).toBe(0);
    expect(await send(part)).toMatch(/^HTTP\/1\.1 204 /);
    expect(Buffer.from(await served.store.get('never')).toString()).toBe(SMALL);
    await served.store.delete('never');
  });

  it('amid a part of a resumable upload keeps what came otherwise, and goes on there', async () => {
    for (const at of LARGE_CUTS) {
      const where = await begin(LARGE);
      const part = asPart(where, LARGE);
      expect(await breakOff(part, part.head.length + at)).toMatch(REFUSED);
      const offset = await offsetOf(where);
      expect(offset).toBeLessThanOrEqual(at);
      expect(await served.store.has('never')).toBe(false);
      expect(await send(asPart(where, LARGE.slice(offset), { offset }))).toMatch(/^HTTP\/1\.1 204 /);
      expect(sameBytes(await served.store.get('never'), Buffer.from(LARGE, 'latin1'))).toBe(true);
      await served.store.delete('never');
    }
  });

  it('has its space given back', async () => {
    for (let outcome = ''; outcome !== 'ok'; )
      ({ outcome } = await served.store.maintenance.gc({ graceMs: 0, deadShare: 0 }));
    expect(await served.store.stats()).toMatchObject({ entries: 0, chunks: 0, uniqueBytes: 0 });
    expect((await served.store.maintenance.check({ invariants: true })).problems).toEqual([]);
    expect(served.logged).toEqual([]);
  });
});

describe('an upload that is refused before its body has come', () => {
  it('is told so at once, and its connection goes on after the rest of the body, however late that comes', async () => {
    await served.store.put('there', SMALL);
    const client = await RawClient.connect(served.port);
    const condition = 'If-None-Match: *\r\n';
    const { head, body } = withLength(`PUT /files/there HTTP/1.1\r\nHost: localhost\r\n${condition}`, LARGE);
    client.send(head + body.slice(0, 1000));
    await client.until('"PRECONDITION_FAILED"');
    // Longer than a connection is commonly left open for what nobody wants.
    await sleep(1000);
    client.send(body.slice(1000));
    client.send('GET /files/there HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    expect(await client.closed()).toMatch(new RegExp(`^HTTP/1.1 412 [\\s\\S]*HTTP/1.1 200 [\\s\\S]*${SMALL}$`));
    await served.store.delete('there');
  });
});
