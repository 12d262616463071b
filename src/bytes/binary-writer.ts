const HIGH = 2 ** 32;

/** Writes fixed-width little-endian fields into a byte array of a size known beforehand. */
export class BinaryWriter {
  readonly bytes: Uint8Array;
  #offset = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
  }

  get offset(): number {
    return this.#offset;
  }

  u8(value: number): this {
    return this.#integer(value, 1);
  }

  u16(value: number): this {
    return this.#integer(value, 2);
  }

  u32(value: number): this {
    return this.#integer(value, 4);
  }

  u64(value: number): this {
    return this.#integer(value % HIGH, 4).#integer(Math.floor(value / HIGH), 4);
  }

  /** Not by a `DataView`, which would move a short array out of V8's heap. */
  #integer(value: number, width: number): this {
    if (this.#offset + width > this.bytes.length) throw new RangeError('there is no room for another field');
    for (let shift = 0; shift < 8 * width; shift += 8) this.bytes[this.#offset++] = value >>> shift;
    return this;
  }

  put(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.#offset);
    this.#offset += bytes.length;
    return this;
  }
}
