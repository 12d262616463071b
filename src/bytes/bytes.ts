/** Small pure helpers over `Uint8Array`: comparison, hex, joining, UTF-8. None keeps or changes its arguments. */

export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function utf8Encode(text: string): Uint8Array {
  return encoder.encode(text);
}

/** @throws TypeError when the bytes are not UTF-8 */
export function utf8Decode(bytes: Uint8Array): string {
  return strictDecoder.decode(bytes);
}

/** V8 keeps arrays of up to so many bytes in its heap. */
const IN_HEAP_BYTES_MAX = 64;
const short = Buffer.allocUnsafeSlow(IN_HEAP_BYTES_MAX);

/**
 * The same bytes for native code that looks at them at once. Asked for its buffer, an array in V8's heap is moved out of
 * it for good, which takes a buffer with a finalizer of its own; most digests, ids and keys are that short.
 * @returns the array itself, or a copy that holds until the next call
 */
export function outOfHeap(bytes: Uint8Array): Uint8Array {
  if (bytes.length > IN_HEAP_BYTES_MAX) return bytes;
  short.set(bytes);
  return short.subarray(0, bytes.length);
}

export function toHex(bytes: Uint8Array): string {
  if (bytes.length > IN_HEAP_BYTES_MAX)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
  short.set(bytes);
  return short.toString('hex', 0, bytes.length);
}

/** Text of one character per byte: half as long as hex, for keys of maps that nobody reads. */
export function toLatin1(bytes: Uint8Array): string {
  if (bytes.length > IN_HEAP_BYTES_MAX)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  short.set(bytes);
  return short.toString('latin1', 0, bytes.length);
}

const HEX = /^(?:[0-9a-f]{2})*$/;

/** @returns the bytes, or `undefined` when the text is not lower-case hex of whole bytes */
export function fromHex(text: string): Uint8Array | undefined {
  return HEX.test(text) ? new Uint8Array(Buffer.from(text, 'hex')) : undefined;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

/** Lexicographic order of unsigned bytes; a prefix sorts first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  // Native code would have short ones moved out of V8's heap.
  if (length > IN_HEAP_BYTES_MAX) return Buffer.compare(a, b);
  for (let at = 0; at < length; at += 1) {
    const left = a[at] as number;
    const right = b[at] as number;
    if (left !== right) return left < right ? -1 : 1;
  }
  return Math.sign(a.length - b.length);
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** A copy in memory of its own. `slice()` is none where a caller passed a Node `Buffer`: there it gives a view. */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/**
 * The first byte string after every one that starts with `prefix`; `undefined` when there is none (all 0xff or empty).
 */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === 0xff) end -= 1;
  if (end === 0) return undefined;
  const bound = copyBytes(prefix.subarray(0, end));
  bound[end - 1] = (bound[end - 1] ?? 0) + 1;
  return bound;
}
