import { BufferPool } from '../../runtime/buffer-pool.ts';
import { SmallFileReader } from '../../runtime/small-file-reader.ts';
import { systemCodeOf } from '../file-error.ts';

/** Larger ones are worth a stream of their own. */
const SMALL_FILE_BYTES_MAX = 64 * 1024;

export interface SmallFile {
  readonly bytes: Uint8Array;
  /** Lets go of the bytes. */
  release(): void;
}

/** Reads what is small, whole and quiet; all else is put in the ordinary way, which tells what is wrong with it. */
export class SmallFiles {
  readonly #reader = new SmallFileReader();
  readonly #buffers: BufferPool;

  /** @param readAheadMax files that are read and not yet released, at most */
  constructor(readAheadMax: number) {
    this.#buffers = new BufferPool({ bytes: SMALL_FILE_BYTES_MAX + 1, keptMax: readAheadMax });
  }

  async read(path: string): Promise<SmallFile | undefined> {
    const buffer = this.#buffers.take();
    const release = (): void => this.#buffers.give(buffer);
    try {
      const { before, after, bytes } = await this.#reader.readWhole(Buffer.from(path), buffer);
      const isWhole = before.kind === 'file' && before.size === bytes.length && after.size === bytes.length;
      if (isWhole && before.mtimeNs === after.mtimeNs) return { bytes, release };
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
    }
    release();
    return undefined;
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}
