/** Base64 of RFC 4648, section 4, in its one canonical spelling: with padding, without line ends, unused bits zero. */

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

/** @returns the bytes, or `undefined` when the text is not base64 in its canonical spelling */
export function fromBase64(text: string): Uint8Array | undefined {
  // Node's decoder skips what it does not know; only text that it would write itself is taken.
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  return toBase64(bytes) === text ? bytes : undefined;
}
