/** What a shard holds: its header, its trailer, which of its blocks are good, and of a pack that is one shard the pack. */
import { toHex } from '../../bytes/bytes.ts';
import {
  DIGEST_BYTES,
  decodeShardHeader,
  decodeShardTrailer,
  SHARD_HEADER_BYTES,
  type ShardHeader,
  type ShardTrailer,
  shardTrailerBytes,
  verifyShardBlock,
} from '../../format/index.ts';
import { SHARD_BLOCK_BYTES, SHARD_READ_PIECE_BYTES_MAX, STRIPE_SHARDS_MAX } from '../../limits.ts';
import { type ByteSource, sourcePart } from './byte-source.ts';
import type { Findings } from './findings.ts';
import { describeHeader, inspectPack, inspectPackHeader } from './inspect-pack.ts';
import type { InspectedPack, InspectedShard, Inspection } from './report.ts';

/** Blocks that are told by their index. */
const BLOCKS_TOLD_MAX = 1000;
/** More than the trailer of a shard whose header is damaged can have: its tail says how much of it there is. */
const TRAILER_BYTES_MAX = 512 * 1024 + STRIPE_SHARDS_MAX * DIGEST_BYTES;

/** The shard that a source is. */
export async function inspectShard(
  source: ByteSource,
  findings: Findings,
): Promise<Pick<Inspection, 'shard' | 'pack'>> {
  const header = await findings.part('shard header', async () =>
    decodeShardHeader(await source.read(0, SHARD_HEADER_BYTES)),
  );
  const trailerBytes = Math.min(source.bytes, header ? shardTrailerBytes(header) : TRAILER_BYTES_MAX);
  const trailer = await findings.part('shard trailer', async () =>
    decodeShardTrailer(await source.read(source.bytes - trailerBytes, trailerBytes), header),
  );
  const data = dataOf(source, header, trailer);
  const damagedBlocks = header && trailer && data && (await badBlocks(data, trailer, findings));
  const shard: InspectedShard = {
    ...(header && { header: describeShardHeader(header) }),
    ...(trailer && { trailer: { blocks: trailer.digests.length / DIGEST_BYTES, roots: rootTexts(trailer.roots) } }),
    ...(damagedBlocks && { damagedBlocks: Object.freeze(damagedBlocks) }),
  };
  const pack = data && (await packIn(data, header, { trailer, findings }));
  return { shard, ...(pack && { pack }) };
}

/** Its data: by the header, or where that is damaged by the trailer. */
function dataOf(
  source: ByteSource,
  header: ShardHeader | undefined,
  trailer: ShardTrailer | undefined,
): ByteSource | undefined {
  if (header) return sourcePart(source, SHARD_HEADER_BYTES, header.shardBytes);
  if (trailer === undefined) return undefined;
  const shards = trailer.roots.length / DIGEST_BYTES;
  const blocks = trailer.digests.length / DIGEST_BYTES;
  const after = shardTrailerBytes({ shardBytes: blocks * SHARD_BLOCK_BYTES, k: shards, m: 0 });
  return sourcePart(source, SHARD_HEADER_BYTES, source.bytes - SHARD_HEADER_BYTES - after);
}

/** Of one data shard the pack is whole, of more the first shard has its header. */
async function packIn(
  data: ByteSource,
  header: ShardHeader | undefined,
  { trailer, findings }: { readonly trailer: ShardTrailer | undefined; readonly findings: Findings },
): Promise<InspectedPack | undefined> {
  const isWhole = header ? header.k === 1 : trailer?.roots.length === DIGEST_BYTES;
  if (isWhole) return await inspectPack(data, findings, header);
  if (header?.index !== 0) return undefined;
  const front = await inspectPackHeader(data, findings, header);
  return { bytes: header.packBytes, ...(front && { header: describeHeader(front) }) };
}

async function badBlocks(data: ByteSource, trailer: ShardTrailer, findings: Findings): Promise<number[]> {
  const bad: number[] = [];
  for (let offset = 0; offset < data.bytes; offset += SHARD_READ_PIECE_BYTES_MAX) {
    const piece = await data.read(offset, SHARD_READ_PIECE_BYTES_MAX);
    for (let at = 0; at < piece.length; at += SHARD_BLOCK_BYTES) {
      const index = (offset + at) / SHARD_BLOCK_BYTES;
      const isGood = await findings.part(`shard block ${index}`, () => {
        verifyShardBlock(trailer, index, piece.subarray(at, at + SHARD_BLOCK_BYTES));
        return true;
      });
      if (!isGood && bad.length < BLOCKS_TOLD_MAX) bad.push(index);
    }
  }
  return bad;
}

function rootTexts(roots: Uint8Array): readonly string[] {
  const texts: string[] = [];
  for (let at = 0; at < roots.length; at += DIGEST_BYTES) texts.push(toHex(roots.subarray(at, at + DIGEST_BYTES)));
  return Object.freeze(texts);
}

function describeShardHeader(header: ShardHeader): NonNullable<InspectedShard['header']> {
  const { store, pack, stripeId, matrix, index, k, m, packBytes, shardBytes } = header;
  return {
    ...{ store: toHex(store), pack: toHex(pack), stripe: toHex(stripeId) },
    ...{ matrix, index, k, m, packBytes, shardBytes },
  };
}
