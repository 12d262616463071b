/**
 * Reads the contents of many entries with few requests: small ones share a batch, large ones are a batch of their own.
 */
import { concatBytes } from '../bytes/bytes.ts';
import { invariant } from '../errors/store-error.ts';
import type { EntryValue } from '../format/index.ts';
import { ContentCheck } from './content-check.ts';
import { entryChunks } from './content-reader.ts';
import type { ItemReader } from './item-reader.ts';
import type { ManifestChunk } from './manifest-reader.ts';

const BATCH_BYTES = 4 * 1024 * 1024;
const BATCH_CHUNKS_MAX = 1024;

/** An entry's value and who reads its content. */
interface ReadableEntry {
  readonly value: EntryValue;
  readonly reader: ItemReader;
}

/**
 * Cuts entries into runs that are read together, each by one reader. An entry whose manifest must be fetched is a run
 * of its own.
 */
export function* contentBatches<Entry extends ReadableEntry>(entries: readonly Entry[]): Generator<readonly Entry[]> {
  let batch: Entry[] = [];
  let bytes = 0;
  let chunks = 0;
  for (const entry of entries) {
    const { value, reader } = entry;
    bytes += value.size;
    chunks += value.chunkCount;
    const alone = 'id' in value.manifest || batch.at(-1)?.reader !== reader;
    if (batch.length > 0 && (alone || bytes > BATCH_BYTES || chunks > BATCH_CHUNKS_MAX)) {
      yield batch;
      batch = [];
      bytes = value.size;
      chunks = value.chunkCount;
    }
    batch.push(entry);
  }
  if (batch.length > 0) yield batch;
}

/**
 * Reads a batch of more than one entry.
 * @param options.memory as `ItemReader.read` takes it
 * @returns one array for each value; several may be views of one buffer, which a few of them keep alive
 * @throws what `readContent` throws, of any of them
 */
export async function readBatch(
  reader: ItemReader,
  values: readonly EntryValue[],
  options: { readonly signal?: AbortSignal | undefined; readonly memory?: Uint8Array[] | undefined } = {},
): Promise<readonly Uint8Array[]> {
  const plans: (readonly ManifestChunk[])[] = [];
  for (const value of values) {
    const chunks: ManifestChunk[] = [];
    for await (const chunk of entryChunks(reader, value)) chunks.push(chunk);
    plans.push(chunks);
  }
  const wanted = plans.flat().map((chunk) => ({ digest: chunk.digest, length: chunk.length }));
  const found = (await reader.read('chunk', wanted, options)).values();
  return values.map((value, index) => {
    const check = new ContentCheck(value);
    const pieces = (plans[index] ?? []).map((chunk) => {
      const bytes = found.next().value;
      invariant(bytes, 'the reader answers every item');
      check.add(bytes, chunk);
      return bytes;
    });
    check.finish();
    const [only] = pieces;
    return only && pieces.length === 1 ? only : concatBytes(pieces);
  });
}
