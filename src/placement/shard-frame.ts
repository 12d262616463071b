import { toHex } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import {
  decodeShardHeader,
  decodeShardTrailer,
  SHARD_HEADER_BYTES,
  type ShardHeader,
  type ShardTrailer,
  shardKey,
  shardTrailerBytes,
} from '../format/index.ts';
import { BLOB_BYTES_MAX, SHARD_READ_WHOLE_BYTES_MAX } from '../limits.ts';
import type { BackendLink } from './backend-link.ts';
import type { PackKeyParts } from './stripe-writer.ts';

/** What stands around the data of a shard. */
export interface ShardFrame {
  readonly header: ShardHeader;
  readonly trailer: ShardTrailer;
  /** Of the whole blob. */
  readonly bytes: number;
}

/** A shard that was opened. */
export interface OpenedShard extends ShardFrame {
  /** All of its blob, where that is small; its data was not held against its digests. */
  readonly blob?: Uint8Array;
}

interface WantedShard {
  readonly pack: PackKeyParts;
  readonly index: number;
  /** Of its blob, as far as anybody knows. */
  readonly bytes?: number | undefined;
}

/**
 * Reads header and trailer of a shard, not its data, and checks them against each other.
 * @returns `undefined` when the blob is gone, also when it goes meanwhile
 * @throws `corrupt/SHARD_CORRUPT`, also for the shard of another pack or of another index; `unsupported/*`; what the
 *   backend throws
 */
export async function readShardFrame(
  link: BackendLink,
  shard: WantedShard,
  signal?: AbortSignal,
): Promise<ShardFrame | undefined> {
  const bytes = await sizeOf(link, shard, signal);
  if (bytes === undefined) return undefined;
  const key = shardKey(shard.pack, shard.index);
  const part: ReadPart = (offset, length) =>
    link.call('read', (backend) => backend.get(key, { ...(signal && { signal }), offset, length }), signal);
  return await decodeFrame({ link, shard, bytes }, part);
}

/**
 * As `readShardFrame`; a small shard is read whole, in one request where its size is known, for whoever needs more of it.
 * @returns and throws as that
 */
export async function openShard(
  link: BackendLink,
  shard: WantedShard,
  signal?: AbortSignal,
): Promise<OpenedShard | undefined> {
  const expected = shard.bytes ?? (await sizeOf(link, shard, signal));
  if (expected === undefined) return undefined;
  if (expected > SHARD_READ_WHOLE_BYTES_MAX) return await readShardFrame(link, shard, signal);
  const key = shardKey(shard.pack, shard.index);
  const blob = await link.call('read', (backend) => backend.get(key, signal && { signal }), signal);
  if (blob === undefined) return undefined;
  // Copies: whoever is done with the data of the pack may discard all of the blob.
  const part: ReadPart = async (offset, length) => blob.slice(offset, offset + length);
  const frame = await decodeFrame({ link, shard, bytes: blob.length }, part);
  return frame && { ...frame, blob };
}

type ReadPart = (offset: number, length: number) => Promise<Uint8Array | undefined>;

async function sizeOf(link: BackendLink, { pack, index }: WantedShard, signal?: AbortSignal) {
  const key = shardKey(pack, index);
  const info = await link.call('read', (backend) => backend.head(key, signal && { signal }), signal);
  return info?.bytes;
}

async function decodeFrame(
  { link, shard, bytes }: { readonly link: BackendLink; readonly shard: WantedShard; readonly bytes: number },
  part: ReadPart,
): Promise<ShardFrame | undefined> {
  const { pack, index } = shard;
  const fail = (why: string): never => {
    const details = { packId: toHex(pack.id), backendKey: shardKey(pack, index), backend: link.facts.name };
    throw storeError('SHARD_CORRUPT', `shard ${index} of pack ${toHex(pack.id)} on ${link.facts.name} ${why}`, {
      details,
    });
  };
  if (bytes < SHARD_HEADER_BYTES || bytes > BLOB_BYTES_MAX) return fail(`has ${bytes} bytes`);
  const front = await part(0, SHARD_HEADER_BYTES);
  if (front === undefined) return undefined;
  const header = decodeShardHeader(front);
  if (toHex(header.pack) !== toHex(pack.id) || header.index !== index) return fail('is another shard');
  const trailerBytes = shardTrailerBytes(header);
  const dataEnd = SHARD_HEADER_BYTES + header.shardBytes;
  if (bytes !== dataEnd + trailerBytes) return fail(`has ${bytes} bytes, not ${dataEnd + trailerBytes}`);
  const tail = await part(dataEnd, trailerBytes);
  return tail && { header, trailer: decodeShardTrailer(tail, header), bytes };
}
