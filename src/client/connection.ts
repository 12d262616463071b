/** Requests to one server, and from its problems back to errors. */
import { ERROR_CODES, type ErrorCode } from '../errors/codes.ts';
import { type ErrorDetails, storeError } from '../errors/store-error.ts';

/** What sends requests: the `fetch` of the platform, or a handler in the same process. */
export type Fetch = (request: Request) => Promise<Response>;

/** How to reach a server. */
export interface ClientOptions {
  /** Sent as `Authorization: Bearer`. Default: none, which is enough on the same machine. */
  readonly token?: string;
  /** Whose entries. Default: those outside of every namespace. */
  readonly namespace?: string;
  /** Default: the one of the platform. */
  readonly fetch?: Fetch;
}

/** What a request brings. */
export interface Outgoing {
  readonly method?: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  readonly query?: Readonly<Record<string, string | number | boolean | undefined | readonly string[]>>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: NonNullable<RequestInit['body']>;
  readonly signal?: AbortSignal | undefined;
}

interface Problem {
  readonly code?: string;
  readonly detail?: string;
  readonly retry?: boolean;
  readonly details?: ErrorDetails;
}

/** Of an answer that is none of a server of Holdfast, by its status. */
function codeOfStatus(status: number): ErrorCode {
  if (status === 401) return 'TOKEN_REQUIRED';
  if (status === 403) return 'ACTION_FORBIDDEN';
  if (status === 412) return 'PRECONDITION_FAILED';
  if (status === 413) return 'BODY_TOO_LARGE';
  return status >= 500 ? 'BACKEND_UNREACHABLE' : 'REQUEST_INVALID';
}

/** A key, as the path of an address: its slashes stay, but not beside dots, which every client resolves. */
export function encodeKey(key: string): string {
  const encoded = key.split('/').map(encodeURIComponent);
  return encoded.join(encoded.some((part) => part === '.' || part === '..') ? '%2F' : '/');
}

/** Sends requests and throws what a server answers as problems. */
export class Connection {
  readonly #url: string;
  readonly #options: ClientOptions;

  /** @param url of the server, with the path before its routes if it has one */
  constructor(url: string, options: ClientOptions) {
    this.#url = url.replace(/\/+$/, '');
    this.#options = options;
  }

  /**
   * @param path below the namespace; a key behind `/files` and its like is handed in by itself
   * @throws StoreError with the code, details and `retry` that the server told
   */
  async send(path: string, outgoing: Outgoing & { readonly key?: string | undefined } = {}): Promise<Response> {
    const { key, method = 'GET', query = {}, headers = {}, body, signal } = outgoing;
    const { token, namespace, fetch: send = fetch } = this.#options;
    const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
    const url = new URL(`${this.#url}${scope}${path}${key === undefined ? '' : `/${encodeKey(key)}`}`);
    for (const [name, value] of Object.entries(query)) {
      for (const one of [value ?? []].flat()) url.searchParams.append(name, String(one));
    }
    const said = Object.entries({ ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) });
    const init = {
      ...{ method, headers: said.filter((pair): pair is [string, string] => pair[1] !== undefined) },
      ...(body !== undefined && { body, duplex: 'half' as const }),
      ...(signal && { signal }),
    };
    const answer = await send(new Request(url, init));
    if (!answer.ok) throw await errorOf(answer);
    return answer;
  }

  /** What a server answers in JSON. */
  async json<T>(path: string, outgoing?: Outgoing & { readonly key?: string }): Promise<T> {
    return (await (await this.send(path, outgoing)).json()) as T;
  }
}

async function errorOf(answer: Response): Promise<Error> {
  const isProblem = answer.headers.get('content-type') === 'application/problem+json';
  const { code, detail, retry, details }: Problem = isProblem ? ((await answer.json()) as Problem) : {};
  const known =
    code !== undefined && Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : codeOfStatus(answer.status);
  const message = detail ?? `the server answered ${answer.status}`;
  return storeError(known, message, { ...(details && { details }), ...(retry !== undefined && { retry }) });
}
