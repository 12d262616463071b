/** Reads small files by a thread of its own. */
import type { NodeStat, WholeFile } from './folder-system.ts';
import { SMALL_FILE_WORKER, SmallFileTurns, TURN_BYTES } from './small-file-turns.ts';
import { WorkerClient } from './worker-rpc.ts';
import { decodeError, type WireError } from './worker-wire.ts';

/** A file to read, as it goes to the thread. */
export interface ReadRequest {
  /** As text of one character per byte, which crosses faster than bytes. */
  readonly path: string;
  /** Bytes there are to read it into. */
  readonly room: number;
}

/** What becomes of it. */
export type ReadReply = { readonly length: number } & (
  | { readonly before: NodeStat; readonly after: NodeStat }
  | { readonly error: WireError }
);

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
    const requests = turn.map(
      ({ path, bytes }): ReadRequest => ({ path: path.toString('latin1'), room: bytes.length }),
    );
    const answer = await this.#thread.call('read', [requests, lent], { transfer: [lent.buffer] });
    const { replies, buffer } = answer as { readonly replies: readonly ReadReply[]; buffer: Uint8Array<ArrayBuffer> };
    this.#lent = buffer;
    let start = 0;
    for (const [index, waiting] of turn.entries()) {
      const reply = replies[index] as ReadReply;
      const found = buffer.subarray(start, start + reply.length);
      start += reply.length;
      if ('error' in reply) waiting.reject(decodeError(reply.error));
      else waiting.resolve(wholeFile(waiting.bytes, found, reply));
    }
  }

  /** Ends the thread. Nothing may be read any more. */
  async close(): Promise<void> {
    await this.#thread?.terminate();
  }
}

function wholeFile(
  into: Uint8Array,
  found: Uint8Array,
  { before, after }: Pick<WholeFile, 'before' | 'after'>,
): WholeFile {
  into.set(found);
  return { before, after, bytes: into.subarray(0, found.length) };
}
