/** Reads small files by a thread of its own. */
import type { WholeFile } from './folder-system.ts';
import { SMALL_FILE_WORKER, SmallFileTurns, TURN_BYTES } from './small-file-turns.ts';
import { equalStats, readStat, STAT_COLUMNS, STAT_PAIR_COLUMNS } from './stat-columns.ts';
import { WorkerClient } from './worker-rpc.ts';
import { decodeError, type WireError } from './worker-wire.ts';

/** Files to read, as they go to the thread. */
export interface ReadRequest {
  /** As text of one character per byte, which crosses faster than bytes. */
  readonly paths: readonly string[];
  /** Bytes there are to read each into. */
  readonly rooms: readonly number[];
}

/** What becomes of them. */
export interface ReadReply {
  /** Bytes read of each; they lie one behind the other. */
  readonly lengths: readonly number[];
  /** Of each file what it was before the first byte and after the last. */
  readonly stats: BigInt64Array;
  /** By index, of those that could not be read. */
  readonly errors: ReadonlyMap<number, WireError>;
  readonly buffer: Uint8Array<ArrayBuffer>;
}

interface Waiting {
  readonly path: Buffer;
  /** To be filled. */
  readonly bytes: Uint8Array;
  readonly resolve: (file: WholeFile) => void;
  readonly reject: (error: unknown) => void;
}

export class SmallFileReader {
  /** Starts with the first file. */
  #thread: WorkerClient | undefined;
  /** Goes to the thread and comes back. */
  #lent = new Uint8Array(0);
  readonly #turns = new SmallFileTurns<Waiting>((turn) => this.#readTurn(turn));

  /**
   * Reads a small file at once. A symbolic link is not followed, and a pipe is not waited for.
   * @param buffer what is read into, up to 2 MiB: with room for one byte more than the file has, or the file
   *   seems longer
   * @returns what it was before the first byte and after the last, and a view of `buffer`
   * @throws the system's error
   */
  readWhole(path: Buffer, buffer: Uint8Array): Promise<WholeFile> {
    const { promise, resolve, reject } = Promise.withResolvers<WholeFile>();
    this.#turns.add({ path, bytes: buffer, resolve, reject });
    return promise;
  }

  async #readTurn(turn: readonly Waiting[]): Promise<void> {
    this.#thread ??= new WorkerClient(SMALL_FILE_WORKER, 'holdfast files');
    const lent = this.#lent.length > 0 ? this.#lent : new Uint8Array(TURN_BYTES);
    const request: ReadRequest = {
      paths: turn.map(({ path }) => path.toString('latin1')),
      rooms: turn.map(({ bytes }) => bytes.length),
    };
    const answer = await this.#thread.call('read', [request, lent], { transfer: [lent.buffer] });
    const { lengths, stats, errors, buffer } = answer as ReadReply;
    this.#lent = buffer;
    let start = 0;
    for (const [index, { bytes, resolve, reject }] of turn.entries()) {
      const length = lengths[index] as number;
      const error = errors.get(index);
      if (error) reject(decodeError(error));
      else {
        bytes.set(buffer.subarray(start, start + length));
        resolve({ ...statsOf(stats, index * STAT_PAIR_COLUMNS), bytes: bytes.subarray(0, length) });
      }
      start += length;
    }
  }

  /** Ends the thread. Nothing may be read any more. */
  async close(): Promise<void> {
    await this.#thread?.terminate();
  }
}

/** One and the same object where nothing has changed meanwhile. */
function statsOf(stats: BigInt64Array, at: number): Pick<WholeFile, 'before' | 'after'> {
  const before = readStat(stats, at);
  return { before, after: equalStats(stats, at, at + STAT_COLUMNS) ? before : readStat(stats, at + STAT_COLUMNS) };
}
