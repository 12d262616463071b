import { concatBytes } from '../../bytes/bytes.ts';
import { LOOKUP_BATCH_CHUNKS } from '../../limits.ts';
import type { Metadata } from '../../metadata/contract.ts';
import { entryChunks } from '../../pipeline/content-reader.ts';
import type { ManifestChunk } from '../../pipeline/manifest-reader.ts';
import type { BackendSet } from '../../placement/backend-set.ts';
import { digestText, type OpenedEntry } from '../entry-info.ts';
import { PlacementDescriber } from './placed-items.ts';
import type { ChunkInfo, ChunksOptions } from './report-types.ts';

/** Chunks of an entry in order, each as it is met; with their placement a batch is looked up at a time. */
export async function* listChunks(
  { metadata, backends }: { readonly metadata: Metadata; readonly backends: BackendSet },
  { value, reader, ids }: OpenedEntry,
  { signal, placement }: ChunksOptions,
): AsyncGenerator<ChunkInfo> {
  const chunks = entryChunks(reader, value, signal && { signal });
  if (!placement) {
    for await (const chunk of chunks) yield Object.freeze(toInfo(chunk));
    return;
  }
  const describer = new PlacementDescriber(backends);
  for await (const batch of batchesOf(chunks)) {
    const wanted = concatBytes(batch.map(({ digest }) => ids.idOf('chunk', digest)));
    const locations = await metadata.locate('chunk', wanted, signal && { signal });
    for (const [index, chunk] of batch.entries())
      yield Object.freeze({ ...toInfo(chunk), placement: describer.describe(locations[index]) });
  }
}

function toInfo({ index, offset, length, digest }: ManifestChunk): ChunkInfo {
  return { index, offset, length, digest: digestText(digest) };
}

async function* batchesOf(chunks: AsyncIterable<ManifestChunk>): AsyncGenerator<readonly ManifestChunk[]> {
  let batch: ManifestChunk[] = [];
  for await (const chunk of chunks) {
    batch.push(chunk);
    if (batch.length < LOOKUP_BATCH_CHUNKS) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
