import type { Backend, DeleteOptions, PutOptions } from '../../../src/backend/contract.ts';
import { ForwardingBackend } from '../../../src/testing/forwarding-backend.ts';
import type { BlobKind, Report } from './protocol.ts';

/** Reports every change of the blobs before and after it is made, so that a kill can be aimed between the two. */
export class AnnouncingBackend extends ForwardingBackend {
  readonly #report: (report: Report) => void;

  constructor(inner: Backend, report: (report: Report) => void) {
    super(inner);
    this.#report = report;
  }

  override put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<void> {
    return this.#announced('put', key, () => super.put(key, bytes, options));
  }

  override delete(key: string, options?: DeleteOptions): Promise<void> {
    return this.#announced('delete', key, () => super.delete(key, options));
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
