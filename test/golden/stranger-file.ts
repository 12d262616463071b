/**
 * A reader of single-file stores written from docs/format.md alone, over the raw bytes: no SQLite, and no code that the
 * library writes files with but BLAKE3.
 */
import { readFileSync } from 'node:fs';
import { blake3 } from '../../src/hash/index.ts';

const PAGE_BYTES = 8192;

/** Every blob whose rows are whole, by key, the highest number of each. Free pages are not left out. */
export function readFileAsStranger(file: string): ReadonlyMap<string, Uint8Array> {
  const bytes = readFileSync(file);
  const found = new Map<string, { number: number; count: number; rows: Map<number, Uint8Array> }>();
  for (let page = 0; page * PAGE_BYTES < bytes.length; page += 1) {
    const row = rowAt(bytes, page);
    if (row === undefined) continue;
    const number = Number(row.readBigUInt64LE(24));
    const key = row.toString('latin1', 56, 56 + row.readUInt32LE(52));
    let blob = found.get(key);
    if (blob === undefined || blob.number < number) {
      blob = { number, count: row.readUInt32LE(44), rows: new Map() };
      found.set(key, blob);
    }
    if (blob.number === number) blob.rows.set(row.readUInt32LE(40), row.subarray(256));
  }
  const whole = [...found].filter(([, { count, rows }]) => rows.size === count);
  return new Map(
    whole.map(([key, { count, rows }]) => [
      key,
      Buffer.concat(Array.from({ length: count }, (_, index) => rows.get(index) ?? new Uint8Array(0))),
    ]),
  );
}

/** Header and content of the row that begins on a page. */
function rowAt(bytes: Buffer, first: number): Buffer | undefined {
  const at = first * PAGE_BYTES + 4;
  if (bytes.toString('latin1', at, at + 8) !== 'HFblob\x01\x00') return undefined;
  const length = 256 + bytes.readUInt32LE(at + 48);
  const parts: Buffer[] = [];
  for (let page = first, left = length; left > 0; left -= PAGE_BYTES - 4) {
    const start = page * PAGE_BYTES;
    parts.push(bytes.subarray(start + 4, start + 4 + Math.min(left, PAGE_BYTES - 4)));
    page = bytes.readUInt32BE(start) - 1;
  }
  const row = Buffer.concat(parts);
  const checksum = Buffer.from(blake3(row.subarray(24))).subarray(0, 16);
  return checksum.equals(row.subarray(8, 24)) ? row : undefined;
}
