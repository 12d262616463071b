import type { S3Client } from '@aws-sdk/client-s3';
import { storeError } from '../../errors/store-error.ts';
import { BACKEND_LIST_PAGE_MAX } from '../../limits.ts';
import { isBackendKey } from '../backend-key.ts';
import { BaseBackend, type CheckedListOptions } from '../base-backend.ts';
import { blobExistsError, rangeError } from '../blob-range.ts';
import type {
  BackendCapabilities,
  BackendSpace,
  BlobInfo,
  CallOptions,
  GetOptions,
  ListOptions,
  PutOptions,
  ServiceRequests,
} from '../contract.ts';
import { listAll } from '../list-all.ts';
import type { RequestMeter } from './request-meter.ts';
import { type FailedCall, isAbsent, s3Error, statusOf } from './s3-error.ts';
import { putInParts } from './s3-multipart.ts';
import type { S3Place } from './s3-url.ts';

/** The client's module, which is loaded for those alone who have an object store. */
export type S3Sdk = typeof import('@aws-sdk/client-s3');

/** What a backend reaches its bucket by. */
export interface S3Parts {
  readonly sdk: S3Sdk;
  readonly place: S3Place;
  /** Tries again what may be tried again. */
  readonly client: S3Client;
  /** Tries once: whether a create that failed has happened nobody could tell. */
  readonly oneTry: S3Client;
  /** Watches both. */
  readonly meter: RequestMeter;
}

/** Above this a blob goes up in parts, of which a failed one alone is sent again. */
const MULTIPART_BYTES_MIN = 32 * 1024 ** 2;
/** Tries of a read whose bytes ended early: the client tries again only until they begin. */
const BODY_TRIES = 4;

/**
 * Blobs as objects of a bucket. One request puts a blob of up to 32 MiB, gets one, tells its size or deletes it; the object
 * store answers when what was put is durable and everybody sees it. `openS3Backend` opens one.
 */
export class S3Backend extends BaseBackend {
  readonly #parts: S3Parts;
  readonly #bucket: { readonly Bucket: string };

  constructor(parts: S3Parts, capabilities: BackendCapabilities) {
    super(capabilities);
    this.#parts = parts;
    this.#bucket = { Bucket: parts.place.bucket };
  }

  get service(): ServiceRequests {
    return this.#parts.meter.counts;
  }

  /**
   * A put that was sent is not called back: what became of it could not be known (B2). One in parts is given up as long as
   * it is not told to be whole.
   */
  protected override async putBlob(key: string, bytes: Uint8Array, options: PutOptions): Promise<void> {
    const { sdk, client, oneTry, place } = this.#parts;
    const object = {
      ...{ ...this.#bucket, Key: place.prefix + key },
      ...(place.storageClass !== undefined && { StorageClass: place.storageClass as 'STANDARD' }),
    };
    await this.#calling('put', { key }, async () => {
      if (options.ifAbsent) return await this.#create(key, () => oneTry.send(createCommand()));
      if (bytes.length >= MULTIPART_BYTES_MIN) return await putInParts({ sdk, client, object, bytes, ...options });
      await client.send(new sdk.PutObjectCommand({ ...object, Body: bytes }));
    });
    function createCommand() {
      return new sdk.PutObjectCommand({ ...object, Body: bytes, IfNoneMatch: '*' });
    }
  }

  async #create(key: string, put: () => Promise<unknown>): Promise<void> {
    try {
      await put();
    } catch (error) {
      if (statusOf(error) === 412) throw blobExistsError(key, error);
      throw error;
    }
  }

  protected override async getBlob(key: string, options: GetOptions): Promise<Uint8Array | undefined> {
    const { length } = options;
    return await this.#calling('get', { key, ...options }, async () => {
      // No range has no bytes: only the size tells whether there is such a place in the blob.
      if (length === 0) return await this.#emptyRange(key, options);
      for (let tries = 1; ; tries += 1) {
        try {
          return await this.#read(key, options);
        } catch (error) {
          if (isAbsent(error)) return undefined;
          if (statusOf(error) === 416) return await this.#emptyRange(key, options);
          if (!(error instanceof BrokenOff) || tries === BODY_TRIES) throw error;
          options.signal?.throwIfAborted();
        }
      }
    });
  }

  /** The bytes of a range that are none: those after the last one. */
  async #emptyRange(key: string, options: GetOptions): Promise<Uint8Array | undefined> {
    const found = await this.#size(key, options);
    if (found === undefined) return undefined;
    const { offset = 0, length = 0 } = options;
    if (offset + length > found) throw rangeError(key, options, found);
    return new Uint8Array(0);
  }

  async #read(key: string, options: GetOptions): Promise<Uint8Array> {
    const { sdk, client, place } = this.#parts;
    const { offset = 0, length, signal } = options;
    const isPart = offset > 0 || length !== undefined;
    const Range = `bytes=${offset}-${length === undefined ? '' : offset + length - 1}`;
    const command = new sdk.GetObjectCommand({ ...this.#bucket, Key: place.prefix + key, ...(isPart && { Range }) });
    const { Body, ContentLength, ContentRange } = await client.send(command, signal && { abortSignal: signal });
    const body = Body as AsyncIterable<Uint8Array> & { destroy(): void };
    const size = isPart ? Number(/\/(\d+)$/.exec(ContentRange ?? '')?.[1]) : ContentLength;
    try {
      if (size === undefined || !Number.isSafeInteger(size))
        throw new BrokenOff(`${key}: it does not say how long it is`);
      if (length !== undefined && offset + length > size) throw rangeError(key, options, size);
      return await collect(body, length ?? size - offset);
    } finally {
      body.destroy();
    }
  }

  protected override async headBlob(key: string, options: CallOptions): Promise<BlobInfo | undefined> {
    const bytes = await this.#calling('head', { key, ...options }, () => this.#size(key, options));
    return bytes === undefined ? undefined : { key, bytes };
  }

  async #size(key: string, { signal }: CallOptions): Promise<number | undefined> {
    const { sdk, client, place } = this.#parts;
    const how = signal && { abortSignal: signal };
    try {
      const object = { ...this.#bucket, Key: place.prefix + key };
      const { ContentLength } = await client.send(new sdk.HeadObjectCommand(object), how);
      return ContentLength;
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      // A head has no words: an absent bucket answers like an absent object (B5).
      await client.send(new sdk.HeadBucketCommand(this.#bucket), how);
      return undefined;
    }
  }

  protected override async deleteBlob(key: string): Promise<void> {
    const { sdk, client, place } = this.#parts;
    const object = { ...this.#bucket, Key: place.prefix + key };
    await this.#calling('delete', { key }, async () => {
      await client.send(new sdk.DeleteObjectCommand(object)).catch((error: unknown) => {
        if (!isAbsent(error)) throw error;
      });
    });
  }

  protected override async listBlobs(options: CheckedListOptions): Promise<readonly BlobInfo[]> {
    const { sdk, client, place } = this.#parts;
    const { prefix, after, limit, signal } = options;
    const found: BlobInfo[] = [];
    await this.#calling('list', { signal }, async () => {
      for (let token: string | undefined; ; ) {
        const page = await client.send(
          new sdk.ListObjectsV2Command({
            ...{ ...this.#bucket, Prefix: place.prefix + prefix, MaxKeys: limit - found.length },
            ...(token === undefined ? after !== undefined && { StartAfter: place.prefix + after } : {}),
            ...(token !== undefined && { ContinuationToken: token }),
          }),
          signal && { abortSignal: signal },
        );
        for (const { Key = '', Size = 0 } of page.Contents ?? []) {
          const key = Key.slice(place.prefix.length);
          // Others may keep objects beside those of the backend.
          if (isBackendKey(key)) found.push({ key, bytes: Size });
        }
        token = page.NextContinuationToken;
        if (page.IsTruncated !== true || token === undefined || found.length >= limit) return;
      }
    });
    return found;
  }

  protected override async measureSpace(options: CallOptions): Promise<BackendSpace> {
    let usedBytes = 0;
    const pages = {
      list: (page: ListOptions = {}) => this.listBlobs({ prefix: '', limit: BACKEND_LIST_PAGE_MAX, ...page }),
    };
    for await (const { bytes } of listAll(pages, options)) usedBytes += bytes;
    return { usedBytes };
  }

  protected override async release(): Promise<void> {
    this.#parts.client.destroy();
    this.#parts.oneTry.destroy();
  }

  async #calling<T>(
    action: FailedCall['action'],
    { key, signal }: { readonly key?: string; readonly signal?: AbortSignal | undefined },
    call: () => Promise<T>,
  ): Promise<T> {
    const { bucket, prefix } = this.#parts.place;
    try {
      return await call();
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof BrokenOff) {
        const details = { path: `s3://${bucket}`, ...(key !== undefined && { backendKey: key }) };
        throw storeError('BACKEND_IO', `${action} in bucket ${bucket}: ${error.message}`, { details, cause: error });
      }
      throw s3Error(error, { action, bucket, ...(key !== undefined && { object: prefix + key }) });
    }
  }
}

/** An answer that ended before all of it was there, or with more than it had announced. */
class BrokenOff extends Error {}

async function collect(body: AsyncIterable<Uint8Array>, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let at = 0;
  try {
    for await (const chunk of body) {
      if (at + chunk.length > length) throw new BrokenOff(`more than the announced ${length} bytes came`);
      bytes.set(chunk, at);
      at += chunk.length;
    }
  } catch (cause) {
    if (cause instanceof BrokenOff) throw cause;
    throw new BrokenOff(`the answer broke off after ${at} of ${length} bytes`, { cause });
  }
  if (at < length) throw new BrokenOff(`the answer ended after ${at} of ${length} bytes`);
  return bytes;
}
