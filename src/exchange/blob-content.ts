import { toHex } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { createHasher } from '../hash/index.ts';
import { CHUNK_BYTES_MAX } from '../limits.ts';
import type { ChunkstoreManifest } from './chunkstore-layout.ts';
import type { SourceFolder } from './source-folder.ts';

/** What reading the content of a manifest needs to know. */
export interface BlobContentOptions {
  /** What the entry will be called; errors name it. */
  readonly key: string;
  /** Give every chunk in one piece, for a put that cuts as the source does. */
  readonly whole: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onBytes: (bytes: number) => void;
}

/**
 * The content of one manifest, out of its blobs. Every blob is hashed while it goes by, and the sum of their lengths
 * compared with what the manifest says; a difference is thrown after bytes were given out, so nothing may be committed
 * before the end.
 */
export class BlobContent implements AsyncIterable<Uint8Array> {
  readonly #folder: SourceFolder;
  readonly #manifest: ChunkstoreManifest;
  readonly #options: BlobContentOptions;
  /** What ended the reading, to tell a failure of the source from one of whoever reads it. */
  failure: unknown;

  constructor(folder: SourceFolder, manifest: ChunkstoreManifest, options: BlobContentOptions) {
    this.#folder = folder;
    this.#manifest = manifest;
    this.#options = options;
  }

  /** @yields pieces that are valid until the next one is asked for @throws `corrupt/IMPORT_CORRUPT`, what reading throws */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    let size = 0;
    for (const digest of this.#manifest.digests) {
      const pieces = this.#options.whole ? this.#inOnePiece(digest) : this.#verified(digest);
      try {
        for (;;) {
          const next = await pieces.next().catch((error: unknown) => this.#failed(error));
          if (next.done) break;
          size += next.value.length;
          // What is too long already is not read to its end, which may be far.
          if (size > this.#manifest.fileBytes) this.#failed(this.#wrongLength(size));
          this.#options.onBytes(next.value.length);
          yield next.value;
        }
      } finally {
        // Closes the blob when its reader stops early.
        await pieces.return(undefined);
      }
    }
    if (size !== this.#manifest.fileBytes) this.#failed(this.#wrongLength(size));
  }

  #failed(error: unknown): never {
    this.failure = error;
    throw error;
  }

  #wrongLength(size: number): Error {
    const { fileBytes } = this.#manifest;
    const actual = size > fileBytes ? `at least ${size}` : size;
    const { key } = this.#options;
    const message = `${JSON.stringify(key)}: the chunks make ${actual} bytes, and the manifest says ${fileBytes}`;
    return storeError('IMPORT_CORRUPT', message, { details: { key, expected: fileBytes, actual: size } });
  }

  async *#verified(digest: string): AsyncGenerator<Uint8Array> {
    await this.#expect(digest);
    const hasher = createHasher('sha256');
    for await (const piece of this.#folder.pieces(digest, this.#options.signal)) {
      hasher.update(piece);
      yield piece;
    }
    this.#compare(digest, toHex(hasher.digest()));
  }

  async *#inOnePiece(digest: string): AsyncGenerator<Uint8Array> {
    await this.#expect(digest);
    const bytes = await this.#folder.bytes(digest, CHUNK_BYTES_MAX, this.#options.signal);
    this.#compare(digest, toHex(createHasher('sha256').update(bytes).digest()));
    if (bytes.length > 0) yield bytes;
  }

  async #expect(digest: string): Promise<void> {
    if ((await this.#folder.sizeOf(digest)) !== undefined) return;
    const file = this.#folder.path(digest);
    const { key } = this.#options;
    throw storeError('IMPORT_CORRUPT', `${JSON.stringify(key)}: the chunk ${file} is missing`, {
      details: { key, path: file, digest },
    });
  }

  #compare(expected: string, actual: string): void {
    if (actual === expected) return;
    const file = this.#folder.path(expected);
    const { key } = this.#options;
    const message = `${JSON.stringify(key)}: the chunk ${file} does not have the SHA-256 of its name`;
    throw storeError('IMPORT_CORRUPT', message, { details: { key, path: file, digest: expected, expected, actual } });
  }
}
