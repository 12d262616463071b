/** Contents that follow from a seed, and comparisons that stay quick on megabytes. */
import { equalBytes, utf8Encode } from '../../src/bytes/bytes.ts';
import { blake3, digestOf, formatDigest } from '../../src/hash/index.ts';
import { seededRandom } from '../../src/testing/index.ts';

/** Bytes that no codec makes smaller; more than 64 KiB of them go into a data pack. */
export function noise(length: number, seed = 1): Uint8Array {
  return seededRandom(seed).bytes(length);
}

export function text(value: string): Uint8Array {
  return utf8Encode(value);
}

/** Fails with the lengths, not with megabytes. */
export function sameBytes(actual: Uint8Array, expected: Uint8Array): boolean {
  return equalBytes(actual, expected);
}

export function blake3Text(bytes: Uint8Array): string {
  return formatDigest('blake3', blake3(bytes));
}

export function sha256Hex(bytes: Uint8Array): string {
  return Buffer.from(digestOf('sha256', bytes)).toString('hex');
}

/** Gives `bytes` in pieces of a size, as a stream would. */
export async function* pieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += pieceBytes) yield bytes.subarray(start, start + pieceBytes);
}
