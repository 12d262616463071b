/**
 * Arrays of one size that are used again: memory that every second of a long write would otherwise allocate and leave
 * to the garbage collector, which lets hundreds of megabytes gather before it looks.
 */
export class BufferPool {
  /** Size of each array. */
  readonly bytes: number;
  readonly #keptMax: number;
  readonly #free: Uint8Array[] = [];

  /** @param keptMax arrays kept for reuse; more are given to the garbage collector */
  constructor(options: { readonly bytes: number; readonly keptMax: number }) {
    this.bytes = options.bytes;
    this.#keptMax = options.keptMax;
  }

  /** An array with whatever it held before. */
  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(this.bytes);
  }

  /** Takes an array back; nobody may use it any more. */
  give(buffer: Uint8Array): void {
    if (this.#free.length < this.#keptMax) this.#free.push(buffer);
  }
}
