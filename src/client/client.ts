import { isStoreError } from '../errors/store-error.ts';
import type {
  EntriesStats,
  EntryInfo,
  ListOptions,
  MoveOptions,
  PutOptions,
  PutResult,
  VersionInfo,
} from '../index.ts';
import { type ClientOptions, Connection, type Outgoing } from './connection.ts';

/** What can be uploaded: all that `fetch` takes, and whatever yields bytes. */
export type UploadBody = string | Uint8Array | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/** How to store. */
export type ClientPutOptions = Pick<PutOptions, 'contentType' | 'attributes' | 'ifMatch' | 'ifAbsent' | 'signal'>;

/** What to read: a range, and of which version. */
export interface ClientReadOptions {
  /** First byte, default 0. */
  readonly offset?: number;
  /** Bytes, above 0; default up to the end. */
  readonly length?: number;
  /** An earlier version, by its id or the beginning of that. */
  readonly version?: string;
  /** Read this version of the present value, else `conflict/PRECONDITION_FAILED`. */
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
}

/** How to delete. */
export interface ClientDeleteOptions {
  readonly ifMatch?: string;
  readonly children?: 'release' | 'delete';
  readonly signal?: AbortSignal;
}

/** Which entries, and in which order. */
export interface ClientListOptions extends Pick<ListOptions, 'prefix' | 'sort' | 'descending' | 'signal'> {
  readonly contentType?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly modifiedFrom?: string;
  readonly modifiedBefore?: string;
  /** Entries asked for at a time, up to 1,000. */
  readonly page?: number;
}

/** One change of a batch. */
export type BatchOperation =
  | ({ readonly op: 'put'; readonly key: string } & ({ readonly text: string } | { readonly base64: string }) &
      Omit<ClientPutOptions, 'signal'>)
  | { readonly op: 'delete'; readonly key: string; readonly ifMatch?: string; readonly children?: 'release' | 'delete' }
  | { readonly op: 'copy' | 'rename'; readonly from: string; readonly to: string; readonly replace?: boolean };

interface Page {
  readonly entries: readonly EntryInfo[];
  readonly next?: string;
}

const quoted = (version: string | undefined): string | undefined =>
  version === undefined ? undefined : `"${version}"`;

function toBody(body: UploadBody): NonNullable<Outgoing['body']> {
  // Bytes that threads share `fetch` refuses by itself.
  if (body instanceof Uint8Array) return body as Uint8Array<ArrayBuffer>;
  const isKnown = typeof body === 'string' || body instanceof Blob || body instanceof ReadableStream;
  return isKnown ? body : ReadableStream.from(body);
}

function rangeOf({ offset = 0, length }: ClientReadOptions): string | undefined {
  if (offset === 0 && length === undefined) return undefined;
  return `bytes=${offset}-${length === undefined ? '' : offset + length - 1}`;
}

/**
 * The entries of a store behind HTTP. What goes wrong is thrown as the library throws it: a `StoreError` with kind, code and details; a
 * server that cannot be reached throws what `fetch` throws.
 * @example
 * const client = new HoldfastClient('https://store.example:7070', { token });
 * await client.put('docs/report.pdf', file, { contentType: 'application/pdf', ifAbsent: true });
 */
export class HoldfastClient {
  readonly #url: string;
  readonly #options: ClientOptions;
  readonly #connection: Connection;

  constructor(url: string, options: ClientOptions = {}) {
    this.#url = url;
    this.#options = options;
    this.#connection = new Connection(url, options);
  }

  /** The same server, and the entries of a namespace. */
  namespace(name: string): HoldfastClient {
    return new HoldfastClient(this.#url, { ...this.#options, namespace: name });
  }

  /** Stores content; `null` names it by its digest. Streams are sent as they come. */
  async put(key: string | null, body: UploadBody, options: ClientPutOptions = {}): Promise<PutResult> {
    const { contentType, attributes, ifMatch, ifAbsent, signal } = options;
    const headers = {
      'content-type': contentType ?? 'application/octet-stream',
      'holdfast-attributes': attributes && new URLSearchParams(attributes).toString(),
      'if-match': quoted(ifMatch),
      'if-none-match': ifAbsent ? '*' : undefined,
    };
    const method = key === null ? 'POST' : 'PUT';
    return this.#connection.json('/files', {
      ...(key !== null && { key }),
      method,
      headers,
      body: toBody(body),
      signal,
    });
  }

  /** The whole content, or a range of it. */
  async get(key: string, options: ClientReadOptions = {}): Promise<Uint8Array> {
    return (await this.#open(key, options)).bytes();
  }

  /** The same as a stream; it fails when the answer is cut off. */
  async *read(key: string, options: ClientReadOptions = {}): AsyncGenerator<Uint8Array> {
    const { body } = await this.#open(key, options);
    if (body) yield* body as AsyncIterable<Uint8Array>;
  }

  async has(key: string, options: { readonly signal?: AbortSignal } = {}): Promise<boolean> {
    try {
      await this.stat(key, options);
      return true;
    } catch (error) {
      if (isStoreError(error, 'ENTRY_NOT_FOUND')) return false;
      throw error;
    }
  }

  /** What is known of an entry without its content. */
  stat(key: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<EntryInfo> {
    return this.#connection.json('/stat', { key, signal });
  }

  /** Entries, asked for page by page. */
  async *list(options: ClientListOptions = {}): AsyncGenerator<EntryInfo> {
    const { page: limit, descending, attributes = {}, signal, ...rest } = options;
    const attribute = Object.entries(attributes).map(([name, value]) => `${name}=${value}`);
    let after: string | undefined;
    do {
      const query = { ...rest, limit, order: descending ? 'descending' : undefined, attribute, after };
      const page: Page = await this.#connection.json('/files', { query, signal });
      yield* page.entries;
      after = page.next;
    } while (after !== undefined);
  }

  /** @returns whether there was such an entry */
  async delete(key: string, { ifMatch, children, signal }: ClientDeleteOptions = {}): Promise<boolean> {
    try {
      await this.#connection.send('/files', {
        ...{ method: 'DELETE', key, query: { children }, headers: { 'if-match': quoted(ifMatch) }, signal },
      });
      return true;
    } catch (error) {
      if (isStoreError(error, 'ENTRY_NOT_FOUND')) return false;
      throw error;
    }
  }

  copy(from: string, to: string, { replace, signal }: MoveOptions = {}): Promise<EntryInfo> {
    return this.#post('/copy', { from, to, replace }, signal);
  }

  rename(from: string, to: string, { replace, signal }: MoveOptions = {}): Promise<EntryInfo> {
    return this.#post('/rename', { from, to, replace }, signal);
  }

  /** Makes all changes in one commit, or none. */
  async batch(
    operations: readonly BatchOperation[],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    await this.#post('/batch', { operations }, signal);
  }

  /** The versions of an entry, newest first: the newest 1,000. */
  async versions(key: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<readonly VersionInfo[]> {
    const { versions } = await this.#connection.json<{ versions: readonly VersionInfo[] }>('/versions', {
      key,
      signal,
    });
    return versions;
  }

  /** Puts an earlier version as the newest one. */
  restore(
    key: string,
    version: string,
    options: { readonly ifMatch?: string; readonly signal?: AbortSignal } = {},
  ): Promise<EntryInfo> {
    return this.#post('/restore', { key, version, ifMatch: options.ifMatch }, options.signal);
  }

  /** What the namespace holds, or the store where none was named. */
  stats({ signal }: { readonly signal?: AbortSignal } = {}): Promise<EntriesStats> {
    return this.#connection.json('/stats', { signal });
  }

  #open(key: string, options: ClientReadOptions): Promise<Response> {
    const { version, ifMatch, signal } = options;
    const headers = { range: rangeOf(options), 'if-match': quoted(ifMatch) };
    return this.#connection.send('/files', { key, query: { version }, headers, signal });
  }

  #post<T>(path: string, value: object, signal: AbortSignal | undefined): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    return this.#connection.json(path, { method: 'POST', headers, body: JSON.stringify(value), signal });
  }
}
