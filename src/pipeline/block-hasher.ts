import type { Digest } from '../hash/index.ts';
import type { ContentThread } from './content-thread.ts';

/** BLAKE3 of content that comes block by block, made by a thread. */
export class BlockHasher {
  readonly #thread: ContentThread;
  readonly #id: Promise<unknown>;
  #ended = false;

  constructor(thread: ContentThread) {
    this.#thread = thread;
    this.#id = thread.call('hash', []);
    // Its failure is that of the first block.
    this.#id.catch(() => undefined);
  }

  /**
   * Adds the next bytes.
   * @param block with memory of its own, which goes to the thread
   * @param length bytes of it that count
   * @returns the block again
   */
  async update(block: Uint8Array<ArrayBuffer>, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const given = await this.#thread.call('update', [await this.#id, block, length], [block.buffer]);
    return given as Uint8Array<ArrayBuffer>;
  }

  /** Ends it. @returns the digest of all that was added */
  async digest(): Promise<Digest> {
    this.#ended = true;
    return (await this.#thread.call('digest', [await this.#id])) as Digest;
  }

  /** Lets go of what was not ended. Never throws. */
  async end(): Promise<void> {
    if (!this.#ended) await this.digest().catch(() => undefined);
  }
}
