import type { BufferPool } from './buffer-pool.ts';

/** Bytes in memory that is used again once they are let go. */
export interface HeldBytes {
  readonly bytes: Uint8Array;
  /** Lets the bytes go; nobody may look at them any more. Bytes never let go are the garbage collector's. */
  release(): void;
}

interface Slab {
  readonly buffer: Uint8Array;
  used: number;
  held: number;
}

/** The first bytes get memory of their own: who copies little must not take a whole slab. */
const OWN_MEMORY_BYTES = 64 * 1024;

/**
 * Copies byte arrays one behind the other into pooled buffers ("slabs"). A slab goes back to the pool when all that was
 * copied into it has been let go.
 */
export class SlabCopier {
  readonly #pool: BufferPool;
  #slab: Slab | undefined;
  #copied = 0;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  copy(bytes: Uint8Array): HeldBytes {
    this.#copied += bytes.length;
    if (this.#copied <= OWN_MEMORY_BYTES || bytes.length > this.#pool.bytes / 2) {
      return { bytes: new Uint8Array(bytes), release: () => undefined };
    }
    const slab = this.#slabFor(bytes.length);
    slab.buffer.set(bytes, slab.used);
    const copy = slab.buffer.subarray(slab.used, slab.used + bytes.length);
    slab.used += bytes.length;
    slab.held += 1;
    return {
      bytes: copy,
      release: () => {
        slab.held -= 1;
        this.#giveWhenFree(slab);
      },
    };
  }

  #slabFor(bytes: number): Slab {
    const current = this.#slab;
    if (current && current.used + bytes <= current.buffer.length) return current;
    this.#slab = { buffer: this.#pool.take(), used: 0, held: 0 };
    if (current) this.#giveWhenFree(current);
    return this.#slab;
  }

  #giveWhenFree(slab: Slab): void {
    if (slab.held === 0 && slab !== this.#slab) this.#pool.give(slab.buffer);
  }
}
