import { CODEC_STORED, compress } from '../compress/index.ts';
import type { RecordItem } from '../format/index.ts';
import { blake3 } from '../hash/index.ts';

/** Smaller records gain less than a zstd frame costs. */
const COMPRESS_BYTES_MIN = 1024;

/**
 * A journal record as it goes into a pack: compressed where it pays, named by its digest.
 * @param kind `checkpoint`: it is a part of one instead
 */
export async function frameJournalRecord(
  record: Uint8Array,
  kind: 'journal' | 'checkpoint' = 'journal',
): Promise<{
  readonly kind: 'journal' | 'checkpoint';
  readonly codec: number;
  readonly plainLength: number;
  readonly stored: Uint8Array;
  readonly items: readonly RecordItem[];
}> {
  const { codec, bytes } =
    record.length < COMPRESS_BYTES_MIN ? { codec: CODEC_STORED, bytes: record } : await compress(record);
  return {
    kind,
    codec,
    plainLength: record.length,
    stored: bytes,
    items: [{ id: blake3(record), length: record.length }],
  };
}
