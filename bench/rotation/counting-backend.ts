import type {
  Backend,
  BackendCapabilities,
  BackendSpace,
  BlobInfo,
  CallOptions,
  DeleteOptions,
  GetOptions,
  ListOptions,
  PutOptions,
} from '../../src/backend/index.ts';

/** A backend that counts what is written to the one within. */
export class CountingBackend implements Backend {
  readonly capabilities: BackendCapabilities;
  readonly #inner: Backend;
  #putBytes = 0;
  #puts = 0;

  constructor(inner: Backend) {
    this.capabilities = inner.capabilities;
    this.#inner = inner;
  }

  /** Puts and their bytes since this was asked last. */
  take(): { readonly puts: number; readonly bytes: number } {
    const taken = { puts: this.#puts, bytes: this.#putBytes };
    this.#puts = 0;
    this.#putBytes = 0;
    return taken;
  }

  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<void> {
    this.#puts += 1;
    this.#putBytes += bytes.length;
    return this.#inner.put(key, bytes, options);
  }

  get(key: string, options?: GetOptions): Promise<Uint8Array | undefined> {
    return this.#inner.get(key, options);
  }

  head(key: string, options?: CallOptions): Promise<BlobInfo | undefined> {
    return this.#inner.head(key, options);
  }

  delete(key: string, options?: DeleteOptions): Promise<void> {
    return this.#inner.delete(key, options);
  }

  list(options?: ListOptions): Promise<readonly BlobInfo[]> {
    return this.#inner.list(options);
  }

  space(options?: CallOptions): Promise<BackendSpace> {
    return this.#inner.space(options);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
