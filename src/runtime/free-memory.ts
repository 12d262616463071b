/** Buffers with less are left to the garbage collector: they may be part of a pool of Node's. */
const FREED_BYTES_MIN = 64 * 1024;

/**
 * Gives memory back at once that nobody looks at any more. The garbage collector would do it, but for every fifty megabytes of
 * buffers it looks through the whole heap.
 * @param arrays whose buffers were made for the caller alone; they are empty afterwards
 */
export function freeMemory(arrays: readonly Uint8Array[]): void {
  for (const { buffer } of arrays)
    if (buffer instanceof ArrayBuffer && buffer.byteLength >= FREED_BYTES_MIN) buffer.transfer(0);
}
