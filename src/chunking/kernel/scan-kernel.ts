/** A gear roll in progress: what it tests and where it stands. */
export interface GearRoll {
  /** 512 words as `gearTable` gives them. */
  readonly table: Uint32Array;
  maskHi: number;
  maskLo: number;
  /** The rolling hash, as two unsigned halves; the kernel brings it up to date. */
  hashHi: number;
  hashLo: number;
}

/** A Buzhash roll in progress. */
export interface BuzhashRoll {
  readonly mask: number;
  /** The 32 bytes before the input, which leave the window as the input enters it. The kernel only reads them. */
  readonly history: Uint8Array;
  /** The rolling state, unsigned; the kernel brings it up to date. */
  state: number;
}

/**
 * The two scan loops of content-defined chunking. A kernel keeps nothing between calls: all state is in the roll, so
 * one kernel serves every chunker of a thread.
 */
export interface ScanKernel {
  /**
   * Rolls `hash = (hash << 1) + table[byte] mod 2^64` over `bytes`.
   * @returns the index of the first byte after which `hash & mask` is zero, else -1; the roll then holds the hash after
   * that byte or after the last
   */
  gear(bytes: Uint8Array, roll: GearRoll): number;
  /**
   * Rolls `state = rotl(state, 1) ^ table[byte that leaves] ^ table[byte]` over `bytes`.
   * @returns the index of the first byte after which `state & mask` is zero, else -1
   */
  buzhash(bytes: Uint8Array, roll: BuzhashRoll): number;
}
