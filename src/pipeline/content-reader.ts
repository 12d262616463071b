/** Streams the content of an entry: manifest, chunks in batches with one batch ahead, content digest at the end. */
import { copyBytes } from '../bytes/bytes.ts';
import { argumentTypeError } from '../errors/argument-error.ts';
import { invariant } from '../errors/store-error.ts';
import type { EntryValue } from '../format/index.ts';
import { READ_AHEAD_BYTES } from '../limits.ts';
import { BorderRecord } from './border-record.ts';
import { ContentCheck } from './content-check.ts';
import type { ItemReader } from './item-reader.ts';
import { type ManifestChunk, type ManifestRange, readManifest } from './manifest-reader.ts';

/** Chunks fetched at a time; two batches are held. */
const BATCH_CHUNKS_MAX = 256;

/** What of a content is read, and how. */
export interface ReadContentOptions {
  /** Default: all of it. */
  readonly range?: ManifestRange;
  readonly signal?: AbortSignal | undefined;
  /** Plain bytes of both batches, but for a chunk of each. Default `READ_AHEAD_BYTES`. */
  readonly aheadBytes?: number;
}

const SHARED_BUFFER = 'kept or copied, not transferred: pieces may share a buffer with those that follow';

/**
 * @yields verified pieces in order, each owned by the caller. A read of everything holds its last piece back until
 *   length and content digest have been compared.
 * @throws `corrupt/CHUNK_MISSING`, `corrupt/CHUNK_CORRUPT`, `corrupt/MANIFEST_CORRUPT`, `corrupt/ENTRY_CORRUPT`;
 *   `TypeError` when the buffer of a piece that is yet to come was transferred with an earlier one
 */
export async function* readContent(
  reader: ItemReader,
  value: EntryValue,
  options: ReadContentOptions = {},
): AsyncGenerator<Uint8Array> {
  const { signal, aheadBytes } = options;
  const range = options.range ?? { offset: 0, end: value.size };
  const whole = range.offset === 0 && range.end === value.size;
  const content = new ContentCheck(value);
  const chunks = entryChunks(reader, value, { range, ...(signal && { signal }) });
  const border = new BorderRecord();
  const fetch = (wanted: readonly ManifestChunk[]): ReturnType<typeof fetchChunks> =>
    fetchChunks(reader, wanted, { signal, border });
  for await (const batch of fetchAhead(chunks, fetch, aheadBytes)) {
    for (const { chunk, bytes } of batch) {
      // They had this length when they were verified.
      if (bytes.length !== chunk.length)
        throw argumentTypeError('piece', SHARED_BUFFER, 'a piece whose buffer is gone');
      if (whole) content.add(bytes, chunk);
      const piece = wantedPart(bytes, chunk, range);
      if (whole && chunk.index + 1 === value.chunkCount) content.finish();
      yield piece;
    }
  }
  if (whole && value.chunkCount === 0) content.finish();
}

/** The part of a chunk's bytes that lies in a range. */
export function wantedPart(bytes: Uint8Array, { offset }: ManifestChunk, range: ManifestRange): Uint8Array {
  return bytes.subarray(Math.max(0, range.offset - offset), Math.min(bytes.length, range.end - offset));
}

/** The chunks of an entry that overlap a range, with the nodes of its manifest fetched through the reader. */
export function entryChunks(
  reader: ItemReader,
  value: EntryValue,
  options: Pick<ReadContentOptions, 'range' | 'signal'> = {},
): AsyncGenerator<ManifestChunk> {
  const load = (digest: Uint8Array): Promise<Uint8Array> => reader.readNode(digest, options.signal);
  return readManifest(value, load, options.range);
}

interface FetchedChunk {
  readonly chunk: ManifestChunk;
  readonly bytes: Uint8Array;
}

async function fetchChunks(
  reader: ItemReader,
  batch: readonly ManifestChunk[],
  options: { readonly signal: AbortSignal | undefined; readonly border: BorderRecord },
): Promise<readonly FetchedChunk[]> {
  const bytes = await reader.read('chunk', batch, options);
  const taken = new Set<Uint8Array>();
  return batch.map((chunk, index) => {
    const content = bytes[index];
    invariant(content, 'the reader answers every item');
    // A chunk that repeats was fetched once, and who gets it may change the array.
    if (taken.has(content)) return { chunk, bytes: copyBytes(content) };
    taken.add(content);
    return { chunk, bytes: content };
  });
}

/**
 * Has chunks fetched in batches, one ahead of the one that is in use. What is under way is waited for in any case.
 * @param bytes of both batches
 */
export async function* fetchAhead<T>(
  chunks: AsyncIterable<ManifestChunk>,
  fetch: (batch: readonly ManifestChunk[]) => Promise<T>,
  bytes = READ_AHEAD_BYTES,
): AsyncGenerator<T> {
  let ahead: Promise<T> | undefined;
  try {
    for await (const batch of batches(chunks, bytes / 2)) {
      const current = ahead;
      ahead = fetch(batch);
      ahead.catch(() => undefined);
      if (current) yield await current;
    }
    if (ahead) yield await ahead;
  } finally {
    await ahead?.catch(() => undefined);
  }
}

async function* batches(
  chunks: AsyncIterable<ManifestChunk>,
  bytesMax: number,
): AsyncGenerator<readonly ManifestChunk[]> {
  let batch: ManifestChunk[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    if (batch.length > 0 && (bytes + chunk.length > bytesMax || batch.length === BATCH_CHUNKS_MAX)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(chunk);
    bytes += chunk.length;
  }
  if (batch.length > 0) yield batch;
}
