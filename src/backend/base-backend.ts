import { argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { type ErrorDetails, storeError } from '../errors/store-error.ts';
import { BACKEND_LIST_PAGE_MAX } from '../limits.ts';
import { checkBackendKey, checkBackendPrefix } from './backend-key.ts';
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
} from './contract.ts';

/** A listing with its defaults filled in. */
export interface CheckedListOptions extends CallOptions {
  readonly prefix: string;
  readonly after?: string;
  readonly limit: number;
}

/**
 * What every backend does before it touches anything: closed (B12), abort (B11), arguments, keys (B9), read-only (B14),
 * size (B16), and the accounting that lets `close` wait for running calls. A backend extends it and writes the seven
 * protected methods, which may rely on checked arguments.
 */
export abstract class BaseBackend implements Backend {
  readonly capabilities: BackendCapabilities;
  readonly #running = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(capabilities: BackendCapabilities) {
    this.capabilities = Object.freeze({ ...capabilities });
  }

  protected abstract putBlob(key: string, bytes: Uint8Array, options: PutOptions): Promise<void>;
  protected abstract getBlob(key: string, options: GetOptions): Promise<Uint8Array | undefined>;
  protected abstract headBlob(key: string, options: HeadOptions): Promise<BlobInfo | undefined>;
  protected abstract deleteBlob(key: string, options: DeleteOptions): Promise<void>;
  protected abstract listBlobs(options: CheckedListOptions): Promise<readonly BlobInfo[]>;
  protected abstract measureSpace(options: CallOptions): Promise<BackendSpace>;
  /** Called once, when the last running call has ended. */
  protected abstract release(): Promise<void>;

  async put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<void> {
    return this.run(options, () => {
      this.#checkPut(key, bytes, options);
      return this.putBlob(key, bytes, options);
    });
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array | undefined> {
    return this.run(options, () => {
      checkBackendKey(key);
      if (options.offset !== undefined) checkInteger('offset', options.offset, { min: 0 });
      if (options.length !== undefined) checkInteger('length', options.length, { min: 0 });
      return this.getBlob(key, options);
    });
  }

  async head(key: string, options: HeadOptions = {}): Promise<BlobInfo | undefined> {
    return this.run(options, () => this.headBlob(checkBackendKey(key), options));
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<void> {
    return this.run(options, () => {
      checkBackendKey(key);
      this.checkWritable({ backendKey: key });
      return this.deleteBlob(key, options);
    });
  }

  async list(options: ListOptions = {}): Promise<readonly BlobInfo[]> {
    return this.run(options, () => {
      const prefix = checkBackendPrefix(options.prefix ?? '');
      if (options.after !== undefined) checkBackendPrefix(options.after, 'after');
      const bounds = { min: 1, max: BACKEND_LIST_PAGE_MAX };
      const limit = checkInteger('limit', options.limit ?? BACKEND_LIST_PAGE_MAX, bounds);
      return this.listBlobs({ ...options, prefix, limit });
    });
  }

  async space(options: CallOptions = {}): Promise<BackendSpace> {
    return this.run(options, () => this.measureSpace(options));
  }

  async close(): Promise<void> {
    this.#closed ??= this.#drain();
    return this.#closed;
  }

  /**
   * Runs one call, which `close` then waits for; for calls that a backend offers beyond the contract too.
   * @throws `closed/BACKEND_CLOSED` and the signal's reason, before the call has begun
   */
  protected async run<T>(options: CallOptions, call: () => Promise<T>): Promise<T> {
    if (this.#closed) throw storeError('BACKEND_CLOSED', 'this backend is closed: open it again');
    options.signal?.throwIfAborted();
    const running = call();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** @throws `denied/READ_ONLY` */
  protected checkWritable(details: ErrorDetails = {}): void {
    if (!this.capabilities.writable) throw storeError('READ_ONLY', 'this backend was opened read-only', { details });
  }

  async #drain(): Promise<void> {
    await Promise.allSettled(this.#running);
    await this.release();
  }

  #checkPut(key: string, bytes: Uint8Array, options: PutOptions): void {
    checkBackendKey(key);
    if (!(bytes instanceof Uint8Array)) throw argumentTypeError('bytes', 'a Uint8Array', bytes);
    this.checkWritable({ backendKey: key });
    const { blobBytesMax, ifAbsent } = this.capabilities;
    if (bytes.length > blobBytesMax) {
      const message = `a blob holds at most ${blobBytesMax} bytes, got ${bytes.length}`;
      const details = { backendKey: key, size: bytes.length, expected: blobBytesMax };
      throw storeError('BLOB_TOO_LARGE', message, { details });
    }
    if (options.ifAbsent && !ifAbsent) {
      const details = { backendKey: key, capability: 'ifAbsent' };
      throw storeError('CAPABILITY_UNSUPPORTED', 'this backend cannot create a blob exactly once', { details });
    }
  }
}
