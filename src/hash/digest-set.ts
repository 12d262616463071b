/**
 * A set of digests in little memory: 16 bytes of each, in one array of slots that is never more than half full. Two
 * digests that agree in those do so by a chance of 2^-128, or by 2^64 hashes of somebody who wants wrong figures.
 */
const WORDS = 4;
const SLOTS_FIRST = 256;

export class DigestSet {
  readonly #max: number;
  /** A slot whose first word is 0 is free. */
  #slots = new Uint32Array(SLOTS_FIRST * WORDS);
  #size = 0;
  /** The digest that is being looked for. */
  readonly #sought = new Uint32Array(WORDS);

  /** @param max what is added beyond is not kept */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  has(digest: Uint8Array): boolean {
    return this.#slots[this.#find(this.#words(digest))] !== 0;
  }

  /** @returns false when it was there already */
  add(digest: Uint8Array): boolean {
    const words = this.#words(digest);
    const at = this.#find(words);
    if (this.#slots[at] !== 0) return false;
    if (this.#size === this.#max) return true;
    this.#slots.set(words, at);
    this.#size += 1;
    if (this.#size * 2 * WORDS >= this.#slots.length) this.#grow();
    return true;
  }

  #words(digest: Uint8Array): Uint32Array {
    const words = this.#sought;
    for (let word = 0, at = 0; word < WORDS; word += 1, at += 4) {
      words[word] =
        (digest[at] as number) |
        ((digest[at + 1] as number) << 8) |
        ((digest[at + 2] as number) << 16) |
        ((digest[at + 3] as number) << 24);
    }
    if (words[0] === 0) words[0] = 1;
    return words;
  }

  /** Its slot, or the free one where it belongs. */
  #find(words: Uint32Array): number {
    const slots = this.#slots;
    const mask = slots.length / WORDS - 1;
    for (let slot = (words[1] as number) & mask; ; slot = (slot + 1) & mask) {
      const at = slot * WORDS;
      if (slots[at] === 0) return at;
      if (
        slots[at] === words[0] &&
        slots[at + 1] === words[1] &&
        slots[at + 2] === words[2] &&
        slots[at + 3] === words[3]
      )
        return at;
    }
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Uint32Array(before.length * 2);
    for (let at = 0; at < before.length; at += WORDS) {
      if (before[at] === 0) continue;
      const words = before.subarray(at, at + WORDS);
      this.#slots.set(words, this.#find(words));
    }
  }
}
