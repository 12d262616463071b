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
} from '../../../src/backend/contract.ts';
import type { BlobKind, Report } from './protocol.ts';

/** Reports every change of the blobs before and after it is made, so that a kill can be aimed between the two. */
export class AnnouncingBackend implements Backend {
  readonly capabilities: BackendCapabilities;
  readonly #inner: Backend;
  readonly #report: (report: Report) => void;

  constructor(inner: Backend, report: (report: Report) => void) {
    this.capabilities = inner.capabilities;
    this.#inner = inner;
    this.#report = report;
  }

  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<void> {
    return this.#announced('put', key, () => this.#inner.put(key, bytes, options));
  }

  delete(key: string, options?: DeleteOptions): Promise<void> {
    return this.#announced('delete', key, () => this.#inner.delete(key, options));
  }

  get(key: string, options?: GetOptions): Promise<Uint8Array | undefined> {
    return this.#inner.get(key, options);
  }

  head(key: string, options?: CallOptions): Promise<BlobInfo | undefined> {
    return this.#inner.head(key, options);
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

  async #announced(call: 'put' | 'delete', key: string, work: () => Promise<void>): Promise<void> {
    const kind = kindOf(key);
    this.#report({ is: 'call', call, kind });
    await work();
    this.#report({ is: 'answer', call, kind });
  }
}

function kindOf(key: string): BlobKind {
  if (key.startsWith('journal/')) return 'journal';
  return key.startsWith('packs/') ? 'packs' : 'keys';
}
