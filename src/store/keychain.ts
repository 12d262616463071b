import type { Backend } from '../backend/contract.ts';
import { equalBytes, toHex } from '../bytes/bytes.ts';
import { isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import {
  type EntryValue,
  encodeStoreConfig,
  type IsolatedEntry,
  type ItemIds,
  type KeySchedule,
  keyedIds,
  openIsolatedEntry,
  type PackKeys,
  type SealedPackName,
  type SealedStoreConfig,
  STORE_CONFIG_KEY,
  sealIsolatedEntry,
} from '../format/index.ts';
import { type Keyring, type KeyState, type NamespaceFacts, unlockWith, wipeKeyring } from '../keys/index.ts';
import { ISOLATED_NAMESPACE_MIN } from '../limits.ts';
import type { ConfigCondition, Metadata } from '../metadata/contract.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { KeyPages } from './key-pages.ts';
import { decodeNewer, giveKeys, type Unlocking } from './unlock.ts';

/** Keys of packs are asked for with every record; deriving one takes longer than opening a small record. */
const PACK_KEYS_MAX = 1024;

/**
 * The keys of an open store: gives them to whoever seals and opens, follows changes that other processes make, and
 * makes changes: compared and set in the metadata first, then written to the backend.
 */
export class Keychain implements PackKeys {
  readonly #backend: Backend;
  readonly #metadata: Metadata;
  readonly #random: RandomBytes;
  readonly #pages: KeyPages;
  readonly #unlocking: Unlocking;
  readonly #packKeys = new Map<string, Uint8Array>();
  /** Keys that others took the place of, or that were never used, while a change may still be working on them. */
  readonly #replaced: Keyring[] = [];
  #unlocked: KeyState;
  /** Changes and reloads under way: each works on keys across awaits. */
  #holders = 0;
  #closed = false;
  #changing: Promise<unknown> = Promise.resolve();
  #reloading: Promise<unknown> = Promise.resolve();
  #settling: Promise<void> = Promise.resolve();
  /** The backend may not have the config in use: it is not written yet, or a slower process wrote an older one. */
  #owed = false;

  constructor(parts: {
    readonly backend: Backend;
    /** Unlocked. */
    readonly metadata: Metadata;
    readonly random: RandomBytes;
    /** Ended when the keychain is closed. */
    readonly unlocking: Unlocking;
    /** The newest there is. */
    readonly unlocked: KeyState;
  }) {
    this.#backend = parts.backend;
    this.#metadata = parts.metadata;
    this.#random = parts.random;
    this.#unlocking = parts.unlocking;
    this.#unlocked = parts.unlocked;
    this.#pages = new KeyPages({ ...parts, schedule: () => this.schedule });
  }

  get config(): SealedStoreConfig {
    return this.#unlocked.config;
  }

  get keyring(): Keyring {
    return this.#unlocked.keyring;
  }

  get schedule(): KeySchedule {
    return this.keyring.schedule;
  }

  /** @throws `denied/NAMESPACE_KEY_GONE` */
  ids(namespace: number): ItemIds {
    return keyedIds(this.schedule.idKey(namespace));
  }

  /**
   * A namespace by its name; one that another process made is found.
   * @throws `not-found/NAMESPACE_NOT_FOUND`, `invalid/NAMESPACE_INVALID`
   */
  async namespace(name: string): Promise<NamespaceFacts> {
    try {
      return this.keyring.namespace(name);
    } catch (error) {
      if (!isStoreError(error, 'NAMESPACE_NOT_FOUND')) throw error;
      await this.reload();
      return this.keyring.namespace(name);
    }
  }

  quotaOf(namespace: number): number | undefined {
    return this.keyring.namespaces.find(({ number }) => number === namespace)?.quotaBytes;
  }

  /** @throws `denied/EPOCH_UNKNOWN`, `denied/NAMESPACE_KEY_GONE` */
  async keyOf(pack: SealedPackName): Promise<Uint8Array> {
    const name = toHex(pack.pack) + toHex(pack.salt);
    const known = this.#packKeys.get(name);
    if (known) return known;
    const key = await this.#following(() => this.using(pack.namespace, () => this.schedule.packKey(pack)));
    if (this.#packKeys.size >= PACK_KEYS_MAX) {
      const [oldest] = this.#packKeys.keys();
      this.#packKeys.delete(oldest as string);
    }
    this.#packKeys.set(name, key);
    return key;
  }

  /**
   * Runs `work` while the key of a namespace is at hand, which is not sure one `await` later: those of isolated entries
   * come from their pages.
   * @throws `corrupt/KEY_PAGE_MISSING`, `corrupt/KEY_PAGE_CORRUPT`, `closed/STORE_CLOSED`, and what `work` throws
   */
  async using<T>(namespace: number, work: () => T): Promise<T> {
    if (this.#closed) throw storeError('STORE_CLOSED', 'the store is closed');
    return namespace >= ISOLATED_NAMESPACE_MIN ? await this.#pages.using(namespace, work) : work();
  }

  /**
   * Makes a key for one entry; durable when this resolves, and at hand until `releaseIsolated`.
   * @returns the number of its namespace of one
   */
  createIsolated(): Promise<number> {
    return this.#pages.create();
  }

  releaseIsolated(namespace: number): void {
    this.#pages.release(namespace);
  }

  sealIsolated(namespace: number, value: EntryValue): { readonly entry: Uint8Array; readonly version: Uint8Array } {
    return sealIsolatedEntry(value, { namespace, schedule: this.schedule, random: this.#random });
  }

  /** Only within `using`. @throws `corrupt/ENTRY_CORRUPT`, `denied/NAMESPACE_KEY_GONE` */
  openIsolated(entry: IsolatedEntry): EntryValue {
    return openIsolatedEntry(entry, this.schedule);
  }

  async destroyIsolated(namespace: number): Promise<void> {
    this.forget(namespace);
    await this.#pages.destroy(namespace);
  }

  /** Drops what is in memory of a namespace whose key is gone. */
  forget(namespace: number): void {
    this.#pages.forget(namespace);
    this.schedule.forget(namespace);
    this.#packKeys.clear();
  }

  /**
   * Changes the config: the keys with everything they hold. One change at a time, over all processes.
   * @param change made again when another process was first
   * @throws what `change` throws; `unavailable/CONFIG_PENDING` (it has happened, and the backend does not know yet);
   *   `conflict/PRECONDITION_FAILED`
   */
  change<T extends KeyState>(change: (now: KeyState) => Promise<T> | T, condition: ConfigCondition = {}): Promise<T> {
    const changing = this.#changing.then(() => this.#holding(() => this.#change(change, condition)));
    this.#changing = changing.catch(() => undefined);
    return changing;
  }

  /**
   * Takes over what another process has changed.
   * @returns whether something had changed
   * @throws `denied/WRONG_KEY` when that shut the caller out
   */
  reload(): Promise<boolean> {
    const reloading = this.#reloading.then(() => this.#holding(() => this.#reload()));
    this.#reloading = reloading.catch(() => undefined);
    return reloading;
  }

  /**
   * Sees to it that the backend has the config in use. What is acknowledged must open without the metadata, so this
   * comes before every acknowledgement; it costs nothing but after a change of keys.
   * @throws `unavailable/CONFIG_PENDING`; `denied/WRONG_KEY` when the caller is shut out
   */
  settle(): Promise<void> {
    this.#settling = this.#settling.catch(() => undefined).then(() => this.#settle());
    return this.#settling;
  }

  /** Overwrites the keys. Operations must have ended. */
  close(): void {
    this.#closed = true;
    this.#unlocking.end();
    for (const key of this.#packKeys.values()) key.fill(0);
    this.#packKeys.clear();
    for (const keyring of [...this.#replaced, this.keyring, this.#unlocking.opened.keyring])
      if (keyring) wipeKeyring(keyring);
  }

  /** Runs work during which no keys are overwritten. */
  async #holding<T>(work: () => Promise<T>): Promise<T> {
    this.#holders += 1;
    try {
      return await work();
    } finally {
      this.#holders -= 1;
      if (this.#holders === 0) this.#wipeReplaced();
    }
  }

  async #change<T extends KeyState>(change: (now: KeyState) => Promise<T> | T, condition: ConfigCondition): Promise<T> {
    const now = this.#unlocked;
    const next = await change(now);
    this.#replaced.push(next.keyring);
    const { generation } = next.config;
    const bytes = encodeStoreConfig(next.config);
    try {
      await this.#metadata.setConfig(now.config.generation, { generation, bytes }, condition);
    } catch (error) {
      if (!isStoreError(error, 'KEYS_CHANGED')) throw error;
      // Another process was first; its keys may have been taken over while this change was made.
      if (!(await this.reload()) && this.#unlocked === now) throw error;
      return await this.#change(change, condition);
    }
    try {
      if (await this.#take(next)) await this.#resealHead();
      else await this.reload();
      await this.settle();
    } catch (cause) {
      // The words of a change that did not happen.
      if (!isStoreError(cause, 'METADATA_BUSY', 'DISK_FULL')) throw cause;
      throw pending(`the keys are changed, and not all of the store knows yet: ${cause.message}`, cause);
    }
    return next;
  }

  /**
   * Seals the head of the metadata under the new keys. Who was shut out, put the old config back and took the new one
   * out of the metadata, would otherwise have others go on under the keys they know.
   */
  async #resealHead(): Promise<void> {
    try {
      await this.#metadata.markFlushed([]);
    } catch (error) {
      // Somebody changed the keys once more, and seals it under theirs.
      if (!isStoreError(error, 'KEYS_CHANGED')) throw error;
      await this.reload();
    }
  }

  async #settle(): Promise<void> {
    while (this.#owed) {
      const { config } = this;
      const bytes = encodeStoreConfig(config);
      await this.#write(bytes);
      // Who is slow writes an older config over a newer one: whoever wrote looks again, and the newest is written last.
      await this.reload();
      if (this.config === config) this.#owed = false;
    }
  }

  /** The change has happened: whoever opens the store next finds it in the metadata and repairs what is older. */
  async #write(bytes: Uint8Array): Promise<void> {
    try {
      const there = await this.#backend.get(STORE_CONFIG_KEY);
      if (there === undefined || !equalBytes(there, bytes)) await this.#backend.put(STORE_CONFIG_KEY, bytes);
    } catch (cause) {
      if (!isStoreError(cause)) throw cause;
      throw pending(`the keys are changed, but ${STORE_CONFIG_KEY} could not be written yet: ${cause.message}`, cause);
    }
  }

  async #reload(): Promise<boolean> {
    for (;;) {
      const stored = await this.#metadata.config();
      if (stored === undefined || stored.generation <= this.config.generation) return false;
      const config = decodeNewer(this.config, stored);
      const keyring = unlockWith(this.keyring, config);
      if (await this.#take(keyring ? { config, keyring } : await this.#unlocking.newer(stored))) return true;
    }
  }

  /** @returns whether these are the newest keys; where they are not, everything stays as it was */
  async #take(unlocked: KeyState): Promise<boolean> {
    const { config, keyring } = unlocked;
    this.#replaced.push(keyring);
    try {
      await giveKeys(this.#metadata, unlocked);
    } catch (error) {
      if (!isStoreError(error, 'KEYS_CHANGED')) throw error;
      return false;
    }
    keyring.schedule.learnFrom(this.schedule);
    this.#replaced.push(this.keyring);
    this.#unlocked = { config, keyring };
    this.#packKeys.clear();
    this.#owed = true;
    return true;
  }

  /**
   * Everybody else asks for a key and uses it at once. The keys with which the store was opened stay until it is closed:
   * newer ones are told by them to be of the same store.
   */
  #wipeReplaced(): void {
    const { opened } = this.#unlocking;
    const kept = [this.keyring, ...(opened.keyring ? [opened.keyring] : [])];
    for (const keyring of this.#replaced.splice(0)) wipeKeyring(keyring, kept);
  }

  /** What was sealed under a newer epoch tells that the keys have changed. */
  async #following<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isStoreError(error, 'EPOCH_UNKNOWN', 'NAMESPACE_KEY_GONE') || !(await this.reload())) throw error;
      return await work();
    }
  }
}

function pending(message: string, cause: StoreError): StoreError {
  return storeError('CONFIG_PENDING', message, { retry: false, cause });
}

/** @throws `denied/STORE_NOT_SEALED` */
export function needKeychain(keychain: Keychain | undefined): Keychain {
  if (keychain) return keychain;
  throw storeError('STORE_NOT_SEALED', 'this store is plain: it has no keys and no namespaces');
}
