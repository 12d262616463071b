import type { ChunkingSpec } from '../chunking/index.ts';
import { invariant } from '../errors/store-error.ts';
import { blake3, createHasher, type Digest, type Hasher } from '../hash/index.ts';
import { FILE_CUTTER_BYTES_MIN } from '../limits.ts';
import { cutPieces, cutSource } from '../pipeline/cut-source.ts';
import type { CutChunk, FileCutter } from '../pipeline/file-cutter.ts';
import { fileBytes, isPath, type Source, statSource, unchanged } from '../pipeline/source.ts';
import type { OperationWriter } from './operation-writer.ts';

/**
 * The chunks of a source, each digested and in memory that is let go when it was stored: that of the thread that reads and
 * cuts large files, else that of the writer. To be gone through once.
 */
export class HeldChunks implements AsyncIterable<CutChunk> {
  readonly #source: Source;
  readonly #writer: OperationWriter;
  readonly #files: FileCutter;
  readonly #chunking: ChunkingSpec;
  readonly #signal: AbortSignal | undefined;
  #digest: Digest | undefined;

  constructor(
    source: Source,
    writer: OperationWriter,
    options: {
      readonly files: FileCutter;
      readonly chunking: ChunkingSpec;
      readonly signal?: AbortSignal | undefined;
    },
  ) {
    this.#source = source;
    this.#writer = writer;
    this.#files = options.files;
    this.#chunking = options.chunking;
    this.#signal = options.signal;
  }

  /** BLAKE3 of the whole content, once the last chunk was given. */
  get digest(): Digest {
    invariant(this.#digest, 'content is named when all of it is known');
    return this.#digest;
  }

  /** @throws what `cutSource` throws */
  [Symbol.asyncIterator](): AsyncGenerator<CutChunk> {
    const source = this.#source;
    if (isPath(source) && this.#files.takes(this.#chunking)) return this.#ofFile(source.path);
    return this.#ofViews(cutSource(source, this.#chunking, this.#signal));
  }

  async *#ofFile(path: string): AsyncGenerator<CutChunk> {
    const { size } = await statSource(path);
    if (size < FILE_CUTTER_BYTES_MIN) {
      yield* this.#ofViews(cutPieces(fileBytes(path, this.#signal), this.#chunking));
      return;
    }
    const chunks = this.#files.cut(path, this.#chunking, this.#signal);
    const { digest } = yield* unchanged(path, chunks, { lengthOf: ({ bytes }) => bytes.length, signal: this.#signal });
    this.#digest = digest;
  }

  async *#ofViews(views: AsyncIterable<Uint8Array>): AsyncGenerator<CutChunk> {
    const total = this.#source instanceof Uint8Array ? this.#source.length : undefined;
    let content: Hasher | undefined;
    let only: Digest | undefined;
    for await (const view of views) {
      const held = this.#writer.hold(view);
      const digest = blake3(held.bytes);
      // Content that is one chunk is hashed as that.
      if (held.bytes.length === total) only = digest;
      else content = (content ?? createHasher('blake3')).update(held.bytes);
      yield { ...held, digest };
    }
    this.#digest = only ?? (content ?? createHasher('blake3')).digest();
  }
}
