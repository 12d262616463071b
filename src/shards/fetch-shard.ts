import type { Backend } from '../backend/contract.ts';
import { EMPTY_BYTES } from '../bytes/bytes.ts';
import { type StoreError, storeError } from '../errors/store-error.ts';
import { isShard, setShardBytes } from './good-shards.ts';
import { backendError, type NamedBackends } from './named-backends.ts';
import { isLoss, type ShardLoss } from './shard-loss.ts';
import type { ShardLocation, ShardSet } from './shard-set.ts';

/** A shard of a set, and where it has to be looked for. */
export interface WantedShard {
  readonly set: ShardSet;
  readonly index: number;
  /** Asks for the size of the blob too, so that one that goes on after the shard is corrupt. */
  readonly isExact?: boolean;
}

/**
 * Reads one shard and checks it: no more bytes than it has, and only those with its digest.
 * @returns its bytes, or why there are none
 * @throws the signal's reason
 */
export function fetchShard(
  backends: NamedBackends,
  wanted: WantedShard,
  signal?: AbortSignal,
): Promise<Uint8Array | ShardLoss> {
  return ask(backends, wanted, { signal, read: (backend, inner) => readShard(backend, wanted, inner) });
}

/**
 * Asks whether a blob of the right size is there, without reading it.
 * @returns `undefined` when it is
 * @throws the signal's reason
 */
export async function findShard(
  backends: NamedBackends,
  wanted: WantedShard,
  signal?: AbortSignal,
): Promise<ShardLoss | undefined> {
  const found = await ask(backends, wanted, {
    signal,
    read: async (backend, inner) => ((await hasSize(backend, wanted, inner)) ? EMPTY_BYTES : undefined),
  });
  return isLoss(found) ? found : undefined;
}

async function ask(
  backends: NamedBackends,
  { set, index }: WantedShard,
  how: {
    readonly read: (backend: Backend, signal: AbortSignal) => Promise<Uint8Array | undefined>;
    readonly signal: AbortSignal | undefined;
  },
): Promise<Uint8Array | ShardLoss> {
  const location = set.shards[index]?.location;
  if (location === undefined) return { index, reason: 'unplaced' };
  try {
    const bytes = await backends.call(location.backend, how.read, how.signal);
    return bytes ?? { index, reason: 'missing', location };
  } catch (error) {
    how.signal?.throwIfAborted();
    return lossOf(backendError(error), index, location);
  }
}

/** A loss as what a backend's error means. */
function lossOf({ code, message }: StoreError, index: number, location: ShardLocation): ShardLoss {
  const isWrong = code === 'SHARD_CORRUPT' || code === 'BACKEND_RANGE_INVALID';
  return { index, reason: isWrong ? 'corrupt' : 'unreachable', location, code, message };
}

async function readShard(backend: Backend, wanted: WantedShard, signal: AbortSignal): Promise<Uint8Array | undefined> {
  const key = keyOf(wanted);
  if (wanted.isExact && !(await hasSize(backend, wanted, signal))) return undefined;
  const bytes = await backend.get(key, { offset: 0, length: setShardBytes(wanted.set), signal });
  if (bytes !== undefined && !isShard(wanted.set, wanted.index, bytes)) throw shardCorrupt(wanted, 'is something else');
  return bytes;
}

/** @returns false when there is no blob @throws `corrupt/SHARD_CORRUPT` for one of another size */
async function hasSize(backend: Backend, wanted: WantedShard, signal: AbortSignal): Promise<boolean> {
  const info = await backend.head(keyOf(wanted), { signal });
  if (info === undefined) return false;
  const expected = setShardBytes(wanted.set);
  if (info.bytes !== expected) throw shardCorrupt(wanted, `has ${info.bytes} bytes, not ${expected}`);
  return true;
}

function shardCorrupt(wanted: WantedShard, problem: string): StoreError {
  return storeError('SHARD_CORRUPT', `what lies in the place of shard ${wanted.index} ${problem}`, {
    details: { backendKey: keyOf(wanted) },
  });
}

function keyOf({ set, index }: WantedShard): string {
  return set.shards[index]?.location?.key ?? '';
}
