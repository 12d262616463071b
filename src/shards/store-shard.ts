import type { Backend } from '../backend/contract.ts';
import { argumentTypeError } from '../errors/argument-error.ts';
import { isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import { isShard, setShardBytes } from './good-shards.ts';
import type { SetShard, ShardLocation, ShardSet } from './shard-set.ts';

/**
 * How a shard is looked for once its backend has said that it is stored.
 * - `length`: its size is asked for
 * - `bytes`: it is read back and compared
 */
export type ShardConfirmation = 'length' | 'bytes';

/** @throws TypeError for what is no way to confirm */
export function checkConfirmation(confirm: ShardConfirmation): ShardConfirmation {
  if (confirm === 'length' || confirm === 'bytes') return confirm;
  throw argumentTypeError('confirm', "'length' or 'bytes'", confirm);
}

/** A shard on its way to a backend. */
export interface ShardUpload {
  /** With the bytes of the shard. */
  readonly set: ShardSet;
  readonly index: number;
  readonly location: ShardLocation;
  readonly confirm: ShardConfirmation;
  /** Puts it over a blob that is there: it is known to be this shard's own, and wrong. */
  readonly replaces: boolean;
  /** Called right before the put: from then on there may be a blob that nobody had before. */
  readonly onPut: () => void;
  readonly signal: AbortSignal;
}

/**
 * Stores a shard and makes sure that it is there. One that is there already is left alone; so is a blob that is
 * something else, unless it is to be replaced.
 * @throws `conflict/BLOB_EXISTS` where something else is in its place; `corrupt/SHARD_CORRUPT` where the backend says
 *   that it is stored and it is not; what the backend throws; the signal's reason
 */
export async function storeShard(backend: Backend, upload: ShardUpload): Promise<void> {
  const { location, signal, replaces } = upload;
  const { bytes } = upload.set.shards[upload.index] as SetShard & { readonly bytes: Uint8Array };
  if (!replaces && (await backend.head(location.key, { signal })) !== undefined) return await adopt(backend, upload);
  const ifAbsent = !replaces && backend.capabilities.ifAbsent;
  upload.onPut();
  try {
    await backend.put(location.key, bytes, { ifAbsent, signal });
  } catch (error) {
    // A put that failed for want of the backend may have been done all the same; only the bytes tell.
    const isUnclear = isStoreError(error) && error.kind === 'unavailable' && !signal.aborted;
    if (isUnclear && (await isStored(backend, { ...upload, confirm: 'bytes' }))) return;
    throw error;
  }
  if (!(await isStored(backend, upload))) throw notStored(upload);
}

async function adopt(backend: Backend, upload: ShardUpload): Promise<void> {
  if (await isStored(backend, { ...upload, confirm: 'bytes' })) return;
  const message = `another blob is in the place of shard ${upload.index}; it was left alone`;
  throw storeError('BLOB_EXISTS', message, { details: { backendKey: upload.location.key } });
}

async function isStored(backend: Backend, upload: ShardUpload): Promise<boolean> {
  const { set, index, location, confirm, signal } = upload;
  const length = setShardBytes(set);
  // Who put it may have died, or failed, before a crash could no longer undo it.
  const info = await backend.head(location.key, { signal, durable: true });
  if (info?.bytes !== length) return false;
  if (confirm === 'length') return true;
  const bytes = await backend.get(location.key, { offset: 0, length, signal });
  return bytes !== undefined && isShard(set, index, bytes);
}

function notStored({ index, location }: ShardUpload): StoreError {
  const message = `${location.backend} said that shard ${index} is stored, and has something else or nothing`;
  return storeError('SHARD_CORRUPT', message, { details: { backendKey: location.key } });
}
