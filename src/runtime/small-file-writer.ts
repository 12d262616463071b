/** Writes small files by a thread of its own. */
import { randomId } from './random.ts';
import { SMALL_FILE_WORKER, SmallFileTurns, TURN_BYTES } from './small-file-turns.ts';
import { WorkerClient } from './worker-rpc.ts';
import { decodeError, type WireError } from './worker-wire.ts';

/** A file that gets its name when all of it is there. */
export interface SmallFile {
  readonly path: Buffer;
  readonly mode: number;
  readonly mtimeNs: bigint;
  /** Flush before it gets its name. */
  readonly sync: boolean;
}

/** Files to write, as they go to the thread, with their bytes one behind the other. */
export interface WriteRequest {
  /** As text of one character per byte, which crosses faster than bytes. */
  readonly paths: readonly string[];
  readonly modes: Uint32Array;
  readonly mtimesNs: BigInt64Array;
  readonly lengths: Uint32Array;
  readonly syncs: Uint8Array;
  /** Not to be guessed, and another for each request: what the files are called until they are whole. */
  readonly temporary: string;
}

/** What became of them: why those were not written that were not, by their place in the request. */
export interface WriteReply {
  readonly errors: ReadonlyMap<number, WireError>;
  readonly buffer: Uint8Array<ArrayBuffer>;
}

/** A file, and how many bytes of the message are its content. */
export interface FileInMessage {
  readonly file: SmallFile;
  readonly length: number;
}

interface Waiting {
  readonly file: SmallFile;
  readonly bytes: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class SmallFileWriter {
  /** Starts with the first file. */
  #thread: WorkerClient | undefined;
  /** Memory that goes to the thread and comes back, while it is here. */
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  readonly #turns = new SmallFileTurns<Waiting>((turn) => this.#writeTurn(turn));
  readonly #id = randomId();
  #requests = 0;

  /**
   * Writes a small file so that its name stands for all of it or for what it stood for before: a temporary file with
   * its mode and time is renamed, and removed when anything fails.
   * @param bytes up to 2 MiB; not to be changed until it is done
   * @throws the system's error
   */
  write(file: SmallFile, bytes: Uint8Array): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#turns.add({ file, bytes, resolve, reject });
    return promise;
  }

  /** Memory for the contents of files that are written together, one behind the other: 2 MiB. */
  lend(): Uint8Array<ArrayBuffer> {
    return this.#free.pop() ?? new Uint8Array(TURN_BYTES);
  }

  /**
   * Writes small files one after the other, each as {@link write} does.
   * @param lent from {@link lend}, filled; it is taken back
   * @returns why those were not written that were not, by their place
   */
  async writeTogether(
    files: readonly FileInMessage[],
    lent: Uint8Array<ArrayBuffer>,
  ): Promise<ReadonlyMap<number, Error>> {
    const answer = await this.#call('write', [this.#requestOf(files), lent], [lent.buffer]);
    const { errors, buffer } = answer as WriteReply;
    this.#free.push(buffer);
    return new Map(Array.from(errors, ([index, error]) => [index, decodeError(error)]));
  }

  /**
   * Flushes files one after the other, for at most so long.
   * @returns how many of them were tried, and why those were not flushed that were not, by their place
   */
  async syncTogether(
    paths: readonly Buffer[],
    msMax: number,
  ): Promise<{ readonly tried: number; readonly errors: ReadonlyMap<number, Error> }> {
    const answer = await this.#call('sync', [paths.map((path) => path.toString('latin1')), msMax]);
    const { tried, errors } = answer as { readonly tried: number; readonly errors: ReadonlyMap<number, WireError> };
    return { tried, errors: new Map(Array.from(errors, ([index, error]) => [index, decodeError(error)])) };
  }

  #call(method: string, args: readonly unknown[], transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    this.#thread ??= new WorkerClient(SMALL_FILE_WORKER, 'holdfast files');
    return this.#thread.call(method, args, { transfer });
  }

  #requestOf(files: readonly FileInMessage[]): WriteRequest {
    this.#requests += 1;
    return {
      paths: files.map(({ file }) => file.path.toString('latin1')),
      modes: Uint32Array.from(files, ({ file }) => file.mode),
      mtimesNs: BigInt64Array.from(files, ({ file }) => file.mtimeNs),
      lengths: Uint32Array.from(files, ({ length }) => length),
      syncs: Uint8Array.from(files, ({ file }) => Number(file.sync)),
      temporary: `.holdfast-${this.#id}-${this.#requests}`,
    };
  }

  async #writeTurn(turn: readonly Waiting[]): Promise<void> {
    const lent = this.lend();
    let end = 0;
    for (const { bytes } of turn) {
      lent.set(bytes, end);
      end += bytes.length;
    }
    const files = turn.map(({ file, bytes }) => ({ file, length: bytes.length }));
    const errors = await this.writeTogether(files, lent);
    for (const [index, { resolve, reject }] of turn.entries()) {
      const error = errors.get(index);
      if (error) reject(error);
      else resolve();
    }
  }

  /** Ends the thread. Nothing may be written any more. */
  async close(): Promise<void> {
    await this.#thread?.terminate();
  }
}
