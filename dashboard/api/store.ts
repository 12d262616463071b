/** What the dashboard asks of the server, all of it. */
import { send } from './session.ts';
import type { EntriesStats, EntryInfo, PlacementStatus, VersionInfo } from './types.ts';

interface Call {
  readonly signal?: AbortSignal | undefined;
}

const JSON_TYPE = { 'content-type': 'application/json' };

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export async function getJson<T>(
  path: string,
  options: Call & { query?: Query; scope?: string; key?: string } = {},
): Promise<T> {
  return (await (await send(path, options)).json()) as T;
}

export async function postJson<T>(
  path: string,
  value: object,
  options: { scope?: string; method?: 'PUT' } = {},
): Promise<T> {
  const answer = await send(path, { method: 'POST', ...options, headers: JSON_TYPE, body: JSON.stringify(value) });
  return (await answer.json()) as T;
}

/** Lists that come as a JSON object a line. @param max after which no more are read */
export async function getLines<T>(
  path: string,
  { max = Number.POSITIVE_INFINITY, ...options }: Call & { query?: Query; scope?: string; max?: number } = {},
): Promise<T[]> {
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const { body } = await send(path, { ...options, signal });
  const found: T[] = [];
  let rest = '';
  for await (const text of (body as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') found.push(JSON.parse(line) as T);
    if (found.length < max) continue;
    stop.abort();
    return found.slice(0, max);
  }
  return found;
}

/** A page of a folder, or of what a search found. */
export interface Listing {
  readonly entries: readonly EntryInfo[];
  readonly prefixes: readonly string[];
  readonly next?: string;
}

export const storeStatus = (signal?: AbortSignal): Promise<PlacementStatus> => getJson('/status', { signal });

/** Of the store, or of a namespace for who may not see all. */
export const stats = (signal?: AbortSignal, scope?: string): Promise<EntriesStats> =>
  getJson('/stats', { signal, ...(scope !== undefined && { scope }) });

export function listFolder(
  { prefix, after, limit }: { prefix: string; after?: string | undefined; limit: number },
  options: Call & { scope: string },
): Promise<Listing> {
  return getJson('/files', { ...options, query: { prefix, delimiter: '/', after, limit } });
}

export const versionsOf = (
  key: string,
  options: Call & { scope: string },
): Promise<{ versions: readonly VersionInfo[] }> => getJson('/versions', { ...options, key });

/** Content, or an earlier version of it, up to so many bytes. */
export async function readContent(
  key: string,
  { version, bytes, ...options }: Call & { scope: string; version?: string | undefined; bytes?: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const headers = { range: bytes === undefined ? undefined : `bytes=0-${bytes - 1}` };
  const answer = await send('/files', { ...options, key, headers, query: { version } });
  return new Uint8Array(await answer.arrayBuffer());
}
