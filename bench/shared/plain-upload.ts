import { open } from 'node:fs/promises';
import { MIB } from '../../src/limits.ts';
import type { Services } from './services.ts';

const PART_BYTES = 8 * MIB;
/** As the upload helper of the SDK does it by default. */
const PARTS_AT_ONCE = 4;

/** Uploads the first bytes of a file as one object, in parts: what anybody does who keeps a file in a bucket. */
export async function plainUpload(
  { client }: Services,
  { bucket, file, bytes }: { readonly bucket: string; readonly file: string; readonly bytes: number },
): Promise<void> {
  const sdk = await import('@aws-sdk/client-s3');
  const object = { Bucket: bucket, Key: 'plain' };
  const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand(object));
  const parts: { ETag: string | undefined; PartNumber: number }[] = [];
  const source = await open(file);
  let next = 0;
  const upload = async (): Promise<void> => {
    while (next * PART_BYTES < bytes) {
      const index = next++;
      const Body = new Uint8Array(Math.min(PART_BYTES, bytes - index * PART_BYTES));
      await source.read(Body, 0, Body.length, index * PART_BYTES);
      const part = { ...object, UploadId, PartNumber: index + 1, Body };
      const { ETag } = await client.send(new sdk.UploadPartCommand(part));
      parts[index] = { ETag, PartNumber: index + 1 };
    }
  };
  try {
    await Promise.all(Array.from({ length: PARTS_AT_ONCE }, upload));
    const MultipartUpload = { Parts: parts };
    await client.send(new sdk.CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload }));
  } finally {
    await source.close();
  }
}
