import { EMPTY_BYTES } from '../bytes/bytes.ts';
import { argumentTypeError } from '../errors/argument-error.ts';
import { invariant, storeError } from '../errors/store-error.ts';
import { BuzhashFinder } from './buzhash.ts';
import { type CutFinder, FixedCutFinder } from './cut-finder.ts';
import { FastCdcFinder } from './fastcdc.ts';
import type { ScanKernel } from './kernel/scan-kernel.ts';
import { wasmKernel } from './kernel/scan-wasm.ts';
import { type ChunkingSpec, checkChunking, chunkingInvalid } from './spec.ts';

/**
 * Cuts one content stream into chunks. Cut points depend on the content and the spec alone, never on how the content is
 * split into pushes. Synchronous; any number may be in use side by side.
 */
export interface Chunker {
  /**
   * Takes the next bytes of the content.
   *
   * `bytes` is neither changed nor kept. Between pushes one unfinished chunk is held, in a buffer of at most twice its
   * bytes and never more than the largest chunk.
   * @returns the chunks that are complete now, in order; each an array of its own that the caller may keep, change or
   * transfer
   * @throws TypeError when `bytes` is no Uint8Array
   * @throws `invalid/CHUNKER_FINISHED` after `finish`
   */
  push(bytes: Uint8Array): Uint8Array[];
  /**
   * As `push`, without copies: each chunk is a view, to be read only and until the next one is asked for. All of them
   * must be asked for.
   */
  cut(bytes: Uint8Array): Iterable<Uint8Array>;
  /**
   * As `cut` for content that is all there: nothing is copied or carried, and the content is ended.
   * @throws `invalid/CHUNKER_FINISHED` after `finish` or another whole content
   */
  cutWhole(content: Uint8Array): Iterable<Uint8Array>;
  /**
   * Ends the content.
   * @returns the last chunk, if any bytes are left: content of no bytes has no chunk
   * @throws `invalid/CHUNKER_FINISHED` when called again
   */
  finish(): Uint8Array[];
}

/** Not zeroed, since it is filled at once: zeroing cost a tenth of the throughput. Never from Node's shared pool. */
function uninitialised(length: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
}

function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = uninitialised(bytes.length);
  copy.set(bytes);
  return copy;
}

class CuttingChunker implements Chunker {
  readonly #finder: CutFinder;
  /** The bytes of the current chunk that came with earlier pushes lie at its front. */
  #carry: Uint8Array = EMPTY_BYTES;
  #carried = 0;
  #finished = false;

  constructor(finder: CutFinder) {
    this.#finder = finder;
  }

  push(bytes: Uint8Array): Uint8Array[] {
    return Array.from(this.cut(bytes), copyOf);
  }

  *cut(bytes: Uint8Array): Generator<Uint8Array> {
    if (!(bytes instanceof Uint8Array)) throw argumentTypeError('bytes', 'a Uint8Array', bytes);
    this.#assertOpen();
    let from = 0;
    for (;;) {
      const length = this.#finder.next(bytes, from);
      if (length < 0) break;
      const end = from - this.#carried + length;
      if (this.#carried === 0) yield bytes.subarray(from, end);
      else yield* this.#cutCarried(length, bytes.subarray(from, Math.max(from, end)));
      from = Math.max(from, end);
    }
    this.#keep(bytes.subarray(from));
  }

  *cutWhole(content: Uint8Array): Generator<Uint8Array> {
    if (!(content instanceof Uint8Array)) throw argumentTypeError('content', 'a Uint8Array', content);
    this.#assertOpen();
    invariant(this.#carried === 0, 'whole content follows no other');
    this.#finished = true;
    let from = 0;
    for (;;) {
      const length = this.#finder.next(content, from);
      if (length < 0) break;
      yield content.subarray(from, from + length);
      from += length;
    }
    if (from < content.length) yield content.subarray(from);
  }

  finish(): Uint8Array[] {
    this.#assertOpen();
    this.#finished = true;
    const chunk = this.#carry.subarray(0, this.#carried);
    this.#carry = EMPTY_BYTES;
    return chunk.length === 0 ? [] : [chunk.length === chunk.buffer.byteLength ? chunk : copyOf(chunk)];
  }

  #assertOpen(): void {
    if (this.#finished)
      throw storeError('CHUNKER_FINISHED', 'this chunker is finished; use a new one for the next content');
  }

  /**
   * The chunk of `length` bytes that begins with what is carried and ends with `rest`, or inside of what is carried.
   */
  *#cutCarried(length: number, rest: Uint8Array): Generator<Uint8Array> {
    this.#keep(rest);
    yield this.#carry.subarray(0, length);
    this.#carry.copyWithin(0, length, this.#carried);
    this.#carried -= length;
  }

  /**
   * Carries `rest`. The buffer is as large as the first rest needs, so that small contents stay small, then doubles.
   */
  #keep(rest: Uint8Array): void {
    const needed = this.#carried + rest.length;
    if (needed > this.#carry.length) {
      const doubled = Math.min(2 * this.#carry.length, this.#finder.chunkBytesMax);
      const grown = uninitialised(Math.max(needed, doubled));
      if (this.#carried > 0) grown.set(this.#carry.subarray(0, this.#carried));
      this.#carry = grown;
    }
    this.#carry.set(rest, this.#carried);
    this.#carried = needed;
  }
}

/**
 * Finds the cuts that a chunker makes, for who keeps the bytes himself.
 * @param kernel default: the fastest there is
 * @throws as {@link createChunker}
 */
export function createCutFinder(spec: ChunkingSpec, kernel?: ScanKernel): CutFinder {
  checkChunking(spec);
  switch (spec.kind) {
    case 'fixed':
      return new FixedCutFinder(spec.bytes);
    case 'fastcdc':
      return new FastCdcFinder(spec, kernel ?? wasmKernel());
    case 'buzhash':
      return new BuzhashFinder(spec, kernel ?? wasmKernel());
    case 'given':
      throw chunkingInvalid('kind', 'chunks that are given by the caller do not pass through a chunker');
  }
}

/** As `createChunker`, over a kernel of choice: how tests and benchmarks reach the twin. */
export function createChunkerOver(spec: ChunkingSpec, kernel: ScanKernel | undefined): Chunker {
  return new CuttingChunker(createCutFinder(spec, kernel));
}

/**
 * Makes a chunker for one content stream.
 * @param spec how to cut; copied, so later changes have no effect
 * @throws `invalid/CHUNKING_INVALID` when the spec is out of bounds or of kind `given`
 * @example
 * const chunker = createChunker(parseChunking('fastcdc:32768:65536:262144:2'));
 * const chunks = [...chunker.push(content), ...chunker.finish()];
 */
export function createChunker(spec: ChunkingSpec): Chunker {
  return createChunkerOver(spec, undefined);
}
