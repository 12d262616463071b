import type { CompletedPart, S3Client } from '@aws-sdk/client-s3';
import { mapInOrder } from '../../runtime/map-in-order.ts';
import type { S3Sdk } from './s3-backend.ts';

interface Upload {
  readonly sdk: S3Sdk;
  readonly client: S3Client;
  readonly object: { readonly Bucket: string; readonly Key: string };
  readonly bytes: Uint8Array;
  readonly signal?: AbortSignal;
}

/** No part but the last may be smaller than 5 MiB. */
const PART_BYTES = 8 * 1024 ** 2;
/** What is in memory twice at once is these parts. */
const PARTS_AT_ONCE = 4;

/**
 * Puts a blob in parts. The object store shows it when it is told that all are there, and nothing before; parts of an upload
 * that failed are removed. Those of a process that died remain until the bucket's lifecycle rule removes them.
 */
export async function putInParts({ sdk, client, object, bytes, signal }: Upload): Promise<void> {
  const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand(object));
  const upload = { Bucket: object.Bucket, Key: object.Key, UploadId };
  const sent = { ...(signal && { abortSignal: signal }) };
  const put = async (index: number): Promise<CompletedPart> => {
    const Body = bytes.subarray(index * PART_BYTES, (index + 1) * PART_BYTES);
    const part = { ...upload, PartNumber: index + 1, Body };
    const { ETag } = await client.send(new sdk.UploadPartCommand(part), sent);
    return { ETag, PartNumber: index + 1 };
  };
  let isTold = false;
  try {
    const numbers = Array.from({ length: Math.ceil(bytes.length / PART_BYTES) }, (_, index) => index);
    const Parts = await Array.fromAsync(mapInOrder(numbers, PARTS_AT_ONCE, put));
    signal?.throwIfAborted();
    isTold = true;
    await client.send(new sdk.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
  } catch (error) {
    // Where it was whole after all, there is nothing left to remove; where nothing answers, the lifecycle rule does it.
    await client.send(new sdk.AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw signal?.aborted && !isTold ? signal.reason : error;
  }
}
