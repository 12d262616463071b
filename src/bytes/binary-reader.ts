/**
 * Reads fixed-width little-endian fields from the front of a byte array. Past the end it calls `onShort`, which throws
 * the error of the format being read; values beyond 2^53-1 are refused the same way.
 */
export class BinaryReader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #onShort: (what: string) => never;
  #offset = 0;

  constructor(bytes: Uint8Array, onShort: (what: string) => never) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#onShort = onShort;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  #take(length: number): number {
    const start = this.#offset;
    if (length > this.#bytes.length - start) this.#onShort(`needs ${length} bytes at ${start}, has ${this.remaining}`);
    this.#offset = start + length;
    return start;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): number {
    const value = this.#view.getBigUint64(this.#take(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.#onShort(`holds the number ${value}, beyond 2^53-1`);
    return Number(value);
  }

  /** A view, not a copy. */
  bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }
}
