/** Reads small files by a thread of its own: what is asked for while it is busy goes to it together. */
import { MIB } from '../limits.ts';
import type { NodeStat, WholeFile } from './folder-system.ts';
import { WorkerClient } from './worker-rpc.ts';
import { decodeError, type WireError } from './worker-wire.ts';

/** Sources run as they are, and what was built from them lies beside each other in the same way. */
const WORKER_ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? './small-file-worker.ts' : './small-file-worker.js',
  import.meta.url,
);

/** What one message reads at most, and so the largest buffer that can be filled. */
const FILE_TURN_BYTES = 2 * MIB;
/** Files of one message. */
const TURN_FILES_MAX = 64;

/** A file to read, as it goes to the thread. */
export interface FileRequest {
  readonly path: Uint8Array;
  /** Bytes there are to read it into. */
  readonly room: number;
}

/** What becomes of it. */
export type FileReply = { readonly length: number } & (
  | { readonly before: NodeStat; readonly after: NodeStat }
  | { readonly error: WireError }
);

interface Waiting {
  readonly path: Uint8Array;
  readonly buffer: Uint8Array;
  readonly resolve: (file: WholeFile) => void;
  readonly reject: (error: unknown) => void;
}

export class SmallFileReader {
  /** Starts with the first file. */
  #thread: WorkerClient | undefined;
  /** Goes to the thread and comes back. */
  #lent = new Uint8Array(0);
  #queue: Waiting[] = [];
  #busy = false;

  /**
   * Reads a small file at once. A symbolic link is not followed, and a pipe is not waited for.
   * @param buffer what is read into, up to 2 MiB: with room for one byte more than the file has, or the file
   *   seems longer
   * @returns what it was before the first byte and after the last, and a view of `buffer`
   * @throws the system's error
   */
  readWhole(path: Buffer, buffer: Uint8Array): Promise<WholeFile> {
    const { promise, resolve, reject } = Promise.withResolvers<WholeFile>();
    this.#queue.push({ path, buffer, resolve, reject });
    if (!this.#busy) void this.#run();
    return promise;
  }

  async #run(): Promise<void> {
    this.#busy = true;
    // Whoever asks in the same turn of the event loop shares the message.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const turn = this.#takeTurn();
      try {
        await this.#readTurn(turn);
      } catch (error) {
        for (const { reject } of turn) reject(error);
      }
    }
    this.#busy = false;
  }

  #takeTurn(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { buffer } of this.#queue) {
      bytes += buffer.length;
      if (count > 0 && (bytes > FILE_TURN_BYTES || count === TURN_FILES_MAX)) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  async #readTurn(turn: readonly Waiting[]): Promise<void> {
    this.#thread ??= new WorkerClient(WORKER_ENTRY, 'holdfast files');
    const lent = this.#lent.length > 0 ? this.#lent : new Uint8Array(FILE_TURN_BYTES);
    const requests = turn.map(({ path, buffer }): FileRequest => ({ path, room: buffer.length }));
    const answer = await this.#thread.call('read', [requests, lent], { transfer: [lent.buffer] });
    const { replies, buffer } = answer as { readonly replies: readonly FileReply[]; buffer: Uint8Array<ArrayBuffer> };
    this.#lent = buffer;
    let start = 0;
    for (const [index, waiting] of turn.entries()) {
      const reply = replies[index] as FileReply;
      const found = buffer.subarray(start, start + reply.length);
      start += reply.length;
      if ('error' in reply) waiting.reject(decodeError(reply.error));
      else waiting.resolve(wholeFile(waiting.buffer, found, reply));
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
