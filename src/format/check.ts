import { equalBytes } from '../bytes/bytes.ts';
import { createHasher } from '../hash/index.ts';
import { CHECK_BYTES } from './sizes.ts';

/** The first 16 bytes of BLAKE3 over the parts back to back: enough against accident, and as long as an AES-GCM tag. */
export function checkOf(...parts: readonly Uint8Array[]): Uint8Array {
  const hasher = createHasher('blake3');
  for (const part of parts) hasher.update(part);
  return hasher.digest().subarray(0, CHECK_BYTES);
}

/** Whether `check` is what {@link checkOf} gives for the parts. */
export function checkHolds(check: Uint8Array, ...parts: readonly Uint8Array[]): boolean {
  return equalBytes(check, checkOf(...parts));
}
