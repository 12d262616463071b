import type {
  Backend,
  CallOptions,
  DeleteOptions,
  GetOptions,
  HeadOptions,
  ListOptions,
  PutOptions,
} from './contract.ts';

/** What is counted by itself. `getRange` is a `get` of less than the whole blob. */
export type CountedCall = 'put' | 'get' | 'getRange' | 'head' | 'list' | 'delete' | 'space';

const COUNTED_CALLS: readonly CountedCall[] = ['put', 'get', 'getRange', 'head', 'list', 'delete', 'space'];

/** Calls of one kind. */
export interface CallCount {
  readonly calls: number;
  /** Of them, those that ended with an error; a call that was aborted is one. */
  readonly failures: number;
  /** What was put or got, whole calls only; 0 for calls that bring no blobs. */
  readonly bytes: number;
}

/** Calls of a backend by their kind. */
export type CallCounts = Readonly<Record<CountedCall, CallCount>>;

/** Counts the calls of a backend, whatever it is: what every backend of a store is called through. */
export class CallCounter {
  readonly #counts = Object.fromEntries(
    COUNTED_CALLS.map((call) => [call, { calls: 0, failures: 0, bytes: 0 }]),
  ) as Record<CountedCall, { -readonly [name in keyof CallCount]: number }>;

  /** As they are now; frozen. */
  get counts(): CallCounts {
    const entries = COUNTED_CALLS.map((call) => [call, Object.freeze({ ...this.#counts[call] })]);
    return Object.freeze(Object.fromEntries(entries)) as CallCounts;
  }

  /** The same backend; what is asked of it by this handle is counted. */
  over(backend: Backend): Backend {
    return {
      capabilities: backend.capabilities,
      put: (key: string, bytes: Uint8Array, options?: PutOptions) =>
        this.#count(
          'put',
          () => backend.put(key, bytes, options),
          () => bytes.length,
        ),
      get: (key: string, options?: GetOptions) =>
        this.#count(
          isRange(options) ? 'getRange' : 'get',
          () => backend.get(key, options),
          (found) => found?.length ?? 0,
        ),
      head: (key: string, options?: HeadOptions) => this.#count('head', () => backend.head(key, options)),
      delete: (key: string, options?: DeleteOptions) => this.#count('delete', () => backend.delete(key, options)),
      list: (options?: ListOptions) => this.#count('list', () => backend.list(options)),
      space: (options?: CallOptions) => this.#count('space', () => backend.space(options)),
      close: () => backend.close(),
    };
  }

  async #count<T>(call: CountedCall, work: () => Promise<T>, bytesOf: (result: T) => number = () => 0): Promise<T> {
    const count = this.#counts[call];
    count.calls += 1;
    try {
      const result = await work();
      count.bytes += bytesOf(result);
      return result;
    } catch (error) {
      count.failures += 1;
      throw error;
    }
  }
}

function isRange({ offset = 0, length }: GetOptions = {}): boolean {
  return offset > 0 || length !== undefined;
}
