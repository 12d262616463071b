/**
 * Streams the content of a large entry in blocks whose memory is used again. That of what was read and decompressed for
 * them is given back as soon as it was copied.
 */
import type { EntryValue } from '../format/index.ts';
import { LENT_BYTES } from '../limits.ts';
import { freeMemory } from '../runtime/free-memory.ts';
import { BlockHasher } from './block-hasher.ts';
import { BorderRecord } from './border-record.ts';
import { checkContent } from './content-check.ts';
import { entryChunks, fetchAhead, type ReadContentOptions, wantedPart } from './content-reader.ts';
import type { ContentThread } from './content-thread.ts';
import type { ItemReader } from './item-reader.ts';
import type { ManifestChunk } from './manifest-reader.ts';

/** Blocks that their reader may look at: the last two. */
const LENT_AT_ONCE = 2;
/** Blocks that are being digested while the next one is filled. */
const BLOCKS_HASHED_AHEAD = 2;

interface Block {
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly length: number;
}

/**
 * As `readContent`, with the digest of all content made by a thread.
 * @yields verified blocks of `LENT_BYTES`, the last one of what is left; each is valid until the one after the next is
 *   asked for
 */
export async function* readLentContent(
  reader: ItemReader,
  value: EntryValue,
  { thread, ...options }: ReadContentOptions & { readonly thread: ContentThread },
): AsyncGenerator<Uint8Array> {
  const range = options.range ?? { offset: 0, end: value.size };
  const whole = range.offset === 0 && range.end === value.size;
  const hasher = whole ? new BlockHasher(thread) : undefined;
  const pool = new BlockPool();
  const ahead: Promise<Block>[] = [];
  let size = 0;
  try {
    for await (const block of pool.fill(piecesOf(reader, value, { ...options, range }))) {
      size += block.length;
      const hashed = hasher ? hashBlock(hasher, block) : Promise.resolve(block);
      // Its failure waits until its turn comes.
      hashed.catch(() => undefined);
      ahead.push(hashed);
      if (ahead.length > BLOCKS_HASHED_AHEAD) yield pool.lend((await ahead.shift()) as Block);
    }
    while (ahead.length > 1) yield pool.lend((await ahead.shift()) as Block);
    const last = await ahead.shift();
    if (hasher) checkContent(value, { size, digest: await hasher.digest() });
    if (last) yield pool.lend(last);
  } finally {
    await Promise.allSettled(ahead);
    await hasher?.end();
  }
}

async function hashBlock(hasher: BlockHasher, { memory, length }: Block): Promise<Block> {
  return { memory: await hasher.update(memory, length), length };
}

/** Blocks on their way: being filled, digested or lent. */
class BlockPool {
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  readonly #lent: Uint8Array<ArrayBuffer>[] = [];

  /** Copies pieces one behind the other. */
  async *fill(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Block> {
    let memory: Uint8Array<ArrayBuffer> | undefined;
    let length = 0;
    for await (const piece of pieces) {
      for (let from = 0; from < piece.length; ) {
        memory ??= this.#free.pop() ?? new Uint8Array(LENT_BYTES);
        const part = piece.subarray(from, from + LENT_BYTES - length);
        memory.set(part, length);
        from += part.length;
        length += part.length;
        if (length < LENT_BYTES) continue;
        yield { memory, length };
        [memory, length] = [undefined, 0];
      }
    }
    if (memory) yield { memory, length };
  }

  /** @returns the bytes of a block; those that were lent before the last are asked back */
  lend({ memory, length }: Block): Uint8Array {
    this.#lent.push(memory);
    if (this.#lent.length > LENT_AT_ONCE) this.#free.push(...this.#lent.splice(0, 1));
    return memory.subarray(0, length);
  }
}

interface Fetched {
  readonly chunks: readonly ManifestChunk[];
  readonly bytes: readonly Uint8Array[];
  /** Made for these bytes alone. */
  readonly memory: readonly Uint8Array[];
}

/** @yields the parts of chunks that lie in a range, each valid until the next is asked for */
async function* piecesOf(
  reader: ItemReader,
  value: EntryValue,
  { range, signal, aheadBytes }: ReadContentOptions & Required<Pick<ReadContentOptions, 'range'>>,
): AsyncGenerator<Uint8Array> {
  const border = new BorderRecord();
  const fetch = async (chunks: readonly ManifestChunk[]): Promise<Fetched> => {
    const memory: Uint8Array[] = [];
    const bytes = await reader.read('chunk', chunks, { signal, border, memory });
    return { chunks, bytes, memory };
  };
  let before: readonly Uint8Array[] = [];
  for await (const { chunks, bytes, memory } of fetchAhead(
    entryChunks(reader, value, { range, signal }),
    fetch,
    aheadBytes,
  )) {
    // Only now: this read may have begun with the record that the one before ended with.
    freeMemory(before);
    before = memory;
    for (const [index, chunk] of chunks.entries()) yield wantedPart(bytes[index] as Uint8Array, chunk, range);
  }
  freeMemory(before);
}
