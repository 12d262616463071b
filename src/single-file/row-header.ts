/**
 * The header that every row of a single file begins with, so that the row tells what it is without any table.
 *
 * | at | bytes | is |
 * |---|---|---|
 * | 0 | 8 | magic `HFblob` and the version of the layout, u16: 1 |
 * | 8 | 16 | checksum: the first bytes of BLAKE3 over everything after it, content included |
 * | 24 | 8 | number of the blob, u64; a later one replaces an earlier one of the same key |
 * | 32 | 8 | bytes of the blob, u64 |
 * | 40 | 4 | index of the row in the blob, u32 |
 * | 44 | 4 | rows of the blob, u32 |
 * | 48 | 4 | bytes of content in this row, u32 |
 * | 52 | 4 | length of the key, u32 |
 * | 56 | 200 | the key in ASCII, then zeros |
 */
import { equalBytes, utf8Encode } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import { blake3 } from '../hash/index.ts';
import { BACKEND_KEY_LENGTH_MAX } from '../limits.ts';

export const ROW_HEADER_BYTES = 256;
const MAGIC = utf8Encode('HFblob\x01\x00');
const CHECKSUM_AT = 8;
const CHECKSUM_BYTES = 16;
const FIELDS_AT = CHECKSUM_AT + CHECKSUM_BYTES;
const KEY_AT = 56;

/** What a row says of itself. */
export interface RowFacts {
  readonly key: string;
  readonly number: number;
  readonly blobBytes: number;
  readonly index: number;
  readonly count: number;
  readonly contentBytes: number;
}

/**
 * Writes the header in front of the content, which must be there already: the checksum covers it.
 * @param row header and content, no more
 */
export function writeRowHeader(row: Uint8Array, facts: RowFacts): void {
  invariant(row.length === ROW_HEADER_BYTES + facts.contentBytes, 'a row is its header and content');
  const view = new DataView(row.buffer, row.byteOffset, ROW_HEADER_BYTES);
  const key = utf8Encode(facts.key);
  invariant(key.length <= BACKEND_KEY_LENGTH_MAX, 'a backend key fits the header');
  row.set(MAGIC, 0);
  view.setBigUint64(24, BigInt(facts.number), true);
  view.setBigUint64(32, BigInt(facts.blobBytes), true);
  view.setUint32(40, facts.index, true);
  view.setUint32(44, facts.count, true);
  view.setUint32(48, facts.contentBytes, true);
  view.setUint32(52, key.length, true);
  row.fill(0, KEY_AT, ROW_HEADER_BYTES);
  row.set(key, KEY_AT);
  row.set(checksumOf(row), CHECKSUM_AT);
}

function checksumOf(row: Uint8Array): Uint8Array {
  return blake3(row.subarray(FIELDS_AT)).subarray(0, CHECKSUM_BYTES);
}

/** Whether these bytes can be the beginning of a row. */
export function isRowStart(bytes: Uint8Array): boolean {
  return bytes.length >= MAGIC.length && equalBytes(bytes.subarray(0, MAGIC.length), MAGIC);
}

/** The fields as they stand there, not yet proven; `undefined` where they cannot be right. */
export function readRowHeader(header: Uint8Array): RowFacts | undefined {
  if (header.length < ROW_HEADER_BYTES || !isRowStart(header)) return undefined;
  const view = new DataView(header.buffer, header.byteOffset, ROW_HEADER_BYTES);
  const keyLength = view.getUint32(52, true);
  const facts = {
    number: Number(view.getBigUint64(24, true)),
    blobBytes: Number(view.getBigUint64(32, true)),
    index: view.getUint32(40, true),
    count: view.getUint32(44, true),
    contentBytes: view.getUint32(48, true),
  };
  const possible =
    keyLength > 0 &&
    keyLength <= BACKEND_KEY_LENGTH_MAX &&
    Number.isSafeInteger(facts.number) &&
    facts.index < facts.count &&
    facts.contentBytes <= facts.blobBytes;
  if (!possible) return undefined;
  return { ...facts, key: String.fromCharCode(...header.subarray(KEY_AT, KEY_AT + keyLength)) };
}

/** Whether header and content are as they were written. @param row header and content, no more */
export function isRowWhole(row: Uint8Array): boolean {
  return equalBytes(checksumOf(row), row.subarray(CHECKSUM_AT, FIELDS_AT));
}
