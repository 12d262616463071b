import { type ChunkingSpec, createChunker } from '../chunking/index.ts';
import { storeError } from '../errors/store-error.ts';
import { blake3, createHasher } from '../hash/index.ts';
import { CHUNK_BYTES_MAX, MIB } from '../limits.ts';
import { type FinishedManifest, ManifestBuilder } from '../pipeline/manifest-builder.ts';
import { openSource, type Source } from '../pipeline/source.ts';
import type { OperationWriter, Tally } from './operation-writer.ts';
import type { Progress } from './types.ts';

/** A huge array is cut in slices, so that neither the event loop nor memory feels its size. */
const SLICE_BYTES = MIB;

export interface IngestedContent extends FinishedManifest {
  readonly digest: Uint8Array;
  readonly tally: Tally;
}

/**
 * Streams content into chunks, their digests into a manifest, and the chunks to the writer. Nothing refers to them until
 * the caller commits the entry.
 */
export async function ingest(
  source: Source,
  writer: OperationWriter,
  options: {
    readonly chunking: ChunkingSpec;
    readonly verifyExisting: boolean;
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((progress: Progress) => void) | undefined;
  },
): Promise<IngestedContent> {
  const tally: Tally = { newBytes: 0, storedBytes: 0, chunksNew: 0, chunksKnown: 0 };
  const manifest = new ManifestBuilder((nodeDigest, bytes) => writer.addNode(nodeDigest, bytes));
  const content = createHasher('blake3');
  const total = source instanceof Uint8Array ? source.length : undefined;
  let first: Uint8Array | undefined;
  let size = 0;
  for await (const view of cut(source, options.chunking, options.signal)) {
    options.signal?.throwIfAborted();
    const { bytes, release } = writer.hold(view);
    const digest = blake3(bytes);
    content.update(bytes);
    first ??= digest;
    size += bytes.length;
    await manifest.add(bytes.length, digest);
    await writer.add({ digest, bytes, release, tally, verifyExisting: options.verifyExisting });
    options.onProgress?.({ phase: 'put', done: size, bytes: size, ...(total !== undefined && { total }) });
  }
  const finished = await manifest.finish();
  const digest = finished.chunkCount === 1 && first ? first : content.digest();
  return { ...finished, digest, tally };
}

/** @yields chunks, each valid until the next one is asked for */
async function* cut(source: Source, chunking: ChunkingSpec, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  if (chunking.kind === 'given') {
    yield* givenChunks(source, signal);
    return;
  }
  const chunker = createChunker(chunking);
  for await (const piece of openSource(source, signal)) {
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
