import { equalBytes, toHex } from '../bytes/bytes.ts';
import { type StoreError, storeError } from '../errors/store-error.ts';
import { SHARD_READ_TIMEOUT_MS } from '../limits.ts';
import type { Metadata, PackRow } from '../metadata/contract.ts';
import type { BackendSet } from '../placement/backend-set.ts';
import { Patience } from '../placement/patience.ts';
import type { ShardLoss } from '../placement/shard-loss.ts';
import type { PlacedStripe } from '../placement/stripe-reader.ts';
import type { Clock } from '../runtime/clock.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { sleep } from '../runtime/timers.ts';
import { packNumbered } from './all-packs.ts';
import { findUnknownPlaces } from './find-places.ts';
import type { Leases } from './leases.ts';
import type { PackRepair } from './shard-reports.ts';

/** What verification and repair work on: the shards of a store and the books of where they lie. Keys are not needed. */
export interface ShardStore {
  readonly backends: BackendSet;
  readonly metadata: Metadata;
  readonly clock: Clock;
  /** Draws samples. */
  readonly random: RandomBytes;
  /** False: nothing is marked, queued or put. */
  readonly writable: boolean;
  /** Absent where nobody else works on the store, or nothing may be changed. */
  readonly leases?: Leases;
  /** Told of every pack that got shards back. */
  readonly onRepair?: (repair: PackRepair) => void;
  /** How long an answer may take, milliseconds. Default one minute. */
  readonly timeoutMs?: number;
  /** Waits. Default: as the system does. */
  readonly sleep?: typeof sleep;
}

/** Patience for one job: it remembers who did not answer. */
export function patienceOf({ timeoutMs = SHARD_READ_TIMEOUT_MS }: Pick<ShardStore, 'timeoutMs'>): Patience {
  return new Patience(timeoutMs);
}

/** How a store waits. */
export function sleepOf(store: Pick<ShardStore, 'sleep'>): typeof sleep {
  return store.sleep ?? sleep;
}

/**
 * Finds the shards of packs whose places are not known, where the store is writable. A lone backend has everything there
 * is, so that it is not asked.
 */
export async function fillInPlaces(
  { metadata, backends, writable }: Pick<ShardStore, 'metadata' | 'backends' | 'writable'>,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (writable && backends.links.length > 1) await findUnknownPlaces(metadata, backends, signal);
}

/** A pack as the books have it now; `undefined` when nobody needs that encoding of it any more. */
export async function currentRow(metadata: Metadata, pack: PackRow): Promise<PackRow | undefined> {
  const row = await packNumbered(metadata, pack.number);
  return row && equalBytes(row.stripe.id, pack.stripe.id) ? row : undefined;
}

/** A pack with its places; `undefined` where they are not known. */
export function placedStripe(row: PackRow): PlacedStripe | undefined {
  return row.places && { ...row, places: row.places };
}

/** What a reader would be told of a lost shard if others did not make up for it. */
export function errorOf(packId: Uint8Array, { index, place, backend, reason, error }: ShardLoss): StoreError {
  if (error) return error;
  const id = toHex(packId);
  const shard = `shard ${index} of pack ${id}`;
  const details = { packId: id, ...(backend !== undefined && { backend }) };
  if (reason === 'corrupt') return storeError('SHARD_CORRUPT', `${shard} on ${backend} is another one`, { details });
  if (reason === 'missing') {
    const where = backend === undefined ? 'lies on no backend' : `is not on backend ${backend}`;
    return storeError('SHARD_MISSING', `${shard} ${where}`, { details });
  }
  const name = backend ?? `number ${place}`;
  const message =
    place === 0
      ? `a backend that cannot be reached may have ${shard}`
      : `backend ${name}, which has ${shard}, cannot be reached`;
  return storeError('BACKEND_UNREACHABLE', message, { details: place === 0 ? {} : { backend: name } });
}
