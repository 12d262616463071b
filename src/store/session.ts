import { concatBytes } from '../bytes/bytes.ts';
import type { KeySchedule, PackClass, PackHeader } from '../format/index.ts';
import { PACK_SALT_BYTES } from '../format/index.ts';
import type { RandomBytes } from '../runtime/random.ts';

/** A pack about to be built: its header, and in sealed stores the key that seals it. */
export interface NewPack {
  readonly header: PackHeader;
  readonly key?: Uint8Array;
}

/**
 * One process's life in a store. Pack ids are the session's reserved prefix and a counter, so no two packs of a store
 * ever share a name and none needs a transaction of its own to be reserved.
 */
export class Session {
  readonly #storeId: Uint8Array;
  readonly #id: Uint8Array;
  readonly #schedule: () => KeySchedule | undefined;
  readonly #random: RandomBytes;
  #packs = 0n;

  constructor(parts: {
    readonly storeId: Uint8Array;
    readonly sessionId: Uint8Array;
    /** The keys as they are now; `undefined` in a plain store. */
    readonly schedule: () => KeySchedule | undefined;
    readonly random: RandomBytes;
  }) {
    this.#storeId = parts.storeId;
    this.#id = parts.sessionId;
    this.#schedule = parts.schedule;
    this.#random = parts.random;
  }

  /** The key epoch that packs begin under now; 0 in a plain store. */
  get epoch(): number {
    return this.#schedule()?.currentEpoch ?? 0;
  }

  /**
   * Begins a pack of a namespace, under the newest key epoch and a salt of its own.
   * @throws `denied/NAMESPACE_KEY_GONE`
   */
  newPack(packClass: PackClass, namespace = 0): NewPack {
    const ordinal = new Uint8Array(8);
    new DataView(ordinal.buffer).setBigUint64(0, this.#packs, false);
    this.#packs += 1n;
    const name = {
      store: this.#storeId,
      pack: concatBytes([this.#id, ordinal]),
      session: this.#id,
      class: packClass,
      namespace,
    };
    const schedule = this.#schedule();
    if (schedule === undefined) return { header: { ...name, epoch: 0, keyMode: 'plain' } };
    const sealed = { ...name, epoch: schedule.currentEpoch, salt: this.#random(PACK_SALT_BYTES) };
    return { header: { ...sealed, keyMode: 'sealed' }, key: schedule.packKey(sealed) };
  }
}
