import type { Backend } from '../backend/contract.ts';
import { isStoreError, storeError } from '../errors/store-error.ts';
import {
  decodeStoreConfig,
  encodeStoreConfig,
  type PlainStoreConfig,
  STORE_CONFIG_KEY,
  type StoreConfig,
  type StoreConfigBase,
} from '../format/index.ts';
import { changeSettings } from '../keys/index.ts';
import type { Metadata, StoredConfig } from '../metadata/contract.ts';
import type { RandomBytes } from '../runtime/random.ts';
import type { Keychain } from './keychain.ts';

/** What a config says beside keys, as far as it may change. */
export type Settings = Pick<StoreConfigBase, 'features' | 'redundancy' | 'placement'>;

/**
 * The settings of an open store. Changed like the keys: compared and set in the metadata, then written to the backends.
 */
export class StoreSettings {
  readonly #metadata: Metadata;
  readonly #control: Backend;
  readonly #keychain: Keychain | undefined;
  readonly #random: RandomBytes;
  #plain: StoreConfig;

  constructor(parts: {
    readonly metadata: Metadata;
    readonly control: Backend;
    readonly keychain: Keychain | undefined;
    readonly random: RandomBytes;
    readonly config: StoreConfig;
  }) {
    this.#metadata = parts.metadata;
    this.#control = parts.control;
    this.#keychain = parts.keychain;
    this.#random = parts.random;
    this.#plain = parts.config;
  }

  get config(): StoreConfig {
    return this.#keychain?.config ?? this.#plain;
  }

  /**
   * @param change made again when another process was first
   * @returns the config that the change made
   * @throws what `change` throws; `unavailable/CONFIG_PENDING` (it has happened, and the backends do not know yet)
   */
  async change(change: (now: StoreConfig) => Settings): Promise<StoreConfig> {
    if (this.#keychain) {
      const { config } = await this.#keychain.change((now) => changeSettings(now, change(now.config), this.#random));
      return config;
    }
    return await this.#changePlain(change);
  }

  /** Takes over what another process has changed. @returns whether something had changed */
  async reload(): Promise<boolean> {
    if (this.#keychain) return await this.#keychain.reload();
    const newer = newerPlain(this.#plain, await this.#metadata.config());
    this.#plain = newer ?? this.#plain;
    return newer !== undefined;
  }

  async #changePlain(change: (now: StoreConfig) => Settings): Promise<StoreConfig> {
    for (;;) {
      const stored = await this.#metadata.config();
      const now = newerPlain(this.#plain, stored) ?? this.#plain;
      const next = { ...now, ...change(now), generation: now.generation + 1 } as PlainStoreConfig;
      const bytes = encodeStoreConfig(next);
      try {
        await this.#metadata.setConfig(stored?.generation ?? 0, { generation: next.generation, bytes });
      } catch (error) {
        if (!isStoreError(error, 'KEYS_CHANGED')) throw error;
        continue;
      }
      this.#plain = next;
      await this.#publish(bytes);
      return next;
    }
  }

  async #publish(bytes: Uint8Array): Promise<void> {
    try {
      await this.#control.put(STORE_CONFIG_KEY, bytes);
      // Who is slow writes an older config over a newer one: whoever wrote looks again, and the newest is written last.
      while (await this.reload()) await this.#control.put(STORE_CONFIG_KEY, encodeStoreConfig(this.#plain));
    } catch (cause) {
      if (!isStoreError(cause)) throw cause;
      const message = `the settings are changed, but ${STORE_CONFIG_KEY} could not be written yet: ${cause.message}`;
      throw storeError('CONFIG_PENDING', message, { retry: false, cause });
    }
  }
}

/**
 * What the metadata of a plain store holds where it is newer than the config that is known.
 * @throws `corrupt/CONFIG_CORRUPT`
 */
export function newerPlain(known: StoreConfig, stored: StoredConfig | undefined): PlainStoreConfig | undefined {
  if (stored === undefined || stored.generation <= known.generation) return undefined;
  const config = decodeStoreConfig(stored.bytes);
  if (config.keys === 'none' && config.generation === stored.generation && config.storeId === known.storeId)
    return config;
  throw storeError('CONFIG_CORRUPT', 'the config that the metadata holds is not the one it says');
}
