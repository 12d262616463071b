/** Does every entry decode, is its manifest whole, and is each of its chunks where it can be read? */
import { concatBytes, equalBytes, toHex, utf8Decode } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { decodeEntry, entryVersion } from '../format/index.ts';
import { asDigest } from '../hash/index.ts';
import { LOOKUP_BATCH_CHUNKS } from '../limits.ts';
import { createMerkleBuilder } from '../merkle/index.ts';
import type { EntryRow } from '../metadata/contract.ts';
import { entryChunks } from '../pipeline/content-reader.ts';
import type { ManifestChunk } from '../pipeline/manifest-reader.ts';
import type { CheckedStore, CheckOptions } from './check.ts';
import type { ProblemList } from './problems.ts';

const PAGE_ENTRIES = 1000;

export async function checkEntries(
  store: CheckedStore & { readonly lostPacks: ReadonlySet<number> },
  problems: ProblemList,
  options: CheckOptions,
): Promise<void> {
  const { signal, onProgress } = options;
  const { entries: total } = await store.metadata.counters();
  let done = 0;
  let bytes = 0;
  for (let after: { readonly key: Uint8Array } | undefined; ; ) {
    const page = await store.metadata.listEntries({ limit: PAGE_ENTRIES, ...(after && { after }) });
    const last = page.at(-1);
    if (last === undefined) return;
    for (const row of page) {
      signal?.throwIfAborted();
      try {
        await checkEntry(store, row, signal);
      } catch (error) {
        problems.addError(error, { key: utf8Decode(row.key) });
      }
      done += 1;
      bytes += row.size;
      onProgress?.({ phase: 'check entries', done, total, bytes });
    }
    after = last;
  }
}

async function checkEntry(
  store: CheckedStore & { readonly lostPacks: ReadonlySet<number> },
  row: EntryRow,
  signal: AbortSignal | undefined,
): Promise<void> {
  const value = decodeEntry(row.entry);
  if (!equalBytes(entryVersion(value), row.version) || value.size !== row.size) {
    throw storeError('ENTRY_CORRUPT', 'version or size of the entry do not belong to it');
  }
  const tree = createMerkleBuilder();
  let batch: ManifestChunk[] = [];
  for await (const chunk of entryChunks(store.reader, value, signal && { signal })) {
    tree.addLeaf(chunk.offset, chunk.length, asDigest(chunk.digest));
    batch.push(chunk);
    if (batch.length < LOOKUP_BATCH_CHUNKS) continue;
    await checkChunks(store, batch, signal);
    batch = [];
  }
  await checkChunks(store, batch, signal);
  if (!equalBytes(tree.root(value.size), value.root))
    throw storeError('ENTRY_CORRUPT', "the entry's Merkle root is not that of its chunks");
}

async function checkChunks(
  store: CheckedStore & { readonly lostPacks: ReadonlySet<number> },
  chunks: readonly ManifestChunk[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (chunks.length === 0) return;
  const locations = await store.metadata.locate(
    'chunk',
    concatBytes(chunks.map((chunk) => chunk.digest)),
    signal && { signal },
  );
  for (const [index, chunk] of chunks.entries()) {
    const location = locations[index];
    const digest = `blake3:${toHex(chunk.digest)}`;
    const details = { digest, ...(location?.pack && { packId: toHex(location.pack.id) }) };
    if (location === undefined || (location.pack && store.lostPacks.has(location.pack.number))) {
      throw storeError('CHUNK_MISSING', `chunk ${digest} is missing`, { details });
    }
    if (location.length !== chunk.length)
      throw storeError('CHUNK_CORRUPT', `chunk ${digest} is not ${chunk.length} bytes long`, { details });
    if (location.suspect)
      throw storeError('CHUNK_CORRUPT', `chunk ${digest} was found damaged by an earlier read`, { details });
  }
}
