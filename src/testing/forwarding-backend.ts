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
  ServiceRequests,
} from '../backend/contract.ts';

/** Passes every call on to the backend within: what a wrapper that watches some of them begins with. */
export class ForwardingBackend implements Backend {
  readonly capabilities: BackendCapabilities;
  readonly #inner: Backend;

  constructor(inner: Backend) {
    this.capabilities = inner.capabilities;
    this.#inner = inner;
  }

  get service(): ServiceRequests | undefined {
    return this.#inner.service;
  }

  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<void> {
    return this.#inner.put(key, bytes, options);
  }

  get(key: string, options?: GetOptions): Promise<Uint8Array | undefined> {
    return this.#inner.get(key, options);
  }

  head(key: string, options?: HeadOptions): Promise<BlobInfo | undefined> {
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
