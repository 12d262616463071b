/** Stores behind real sockets of the loopback. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'vitest';
import { type CreateOptions, createStore, type Store } from '../../src/index.ts';
import { type ServeOptions, serve } from '../../src/server/index.ts';

export interface ServedStore extends AsyncDisposable {
  readonly store: Store;
  readonly url: string;
  readonly port: number;
  /** What the server told of its own failures. */
  readonly logged: readonly object[];
  request(path: string, init?: RequestInit): Promise<Response>;
  put(key: string, body: string | Uint8Array, headers?: Record<string, string>): Promise<Response>;
  json<T = unknown>(path: string): Promise<T>;
  post(path: string, value: unknown, headers?: Record<string, string>): Promise<Response>;
  /** Sends bytes as they are, and reads until the server ends the connection. */
  raw(...pieces: readonly string[]): Promise<string>;
  /** Ends the server before its store. */
  close(): Promise<void>;
}

interface Options extends ServeOptions {
  readonly create?: Partial<CreateOptions>;
  /** One that is there already; it stays open. */
  readonly store?: Store;
}

const noted = (list: object[]) => (message: string, details?: object) => void list.push({ message, ...details });

/** A store in memory, served to this machine. */
export async function serveStore({ create, store: given, ...options }: Options = {}): Promise<ServedStore> {
  const store = given ?? (await createStore('memory:', { keys: 'none', ...create } as CreateOptions));
  const logged: object[] = [];
  const note = noted(logged);
  const logger = { debug: note, info: note, warn: note, error: note };
  const running = await serve(store, { port: 0, access: { loopback: true }, logger, ...options });
  const { url } = running;
  const port = Number(new URL(url).port);
  const request: ServedStore['request'] = (path, init) => fetch(`${url}${path}`, init);
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= running.close().then(() => (given ? undefined : store.close()));
    return closed;
  };
  return {
    ...{ store, url, port, logged, request, close },
    put: (key, body, headers = {}) => request(`/files/${key}`, { method: 'PUT', body, headers } as RequestInit),
    json: async <T>(path: string) => (await (await request(path)).json()) as T,
    post: (path, value, headers = {}) =>
      request(path, {
        method: 'POST',
        body: JSON.stringify(value),
        headers: { 'content-type': 'application/json', ...headers },
      }),
    raw: (...pieces) => rawExchange(port, pieces),
    [Symbol.asyncDispose]: close,
  };
}

async function rawExchange(port: number, pieces: readonly string[]): Promise<string> {
  const client = await RawClient.connect(port);
  for (const piece of pieces) client.send(piece);
  return client.closed();
}

/** A client that sends bytes as it likes. */
export class RawClient {
  readonly #socket: Socket;
  readonly #closed = Promise.withResolvers<void>();
  #received = '';
  #isClosed = false;
  #changed = Promise.withResolvers<void>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.#received += text;
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    });
    // A server that has seen enough may end the connection while something is still on its way.
    socket
      .on('error', () => undefined)
      .once('close', () => {
        this.#isClosed = true;
        this.#closed.resolve();
        this.#changed.resolve();
      });
  }

  /** @param from address of this machine that it comes from */
  static async connect(port: number, from = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  send(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /** Waits until so much has come. @throws when the connection ends without it */
  async until(text: string): Promise<void> {
    while (!this.#received.includes(text)) {
      if (this.#isClosed) throw new Error(`the connection ended, and what came is ${this.#received.slice(0, 500)}`);
      await this.#changed.promise;
    }
  }

  /** Sends nothing more, once all of it is on its way. */
  end(): void {
    this.#socket.end();
  }

  /** Goes away without a word. */
  leave(): void {
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** What came in all, once the connection has ended. */
  async closed(): Promise<string> {
    await this.#closed.promise;
    return this.#received;
  }
}

/** That an answer is a problem, of this code and status, which tells nothing of the server. */
export async function expectProblem(answer: Response, code: string, status: number): Promise<Record<string, unknown>> {
  const text = await answer.text();
  expect({ status: answer.status, text }).toMatchObject({ status, text: expect.stringMatching(/^\{.*\}\n$/) });
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  const problem = JSON.parse(text) as Record<string, unknown>;
  expect(problem).toMatchObject({ type: 'about:blank', status, code: code.split('/')[1], kind: code.split('/')[0] });
  expect(text).not.toMatch(/node_modules|\.ts:|\n\s+at |\/tmp\//);
  return problem;
}
