import { checkInteger } from '../errors/argument-error.ts';
import { isStoreError } from '../errors/store-error.ts';
import { BACKEND_RETRY_DELAY_MS_MAX } from '../limits.ts';
import { sleep as systemSleep } from '../runtime/timers.ts';
import { BaseBackend, type CheckedListOptions } from './base-backend.ts';
import type {
  Backend,
  BackendSpace,
  BlobInfo,
  CallOptions,
  DeleteOptions,
  GetOptions,
  HeadOptions,
  PutOptions,
  ServiceRequests,
} from './contract.ts';

/** How often and when to try again. */
export interface RetryOptions {
  /** Tries in all, at least 1. Default 4. */
  readonly attempts?: number;
  /** Wait after the first failure, doubled after each further one up to 30 s. Default 100 ms. */
  readonly delayMs?: number;
  readonly sleep?: (ms: number, options: { readonly signal?: AbortSignal }) => Promise<void>;
}

class RetryingBackend extends BaseBackend {
  readonly #inner: Backend;
  readonly #attempts: number;
  readonly #delayMs: number;
  readonly #sleep: NonNullable<RetryOptions['sleep']>;

  constructor(inner: Backend, options: RetryOptions) {
    super(inner.capabilities);
    this.#inner = inner;
    this.#attempts = checkInteger('attempts', options.attempts ?? 4, { min: 1 });
    this.#delayMs = checkInteger('delayMs', options.delayMs ?? 100, { min: 0, max: BACKEND_RETRY_DELAY_MS_MAX });
    this.#sleep = options.sleep ?? systemSleep;
  }

  get service(): ServiceRequests | undefined {
    return this.#inner.service;
  }

  protected override async putBlob(key: string, bytes: Uint8Array, options: PutOptions): Promise<void> {
    if (!options.ifAbsent) return this.#retry(options, () => this.#inner.put(key, bytes, options));
    let failure: unknown;
    let isFinal = false;
    const create = async () => {
      // A create that failed may have happened. A blob that is there now may be ours or a rival's with the same bytes,
      // and nothing can tell; so neither success nor conflict is claimed, the first failure is passed on.
      isFinal = failure !== undefined && (await this.#inner.head(key, options)) !== undefined;
      if (isFinal) throw failure;
      try {
        await this.#inner.put(key, bytes, options);
      } catch (error) {
        failure ??= error;
        throw isStoreError(error, 'BLOB_EXISTS') ? failure : error;
      }
    };
    await this.#retry(options, create, () => !isFinal);
  }

  protected override getBlob(key: string, options: GetOptions): Promise<Uint8Array | undefined> {
    return this.#retry(options, () => this.#inner.get(key, options));
  }

  protected override headBlob(key: string, options: HeadOptions): Promise<BlobInfo | undefined> {
    return this.#retry(options, () => this.#inner.head(key, options));
  }

  protected override deleteBlob(key: string, options: DeleteOptions): Promise<void> {
    return this.#retry(options, () => this.#inner.delete(key, options));
  }

  protected override listBlobs(options: CheckedListOptions): Promise<readonly BlobInfo[]> {
    return this.#retry(options, () => this.#inner.list(options));
  }

  protected override measureSpace(options: CallOptions): Promise<BackendSpace> {
    return this.#retry(options, () => this.#inner.space(options));
  }

  protected override release(): Promise<void> {
    return this.#inner.close();
  }

  async #retry<T>(options: CallOptions, call: () => Promise<T>, mayRetry = () => true): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await call();
      } catch (error) {
        if (attempt >= this.#attempts || !isStoreError(error) || !error.retry || !mayRetry()) throw error;
        const delayMs = Math.min(this.#delayMs * 2 ** (attempt - 1), BACKEND_RETRY_DELAY_MS_MAX);
        await this.#sleep(delayMs, options.signal ? { signal: options.signal } : {});
        options.signal?.throwIfAborted();
      }
    }
  }
}

/**
 * Tries calls again that failed with an error that says so (`retry`), waiting longer each time; everything else passes
 * at once. Closing it closes the backend within.
 *
 * Puts and deletes can be repeated. A conditional create cannot: after a failure it is tried again only if the key is
 * still absent, and if a blob has appeared the first failure is passed on, since whose it is cannot be known (B4).
 * @throws what the last try threw
 */
export function retryingBackend(backend: Backend, options: RetryOptions = {}): Backend {
  return new RetryingBackend(backend, options);
}
