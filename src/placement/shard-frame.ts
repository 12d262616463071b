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
import { BLOB_BYTES_MAX } from '../limits.ts';
import type { BackendLink } from './backend-link.ts';
import type { PackKeyParts } from './stripe-writer.ts';

/** What stands around the data of a shard. */
export interface ShardFrame {
  readonly header: ShardHeader;
  readonly trailer: ShardTrailer;
  /** Of the whole blob. */
  readonly bytes: number;
}

/**
 * Reads header and trailer of a shard, not its data, and checks them against each other.
 * @returns `undefined` when the blob is gone, also when it goes meanwhile
 * @throws `corrupt/SHARD_CORRUPT`, also for the shard of another pack or of another index; `unsupported/*`; what the
 *   backend throws
 */
export async function readShardFrame(
  link: BackendLink,
  shard: { readonly pack: PackKeyParts; readonly index: number },
  signal?: AbortSignal,
): Promise<ShardFrame | undefined> {
  const { pack, index } = shard;
  const key = shardKey(pack, index);
  const options = signal && { signal };
  const info = await link.call('read', (backend) => backend.head(key, options), signal);
  if (info === undefined) return undefined;
  const part = (offset: number, length: number): Promise<Uint8Array | undefined> =>
    link.call('read', (backend) => backend.get(key, { ...options, offset, length }), signal);
  const fail = (why: string): never => {
    const details = { packId: toHex(pack.id), backendKey: key, backend: link.facts.name };
    throw storeError('SHARD_CORRUPT', `shard ${index} of pack ${toHex(pack.id)} on ${link.facts.name} ${why}`, {
      details,
    });
  };
  const { bytes } = info;
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
