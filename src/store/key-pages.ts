import type { Backend } from '../backend/contract.ts';
import { isStoreError, storeError } from '../errors/store-error.ts';
import { decodeKeyPage, encodeKeyPage, type KeySchedule, keyPageKey } from '../format/index.ts';
import { SECRET_BYTES } from '../format/sizes.ts';
import { ISOLATED_KEYS_KEPT_MAX, ISOLATED_NAMESPACE_MIN } from '../limits.ts';
import type { RandomBytes } from '../runtime/random.ts';

/**
 * The secrets of isolated entries. Each lies on the backend in a page of its own and nowhere else: never in the journal
 * or the metadata, so that deleting the page is the end of it. The key schedule has those that are in use, and some
 * that were used lately: a store may have more isolated entries than fit into memory.
 */
export class KeyPages {
  readonly #backend: Backend;
  readonly #random: RandomBytes;
  readonly #schedule: () => KeySchedule;
  readonly #keptMax: number;
  /** Made for entries that are being put. */
  readonly #held = new Set<number>();
  /** The others that the schedule has; what was not used for longest comes first. */
  readonly #recent = new Set<number>();

  constructor(parts: {
    readonly backend: Backend;
    readonly random: RandomBytes;
    /** The keys as they are now: they may change while a page is being read. They know what those before them knew. */
    readonly schedule: () => KeySchedule;
    /** How many keys stay that nobody is using. */
    readonly keptMax?: number;
  }) {
    this.#backend = parts.backend;
    this.#random = parts.random;
    this.#schedule = parts.schedule;
    this.#keptMax = parts.keptMax ?? ISOLATED_KEYS_KEPT_MAX;
  }

  /**
   * Writes the page of a new secret, which stays in the schedule until `release`.
   * @returns the number of the namespace of one that it makes
   */
  async create(): Promise<number> {
    for (;;) {
      const namespace = this.#randomNumber();
      const secret = this.#random(SECRET_BYTES);
      try {
        if (!(await this.#write(namespace, secret))) continue;
        this.#schedule().learn(namespace, secret);
        this.#held.add(namespace);
        return namespace;
      } finally {
        secret.fill(0);
      }
    }
  }

  /** The entry is put, or given up: its key may leave the memory. */
  release(namespace: number): void {
    if (this.#held.delete(namespace)) this.#keep(namespace);
  }

  /**
   * Runs `work` while the schedule has the key of an isolated entry, which nobody can be sure of one `await` later.
   * @throws `corrupt/KEY_PAGE_MISSING`, `corrupt/KEY_PAGE_CORRUPT`, and what `work` throws
   */
  async using<T>(namespace: number, work: () => T): Promise<T> {
    while (!this.#schedule().hasNamespace(namespace)) await this.#load(namespace);
    if (!this.#held.has(namespace)) this.#keep(namespace);
    return work();
  }

  /** Drops what is in memory. */
  forget(namespace: number): void {
    this.#held.delete(namespace);
    this.#recent.delete(namespace);
  }

  async destroy(namespace: number): Promise<void> {
    await this.#backend.delete(keyPageKey(namespace));
  }

  /** @returns false when there is a page of this number */
  async #write(namespace: number, secret: Uint8Array): Promise<boolean> {
    const key = keyPageKey(namespace);
    const { ifAbsent } = this.#backend.capabilities;
    if (!ifAbsent && (await this.#backend.head(key)) !== undefined) return false;
    try {
      await this.#backend.put(key, encodeKeyPage({ namespace, secret }, this.#schedule(), this.#random), { ifAbsent });
      return true;
    } catch (error) {
      if (isStoreError(error, 'BLOB_EXISTS')) return false;
      throw error;
    }
  }

  async #load(namespace: number): Promise<void> {
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

  #keep(namespace: number): void {
    this.#recent.delete(namespace);
    this.#recent.add(namespace);
    if (this.#recent.size <= this.#keptMax) return;
    const [oldest] = this.#recent;
    if (oldest === undefined) return;
    this.#recent.delete(oldest);
    this.#schedule().forget(oldest);
  }

  #randomNumber(): number {
    const bytes = this.#random(4);
    return (new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) | ISOLATED_NAMESPACE_MIN) >>> 0;
  }
}
