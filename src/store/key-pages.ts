import type { Backend } from '../backend/contract.ts';
import { storeError } from '../errors/store-error.ts';
import { decodeKeyPage, encodeKeyPage, type KeySchedule, keyPageKey } from '../format/index.ts';
import { SECRET_BYTES } from '../format/sizes.ts';
import { ISOLATED_NAMESPACE_MIN } from '../limits.ts';
import type { RandomBytes } from '../runtime/random.ts';

/**
 * The secrets of isolated entries. Each lies on the backend in a page of its own and nowhere else: never in the journal
 * or the metadata, so that deleting the page is the end of it.
 */
export class KeyPages {
  readonly #backend: Backend;
  readonly #random: RandomBytes;
  readonly #schedule: () => KeySchedule;

  constructor(parts: {
    readonly backend: Backend;
    readonly random: RandomBytes;
    /** The keys as they are now: they may change while a page is being read. */
    readonly schedule: () => KeySchedule;
  }) {
    this.#backend = parts.backend;
    this.#random = parts.random;
    this.#schedule = parts.schedule;
  }

  /** Writes the page of a new secret. @returns the number of the namespace of one that it makes */
  async create(): Promise<number> {
    for (;;) {
      const namespace = this.#randomNumber();
      const key = keyPageKey(namespace);
      if ((await this.#backend.head(key)) !== undefined) continue;
      const secret = this.#random(SECRET_BYTES);
      await this.#backend.put(key, encodeKeyPage({ namespace, secret }, this.#schedule(), this.#random));
      this.#schedule().learn(namespace, secret);
      secret.fill(0);
      return namespace;
    }
  }

  /** Learns the secret of an isolated entry. @throws `corrupt/KEY_PAGE_MISSING`, `corrupt/KEY_PAGE_CORRUPT` */
  async load(namespace: number): Promise<void> {
    if (this.#schedule().hasNamespace(namespace)) return;
    const key = keyPageKey(namespace);
    const page = await this.#backend.get(key);
    if (page === undefined) {
      throw storeError('KEY_PAGE_MISSING', 'the key of an isolated entry is gone: the entry was shredded, or is lost', {
        details: { backendKey: key },
      });
    }
    const secret = decodeKeyPage(page, namespace, this.#schedule());
    this.#schedule().learn(namespace, secret);
    secret.fill(0);
  }

  async destroy(namespace: number): Promise<void> {
    await this.#backend.delete(keyPageKey(namespace));
  }

  #randomNumber(): number {
    const bytes = this.#random(4);
    return (new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) | ISOLATED_NAMESPACE_MIN) >>> 0;
  }
}
