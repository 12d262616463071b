import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { equalBytes, toHex } from '../../bytes/bytes.ts';
import { storeError } from '../../errors/store-error.ts';
import { BACKEND_CONCURRENCY_MAX, BLOB_BYTES_MAX } from '../../limits.ts';
import { type RandomBytes, systemRandom } from '../../runtime/random.ts';
import { RequestMeter } from './request-meter.ts';
import { S3Backend, type S3Parts } from './s3-backend.ts';
import { s3Error, statusOf } from './s3-error.ts';
import { parseS3Url } from './s3-url.ts';

/** How to open a bucket as a backend. */
export interface S3BackendOptions {
  /** Writes nothing whatever into the bucket. Default false. */
  readonly readOnly?: boolean;
  /** Tries of a request that failed in a way that may pass, with growing random waits between them. Default 5. */
  readonly attempts?: number;
  /** Milliseconds after which a connection that says nothing is given up. Default 60,000. */
  readonly idleMs?: number;
  readonly random?: RandomBytes;
}

const CONNECT_MS = 10_000;
/** No backend key: no listing shows it. */
const PROBE = '.probe/';
const PROBE_BYTES = 16;

/**
 * Opens a bucket, or a part of one, as a backend: `s3://bucket/prefix?endpoint=…&region=…&storageClass=…&pathStyle=…`. With
 * an endpoint the bucket stands in the path unless `pathStyle=false` says otherwise, and the region is `us-east-1` unless
 * given; without, it is AWS. Credentials are looked for where its command line looks for them: environment, profile,
 * single sign-on, the machine's role.
 *
 * Opening asks whether the bucket can be listed, and, unless `readOnly`, puts, reads and deletes one small object, which
 * tells whether what is put is there, and whether the object store creates exactly once (B4). The signature of every put
 * covers the SHA-256 of its bytes, which the object store compares with what came.
 * @throws `invalid/BACKEND_INVALID` for the URL, `denied/PERMISSION_DENIED` for credentials, rights and clocks,
 *   `unavailable/BACKEND_IO` for buckets that are not there and object stores that cannot be reached
 * @example
 * const backend = await openS3Backend('s3://backups/vault?region=eu-central-1');
 */
export async function openS3Backend(url: string, options: S3BackendOptions = {}): Promise<S3Backend> {
  const place = parseS3Url(url);
  const sdk = await import('@aws-sdk/client-s3');
  const { attempts = 5, readOnly = false, random = systemRandom } = options;
  const config = (maxAttempts: number): S3ClientConfig => ({
    ...{ forcePathStyle: place.pathStyle, maxAttempts, retryMode: 'adaptive', followRegionRedirects: true },
    ...{ requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' },
    ...(place.endpoint !== undefined && { endpoint: place.endpoint, region: 'us-east-1' }),
    ...(place.region !== undefined && { region: place.region }),
    requestHandler: {
      ...{ connectionTimeout: CONNECT_MS, socketTimeout: options.idleMs ?? 60_000 },
      ...{ httpAgent: { maxSockets: BACKEND_CONCURRENCY_MAX, keepAlive: true } },
      ...{ httpsAgent: { maxSockets: BACKEND_CONCURRENCY_MAX, keepAlive: true } },
    },
  });
  const meter = new RequestMeter();
  const parts: S3Parts = {
    ...{ sdk, place, meter },
    client: meter.watch(new sdk.S3Client(config(attempts))),
    oneTry: meter.watch(new sdk.S3Client(config(1))),
  };
  try {
    await parts.client.send(new sdk.ListObjectsV2Command({ Bucket: place.bucket, Prefix: place.prefix, MaxKeys: 1 }));
    const ifAbsent = !readOnly && (await probe(parts, random));
    const sizes = { concurrencyMax: BACKEND_CONCURRENCY_MAX, blobBytesMax: BLOB_BYTES_MAX };
    return new S3Backend(parts, { durable: true, ifAbsent, writable: !readOnly, ...sizes });
  } catch (error) {
    parts.client.destroy();
    parts.oneTry.destroy();
    throw s3Error(error, { action: 'open', bucket: place.bucket });
  }
}

/** @returns whether a create of an object that exists is refused, and one of an object that does not exist is not */
async function probe({ sdk, client, oneTry, place }: S3Parts, random: RandomBytes): Promise<boolean> {
  const Body = random(PROBE_BYTES);
  const object = { Bucket: place.bucket, Key: `${place.prefix}${PROBE}${toHex(Body)}` };
  const create = async (): Promise<number | undefined> => {
    try {
      await oneTry.send(new sdk.PutObjectCommand({ ...object, Body, IfNoneMatch: '*' }));
      return undefined;
    } catch (error) {
      const status = statusOf(error);
      if (status === 412 || status === 501 || status === 400) return status;
      throw error;
    }
  };
  const outcomes = [await create(), await create()];
  if (outcomes[0] !== undefined) await client.send(new sdk.PutObjectCommand({ ...object, Body }));
  try {
    const found = await client.send(new sdk.GetObjectCommand(object));
    const bytes = await found.Body?.transformToByteArray();
    if (!bytes || !equalBytes(bytes, Body)) throw liar(place.bucket);
  } catch (error) {
    throw statusOf(error) === 404 ? liar(place.bucket) : error;
  }
  await client.send(new sdk.DeleteObjectCommand(object));
  return outcomes[0] === undefined && outcomes[1] === 412;
}

function liar(bucket: string): Error {
  const message = `open bucket ${bucket}: what was put there is not what is there; this is no object store to trust`;
  return storeError('BACKEND_IO', message, { details: { path: `s3://${bucket}` }, retry: false });
}
