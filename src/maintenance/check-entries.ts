/** Does every entry decode, is its manifest whole, and is each of its chunks where it can be read? */

import { concatBytes, equalBytes, toHex, utf8Decode } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { decodeEntry, entryVersion } from '../format/index.ts';
import { asDigest } from '../hash/index.ts';
import { LOOKUP_BATCH_CHUNKS } from '../limits.ts';
import { createMerkleBuilder } from '../merkle/index.ts';
import type { EntryRow, ItemLocation } from '../metadata/contract.ts';
import { entryChunks } from '../pipeline/content-reader.ts';
import type { ManifestChunk } from '../pipeline/manifest-reader.ts';
import type { CheckedStore, CheckOptions } from './checked-store.ts';
import type { ProblemList } from './problems.ts';

const PAGE_ENTRIES = 1000;

interface EntriesToCheck extends CheckedStore {
  /** Numbers of packs whose blobs are gone. */
  readonly lostPacks: ReadonlySet<number>;
}

export async function checkEntries(store: EntriesToCheck, problems: ProblemList, options: CheckOptions): Promise<void> {
  const { signal, onProgress } = options;
  const { entries: total } = await store.metadata.counters();
  const chunks = new ChunkCheck(store, problems);
  let done = 0;
  let bytes = 0;
  for (let after: { readonly key: Uint8Array } | undefined; ; ) {
    const page = await store.metadata.listEntries({ limit: PAGE_ENTRIES, ...(after && { after }) });
    const last = page.at(-1);
    if (last === undefined) break;
    for (const row of page) {
      signal?.throwIfAborted();
      await checkEntry(store, row, { chunks, problems });
      done += 1;
      bytes += row.size;
      onProgress?.({ phase: 'check entries', done, total, bytes });
    }
    after = last;
  }
  await chunks.finish();
}

async function checkEntry(
  store: EntriesToCheck,
  row: EntryRow,
  found: { readonly chunks: ChunkCheck; readonly problems: ProblemList },
): Promise<void> {
  const key = utf8Decode(row.key);
  try {
    const value = decodeEntry(row.entry);
    if (!equalBytes(entryVersion(value), row.version) || value.size !== row.size) {
      throw storeError('ENTRY_CORRUPT', 'version or size of the entry do not belong to it');
    }
    const tree = createMerkleBuilder();
    for await (const chunk of entryChunks(store.reader, value)) {
      tree.addLeaf(chunk.offset, chunk.length, asDigest(chunk.digest));
      await found.chunks.add(key, chunk);
    }
    if (equalBytes(tree.root(value.size), value.root)) return;
    throw storeError('ENTRY_CORRUPT', "the entry's Merkle root is not that of its chunks");
  } catch (error) {
    found.problems.addError(error, { key });
  }
}

/** Looks up the chunks of many entries together; of each entry the first chunk that is wrong is told. */
class ChunkCheck {
  readonly #store: EntriesToCheck;
  readonly #problems: ProblemList;
  readonly #waiting: { readonly key: string; readonly chunk: ManifestChunk }[] = [];
  /** The last entry that was told of: its chunks follow each other. */
  #told: string | undefined;

  constructor(store: EntriesToCheck, problems: ProblemList) {
    this.#store = store;
    this.#problems = problems;
  }

  async add(key: string, chunk: ManifestChunk): Promise<void> {
    this.#waiting.push({ key, chunk });
    if (this.#waiting.length >= LOOKUP_BATCH_CHUNKS) await this.finish();
  }

  async finish(): Promise<void> {
    const batch = this.#waiting.splice(0);
    if (batch.length === 0) return;
    const ids = concatBytes(batch.map(({ chunk }) => chunk.digest));
    const locations = await this.#store.metadata.locate('chunk', ids);
    for (const [index, { key, chunk }] of batch.entries()) {
      const wrong = this.#told === key ? undefined : this.#whatIsWrong(chunk, locations[index]);
      if (wrong === undefined) continue;
      this.#told = key;
      this.#problems.addError(wrong, { key });
    }
  }

  #whatIsWrong(chunk: ManifestChunk, location: ItemLocation | undefined): Error | undefined {
    const digest = `blake3:${toHex(chunk.digest)}`;
    const details = { digest, ...(location?.pack && { packId: toHex(location.pack.id) }) };
    if (location === undefined || (location.pack && this.#store.lostPacks.has(location.pack.number))) {
      return storeError('CHUNK_MISSING', `chunk ${digest} is missing`, { details });
    }
    if (location.length !== chunk.length) {
      return storeError('CHUNK_CORRUPT', `chunk ${digest} is not ${chunk.length} bytes long`, { details });
    }
    if (!location.suspect) return undefined;
    return storeError('CHUNK_CORRUPT', `chunk ${digest} was found damaged by an earlier read`, { details });
  }
}
