/** Large files are read, cut and digested by a thread of its own, beside all that becomes of their chunks here. */
import type { ChunkingSpec } from '../chunking/index.ts';
import { asDigest, DIGEST_ALGORITHMS, type Digest } from '../hash/index.ts';
import { FILE_CUTTER_BLOCK_BYTES, FILE_CUTTER_BLOCKS_AHEAD } from '../limits.ts';
import { BufferPool } from '../runtime/buffer-pool.ts';
import type { HeldBytes } from '../runtime/slabs.ts';
import type { ContentThread } from './content-thread.ts';

/** Of the digest of a chunk. */
export const { digestBytes: DIGEST_BYTES } = DIGEST_ALGORITHMS.blake3;

/** What the system says of an open file. */
export interface FileFacts {
  readonly regular: boolean;
  readonly size: number;
  readonly mtimeMs: number;
}

/** The next chunks of a file. */
export interface CutReply {
  /** Of the chunks, which lie one behind the other from the front of `block` on. */
  readonly lengths: readonly number[];
  /** `DIGEST_BYTES` for each. */
  readonly digests: Uint8Array;
  readonly block: Uint8Array<ArrayBuffer>;
  /** Of the whole file: with its last chunks. */
  readonly end?: { readonly digest: Digest; readonly facts: FileFacts };
}

/** A chunk, in memory that is used again once it is let go. */
export interface CutChunk extends HeldBytes {
  readonly digest: Digest;
}

/** What a file came to. */
export interface CutEnd {
  /** BLAKE3 of all of it. */
  readonly digest: Digest;
  /** Of the open file, before the first byte and after the last. */
  readonly before: FileFacts;
  readonly after: FileFacts;
}

export class FileCutter {
  readonly #thread: ContentThread;
  readonly #blocks = new BufferPool({ bytes: FILE_CUTTER_BLOCK_BYTES, keptMax: 2 * FILE_CUTTER_BLOCKS_AHEAD });

  constructor(thread: ContentThread) {
    this.#thread = thread;
  }

  /** Whether chunks of this kind are found here: the longest takes at most half a block. */
  takes(chunking: ChunkingSpec): boolean {
    if (chunking.kind === 'given') return false;
    return 2 * (chunking.kind === 'fixed' ? chunking.bytes : chunking.max) <= FILE_CUTTER_BLOCK_BYTES;
  }

  /**
   * Cuts a file as it is now, some blocks of a mebibyte ahead of who asks.
   * @param path of a file that can be read through: a pipe would be waited for
   * @param chunking of a kind that `takes` takes
   * @yields all its chunks in order
   * @throws the system's error, and the signal's reason
   */
  async *cut(path: string, chunking: ChunkingSpec, signal?: AbortSignal): AsyncGenerator<CutChunk, CutEnd> {
    const opened = await this.#thread.call('open', [path, chunking]);
    const { id, facts: before } = opened as { readonly id: number; readonly facts: FileFacts };
    const ahead: Promise<CutReply>[] = [];
    try {
      for (;;) {
        signal?.throwIfAborted();
        while (ahead.length < FILE_CUTTER_BLOCKS_AHEAD) ahead.push(this.#next(id));
        const reply = (await ahead.shift()) as CutReply;
        yield* this.#chunksOf(reply);
        if (reply.end) return { before, after: reply.end.facts, digest: asDigest(reply.end.digest) };
      }
    } finally {
      for (const reply of await Promise.allSettled(ahead))
        if (reply.status === 'fulfilled') this.#blocks.give(reply.value.block);
      // Its thread may be gone, which who asked has been told.
      await this.#thread.call('close', [id]).catch(() => undefined);
    }
  }

  #next(id: number): Promise<CutReply> {
    const block = this.#blocks.take() as Uint8Array<ArrayBuffer>;
    const reply = this.#thread.call('next', [id, block], [block.buffer]) as Promise<CutReply>;
    // Its failure waits for who asks for the block.
    reply.catch(() => undefined);
    return reply;
  }

  *#chunksOf({ lengths, digests, block }: CutReply): Generator<CutChunk> {
    let held = lengths.length;
    const release = (): void => {
      held -= 1;
      if (held === 0) this.#blocks.give(block);
    };
    if (held === 0) this.#blocks.give(block);
    let start = 0;
    for (const [index, length] of lengths.entries()) {
      const digest = asDigest(digests.slice(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES), 'blake3');
      yield { bytes: block.subarray(start, start + length), digest, release };
      start += length;
    }
  }
}
