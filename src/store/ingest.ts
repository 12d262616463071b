import type { ChunkingSpec } from '../chunking/index.ts';
import { blake3, createHasher, type Hasher } from '../hash/index.ts';
import { cutSource } from '../pipeline/cut-source.ts';
import { type FinishedManifest, ManifestBuilder } from '../pipeline/manifest-builder.ts';
import type { Source } from '../pipeline/source.ts';
import type { OperationWriter, Tally } from './operation-writer.ts';
import type { Progress } from './types.ts';

export interface IngestedContent extends FinishedManifest {
  readonly digest: Uint8Array;
  readonly tally: Tally;
}

/**
 * Streams content into chunks, their digests into a manifest, and the chunks to the writer. Nothing refers to them
 * until the caller commits the entry.
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
  const total = source instanceof Uint8Array ? source.length : undefined;
  let content: Hasher | undefined;
  let first: Uint8Array | undefined;
  let size = 0;
  for await (const view of cutSource(source, options.chunking, options.signal)) {
    options.signal?.throwIfAborted();
    const { bytes, release } = writer.hold(view);
    const digest = blake3(bytes);
    // Content that is one chunk is hashed as that.
    if (bytes.length !== total) content = (content ?? createHasher('blake3')).update(bytes);
    first ??= digest;
    size += bytes.length;
    await manifest.add(bytes.length, digest);
    await writer.add({ digest, bytes, release, tally, verifyExisting: options.verifyExisting });
    options.onProgress?.({ phase: 'put', done: size, bytes: size, ...(total !== undefined && { total }) });
  }
  const finished = await manifest.finish();
  const digest = finished.chunkCount === 1 && first ? first : (content ?? createHasher('blake3')).digest();
  return { ...finished, digest, tally };
}
