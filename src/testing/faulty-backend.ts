import type {
  Backend,
  BackendCapabilities,
  BackendSpace,
  BlobInfo,
  CallOptions,
  DeleteOptions,
  GetOptions,
  HeadOptions,
  ListOptions,
  PutOptions,
} from '../backend/contract.ts';
import { storeError } from '../errors/store-error.ts';
import { FaultSchedule, type FaultTiming } from './fault-schedule.ts';

/** A method that can be made to fail. */
export type BackendCall = 'put' | 'get' | 'head' | 'delete' | 'list' | 'space';

/** Which calls go wrong, and how. */
export interface BackendFault extends FaultTiming {
  readonly call: BackendCall;
  /**
   * `before`: fails and does nothing. `after`: does its work and fails. `torn`: against the contract, a put stores the
   * first half of the value and fails, a get gives half of what was asked as if it were all. `wait`: does its work when
   * `until` has resolved.
   */
  readonly how: 'before' | 'after' | 'torn' | 'wait';
  /** Only keys (prefixes for `list`) that start with this text. Default: all. */
  readonly prefix?: string;
  /** What the call rejects with. Default `unavailable/BACKEND_IO`. */
  readonly error?: Error;
  readonly until?: Promise<unknown>;
}

function injectedError(call: BackendCall): Error {
  return storeError('BACKEND_IO', `${call}: injected failure`, { cause: new Error('injected') });
}

/** A wrapper that lets chosen calls fail, lie or wait. Without faults it keeps the contract of the backend within. */
export class FaultyBackend implements Backend {
  readonly capabilities: BackendCapabilities;
  /** Calls so far, as `put packs/0a`. */
  readonly trace: string[] = [];
  readonly #inner: Backend;
  readonly #faults = new FaultSchedule<BackendFault>();

  constructor(inner: Backend) {
    this.#inner = inner;
    this.capabilities = inner.capabilities;
  }

  fail(fault: BackendFault): void {
    this.#faults.add(fault);
  }

  /** Ends all faults. */
  heal(): void {
    this.#faults.clear();
  }

  async put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<void> {
    const half = () => this.#inner.put(key, bytes.subarray(0, bytes.length >> 1), options);
    return this.#call('put', key, { work: () => this.#inner.put(key, bytes, options), torn: half, tornFails: true });
  }

  async get(key: string, options?: GetOptions): Promise<Uint8Array | undefined> {
    const work = () => this.#inner.get(key, options);
    const half = async () => {
      const bytes = await work();
      return bytes?.subarray(0, bytes.length >> 1);
    };
    return this.#call('get', key, { work, torn: half });
  }

  async head(key: string, options?: HeadOptions): Promise<BlobInfo | undefined> {
    return this.#call('head', key, { work: () => this.#inner.head(key, options) });
  }

  async delete(key: string, options?: DeleteOptions): Promise<void> {
    return this.#call('delete', key, { work: () => this.#inner.delete(key, options) });
  }

  async list(options?: ListOptions): Promise<readonly BlobInfo[]> {
    return this.#call('list', options?.prefix ?? '', { work: () => this.#inner.list(options) });
  }

  async space(options?: CallOptions): Promise<BackendSpace> {
    return this.#call('space', '', { work: () => this.#inner.space(options) });
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #call<T>(
    call: BackendCall,
    key: string,
    act: { readonly work: () => Promise<T>; readonly torn?: () => Promise<T>; readonly tornFails?: boolean },
  ): Promise<T> {
    this.trace.push(key === '' ? call : `${call} ${key}`);
    const fault = this.#faults.due((due) => due.call === call && key.startsWith(due.prefix ?? ''));
    if (!fault) return act.work();
    if (fault.how === 'before') throw fault.error ?? injectedError(call);
    if (fault.how === 'wait') await fault.until;
    const result = await (fault.how === 'torn' ? (act.torn ?? act.work)() : act.work());
    if (fault.how === 'after' || (fault.how === 'torn' && act.tornFails)) throw fault.error ?? injectedError(call);
    return result;
  }
}
