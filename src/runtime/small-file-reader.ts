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

/** Small files that were read together. */
export interface FilesRead {
  /** Of each file what it is, or the system's error. Bytes may be looked at until `release` is called. */
  readonly files: readonly (WholeFile | Error)[];
  /** Lets go of the bytes. */
  release(): void;
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
  /** Memory that goes to the thread and comes back, while it is here. */
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
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

  /**
   * Reads small files one behind the other, as {@link readWhole} reads one.
   * @param rooms bytes there are for each: one byte more than the file should have; 2 MiB in all at most
   */
  async readTogether(paths: readonly Buffer[], rooms: readonly number[]): Promise<FilesRead> {
    this.#thread ??= new WorkerClient(SMALL_FILE_WORKER, 'holdfast files');
    const lent = this.#free.pop() ?? new Uint8Array(TURN_BYTES);
    const request: ReadRequest = { paths: paths.map((path) => path.toString('latin1')), rooms };
    const answer = await this.#thread.call('read', [request, lent], { transfer: [lent.buffer] });
    const { lengths, stats, errors, buffer } = answer as ReadReply;
    let start = 0;
    const files = lengths.map((length, index) => {
      const error = errors.get(index);
      if (error) return decodeError(error);
      const bytes = buffer.subarray(start, start + length);
      start += length;
      return { ...statsOf(stats, index * STAT_PAIR_COLUMNS), bytes };
    });
    return { files, release: () => this.#free.push(buffer) };
  }

  async #readTurn(turn: readonly Waiting[]): Promise<void> {
    const { files, release } = await this.readTogether(
      turn.map(({ path }) => path),
      turn.map(({ bytes }) => bytes.length),
    );
    for (const [index, { bytes, resolve, reject }] of turn.entries()) {
      const file = files[index] as WholeFile | Error;
      if (file instanceof Error) reject(file);
      else {
        bytes.set(file.bytes);
        resolve({ ...file, bytes: bytes.subarray(0, file.bytes.length) });
      }
    }
    release();
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
