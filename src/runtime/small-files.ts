/** Small files, many at a time: read by a thread of their own, which starts with the first of them. */
import { SMALL_FILE_BYTES_MAX, SMALL_FILES_AT_ONCE } from '../limits.ts';
import { WorkerClient } from './worker-rpc.ts';

/** Sources run as they are, and what was built from them lies beside each other in the same way. */
const WORKER_ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? './small-files-worker.ts' : './small-files-worker.js',
  import.meta.url,
);

/** What a file holds; `undefined` for what is to be read in the ordinary way, which tells what is wrong with it. */
export type SmallFile = Uint8Array | undefined;

/** What one turn reads, each with a byte to spare. */
const TURN_BYTES = SMALL_FILES_AT_ONCE * (SMALL_FILE_BYTES_MAX + 1);

interface Turn {
  readonly files: readonly SmallFile[];
  /** What they are views of. */
  readonly buffer: Uint8Array<ArrayBuffer>;
}

export class SmallFileReader {
  #thread: WorkerClient | undefined;
  /** Buffers go to the thread and come back. */
  readonly #idle: Uint8Array<ArrayBuffer>[] = [];

  /**
   * Reads files whole, a turn of `SMALL_FILES_AT_ONCE` ahead of what is asked for.
   * @yields for each path in its order what the file held, valid until the next one is asked for: `undefined` for one of more
   *   than `SMALL_FILE_BYTES_MAX` bytes, for what is no regular file or was written to meanwhile, and for what cannot be read
   */
  async *read(paths: readonly string[]): AsyncGenerator<SmallFile> {
    let ahead: Promise<Turn> | undefined;
    for (let start = 0; start < paths.length; start += SMALL_FILES_AT_ONCE) {
      const current = ahead;
      ahead = this.#readTurn(paths.slice(start, start + SMALL_FILES_AT_ONCE));
      ahead.catch(() => undefined);
      if (current) yield* this.#filesOf(await current);
    }
    if (ahead) yield* this.#filesOf(await ahead);
  }

  *#filesOf({ files, buffer }: Turn): Generator<SmallFile> {
    yield* files;
    this.#idle.push(buffer);
  }

  async #readTurn(paths: readonly string[]): Promise<Turn> {
    this.#thread ??= new WorkerClient(WORKER_ENTRY, 'holdfast files');
    const lent = this.#idle.pop() ?? new Uint8Array(TURN_BYTES);
    const { lengths, buffer } = (await this.#thread.call('read', [paths, lent], { transfer: [lent.buffer] })) as {
      readonly lengths: readonly (number | undefined)[];
      readonly buffer: Uint8Array<ArrayBuffer>;
    };
    let end = 0;
    const files = lengths.map((length) => {
      if (length === undefined) return undefined;
      end += length;
      return buffer.subarray(end - length, end);
    });
    return { files, buffer };
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    await this.#thread?.terminate();
  }
}
