import { BinaryWriter } from '../bytes/binary-writer.ts';
import { EnvelopeOpener, EnvelopeSealer } from '../crypto/envelope.ts';
import { invariant } from '../errors/store-error.ts';
import type { KeySchedule } from '../format/key-schedule.ts';
import { createKeyedDigest } from '../hash/index.ts';
import type { RandomBytes } from '../runtime/random.ts';

const EPOCH_BYTES = 4;
const TAG_BYTES = 16;
/** Of a row in the sum of its table: enough that nobody finds other rows with the same sum. */
export const SEALED_DIGEST_BYTES = 16;

interface CurrentKeys {
  readonly schedule: KeySchedule;
  readonly sealer: EnvelopeSealer;
  readonly openers: Map<number, EnvelopeOpener>;
  readonly lookup: (key: Uint8Array) => Uint8Array;
  readonly sum: (tag: Uint8Array) => Uint8Array;
}

/**
 * Seals and opens what the metadata of one store keeps: `epoch (u32, little-endian) ‖ envelope`, under the metadata key
 * of that epoch. Locked until it has keys.
 */
export class RowSealer {
  readonly #random: RandomBytes;
  #keys: CurrentKeys | undefined;

  constructor(random: RandomBytes) {
    this.#random = random;
  }

  get isUnlocked(): boolean {
    return this.#keys !== undefined;
  }

  /** From now on these keys are used: what is sealed is sealed under their newest epoch. */
  unlock(schedule: KeySchedule): void {
    this.#keys = {
      schedule,
      sealer: new EnvelopeSealer(schedule.metadataKey(schedule.currentEpoch), this.#random),
      openers: new Map(),
      lookup: createKeyedDigest(schedule.lookupKey()),
      sum: createKeyedDigest(schedule.tableSumKey()),
    };
  }

  /** Forgets the keys. */
  lock(): void {
    this.#keys = undefined;
  }

  get #unlocked(): CurrentKeys {
    invariant(this.#keys, 'sealed metadata is unlocked before it is used');
    return this.#keys;
  }

  /** The keys it has now. */
  get schedule(): KeySchedule {
    return this.#unlocked.schedule;
  }

  /** @param aad what the sealed bytes are good for, and nothing else */
  seal(plain: Uint8Array, aad: Uint8Array): Uint8Array {
    const { schedule, sealer } = this.#unlocked;
    const envelope = sealer.seal(plain, aad);
    return new BinaryWriter(EPOCH_BYTES + envelope.length).u32(schedule.currentEpoch).put(envelope).bytes;
  }

  /**
   * @returns `undefined` when these bytes were not sealed by a holder of the keys, or for something else
   * @throws `denied/EPOCH_UNKNOWN`
   */
  open(sealed: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
    if (sealed.length < EPOCH_BYTES) return undefined;
    return this.#opener(RowSealer.epochOf(sealed)).open(sealed.subarray(EPOCH_BYTES), aad);
  }

  /** The epoch that sealed bytes say they are of; 0 for what is too short to say. */
  static epochOf(sealed: Uint8Array): number {
    if (sealed.length < EPOCH_BYTES) return 0;
    return new DataView(sealed.buffer, sealed.byteOffset, EPOCH_BYTES).getUint32(0, true);
  }

  #opener(epoch: number): EnvelopeOpener {
    const { schedule, openers } = this.#unlocked;
    let opener = openers.get(epoch);
    if (!opener) {
      opener = new EnvelopeOpener(schedule.metadataKey(epoch));
      openers.set(epoch, opener);
    }
    return opener;
  }

  /** What a row is looked up by whose key nobody may see. */
  lookup(key: Uint8Array): Uint8Array {
    return this.#unlocked.lookup(key);
  }

  /**
   * What a sealed row adds to the sum of its table: a keyed digest of its tag, which stands for all of the row. The tag
   * itself would not do: it can be seen, and among many old rows some can be found that add up to what they should.
   * @see Clarke et al., "Incremental Multiset Hash Functions", ASIACRYPT 2003, section 5 (MSet-Add-Hash)
   */
  digestOf(sealed: Uint8Array): Uint8Array {
    return this.#unlocked.sum(sealed.subarray(-TAG_BYTES)).subarray(0, SEALED_DIGEST_BYTES);
  }
}
