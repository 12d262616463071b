/** Makes one backend hold what another one holds, and nothing else: each blob copied, read back and compared. */
import type { Backend, BlobInfo } from '../../backend/contract.ts';
import { listAll } from '../../backend/list-all.ts';
import { equalBytes } from '../../bytes/bytes.ts';
import { storeError } from '../../errors/store-error.ts';
import { JOURNAL_PREFIX, PACKS_PREFIX, STORE_CONFIG_KEY } from '../../format/index.ts';
import { MIGRATION_BATCH_BLOBS, MIGRATION_COPIES_MAX } from '../../limits.ts';
import { Semaphore } from '../../runtime/semaphore.ts';
import { MARK_KEYS } from './migration-mark.ts';

export interface CopyJob {
  readonly from: Backend;
  readonly to: Backend;
  /** Blobs up to this key are known to be the same where their name says so: see `isNamedOnce`. */
  readonly verifiedTo: string;
  readonly signal?: AbortSignal | undefined;
  /** After each blob that is the same at both now. @param copied its bytes, 0 for one that was there */
  readonly onBlob?: ((blob: BlobInfo, copied: number) => void) | undefined;
  /** After each batch, with its last key. */
  readonly onBatch?: ((key: string) => Promise<void>) | undefined;
}

/** After every key. */
export const ALL_KEYS = '\uffff';

/** A name of a pack stands for the same bytes for ever; other blobs are written again under theirs. */
function isNamedOnce(key: string): boolean {
  return key.startsWith(PACKS_PREFIX) || key.startsWith(JOURNAL_PREFIX);
}

/** The config is written last, by who ends the move: before, there is no store at the target. */
function isCopied({ key }: BlobInfo): boolean {
  return key !== STORE_CONFIG_KEY && !MARK_KEYS.has(key);
}

/** All blobs that a copy is about, in byte order. */
export async function* copiedBlobs(backend: Backend, signal?: AbortSignal): AsyncGenerator<BlobInfo> {
  for await (const blob of listAll(backend, signal && { signal })) if (isCopied(blob)) yield blob;
}

/** @throws what the backends throw, `unavailable/BACKEND_IO` for a target that gives back other bytes than it got */
export async function copyBlobs(job: CopyJob): Promise<void> {
  const there = copiedBlobs(job.to, job.signal);
  let other = await there.next();
  let batch: Pair[] = [];
  for await (const blob of copiedBlobs(job.from, job.signal)) {
    for (; !other.done && isBefore(other.value.key, blob.key); other = await there.next())
      batch.push({ key: other.value.key });
    const isThere = !other.done && other.value.key === blob.key && other.value.bytes === blob.bytes;
    batch.push({ key: blob.key, blob, isThere });
    if (!other.done && other.value.key === blob.key) other = await there.next();
    if (batch.length < MIGRATION_BATCH_BLOBS) continue;
    await settle(batch, job);
    batch = [];
  }
  for (; !other.done; other = await there.next()) batch.push({ key: other.value.key });
  await settle(batch, job);
}

/** A blob of the source, or what only the target has. */
interface Pair {
  readonly key: string;
  readonly blob?: BlobInfo;
  /** Whether the target has as many bytes under its key. */
  readonly isThere?: boolean;
}

/** Keys are ASCII: their order as texts is that of their bytes. */
function isBefore(a: string, b: string): boolean {
  return a < b;
}

async function settle(batch: readonly Pair[], job: CopyJob): Promise<void> {
  const slots = new Semaphore(MIGRATION_COPIES_MAX);
  const outcomes = await Promise.allSettled(
    batch.map(async (pair) => {
      await slots.acquire(1, job.signal);
      try {
        await settleOne(pair, job);
      } finally {
        slots.release();
      }
    }),
  );
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  const last = batch.at(-1);
  if (last) await job.onBatch?.(last.key);
}

async function settleOne({ key, blob, isThere = false }: Pair, job: CopyJob): Promise<void> {
  const { from, to, signal } = job;
  const options = signal && { signal };
  if (blob === undefined) return await to.delete(key, options);
  if (isThere && isNamedOnce(key) && key <= job.verifiedTo) return job.onBlob?.(blob, 0);
  const bytes = await from.get(key, options);
  // Deleted since it was listed.
  if (bytes === undefined) return await to.delete(key, options);
  const isSame = async (): Promise<boolean> => equalBytes((await to.get(key, options)) ?? new Uint8Array(0), bytes);
  if (isThere && (await isSame())) return job.onBlob?.(blob, 0);
  await to.put(key, bytes, options);
  if (!(await isSame())) {
    const message = `the target does not give back what it was given under ${key}: the move was stopped`;
    throw storeError('BACKEND_IO', message, { retry: false, details: { backendKey: key } });
  }
  job.onBlob?.(blob, bytes.length);
}
