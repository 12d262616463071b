import { type ChunkingSpec, createChunker } from '../chunking/index.ts';
import { storeError } from '../errors/store-error.ts';
import { CHUNK_BYTES_MAX, MIB } from '../limits.ts';
import { openSource, type Source } from './source.ts';

/** A huge array is cut in slices, so that neither the event loop nor memory feels its size. */
const SLICE_BYTES = MIB;

/**
 * Cuts a source into chunks.
 * @yields chunks, each valid until the next one is asked for
 * @throws what `openSource` throws; `invalid/CHUNKS_INVALID` for chunking `given` of what has no pieces, or wrong ones
 */
export async function* cutSource(
  source: Source,
  chunking: ChunkingSpec,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (chunking.kind === 'given') {
    yield* givenChunks(source, signal);
    return;
  }
  if (source instanceof Uint8Array && source.length <= SLICE_BYTES) {
    yield* createChunker(chunking).cutWhole(source);
    return;
  }
  yield* cutPieces(openSource(source, signal), chunking);
}

/** As {@link cutSource}, of a source that is open. @param chunking any but `given` */
export async function* cutPieces(
  pieces: AsyncIterable<Uint8Array>,
  chunking: ChunkingSpec,
): AsyncGenerator<Uint8Array> {
  const chunker = createChunker(chunking);
  for await (const piece of pieces) {
    for (let start = 0; start < piece.length; start += SLICE_BYTES)
      yield* chunker.cut(piece.subarray(start, start + SLICE_BYTES));
  }
  yield* chunker.finish();
}

async function* givenChunks(source: Source, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const pieces = openSource(source, signal);
  const isIterable = typeof source === 'object' && (Symbol.asyncIterator in source || Symbol.iterator in source);
  if (!isIterable || source instanceof Uint8Array) {
    throw storeError('CHUNKS_INVALID', 'chunking "given" needs an iterable whose pieces are the chunks');
  }
  for await (const piece of pieces) {
    if (piece.length === 0 || piece.length > CHUNK_BYTES_MAX) {
      throw storeError('CHUNKS_INVALID', `a given chunk has 1 to ${CHUNK_BYTES_MAX} bytes, not ${piece.length}`, {
        details: { size: piece.length },
      });
    }
    yield piece;
  }
}
