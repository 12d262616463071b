/**
 * The last record of one read of a stream. The next read mostly begins within it, and is under way before the first has ended:
 * it is fetched and opened once for both.
 */
import { copyBytes, equalBytes, toHex } from '../bytes/bytes.ts';
import { blake3 } from '../hash/index.ts';
import type { ItemLocation } from '../metadata/contract.ts';

export class BorderRecord {
  #key: string | undefined;
  #plain: Promise<Uint8Array | undefined> = Promise.resolve(undefined);

  /**
   * Names the record that a read ends with.
   * @returns to be called with its plain bytes once it is open, and without when the read is over: the first call counts
   */
  offer(key: string): (plain?: Uint8Array) => void {
    const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>();
    this.#key = key;
    this.#plain = promise;
    return resolve;
  }

  /**
   * The record that the read before ended with.
   * @returns `undefined` when it is another one; resolves to nothing where it could not be opened. Parts of the bytes may
   *   belong to whoever the read before was for, who may have changed them
   */
  take(key: string): Promise<Uint8Array | undefined> | undefined {
    return this.#key === key ? this.#plain : undefined;
  }
}

/**
 * The items of a record that was opened for somebody else, who may have changed what is theirs.
 * @returns by digest in hex; `undefined` where one is not what its digest says, or is to be proven: the record must be read itself
 */
export function copiesOf(
  items: readonly { readonly digest: Uint8Array; readonly location: ItemLocation }[],
  plain: Uint8Array,
): ReadonlyMap<string, Uint8Array> | undefined {
  const copies = new Map<string, Uint8Array>();
  // Its memory was given back: a read without records in packs lay between.
  if (plain.length === 0) return undefined;
  for (const { digest, location } of items) {
    const bytes = plain.subarray(location.inner, location.inner + location.length);
    if (location.suspect || !equalBytes(blake3(bytes), digest)) return undefined;
    copies.set(toHex(digest), copyBytes(bytes));
  }
  return copies;
}
