import { checkInteger } from '../errors/argument-error.ts';
import { BACKEND_CONCURRENCY_MAX, BLOB_BYTES_MAX, RESERVE_BYTES } from '../limits.ts';
import { BaseBackend, type CheckedListOptions } from './base-backend.ts';
import { blobExistsError, resolveRange } from './blob-range.ts';
import type { BackendSpace, BlobInfo, GetOptions, PutOptions } from './contract.ts';
import { fitsQuota, quotaError } from './quota.ts';

/** Bounds of a backend in memory. */
export interface MemoryBackendOptions {
  /** Most bytes of all blobs together. Default: no bound. */
  readonly quotaBytes?: number;
  /** Bytes by which calls with `spendReserve` may pass the quota. Default 16 MiB. */
  readonly reserveBytes?: number;
}

/**
 * A backend that forgets everything with its process: for tests, for caches, and the model the other backends are
 * compared with. Values are copied on their way in and out (B10).
 */
export class MemoryBackend extends BaseBackend {
  readonly #blobs = new Map<string, Uint8Array>();
  readonly #quotaBytes: number | undefined;
  readonly #reserveBytes: number;
  #usedBytes = 0;
  /** Keys in order; `undefined` after a key came or went. */
  #ordered: readonly string[] | undefined;

  constructor(options: MemoryBackendOptions = {}) {
    super({
      durable: false,
      ifAbsent: true,
      writable: true,
      concurrencyMax: BACKEND_CONCURRENCY_MAX,
      blobBytesMax: BLOB_BYTES_MAX,
    });
    if (options.quotaBytes !== undefined) checkInteger('quotaBytes', options.quotaBytes, { min: 0 });
    this.#quotaBytes = options.quotaBytes;
    this.#reserveBytes = checkInteger('reserveBytes', options.reserveBytes ?? RESERVE_BYTES, { min: 0 });
  }

  /**
   * Asks for what an ordinary put would be refused; see `FsBackend.checkRoom`.
   * @throws `exhausted/QUOTA_EXCEEDED`, `closed/BACKEND_CLOSED`
   */
  async checkRoom(bytes: number): Promise<void> {
    await this.run({}, async () => {
      if (this.#quotaBytes === undefined) return;
      const demand = { usedBytes: this.#usedBytes, growthBytes: bytes, quotaBytes: this.#quotaBytes };
      if (!fitsQuota(demand)) throw quotaError(demand);
    });
  }

  protected override async putBlob(key: string, bytes: Uint8Array, options: PutOptions): Promise<void> {
    const old = this.#blobs.get(key);
    if (old && options.ifAbsent) throw blobExistsError(key);
    const growthBytes = bytes.length - (old?.length ?? 0);
    if (this.#quotaBytes !== undefined) {
      const quotaBytes = this.#quotaBytes + (options.spendReserve ? this.#reserveBytes : 0);
      const demand = { key, usedBytes: this.#usedBytes, growthBytes, quotaBytes };
      if (!fitsQuota(demand)) throw quotaError(demand);
    }
    this.#blobs.set(key, new Uint8Array(bytes));
    this.#usedBytes += growthBytes;
    if (!old) this.#ordered = undefined;
  }

  protected override async getBlob(key: string, options: GetOptions): Promise<Uint8Array | undefined> {
    const blob = this.#blobs.get(key);
    if (!blob) return undefined;
    const { start, end } = resolveRange(key, options, blob.length);
    return blob.slice(start, end);
  }

  protected override async headBlob(key: string): Promise<BlobInfo | undefined> {
    const blob = this.#blobs.get(key);
    return blob && { key, bytes: blob.length };
  }

  protected override async deleteBlob(key: string): Promise<void> {
    const blob = this.#blobs.get(key);
    if (!blob) return;
    this.#blobs.delete(key);
    this.#usedBytes -= blob.length;
    this.#ordered = undefined;
  }

  protected override async listBlobs(options: CheckedListOptions): Promise<readonly BlobInfo[]> {
    const { prefix, after, limit } = options;
    // Keys are ASCII, so the order of UTF-16 units that `sort` uses is byte order.
    this.#ordered ??= [...this.#blobs.keys()].sort();
    const page: BlobInfo[] = [];
    for (const key of this.#ordered) {
      if (!key.startsWith(prefix) || (after !== undefined && key <= after)) continue;
      page.push({ key, bytes: this.#blobs.get(key)?.length ?? 0 });
      if (page.length === limit) break;
    }
    return page;
  }

  protected override async measureSpace(): Promise<BackendSpace> {
    const usedBytes = this.#usedBytes;
    if (this.#quotaBytes === undefined) return { usedBytes };
    return { usedBytes, quotaBytes: this.#quotaBytes, freeBytes: Math.max(0, this.#quotaBytes - usedBytes) };
  }

  protected override async release(): Promise<void> {
    this.#blobs.clear();
    this.#ordered = undefined;
  }
}
