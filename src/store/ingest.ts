import { type ChunkingSpec, createChunker } from '../chunking/index.ts';
import { blake3, createHasher, type Digest, type Hasher } from '../hash/index.ts';
import { SMALL_CONTENT_BYTES } from '../limits.ts';
import type { MerkleLeaf } from '../merkle/index.ts';
import { cutSource } from '../pipeline/cut-source.ts';
import {
  type FinishedManifest,
  INLINE_MANIFEST_CHUNKS,
  inlineManifest,
  ManifestBuilder,
} from '../pipeline/manifest-builder.ts';
import type { Source } from '../pipeline/source.ts';
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
  let content: Hasher | undefined;
  let first: Uint8Array | undefined;
  let size = 0;
  for await (const view of cutSource(source, chunking, signal)) {
    signal?.throwIfAborted();
    const { bytes, release } = writer.hold(view);
    const digest = blake3(bytes);
    // Content that is one chunk is hashed as that.
    if (bytes.length !== total) content = (content ?? createHasher('blake3')).update(bytes);
    first ??= digest;
    size += bytes.length;
    await manifest.add(bytes.length, digest);
    writer.add({ digest, bytes, release, tally, verifyExisting });
    if (writer.isFull) await writer.drain();
    onProgress?.({ phase: 'put', done: size, bytes: size, ...(total !== undefined && { total }) });
  }
  const finished = await manifest.finish();
  const digest = finished.chunkCount === 1 && first ? first : (content ?? createHasher('blake3')).digest();
  return { ...finished, digest, tally };
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
