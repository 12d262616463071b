import { MIB } from '../limits.ts';

/** Sources run as they are, and what was built from them lies beside each other in the same way. */
export const SMALL_FILE_WORKER = new URL(
  import.meta.url.endsWith('.ts') ? './small-file-worker.ts' : './small-file-worker.js',
  import.meta.url,
);

/** Bytes that one message carries at most. */
export const TURN_BYTES = 2 * MIB;
/** Files of one message. */
const TURN_FILES_MAX = 64;

/** A small file that somebody waits for. */
interface Waiting {
  /** Room that it takes in the message. */
  readonly bytes: Uint8Array;
  reject(error: unknown): void;
}

/**
 * Small files on their way to a thread: what is asked for in one turn of the event loop, or while the thread is busy,
 * goes to it together.
 */
export class SmallFileTurns<File extends Waiting> {
  readonly #work: (turn: readonly File[]) => Promise<void>;
  #queue: File[] = [];
  #busy = false;

  /** @param work what is done with those of one message, one message at a time; all of them fail with what it throws */
  constructor(work: (turn: readonly File[]) => Promise<void>) {
    this.#work = work;
  }

  add(file: File): void {
    this.#queue.push(file);
    if (!this.#busy) void this.#run();
  }

  async #run(): Promise<void> {
    this.#busy = true;
    // Whoever asks in the same turn of the event loop shares the message.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const turn = this.#takeTurn();
      try {
        await this.#work(turn);
      } catch (error) {
        for (const { reject } of turn) reject(error);
      }
    }
    this.#busy = false;
  }

  #takeTurn(): readonly File[] {
    let bytes = 0;
    let count = 0;
    for (const file of this.#queue) {
      bytes += file.bytes.length;
      if (count > 0 && (bytes > TURN_BYTES || count === TURN_FILES_MAX)) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }
}
