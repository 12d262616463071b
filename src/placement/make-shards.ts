/**
 * Makes shards of a stripe anew from k others, column by column: what is read of the others stays small, and each block
 * is checked before it is used. Shards that are made are whole in memory, since a backend takes them whole.
 */
import { equalBytes, toHex } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import {
  blockDigests,
  encodeShardHeader,
  encodeShardTrailer,
  refuseReadOnlyFeatures,
  rootAt,
  SHARD_HEADER_BYTES,
  type ShardHeader,
  shardRoot,
  shardTrailerBytes,
} from '../format/index.ts';
import { codeOf } from './encode-stripe.ts';
import { type InspectOptions, pieceBytesOf, readColumns } from './inspect-shard.ts';
import type { GoodShard } from './inspect-stripe.ts';
import { type ShardLoss, ShardLost } from './shard-loss.ts';
import type { PlacedStripe } from './stripe-reader.ts';

/** A shard ready to be stored. */
export interface MadeShard {
  readonly index: number;
  readonly blob: Uint8Array;
}

export interface MakeJob {
  readonly stripe: PlacedStripe;
  /** Shards to read from, at least k of them. Those that turn out to be lost are made up for by others. */
  readonly sources: readonly GoodShard[];
  /** Indexes of the shards to make. */
  readonly targets: readonly number[];
}

/** Fewer than k of the sources could be read; the losses tell of the others. */
export class SourcesLost extends Error {
  readonly losses: readonly ShardLoss[];

  constructor(losses: readonly ShardLoss[]) {
    super('too few shards are left to make others from');
    this.losses = losses;
  }
}

/**
 * Makes shards, and makes sure that they are what the roots of their stripe say.
 * @throws `SourcesLost`; `corrupt/SHARD_CORRUPT` when the shards of the stripe do not belong together, so that what was
 *   made is not what was there; `unsupported/FORMAT_UNSUPPORTED` for shards that this version may only read
 */
export async function makeShards(job: MakeJob, options: Omit<InspectOptions, 'depth'>): Promise<readonly MadeShard[]> {
  const { stripe, sources, targets } = job;
  const [first] = sources;
  if (first === undefined) throw new SourcesLost([]);
  const { header } = first.frame;
  const { shardBytes } = header;
  refuseReadOnlyFeatures('shard', header.features);
  const bytes = SHARD_HEADER_BYTES + shardBytes + shardTrailerBytes(header);
  const made = targets.map((index) => ({ index, blob: new Uint8Array(bytes) }));
  const columns = new ColumnReader(stripe, sources, options);
  const step = pieceBytesOf(stripe.stripe.k);
  for (let offset = 0; offset < shardBytes; offset += step) {
    const length = Math.min(step, shardBytes - offset);
    const shards = await columns.read({ offset, length });
    for (const { index, blob } of made) {
      shards[index] = blob.subarray(SHARD_HEADER_BYTES + offset, SHARD_HEADER_BYTES + offset + length);
    }
    codeOf(stripe.stripe).reconstruct(shards, targets);
  }
  for (const one of made) frame(stripe, header, one);
  return made;
}

/** Puts header and trailer around the data of a shard. @throws `corrupt/SHARD_CORRUPT` */
function frame({ id, stripe: { roots } }: PlacedStripe, source: ShardHeader, { index, blob }: MadeShard): void {
  const header: ShardHeader = { ...source, index };
  const dataEnd = SHARD_HEADER_BYTES + header.shardBytes;
  const digests = blockDigests(blob.subarray(SHARD_HEADER_BYTES, dataEnd));
  if (!equalBytes(shardRoot(header, digests), rootAt(roots, index))) {
    const packId = toHex(id);
    const message = `the shards of pack ${packId} do not belong together: what they give as shard ${index} is not it`;
    throw storeError('SHARD_CORRUPT', message, { details: { packId } });
  }
  blob.set(encodeShardHeader(header));
  blob.set(encodeShardTrailer({ digests, roots }), dataEnd);
}

/** Columns of any k of the sources; one that fails is not asked again. */
class ColumnReader {
  readonly #stripe: PlacedStripe;
  readonly #options: Omit<InspectOptions, 'depth'>;
  readonly #losses: ShardLoss[] = [];
  #sources: readonly GoodShard[];

  constructor(stripe: PlacedStripe, sources: readonly GoodShard[], options: Omit<InspectOptions, 'depth'>) {
    this.#stripe = stripe;
    this.#sources = sources;
    this.#options = options;
  }

  /** @returns a place for every shard of the stripe, k of them filled */
  async read(columns: { readonly offset: number; readonly length: number }): Promise<(Uint8Array | undefined)[]> {
    const { k } = this.#stripe.stripe;
    const shards: (Uint8Array | undefined)[] = this.#stripe.places.map(() => undefined);
    for (let missing = k; missing > 0; ) {
      const next = this.#sources.filter(({ index }) => shards[index] === undefined).slice(0, missing);
      if (next.length < missing) throw new SourcesLost(this.#losses);
      await Promise.all(
        next.map(async (source) => {
          shards[source.index] = await this.#try(source, columns);
        }),
      );
      missing = k - shards.filter((shard) => shard !== undefined).length;
    }
    await this.#options.onBytes?.(k * columns.length);
    return shards;
  }

  async #try(
    source: GoodShard,
    columns: { readonly offset: number; readonly length: number },
  ): Promise<Uint8Array | undefined> {
    try {
      return await readColumns({ stripe: this.#stripe, ...source }, source.frame, columns, this.#options);
    } catch (error) {
      if (!(error instanceof ShardLost)) throw error;
      this.#losses.push(error.loss);
      this.#sources = this.#sources.filter((one) => one !== source);
      return undefined;
    }
  }
}
