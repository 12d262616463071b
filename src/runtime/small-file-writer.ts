/** Writes small files by a thread of its own. */
import { SMALL_FILE_WORKER, SmallFileTurns, TURN_BYTES } from './small-file-turns.ts';
import { WorkerClient } from './worker-rpc.ts';
import { decodeError, type WireError } from './worker-wire.ts';

/** A file that gets its name when all of it is there. */
export interface SmallFile {
  /** Its name until then, in the same folder; must be free. */
  readonly temporary: Buffer;
  readonly path: Buffer;
  readonly mode: number;
  readonly mtimeNs: bigint;
  /** Flush before it gets its name. */
  readonly sync: boolean;
}

/** A file to write, as it goes to the thread. */
export interface WriteRequest extends Pick<SmallFile, 'mode' | 'mtimeNs' | 'sync'> {
  /** As text of one character per byte, which crosses faster than bytes. */
  readonly temporary: string;
  readonly path: string;
  readonly length: number;
}

/** What became of it. */
export type WriteReply = { readonly error: WireError } | undefined;

interface Waiting {
  readonly file: SmallFile;
  readonly bytes: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class SmallFileWriter {
  /** Starts with the first file. */
  #thread: WorkerClient | undefined;
  /** Goes to the thread and comes back. */
  #lent = new Uint8Array(0);
  readonly #turns = new SmallFileTurns<Waiting>((turn) => this.#writeTurn(turn));

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

  async #writeTurn(turn: readonly Waiting[]): Promise<void> {
    this.#thread ??= new WorkerClient(SMALL_FILE_WORKER, 'holdfast files');
    const lent = this.#lent.length > 0 ? this.#lent : new Uint8Array(TURN_BYTES);
    let end = 0;
    const requests = turn.map(({ file, bytes }): WriteRequest => {
      lent.set(bytes, end);
      end += bytes.length;
      const { temporary, path, mode, mtimeNs, sync } = file;
      const names = { temporary: temporary.toString('latin1'), path: path.toString('latin1') };
      return { ...names, mode, mtimeNs, sync, length: bytes.length };
    });
    const answer = await this.#thread.call('write', [requests, lent], { transfer: [lent.buffer] });
    const { replies, buffer } = answer as { readonly replies: readonly WriteReply[]; buffer: Uint8Array<ArrayBuffer> };
    this.#lent = buffer;
    for (const [index, { resolve, reject }] of turn.entries()) {
      const reply = replies[index];
      if (reply) reject(decodeError(reply.error));
      else resolve();
    }
  }

  /** Ends the thread. Nothing may be written any more. */
  async close(): Promise<void> {
    await this.#thread?.terminate();
  }
}
