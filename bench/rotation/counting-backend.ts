import type { PutOptions } from '../../src/backend/index.ts';
import { ForwardingBackend } from '../../src/testing/forwarding-backend.ts';

/** A backend that counts what is written to the one within. */
export class CountingBackend extends ForwardingBackend {
  #putBytes = 0;
  #puts = 0;

  /** Puts and their bytes since this was asked last. */
  take(): { readonly puts: number; readonly bytes: number } {
    const taken = { puts: this.#puts, bytes: this.#putBytes };
    this.#puts = 0;
    this.#putBytes = 0;
    return taken;
  }

  override put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<void> {
    this.#puts += 1;
    this.#putBytes += bytes.length;
    return super.put(key, bytes, options);
  }
}
