import { type ChunkingSpec, createChunker } from '../chunking/index.ts';
import { blake3, type Digest } from '../hash/index.ts';
import { SMALL_CONTENT_BYTES } from '../limits.ts';
import type { MerkleLeaf } from '../merkle/index.ts';
import type { FileCutter } from '../pipeline/file-cutter.ts';
import {
  type FinishedManifest,
  INLINE_MANIFEST_CHUNKS,
  inlineManifest,
  ManifestBuilder,
} from '../pipeline/manifest-builder.ts';
import type { Source } from '../pipeline/source.ts';
import { HeldChunks } from './held-chunks.ts';
import type { OperationWriter, Tally } from './operation-writer.ts';
import type { Progress } from './types.ts';

export interface IngestedContent extends FinishedManifest {
  readonly digest: Uint8Array;
  readonly tally: Tally;
}

/** How content is taken in. */
interface IngestOptions {
  readonly chunking: ChunkingSpec;
  readonly verifyExisting: boolean;
}

/**
 * Streams content into chunks, their digests into a manifest, and the chunks to the writer. Nothing refers to them
 * until the caller commits the entry.
 */
export async function ingest(
  source: Source,
  writer: OperationWriter,
  options: IngestOptions & {
    readonly files: FileCutter;
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((progress: Progress) => void) | undefined;
  },
): Promise<IngestedContent> {
  const { chunking, verifyExisting, signal, onProgress } = options;
  signal?.throwIfAborted();
  const total = source instanceof Uint8Array ? source.length : undefined;
  if (source instanceof Uint8Array && isSmallContent(source.length, chunking)) {
    const content = ingestSmall(source, writer, options);
    if (writer.isFull) await writer.drain();
    onProgress?.({ phase: 'put', done: source.length, bytes: source.length, total: source.length });
    return content;
  }
  const tally = newTally();
  const manifest = new ManifestBuilder((nodeDigest, bytes) => writer.addNode(nodeDigest, bytes));
  const chunks = new HeldChunks(source, writer, options);
  let size = 0;
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    const { bytes, digest } = chunk;
    size += bytes.length;
    await manifest.add(bytes.length, digest);
    writer.add({ ...chunk, tally, verifyExisting });
    if (writer.isFull) await writer.drain();
    onProgress?.({ phase: 'put', done: size, bytes: size, ...(total !== undefined && { total }) });
  }
  return { ...(await manifest.finish()), digest: chunks.digest, tally };
}

/** Whether {@link ingestSmall} takes content of so many bytes: its chunks are few, however it is cut. */
export function isSmallContent(bytes: number, chunking: ChunkingSpec): boolean {
  return bytes <= SMALL_CONTENT_BYTES && bytes <= INLINE_MANIFEST_CHUNKS * chunkBytesMin(chunking);
}

function chunkBytesMin(chunking: ChunkingSpec): number {
  if (chunking.kind === 'given') return 0;
  // An odd minimum of FastCDC allows one byte less.
  return chunking.kind === 'fixed' ? chunking.bytes : chunking.min - 1;
}

/**
 * {@link ingest} of small content that is in memory, without waiting for anything. Whoever takes in much has the writer
 * drained in between, when it is full.
 * @param bytes copied; of a length that is small
 */
export function ingestSmall(bytes: Uint8Array, writer: OperationWriter, options: IngestOptions): IngestedContent {
  const tally = newTally();
  const chunks: MerkleLeaf[] = [];
  let offset = 0;
  let digest: Digest | undefined;
  for (const view of cutSmall(bytes, options.chunking)) {
    const held = writer.hold(view);
    digest = blake3(held.bytes);
    chunks.push({ offset, length: view.length, digest });
    offset += view.length;
    writer.add({ ...held, digest, tally, verifyExisting: options.verifyExisting });
  }
  // Content that is one chunk is hashed as that.
  if (digest === undefined || chunks.length > 1) digest = blake3(bytes);
  return { ...inlineManifest(chunks), digest, tally };
}

function cutSmall(bytes: Uint8Array, chunking: ChunkingSpec): Iterable<Uint8Array> {
  // There is no cut to be found in less than the smallest chunk.
  if (bytes.length > 0 && bytes.length <= chunkBytesMin(chunking)) return [bytes];
  return createChunker(chunking).cutWhole(bytes);
}

function newTally(): Tally {
  return { newBytes: 0, storedBytes: 0, chunksNew: 0, chunksKnown: 0 };
}
