import type { PackRow } from './contract.ts';

/** Who lacks what: a live pack with a shard that lies nowhere. */
export interface DegradedPack extends PackRow {
  /** Holds a 0. */
  readonly places: readonly number[];
  /** How many more shards may be lost: those that lie somewhere, less k. Negative when the pack can not be decoded. */
  readonly margin: number;
}

/** A live pack in the order of a scrub. */
export interface VerifiedPack extends PackRow {
  /** When the shard that was not verified for longest was: milliseconds since 1970, 0 for never. */
  readonly verifiedAt: number;
}

/** One shard of one encoding of a pack: whoever knows an older encoding means nothing that is there now. */
export interface ShardName {
  readonly packNumber: number;
  /** 16 bytes. */
  readonly stripeId: Uint8Array;
  /** Below k+m. */
  readonly index: number;
}

/** A compare-and-set of the place of one shard. */
export interface PlaceChange extends ShardName {
  /** The place as the caller knows it; `undefined` when those of the pack are not known: all others become 0. */
  readonly from: number | undefined;
  /** Number of a backend, or 0 for a shard that lies nowhere. */
  readonly to: number;
}

/** A shard that was read and found good. */
export interface VerifiedShard extends ShardName {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Where it was read: what has moved since was not verified where it is now. Default: wherever it is. */
  readonly place?: number;
}

/**
 * Where the shards of packs lie: a hint of this machine. A reader verifies what it finds there, and a rebuild finds the
 * shards again by asking the backends; so nothing here is journaled, sealed or part of digests and sums. Where the
 * column of a row is malformed, the places of its pack are not known (`check` tells).
 *
 * The packs that lack a shard are the queue of repair: a pack enters it in the transaction that registers it with a
 * place 0, or that sets one to 0, and leaves it with the last 0 or when it is dropped.
 */
export interface ShardPlaces {
  /**
   * Sets places in one transaction, in order: each change sees what those before it did. What lies at a new place counts
   * as never verified.
   * @returns for each, whether the place is `to` now; false when the pack is gone, dropped or of another stripe, or its
   *   place is not `from`: that change did nothing
   * @throws `RangeError` for an index or a backend that there is none of: nothing happened
   */
  placeShards(changes: readonly PlaceChange[]): Promise<readonly boolean[]>;
  /**
   * Remembers when shards were verified. Those that lie nowhere, or elsewhere than where they were read, and packs that
   * are gone or dropped, are ignored.
   */
  markVerified(found: readonly VerifiedShard[]): Promise<void>;

  /**
   * Live packs that lack a shard: those closest to loss first, then by number.
   * @param query.after the last pack of the page before
   */
  packsToRepair(query: {
    readonly limit: number;
    readonly after?: Pick<DegradedPack, 'margin' | 'number'>;
  }): Promise<readonly DegradedPack[]>;
  /** Live packs whose places are not known, in order of number; pages by `after` (a number). */
  packsOfUnknownPlace(query: { readonly after?: number; readonly limit: number }): Promise<readonly PackRow[]>;
  /**
   * Live packs with a shard that was not verified since a time: those never verified first, among them packs of unknown
   * place, then the oldest, then by number. A pack without any shard is not listed. What is marked as verified at `time`
   * or later leaves the list, so that a job that was stopped goes on where it was.
   * @param query.before milliseconds since 1970
   * @param query.after the last pack of the page before
   */
  packsVerifiedBefore(query: {
    readonly before: number;
    readonly limit: number;
    readonly after?: Pick<VerifiedPack, 'verifiedAt' | 'number'>;
  }): Promise<readonly VerifiedPack[]>;
}
