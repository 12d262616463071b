import { invariant } from '../errors/store-error.ts';
import { BaseBackend, type CheckedListOptions } from './base-backend.ts';
import type {
  Backend,
  BackendSpace,
  BlobInfo,
  CallOptions,
  GetOptions,
  HeadOptions,
  ServiceRequests,
} from './contract.ts';

class ReadOnlyBackend extends BaseBackend {
  readonly #inner: Backend;

  constructor(inner: Backend) {
    super({ ...inner.capabilities, writable: false });
    this.#inner = inner;
  }

  get service(): ServiceRequests | undefined {
    return this.#inner.service;
  }

  protected override async putBlob(): Promise<void> {
    invariant(false, 'a backend without the capability `writable` is not asked to put');
  }

  protected override async deleteBlob(): Promise<void> {
    invariant(false, 'a backend without the capability `writable` is not asked to delete');
  }

  protected override getBlob(key: string, options: GetOptions): Promise<Uint8Array | undefined> {
    return this.#inner.get(key, options);
  }

  protected override headBlob(key: string, options: HeadOptions): Promise<BlobInfo | undefined> {
    return this.#inner.head(key, options);
  }

  protected override listBlobs(options: CheckedListOptions): Promise<readonly BlobInfo[]> {
    return this.#inner.list(options);
  }

  protected override measureSpace(options: CallOptions): Promise<BackendSpace> {
    return this.#inner.space(options);
  }

  protected override release(): Promise<void> {
    return this.#inner.close();
  }
}

/**
 * The same blobs without the right to change them: `put` and `delete` reject with `denied/READ_ONLY` before they reach
 * the backend (B14). Closing it closes the backend within.
 */
export function readOnlyBackend(backend: Backend): Backend {
  return new ReadOnlyBackend(backend);
}
