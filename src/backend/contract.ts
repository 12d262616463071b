/**
 * The backend contract: a holder of opaque bytes by key. Holdfast asks nothing more of a disk, a bucket or a machine.
 *
 * B1  after `put` resolves every reader sees the blob
 * B2  no reader sees part of a value; a failed or aborted put leaves the old value or none
 * B3  what was put survives a crash if and only if `capabilities.durable`
 * B4  `ifAbsent` creates exactly once, else `conflict/BLOB_EXISTS`; without the capability `unsupported`
 * B5  an absent key is `undefined`; a failure of the holder is an error, never `undefined`
 * B6  a range past the end is `invalid/BACKEND_RANGE_INVALID`, never a short read; zero length is legal
 * B7  deleting an absent key succeeds
 * B8  `list` is in byte order, each key once, honours prefix and after, and pages
 * B9  keys have a fixed alphabet and length, checked before any I/O; none escapes the root
 * B10 the caller's array is neither kept nor changed
 * B11 an already aborted signal means no I/O
 * B12 after `close` everything rejects with `closed/BACKEND_CLOSED`; closing twice is fine
 * B13 errors say whether to retry and keep their cause
 * B14 a read-only backend rejects writes with `denied/READ_ONLY`
 * B15 calls are safe side by side up to `concurrencyMax`
 * B16 values up to `blobBytesMax`, above it `exhausted/BLOB_TOO_LARGE` before any I/O
 */

export interface BackendCapabilities {
  /** B3. */
  readonly durable: boolean;
  /** B4. */
  readonly ifAbsent: boolean;
  /** B14: writes and deletes are accepted. */
  readonly writable: boolean;
  /** B15: calls the backend takes at once. */
  readonly concurrencyMax: number;
  /** B16: bytes of the largest value. */
  readonly blobBytesMax: number;
}

export interface CallOptions {
  /** Aborting rejects with the signal's reason (B11). */
  readonly signal?: AbortSignal;
}

export interface PutOptions extends CallOptions {
  /** Create only: reject when the key exists (B4). Default false: replace. */
  readonly ifAbsent?: boolean;
  /** May spend the space a backend keeps in reserve; set by delete, journal and gc only. Default false. */
  readonly spendReserve?: boolean;
}

export interface GetOptions extends CallOptions {
  /** First byte, default 0. */
  readonly offset?: number;
  /** Bytes to read, default up to the end. */
  readonly length?: number;
}

export interface ListOptions extends CallOptions {
  /** Only keys that start with this text; not bound to component borders. Default: all. */
  readonly prefix?: string;
  /** Only keys after this one in byte order. */
  readonly after?: string;
  /** Most keys in the answer, 1 to 1,000, default 1,000. Fewer than asked means the end. */
  readonly limit?: number;
}

export interface BlobInfo {
  readonly key: string;
  readonly bytes: number;
}

export interface BackendSpace {
  /** Sum of the sizes of all blobs. */
  readonly usedBytes: number;
  /** Bytes that can still be put, quota and free space considered; `undefined` when the backend cannot know. */
  readonly freeBytes?: number;
  readonly quotaBytes?: number;
}

/** See the head of this file for the numbered guarantees. All methods also throw `unavailable/BACKEND_IO` (B13). */
export interface Backend {
  readonly capabilities: BackendCapabilities;
  /**
   * Stores a value whole (B1, B2, B3, B4, B10, B16).
   * @throws `invalid/BACKEND_KEY_INVALID`, `conflict/BLOB_EXISTS`, `denied/READ_ONLY`, `exhausted/BLOB_TOO_LARGE`,
   *   `exhausted/QUOTA_EXCEEDED`, `exhausted/FREE_SPACE_LOW`, `exhausted/DISK_FULL`; nothing was stored then
   */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<void>;
  /** @returns the asked bytes, owned by the caller, or `undefined` for an absent key (B5, B6) */
  get(key: string, options?: GetOptions): Promise<Uint8Array | undefined>;
  /** @returns size of the value, or `undefined` for an absent key (B5) */
  head(key: string, options?: CallOptions): Promise<BlobInfo | undefined>;
  /** Removes a value; durable like `put` (B7). */
  delete(key: string, options?: CallOptions): Promise<void>;
  /** One page of keys with their sizes (B8). */
  list(options?: ListOptions): Promise<readonly BlobInfo[]>;
  space(options?: CallOptions): Promise<BackendSpace>;
  /** Ends running calls' acceptance and frees resources; idempotent (B12). */
  close(): Promise<void>;
}
