/** Damaged copies of some bytes, for parsers that must notice. */

/** Every copy with one bit flipped; each is handed out in the same array, so it is good until the next one. */
export function* bitFlips(bytes: Uint8Array): Generator<{ readonly bit: number; readonly bytes: Uint8Array }> {
  const copy = bytes.slice();
  for (let bit = 0; bit < 8 * copy.length; bit += 1) {
    const at = bit >> 3;
    copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7));
    yield { bit, bytes: copy };
    copy[at] = bytes[at] ?? 0;
  }
}

/** Every shorter front of the bytes, the empty one first. */
export function* truncations(bytes: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < bytes.length; length += 1) yield bytes.subarray(0, length);
}

/** A copy with other bytes from `offset` on. */
export function patched(bytes: Uint8Array, offset: number, patch: readonly number[] | Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy.set(patch, offset);
  return copy;
}
