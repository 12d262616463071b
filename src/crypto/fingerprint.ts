import { concatBytes, toHex, utf8Encode } from '../bytes/bytes.ts';
import { checkBytes } from '../hash/check-bytes.ts';
import { blake3Derive } from '../hash/digest-of.ts';
import type { KeyAlgorithm } from './asymmetric-key.ts';

const FINGERPRINT_BYTES = 16;

/**
 * Gives the text by which people compare public keys: 32 hex digits, the first 16 bytes of BLAKE3 (derive-key mode,
 * context `holdfast key fingerprint v1`) over the algorithm's name, a zero byte and the key. To make another key with
 * the fingerprint of a given one takes about 2^128 tries.
 * @param publicKey raw, of the algorithm
 * @throws TypeError when it is no `Uint8Array`
 */
export function fingerprint(algorithm: KeyAlgorithm, publicKey: Uint8Array): string {
  const labelled = concatBytes([utf8Encode(`${algorithm}\0`), checkBytes('publicKey', publicKey)]);
  return toHex(blake3Derive('holdfast key fingerprint v1', labelled).subarray(0, FINGERPRINT_BYTES));
}
