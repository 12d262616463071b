import { concatBytes } from '../bytes/bytes.ts';
import type { PackClass, PackHeader } from '../format/index.ts';

/**
 * One process's life in a store. Pack ids are the session's reserved prefix and a counter, so no two packs of a store
 * ever share a name and none needs a transaction of its own to be reserved.
 */
export class Session {
  readonly #storeId: Uint8Array;
  readonly #id: Uint8Array;
  #packs = 0n;

  constructor(storeId: Uint8Array, sessionId: Uint8Array) {
    this.#storeId = storeId;
    this.#id = sessionId;
  }

  nextPackHeader(packClass: PackClass): PackHeader {
    const ordinal = new Uint8Array(8);
    new DataView(ordinal.buffer).setBigUint64(0, this.#packs, false);
    this.#packs += 1n;
    return {
      store: this.#storeId,
      pack: concatBytes([this.#id, ordinal]),
      session: this.#id,
      class: packClass,
      namespace: 0,
      epoch: 0,
      keyMode: 'plain',
    };
  }
}
