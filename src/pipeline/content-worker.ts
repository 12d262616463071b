/** Reads files, cuts them into chunks and digests those, and digests what is read of a store, in a thread that may wait. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { createCutFinder } from '../chunking/chunker.ts';
import type { CutFinder } from '../chunking/cut-finder.ts';
import type { ChunkingSpec } from '../chunking/index.ts';
import { invariant } from '../errors/store-error.ts';
import { blake3, createHasher, type Hasher } from '../hash/index.ts';
import { NO_WAIT } from '../runtime/folder-system.ts';
import { serveCalls } from '../runtime/worker-rpc.ts';
import { Transferred } from '../runtime/worker-wire.ts';
import { type CutReply, DIGEST_BYTES, type FileFacts } from './file-cutter.ts';

/** A file on its way. */
class CutFile {
  readonly #file: number;
  readonly #finder: CutFinder;
  readonly #content: Hasher = createHasher('blake3');
  #position = 0;
  /** Bytes of the chunk that the last block ended in. */
  #rest: Uint8Array = new Uint8Array(0);
  #ended = false;

  constructor(path: string, chunking: ChunkingSpec) {
    this.#finder = createCutFinder(chunking);
    // A pipe in the place of the file that was looked at is not waited for.
    this.#file = openSync(path, constants.O_RDONLY | NO_WAIT);
  }

  facts(): FileFacts {
    const stat = fstatSync(this.#file);
    return { regular: stat.isFile(), size: stat.size, mtimeMs: stat.mtimeMs };
  }

  close(): void {
    closeSync(this.#file);
  }

  /** @param block filled with chunks, one behind the other; it has room for the longest and more */
  next(block: Uint8Array<ArrayBuffer>): CutReply {
    // Asked ahead of the end.
    if (this.#ended) return { lengths: [], digests: new Uint8Array(0), block };
    block.set(this.#rest);
    const begun = this.#rest.length;
    const filled = this.#fill(block, begun);
    const bytes = block.subarray(0, filled);
    this.#content.update(bytes.subarray(begun));
    this.#ended = filled < block.length;
    const lengths = this.#cut(bytes, begun);
    const digests = new Uint8Array(lengths.length * DIGEST_BYTES);
    let start = 0;
    for (const [index, length] of lengths.entries()) {
      digests.set(blake3(bytes.subarray(start, start + length)), index * DIGEST_BYTES);
      start += length;
    }
    this.#rest = bytes.slice(start);
    return {
      ...{ lengths, digests, block },
      ...(this.#ended && { end: { digest: this.#content.digest(), facts: this.facts() } }),
    };
  }

  #fill(block: Uint8Array, from: number): number {
    let filled = from;
    while (filled < block.length) {
      const read = readSync(this.#file, block, filled, block.length - filled, this.#position);
      if (read === 0) break;
      filled += read;
      this.#position += read;
    }
    return filled;
  }

  /** Lengths of the chunks that end in `bytes`, of which those from `begun` on are new. */
  #cut(bytes: Uint8Array, begun: number): number[] {
    const lengths: number[] = [];
    let start = 0;
    let from = begun;
    for (let length = this.#finder.next(bytes, from); length >= 0; length = this.#finder.next(bytes, from)) {
      lengths.push(length);
      start += length;
      // A cut may lie a byte before what was taken.
      from = Math.max(from, start);
    }
    if (this.#ended && start < bytes.length) lengths.push(bytes.length - start);
    return lengths;
  }
}

let lastId = 0;
const files = new Map<number, CutFile>();
const hashers = new Map<number, Hasher>();

function held<T>(all: ReadonlyMap<number, T>, id: unknown): T {
  const found = all.get(id as number);
  invariant(found, 'only what was begun goes on');
  return found;
}

function begin<T>(all: Map<number, T>, made: T): number {
  lastId += 1;
  all.set(lastId, made);
  return lastId;
}

/** What the thread is asked to do, by name. */
const methods: Readonly<Record<string, (...args: readonly unknown[]) => unknown>> = {
  open(path, chunking) {
    const file = new CutFile(path as string, chunking as ChunkingSpec);
    return { id: begin(files, file), facts: file.facts() };
  },
  next(id, block) {
    const reply = held(files, id).next(block as Uint8Array<ArrayBuffer>);
    return new Transferred(reply, [reply.block.buffer]);
  },
  close(id) {
    held(files, id).close();
    files.delete(id as number);
  },
  hash: () => begin(hashers, createHasher('blake3')),
  update(id, block, length) {
    const bytes = block as Uint8Array<ArrayBuffer>;
    held(hashers, id).update(bytes.subarray(0, length as number));
    return new Transferred(bytes, [bytes.buffer]);
  },
  digest(id) {
    const digest = held(hashers, id).digest();
    hashers.delete(id as number);
    return digest;
  },
};

serveCalls(async ({ method, args }) => {
  const handle = methods[method];
  invariant(handle, 'only known methods are called');
  return handle(...args);
});
