/**
 * The backend contract: a holder of opaque bytes by key. Holdfast asks nothing more of a disk, a bucket or a machine.
 *
 * B1  after `put` resolves every reader sees the blob
 * B2  no reader sees part of a value; a refused or aborted put leaves the old value or none. Only after
 *     `unavailable/BACKEND_IO` the outcome is unknown: then the old or the new value is there, whole
 * B3  what was put survives a crash if and only if `capabilities.durable`; what a put did not end with is found by readers
 *     and may not survive, but for what `head` and `list` find that were asked for what is `durable`
 * B4  `ifAbsent` creates exactly once, else `conflict/BLOB_EXISTS`; without the capability `unsupported`
 * B5  an absent key is `undefined`; a failure of the holder is an error, never `undefined`
 * B6  a range past the end is `invalid/BACKEND_RANGE_INVALID`, never a short read; zero length is legal
 * B7  deleting an absent key succeeds
 * B8  `list` is in byte order, each key once, honours prefix and after, and pages
 * B9  keys have a fixed alphabet and length, checked before any I/O; none escapes the root. No key may be a folder
 *     of another (`a` beside `a/b`): a backend made of folders answers that with `unavailable/BACKEND_IO`, no retry
 * B10 the caller's array is not changed, and not kept once `put` has settled; what `get` gives is the caller's alone
 * B11 an already aborted signal means no I/O
 * B12 after `close` everything rejects with `closed/BACKEND_CLOSED`; closing twice is fine
 * B13 errors say whether to retry and keep their cause
 * B14 a read-only backend rejects writes with `denied/READ_ONLY`
 * B15 calls are safe side by side up to `concurrencyMax`
 * B16 values up to `blobBytesMax`, above it `exhausted/BLOB_TOO_LARGE` before any I/O
 *
 * `describeBackend` of `holdfast/testing` tests every one of them under its number.
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

/** Options of every call. */
export interface CallOptions {
  /** Aborting rejects with the signal's reason (B11). */
  readonly signal?: AbortSignal;
}

/** Options of a call that somebody will count on who finds a blob. */
export interface HeadOptions extends CallOptions {
  /**
   * What is found survives a crash from then on (B3), also where who put it died before that was so. A backend that is
   * only read changes nothing, and so cannot promise it. Default false.
   */
  readonly durable?: boolean;
}

/** Options of a delete. */
export interface DeleteOptions extends CallOptions {
  /**
   * May spend the space a backend keeps in reserve, so that a full disk can be freed; set by delete, journal and gc
   * only. Such a call is not refused for `FREE_SPACE_LOW`, and may pass the quota by the size of the reserve. Default
   * false.
   */
  readonly spendReserve?: boolean;
}

/** Options of a put. */
export interface PutOptions extends DeleteOptions {
  /** Create only: reject when the key exists (B4). Default false: replace. */
  readonly ifAbsent?: boolean;
}

/** The range to read; default: everything. */
export interface GetOptions extends CallOptions {
  /** First byte, default 0. */
  readonly offset?: number;
  /** Bytes to read, default up to the end. */
  readonly length?: number;
}

/** Which keys to list. */
export interface ListOptions extends HeadOptions {
  /** Only keys that start with this text; not bound to component borders. Default: all. */
  readonly prefix?: string;
  /** Only keys after this text in byte order; a key or the beginning of one. */
  readonly after?: string;
  /** Most keys in the answer, 1 to 1,000, default 1,000. Fewer than asked means the end. */
  readonly limit?: number;
}

/** A blob without its bytes. */
export interface BlobInfo {
  readonly key: string;
  readonly bytes: number;
}

/** Room on what holds the blobs. */
export interface BackendSpace {
  /** Sum of the sizes of all blobs. */
  readonly usedBytes: number;
  /** Bytes that can still be put, quota and free space considered; `undefined` when the backend cannot know. */
  readonly freeBytes?: number;
  readonly quotaBytes?: number;
}

/** What a backend has sent to a service behind it: what that bills. */
export interface ServiceRequests {
  /** How many, by the name under which the service knows them (`PutObject`, `UploadPart`), those sent again included. */
  readonly requests: Readonly<Record<string, number>>;
  /** Of them, those that were sent again after a failure. */
  readonly retries: number;
  /** Answers which said that too much was asked (`SlowDown`, status 429 or 503). */
  readonly throttles: number;
}

/** See the head of this file for the numbered guarantees. All methods also throw `unavailable/BACKEND_IO` (B13). */
export interface Backend {
  readonly capabilities: BackendCapabilities;
  /** What it has sent since it was opened; absent where there is no service behind it. */
  readonly service?: ServiceRequests | undefined;
  /**
   * Stores a value whole (B1, B2, B3, B4, B10, B16).
   * @throws `invalid/BACKEND_KEY_INVALID`, `conflict/BLOB_EXISTS`, `denied/READ_ONLY`, `denied/PERMISSION_DENIED`,
   *   `exhausted/BLOB_TOO_LARGE`, `exhausted/QUOTA_EXCEEDED`, `exhausted/FREE_SPACE_LOW`, `exhausted/DISK_FULL`,
   *   `unsupported/CAPABILITY_UNSUPPORTED`; nothing was stored then
   */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<void>;
  /** @returns the asked bytes, owned by the caller, or `undefined` for an absent key (B5, B6) */
  get(key: string, options?: GetOptions): Promise<Uint8Array | undefined>;
  /** @returns size of the value, or `undefined` for an absent key (B5) */
  head(key: string, options?: HeadOptions): Promise<BlobInfo | undefined>;
  /** Removes a value; durable like `put` (B7). */
  delete(key: string, options?: DeleteOptions): Promise<void>;
  /** One page of keys with their sizes (B8). */
  list(options?: ListOptions): Promise<readonly BlobInfo[]>;
  space(options?: CallOptions): Promise<BackendSpace>;
  /** Accepts no further calls, waits for the running ones and frees resources; idempotent (B12). */
  close(): Promise<void>;
}
