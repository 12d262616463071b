/**
 * An object store of one bucket in this process, which can be made to fail and to lie. It knows no more of the protocol than
 * what is asked of it here: whether a backend keeps its contract is tested over a real one (`npm run test:services`).
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { vi } from 'vitest';

/** What was asked: `PUT a/b`, `GET a/b`, `GET ?list-type`, `POST a/b?uploads` … */
export interface SmallRequest {
  readonly call: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** An answer in place of the right one; `cut` ends the connection after so many bytes of the right body. */
export type Misbehaviour = { readonly status: number; readonly code?: string } | { readonly cut: number } | 'forget';

export interface SmallS3 {
  readonly url: string;
  readonly objects: Map<string, Buffer>;
  /** All requests so far. */
  readonly calls: string[];
  /** Asked for each request; `undefined` lets it be answered as it should. */
  misbehave: (request: SmallRequest) => Misbehaviour | undefined;
  close(): Promise<void>;
}

/** Begins to serve an empty bucket; whoever opens it has credentials until it is closed. */
export async function startSmallS3(): Promise<SmallS3> {
  const [objects, uploads, calls] = [new Map<string, Buffer>(), new Map<string, Map<number, Buffer>>(), [] as string[]];
  const server = createServer(async (request, response) => {
    const parts = await Array.fromAsync(request as AsyncIterable<Buffer>).catch(() => undefined);
    // Whoever asked has given up.
    if (parts === undefined) return undefined;
    const body = Buffer.concat(parts);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://host');
    const key = decodeURIComponent(pathname.split('/').slice(2).join('/'));
    const what = ['list-type', 'uploads', 'partNumber', 'uploadId'].find((name) => searchParams.has(name));
    const call = `${request.method} ${key}${what === undefined ? '' : `?${what}`}`;
    calls.push(call);
    const odd = small.misbehave({ call, headers: request.headers, body });
    if (odd !== undefined && odd !== 'forget' && 'status' in odd) return answerError(response, odd.status, odd.code);
    const stored = odd === 'forget' ? new Map<string, Buffer>() : objects;
    return answer({
      request,
      response,
      body,
      key,
      what,
      searchParams,
      stored,
      uploads,
      cut: odd && odd !== 'forget' ? odd.cut : undefined,
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  const { port } = server.address() as AddressInfo;
  const small: SmallS3 = {
    ...{ url: `s3://bucket/in?endpoint=http://127.0.0.1:${port}`, objects, calls },
    misbehave: () => undefined,
    close: async () => {
      vi.unstubAllEnvs();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return small;
}

interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
  readonly key: string;
  readonly what: string | undefined;
  readonly searchParams: URLSearchParams;
  readonly stored: Map<string, Buffer>;
  readonly uploads: Map<string, Map<number, Buffer>>;
  readonly cut: number | undefined;
}

function answer(asked: Asked): unknown {
  const { request, response, key, what, body, stored, uploads, searchParams } = asked;
  const upload = searchParams.get('uploadId') ?? '';
  if (what === 'list-type') return answerXml(response, listing(searchParams, stored));
  if (request.method === 'POST' && what === 'uploads') {
    uploads.set(String(uploads.size), new Map());
    return answerXml(response, `<R><UploadId>${uploads.size - 1}</UploadId></R>`);
  }
  if (what === 'partNumber') uploads.get(upload)?.set(Number(searchParams.get('partNumber')), body);
  else if (request.method === 'POST') {
    const parts = [...(uploads.get(upload) ?? [])].sort(([one], [two]) => one - two);
    stored.set(key, Buffer.concat(parts.map(([, part]) => part)));
    return answerXml(response, '<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>');
  } else if (request.method === 'PUT') {
    if (request.headers['if-none-match'] === '*' && stored.has(key))
      return answerError(response, 412, 'PreconditionFailed');
    stored.set(key, body);
  } else if (request.method === 'DELETE') {
    if (what === undefined) stored.delete(key);
    response.statusCode = 204;
  } else return answerObject(asked);
  response.setHeader('etag', `"${createHash('md5').update(body).digest('hex')}"`);
  return response.end();
}

function answerObject({ request, response, key, stored, cut }: Asked): unknown {
  const found = key === '' ? Buffer.alloc(0) : stored.get(key);
  if (found === undefined) return answerError(response, 404, request.method === 'HEAD' ? undefined : 'NoSuchKey');
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  if (from !== undefined && Number(from) >= found.length) return answerError(response, 416, 'InvalidRange');
  const part = from === undefined ? found : found.subarray(Number(from), to === '' ? undefined : Number(to) + 1);
  if (from !== undefined) {
    response.statusCode = 206;
    response.setHeader('content-range', `bytes ${from}-${Number(from) + part.length - 1}/${found.length}`);
  }
  response.setHeader('content-length', part.length);
  if (request.method === 'HEAD') return response.end();
  if (cut === undefined) return response.end(part);
  return response.write(part.subarray(0, cut), () => response.destroy());
}

function listing(searchParams: URLSearchParams, stored: Map<string, Buffer>): string {
  const [prefix, after] = [searchParams.get('prefix') ?? '', searchParams.get('start-after') ?? ''];
  const found = [...stored]
    .filter(([key]) => key.startsWith(prefix) && key > after)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const items = found.map(([key, { length }]) => `<Contents><Key>${key}</Key><Size>${length}</Size></Contents>`);
  return `<ListBucketResult><IsTruncated>false</IsTruncated>${items.join('')}</ListBucketResult>`;
}

function answerXml(response: ServerResponse, xml: string): unknown {
  response.setHeader('content-type', 'application/xml');
  return response.end(`<?xml version="1.0" encoding="UTF-8"?>${xml}`);
}

function answerError(response: ServerResponse, status: number, code: string | undefined): unknown {
  response.statusCode = status;
  if (code === undefined) return response.end();
  return answerXml(response, `<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}
