import type { Backend } from '../backend/contract.ts';
import { listAll } from '../backend/list-all.ts';
import { storeError } from '../errors/store-error.ts';
import { decodeKeyPage, encodeKeyPage, KEY_PAGES_PREFIX, type KeySchedule, keyPageKey } from '../format/index.ts';
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
  /** Secrets of entries that are being put: nobody else knows of them, and who forgets an epoch re-seals what is known. */
  readonly #underWay = new Map<number, Uint8Array>();

  constructor(parts: {
    readonly backend: Backend;
    readonly random: RandomBytes;
    /** The keys as they are now: they may change while a page is being read or written. */
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
      this.#underWay.set(namespace, secret);
      this.#schedule().learn(namespace, secret);
      await this.#write(namespace, secret);
      return namespace;
    }
  }

  /** Writes the pages of entries that are being put anew: the keys have changed. */
  async renew(): Promise<void> {
    for (const [namespace, secret] of this.#underWay) await this.#write(namespace, secret);
  }

  /** The entry of a page is committed, or was given up. */
  settle(namespace: number): void {
    this.#underWay.get(namespace)?.fill(0);
    this.#underWay.delete(namespace);
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

  /** Writes every page anew, sealed under the newest epoch. */
  async reseal(): Promise<void> {
    for await (const { key } of listAll(this.#backend, { prefix: KEY_PAGES_PREFIX })) {
      const namespace = Number.parseInt(key.slice(KEY_PAGES_PREFIX.length), 16);
      const page = await this.#backend.get(key);
      // Shredded meanwhile.
      if (page === undefined) continue;
      const secret = decodeKeyPage(page, namespace, this.#schedule());
      await this.#backend.put(key, encodeKeyPage({ namespace, secret }, this.#schedule(), this.#random));
      secret.fill(0);
    }
  }

  /** Under the newest keys, also when they change while it is being written. */
  async #write(namespace: number, secret: Uint8Array): Promise<void> {
    let schedule: KeySchedule;
    do {
      schedule = this.#schedule();
      await this.#backend.put(keyPageKey(namespace), encodeKeyPage({ namespace, secret }, schedule, this.#random));
    } while (schedule !== this.#schedule() && this.#underWay.has(namespace));
  }

  async destroy(namespace: number): Promise<void> {
    this.settle(namespace);
    await this.#backend.delete(keyPageKey(namespace));
  }

  #randomNumber(): number {
    const bytes = this.#random(4);
    return (new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) | ISOLATED_NAMESPACE_MIN) >>> 0;
  }
}
