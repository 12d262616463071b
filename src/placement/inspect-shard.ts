/**
 * Looks at one shard where it lies. What it is follows from the roots of its stripe, which the metadata knows, or on
 * which most shards agree: a shard that only agrees with itself is not believed. Bounded memory: a shard is read in
 * pieces of whole blocks.
 */
import { equalBytes } from '../bytes/bytes.ts';
import { isStoreError } from '../errors/store-error.ts';
import { SHARD_HEADER_BYTES, shardKey, verifyShardBlock } from '../format/index.ts';
import { SHARD_BLOCK_BYTES, SHARD_READ_BYTES, SHARD_READ_PIECE_BYTES_MAX } from '../limits.ts';
import type { BackendLink } from './backend-link.ts';
import type { Patience } from './patience.ts';
import { readShardFrame, type ShardFrame } from './shard-frame.ts';
import { lossOf, lostOn } from './shard-loss.ts';
import type { PlacedStripe } from './stripe-reader.ts';

/** How closely shards are looked at: `frame` reads header and trailer, `whole` every block too. */
export type InspectionDepth = 'frame' | 'whole';

export interface InspectOptions {
  readonly depth: InspectionDepth;
  readonly patience: Patience;
  /** Told of bytes as they are read; the next ones are read when it has resolved. */
  readonly onBytes?: ((bytes: number) => Promise<void> | void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A shard on a backend. */
export interface ShardSite {
  readonly stripe: PlacedStripe;
  readonly index: number;
  readonly link: BackendLink;
}

/** Bytes that are read of each of so many shards at once: whole blocks. */
export function pieceBytesOf(shards: number): number {
  const share = Math.floor(SHARD_READ_BYTES / shards / SHARD_BLOCK_BYTES) * SHARD_BLOCK_BYTES;
  return Math.min(SHARD_READ_PIECE_BYTES_MAX, Math.max(SHARD_BLOCK_BYTES, share));
}

/**
 * Makes sure that a shard is the one its stripe says.
 * @returns its frame
 * @throws `ShardLost`; what no backend should throw
 */
export async function inspectShard(site: ShardSite, options: InspectOptions): Promise<ShardFrame> {
  const { stripe, index, link } = site;
  const { depth, patience, onBytes, signal } = options;
  return await judging(site, async () => {
    const shard = { pack: stripe, index };
    const frame = await patience.ask(link, (stop) => readShardFrame(link, shard, stop), { signal });
    if (frame === undefined) throw lostOn(site.link, site.index, 'missing');
    // The root of a shard covers its header: store, pack, stripe and counts are what they should be.
    if (!equalBytes(frame.trailer.roots, stripe.stripe.roots)) throw lostOn(site.link, site.index, 'corrupt');
    await onBytes?.(frame.bytes - frame.header.shardBytes);
    if (depth === 'frame') return frame;
    const { shardBytes } = frame.header;
    const step = pieceBytesOf(stripe.places.length);
    for (let offset = 0; offset < shardBytes; offset += step) {
      const length = Math.min(step, shardBytes - offset);
      await readColumns(site, frame, { offset, length }, options);
      await onBytes?.(length);
    }
    return frame;
  });
}

/**
 * Data bytes of a shard, each block checked.
 * @param columns whole blocks, the last one of the shard aside
 * @throws `ShardLost`
 */
export async function readColumns(
  site: ShardSite,
  frame: ShardFrame,
  columns: { readonly offset: number; readonly length: number },
  options: Pick<InspectOptions, 'patience' | 'signal'>,
): Promise<Uint8Array> {
  const { stripe, index, link } = site;
  const { offset, length } = columns;
  return await judging(site, async () => {
    const key = shardKey(stripe, index);
    const range = { offset: SHARD_HEADER_BYTES + offset, length };
    const bytes = await options.patience.ask(
      link,
      (signal) => link.call('read', (backend) => backend.get(key, { ...range, signal }), signal),
      options,
    );
    if (bytes === undefined) throw lostOn(site.link, site.index, 'missing');
    for (let at = 0; at < length; at += SHARD_BLOCK_BYTES) {
      verifyShardBlock(frame.trailer, (offset + at) / SHARD_BLOCK_BYTES, bytes.subarray(at, at + SHARD_BLOCK_BYTES));
    }
    return bytes;
  });
}

async function judging<T>({ stripe, index, link }: ShardSite, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // A shard of a later version is not damage, and not to be judged here.
    if (isStoreError(error) && error.kind === 'unsupported') {
      throw lostOn(link, index, 'unreachable', error);
    }
    throw lossOf(error, { packId: stripe.id, index, link });
  }
}
