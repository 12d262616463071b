/** Does every entry decode, is its manifest whole, and is each of its chunks where it can be read? */

import { concatBytes, equalBytes, toHex, utf8Decode } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { entryVersion, scopePrefix, unscopeKey } from '../format/index.ts';
import { asDigest } from '../hash/index.ts';
import { LOOKUP_BATCH_CHUNKS } from '../limits.ts';
import { createMerkleBuilder } from '../merkle/index.ts';
import type { EntryRow, ItemLocation } from '../metadata/contract.ts';
import { entryChunks } from '../pipeline/content-reader.ts';
import type { ManifestChunk } from '../pipeline/manifest-reader.ts';
import type { KeyPageCheck } from './check-key-pages.ts';
import type { CheckedEntry, CheckedStore, CheckOptions } from './checked-store.ts';
import { isProblem, type ProblemList, type ProblemPlace, placeIn } from './problems.ts';

const PAGE_ENTRIES = 1000;

/** What is known before entries are checked, and where problems go. */
interface Findings {
  /** Numbers of packs whose blobs are gone. */
  readonly lostPacks: ReadonlySet<number>;
  readonly problems: ProblemList;
  /** Told of every entry. */
  readonly keyPages: KeyPageCheck;
}

export async function checkEntries(store: CheckedStore, findings: Findings, options: CheckOptions): Promise<void> {
  const { signal, onProgress } = options;
  const { entries: total } = await store.metadata.counters();
  const check = new EntryCheck(store, findings);
  let done = 0;
  let bytes = 0;
  for await (const row of allEntries(store)) {
    signal?.throwIfAborted();
    await check.add(row);
    done += 1;
    bytes += row.size;
    onProgress?.({ phase: 'check entries', done, total, bytes });
  }
  await check.finish();
}

async function* allEntries({ metadata, namespaces }: CheckedStore): AsyncGenerator<EntryRow> {
  for (const namespace of namespaces.keys()) {
    const prefix = scopePrefix(namespace);
    for (let after: EntryRow | undefined; ; ) {
      const page = await metadata.listEntries({
        limit: PAGE_ENTRIES,
        ...(prefix.length > 0 && { prefix }),
        ...(after && { after: { key: after.key } }),
      });
      yield* page;
      after = page.at(-1);
      if (after === undefined) break;
    }
  }
}

interface ChunkOfEntry {
  readonly row: EntryRow;
  readonly chunk: ManifestChunk;
  /** Of the namespace that the entry's chunks are in. */
  readonly ids: CheckedEntry['ids'];
}

/** Looks up the chunks of many entries together; of each entry the first chunk that is wrong is told. */
class EntryCheck {
  readonly #store: CheckedStore;
  readonly #findings: Findings;
  readonly #waiting: ChunkOfEntry[] = [];
  /** The last entry that was told of: its chunks follow each other. */
  #told: Uint8Array | undefined;

  constructor(store: CheckedStore, findings: Findings) {
    this.#store = store;
    this.#findings = findings;
  }

  async add(row: EntryRow): Promise<void> {
    try {
      this.#findings.keyPages.saw(row);
      const entry = await this.#store.openEntry(row);
      const { value } = entry;
      const isVersion = entry.isolated || equalBytes(entryVersion(value), row.version);
      if (!isVersion || value.size !== row.size) {
        throw storeError('ENTRY_CORRUPT', 'version or size of the entry do not belong to it');
      }
      const tree = createMerkleBuilder();
      for await (const chunk of entryChunks(entry.reader, value)) {
        tree.addLeaf(chunk.offset, chunk.length, asDigest(chunk.digest));
        this.#waiting.push({ row, chunk, ids: entry.ids });
        if (this.#waiting.length >= LOOKUP_BATCH_CHUNKS) await this.finish();
      }
      if (equalBytes(tree.root(value.size), value.root)) return;
      throw storeError('ENTRY_CORRUPT', "the entry's Merkle root is not that of its chunks");
    } catch (error) {
      await this.#tell(row, error);
    }
  }

  async finish(): Promise<void> {
    const batch = this.#waiting.splice(0);
    if (batch.length === 0) return;
    const ids = concatBytes(batch.map(({ chunk, ids: { idOf } }) => idOf('chunk', chunk.digest)));
    const locations = await this.#store.metadata.locate('chunk', ids);
    for (const [index, { row, chunk }] of batch.entries()) {
      const wrong = this.#told === row.key ? undefined : this.#whatIsWrong(chunk, locations[index]);
      if (wrong === undefined) continue;
      this.#told = row.key;
      await this.#tell(row, wrong);
    }
    // What took the place of an entry that was shredded meanwhile.
    await this.finish();
  }

  /**
   * Tells of an entry, unless it is another one or gone by now: an isolated entry that is deleted takes its key and its
   * chunks with it, and one that was just listed looks damaged then.
   */
  async #tell(row: EntryRow, error: unknown): Promise<void> {
    if (!isProblem(error)) throw error;
    const [now] = await this.#store.metadata.getEntries([row.key]);
    if (now === undefined) return;
    if (!equalBytes(now.version, row.version)) return this.add(now);
    this.#findings.problems.addError(error, aboutEntry(this.#store, row));
  }

  #whatIsWrong(chunk: ManifestChunk, location: ItemLocation | undefined): Error | undefined {
    const digest = `blake3:${toHex(chunk.digest)}`;
    const details = { digest, ...(location?.pack && { packId: toHex(location.pack.id) }) };
    if (location === undefined || (location.pack && this.#findings.lostPacks.has(location.pack.number))) {
      return storeError('CHUNK_MISSING', `chunk ${digest} is missing`, { details });
    }
    if (location.length !== chunk.length) {
      return storeError('CHUNK_CORRUPT', `chunk ${digest} is not ${chunk.length} bytes long`, { details });
    }
    if (!location.suspect) return undefined;
    return storeError('CHUNK_CORRUPT', `chunk ${digest} was found damaged by an earlier read`, { details });
  }
}

function aboutEntry(store: CheckedStore, row: EntryRow): ProblemPlace {
  const { key, namespace } = unscopeKey(row.key);
  return { key: utf8Decode(key), ...placeIn(store, namespace) };
}
