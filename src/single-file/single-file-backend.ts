import { dirname } from 'node:path';
import { BaseBackend, type CheckedListOptions } from '../backend/base-backend.ts';
import type { BackendSpace, BlobInfo, CallOptions, GetOptions, PutOptions } from '../backend/contract.ts';
import { quotaError } from '../backend/quota.ts';
import { storeError } from '../errors/store-error.ts';
import { BACKEND_CONCURRENCY_MAX, BLOB_BYTES_MAX } from '../limits.ts';
import type { Metadata } from '../metadata/contract.ts';
import { ThreadedMetadata } from '../metadata/threaded-metadata.ts';
import { nodeFileSystem } from '../runtime/file-system.ts';
import type { FileUse } from './blob-table.ts';
import { fileError } from './file-error.ts';
import type { PageUse } from './file-tables.ts';
import type { FileThread } from './file-thread.ts';
import { ROW_HEADER_BYTES } from './row-header.ts';
import { bytesInPages, layRows } from './row-layout.ts';

/** What `openSingleFile` has made ready. */
export interface SingleFileParts {
  readonly thread: FileThread;
  readonly path: string;
  readonly readOnly: boolean;
  readonly quotaBytes: number | undefined;
  readonly freeBytesMin: number;
  readonly reserveBytes: number;
}

/** How the metadata in the file is opened. */
export interface FileMetadataOptions {
  /** 16 bytes. */
  readonly storeId: Uint8Array;
  readonly sealed: boolean;
  /** Makes the metadata when the file has none. */
  readonly create: boolean;
  readonly readOnly: boolean;
  readonly busyTimeoutMs: number;
}

/**
 * Blobs as rows of a SQLite file, which holds the metadata of their store, too. Open it with `openSingleFile`.
 *
 * A blob is put in one transaction, which is synced to the log: a reader or a crash finds it whole or not at all. Several
 * processes may use one file. Of a file with a capacity the last pages are kept for calls that may spend the reserve.
 */
export class SingleFileBackend extends BaseBackend {
  readonly path: string;
  readonly #parts: SingleFileParts;
  readonly #thread: FileThread;

  constructor(parts: SingleFileParts) {
    super({
      durable: true,
      ifAbsent: true,
      writable: !parts.readOnly,
      concurrencyMax: BACKEND_CONCURRENCY_MAX,
      blobBytesMax: BLOB_BYTES_MAX,
    });
    this.path = parts.path;
    this.#parts = parts;
    this.#thread = parts.thread;
  }

  /**
   * The metadata in this file, over the same connection. Close it before the backend.
   * @throws as `openSqliteMetadata`
   */
  async openMetadata(options: FileMetadataOptions): Promise<Metadata> {
    return await this.run({}, async () => {
      await this.#thread.call('openMetadata', [{ path: this.path, ...options }]);
      // The thread lives as long as the backend does.
      const call: FileThread['call'] = (method, args, how) => this.#thread.call(method, args, how);
      return new ThreadedMetadata({ call, terminate: async () => undefined });
    });
  }

  /**
   * Marks the file, which must be open for this backend alone, as replaced by another: nobody can open it any more but
   * a rebuild.
   */
  async setAside(): Promise<void> {
    await this.run({}, () => this.#ask('set aside', () => this.#thread.call('setFileAside', [])));
  }

  /** Moves free pages to the end of the file and cuts them off, up to so many. @returns what is left */
  async compactStep(pagesMax: number): Promise<PageUse> {
    return await this.run({}, () =>
      this.#ask('compact', async () => (await this.#thread.call('compactStep', [pagesMax])) as PageUse),
    );
  }

  /** Writes the log back and empties it. @returns false when somebody reads an older state just now */
  async truncateLog(): Promise<boolean> {
    return await this.run({}, () =>
      this.#ask('compact', async () => (await this.#thread.call('truncateLog', [])) as boolean),
    );
  }

  /** The file as it is used now. @throws `unavailable/BACKEND_IO`, `closed/BACKEND_CLOSED` */
  async use(options: CallOptions = {}): Promise<FileUse> {
    return await this.run(options, () => this.#ask('space', () => this.#use(options.signal)));
  }

  /**
   * Asks for what an ordinary put would be refused; see `FsBackend.checkRoom`.
   * @throws `exhausted/QUOTA_EXCEEDED`, `exhausted/FREE_SPACE_LOW`, `exhausted/DISK_FULL`, `unavailable/BACKEND_IO`,
   *   `closed/BACKEND_CLOSED`
   */
  async checkRoom(bytes: number): Promise<void> {
    await this.run({}, async () => {
      await this.#checkBounds(bytes);
      await this.#checkDisk(bytes);
    });
  }

  /** @throws `exhausted/QUOTA_EXCEEDED` */
  async #checkBounds(bytes: number): Promise<void> {
    const { quotaBytes } = this.#parts;
    if (this.#thread.state.capacityBytes === 0 && quotaBytes === undefined) return;
    const use = await this.#ask('space', () => this.#use());
    const { blobBytes: usedBytes, capacityBytes } = use;
    if (quotaBytes !== undefined && usedBytes + bytes > quotaBytes) {
      throw quotaError({ usedBytes, growthBytes: bytes, quotaBytes });
    }
    if (capacityBytes > 0 && bytes > this.#freeBytesOf(use)) {
      throw quotaError({ usedBytes, growthBytes: bytes, quotaBytes: capacityBytes });
    }
  }

  protected override async putBlob(key: string, bytes: Uint8Array, options: PutOptions): Promise<void> {
    const { ifAbsent = false, spendReserve = false } = options;
    if (!spendReserve) await this.#checkDisk(bytes.length);
    // From here on the put is made: an abort that comes later comes too late.
    options.signal?.throwIfAborted();
    const rows = this.#lay(bytes);
    const bounds = {
      ifAbsent,
      quotaBytes: this.#quotaOf(spendReserve),
      reservePages: spendReserve ? 0 : this.#reservePages(),
    };
    const blob = { key, bytes: bytes.length, rows };
    await this.#ask('put', () => this.#thread.call('putBlob', [blob, bounds], { transfer: [rows.buffer] }), key);
  }

  protected override async getBlob(key: string, options: GetOptions): Promise<Uint8Array | undefined> {
    const { offset, length, signal } = options;
    const range = { ...(offset !== undefined && { offset }), ...(length !== undefined && { length }) };
    return (await this.#ask('get', () => this.#thread.call('getBlob', [key, range], { signal }), key)) as
      | Uint8Array
      | undefined;
  }

  protected override async headBlob(key: string, { signal }: CallOptions): Promise<BlobInfo | undefined> {
    return (await this.#ask('head', () => this.#thread.call('headBlob', [key], { signal }), key)) as
      | BlobInfo
      | undefined;
  }

  protected override async deleteBlob(key: string): Promise<void> {
    await this.#ask('delete', () => this.#thread.call('deleteBlob', [key]), key);
  }

  protected override async listBlobs(options: CheckedListOptions): Promise<readonly BlobInfo[]> {
    const { prefix, after, limit, signal } = options;
    return (await this.#ask('list', () =>
      this.#thread.call('listBlobs', [{ prefix, after, limit }], { signal }),
    )) as readonly BlobInfo[];
  }

  protected override async measureSpace({ signal }: CallOptions): Promise<BackendSpace> {
    const use = await this.#ask('space', () => this.#use(signal));
    const { blobBytes: usedBytes, capacityBytes } = use;
    const bounds = [this.#parts.quotaBytes ?? Number.POSITIVE_INFINITY, capacityBytes || Number.POSITIVE_INFINITY];
    const quotaBytes = Math.min(...bounds);
    const freeBytes = Math.max(
      0,
      Math.min(
        (this.#parts.quotaBytes ?? Number.POSITIVE_INFINITY) - usedBytes,
        capacityBytes > 0 ? this.#freeBytesOf(use) : Number.POSITIVE_INFINITY,
        Math.floor(((await nodeFileSystem.freeBytes(dirname(this.path))) - this.#diskBytesKept()) / COPIES),
      ),
    );
    return { usedBytes, freeBytes, ...(Number.isFinite(quotaBytes) && { quotaBytes }) };
  }

  protected override async release(): Promise<void> {
    try {
      await this.#thread.call('closeFile', []);
    } finally {
      await this.#thread.terminate();
    }
  }

  /** The one copy of a put: rows with room for their headers, in a buffer that moves to the thread. */
  #lay(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const parts = layRows(this.#thread.geometry, bytes.length);
    const last = parts.at(-1);
    const rows = new Uint8Array(last ? last.at + last.shape.dataBytes : 0);
    for (const { shape, contentBytes, contentAt, at } of parts) {
      rows.set(bytes.subarray(contentAt, contentAt + contentBytes), at + shape.start + ROW_HEADER_BYTES);
    }
    return rows;
  }

  async #use(signal?: AbortSignal): Promise<FileUse> {
    return (await this.#thread.call('useOfFile', [], { signal })) as FileUse;
  }

  #quotaOf(spendReserve: boolean): number | undefined {
    const { quotaBytes, reserveBytes } = this.#parts;
    return quotaBytes === undefined ? undefined : quotaBytes + (spendReserve ? reserveBytes : 0);
  }

  /** The reserve is for deletes in a file that is full; it must leave most of a small one to its blobs. */
  #reservePages(): number {
    const { capacityBytes } = this.#thread.state;
    const bytes = Math.min(this.#parts.reserveBytes, capacityBytes / RESERVE_SHARE);
    return Math.ceil(bytes / this.#thread.geometry.pageBytes);
  }

  #freeBytesOf({ capacityBytes, pages, freePages, pageBytes }: FileUse): number {
    const room = Math.floor(capacityBytes / pageBytes) - (pages - freePages) - this.#reservePages();
    return bytesInPages(this.#thread.geometry, room);
  }

  /**
   * Bytes of the disk that ordinary puts leave alone: what the caller wants free and, of a file that grows, the reserve.
   * Deletes need room for the log before anything can become free.
   */
  #diskBytesKept(): number {
    const { freeBytesMin, reserveBytes } = this.#parts;
    return freeBytesMin + (this.#thread.state.capacityBytes > 0 ? 0 : reserveBytes);
  }

  /** @throws `exhausted/FREE_SPACE_LOW`, `exhausted/DISK_FULL` */
  async #checkDisk(bytes: number): Promise<void> {
    const kept = this.#diskBytesKept();
    if (kept === 0) return;
    const free = await nodeFileSystem.freeBytes(dirname(this.path));
    // Once in the log and once in the file.
    if (free >= COPIES * bytes + kept) return;
    const { freeBytesMin } = this.#parts;
    const details = { path: this.path, size: bytes, expected: freeBytesMin, actual: free };
    if (free >= COPIES * bytes + freeBytesMin) {
      const message = `${this.path} cannot grow: what is left of the disk is kept for deletes`;
      throw storeError('DISK_FULL', message, { details: { path: this.path } });
    }
    const message = `${bytes} more bytes would leave less than ${freeBytesMin} free on the disk of ${this.path}`;
    throw storeError(freeBytesMin > 0 ? 'FREE_SPACE_LOW' : 'DISK_FULL', message, { details });
  }

  /** Turns what the file says into errors of a backend (B13). */
  async #ask<T>(action: string, work: () => Promise<T>, key?: string): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw fileError(error, { action, path: this.path, key });
    }
  }
}

/** What is put lies in the log before it lies in the file. */
const COPIES = 2;
/** A reserve is no more than this part of a capacity. */
const RESERVE_SHARE = 8;
