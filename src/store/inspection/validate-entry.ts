/**
 * Validates entries: what a reader would get, without keeping any of it. Everything is read through the keys and
 * decompressed, each chunk is hashed, and what the entry says of itself is computed again: version, Merkle root, digest
 * of the whole content. It goes on past what is wrong, so that all of it is told.
 */
import { concatBytes, equalBytes, toHex, utf8Encode } from '../../bytes/bytes.ts';
import { type StoreError, storeError } from '../../errors/store-error.ts';
import { type EntryValue, entryVersion } from '../../format/index.ts';
import type { DigestSet } from '../../hash/digest-set.ts';
import { asDigest, blake3 } from '../../hash/index.ts';
import { isProblem } from '../../maintenance/problems.ts';
import { BoundedList } from '../../maintenance/shard-reports.ts';
import { createMerkleBuilder } from '../../merkle/index.ts';
import type { EntryRow, Metadata } from '../../metadata/contract.ts';
import { ContentCheck } from '../../pipeline/content-check.ts';
import { fetchAhead } from '../../pipeline/content-reader.ts';
import { type ManifestChunk, type ManifestGap, readManifestPast } from '../../pipeline/manifest-reader.ts';
import { digestText, keyText, type OpenedEntry } from '../entry-info.ts';
import type { Scope } from '../scope.ts';
import type { Scopes } from '../scopes.ts';
import type { EntryProblem, EntryValidation } from './report-types.ts';

/** What validation needs of the engine. */
export interface ValidatedStore {
  readonly metadata: Metadata;
  readonly scopes: Scopes;
  readonly scope: Scope;
}

/** How to validate one entry. */
export interface EntryValidationOptions {
  readonly signal?: AbortSignal;
  readonly onProblem?: ((problem: EntryProblem) => void) | undefined;
  /** Told of plain bytes as they have been read. */
  readonly onBytes?: (bytes: number) => void;
  /** Chunks of the namespace that are known to be good: they are not read again, and those read are added. */
  readonly good?: DigestSet | undefined;
  /** Contents of the namespace that were read whole and found good: a copy of one is not read again. */
  readonly goodContents?: DigestSet | undefined;
}

/**
 * Validates what a row names; when the entry was replaced meanwhile, what it is now.
 * @returns `undefined` when it is gone by now
 * @throws what says nothing about the entry; the signal's reason
 */
export async function validateEntry(
  store: ValidatedStore,
  row: EntryRow,
  options: EntryValidationOptions = {},
): Promise<EntryValidation | undefined> {
  for (let current = row; ; ) {
    options.signal?.throwIfAborted();
    const found = await new Validation(store, current, options).run();
    if (found.outcome === 'ok') return found;
    // An isolated entry that is deleted takes its key and its chunks with it, and looks damaged then.
    const [now] = await store.metadata.getEntries([row.key]);
    if (now === undefined) return undefined;
    if (equalBytes(now.version, current.version)) return found;
    current = now;
  }
}

class Validation {
  readonly #store: ValidatedStore;
  readonly #row: EntryRow;
  readonly #options: EntryValidationOptions;
  readonly #problems = new BoundedList<EntryProblem>();
  #damaged = false;
  #bytesRead = 0;
  #unreadable = 0;
  /** Whether every chunk so far was read. */
  #isWhole = true;

  constructor(store: ValidatedStore, row: EntryRow, options: EntryValidationOptions) {
    this.#store = store;
    this.#row = row;
    this.#options = options;
  }

  async run(): Promise<EntryValidation> {
    let entry: OpenedEntry | undefined;
    try {
      entry = await this.#store.scopes.openEntry(this.#row, this.#store.scope);
    } catch (error) {
      this.#add(error);
      this.#unreadable = this.#row.size;
      this.#isWhole = false;
    }
    if (entry) {
      const { goodContents } = this.#options;
      const name = entry.isolated ? undefined : nameOfContent(entry.value);
      this.#checkRow(entry);
      if (name === undefined || !goodContents?.has(name)) await this.#checkContent(entry);
      if (name && this.#isWhole && this.#problems.count === 0) goodContents?.add(name);
    }
    return this.#report(entry);
  }

  /** The version of an isolated entry is keyed: opening it has proven that. */
  #checkRow({ value, row, isolated }: OpenedEntry): void {
    const isVersion = isolated || equalBytes(entryVersion(value), row.version);
    if (isVersion && value.size === row.size) return;
    this.#add(storeError('ENTRY_CORRUPT', 'version or size of the entry do not belong to it'));
  }

  async #checkContent(entry: OpenedEntry): Promise<void> {
    const { value, reader } = entry;
    const content = new ContentCheck(value);
    const tree = createMerkleBuilder();
    let isListed = true;
    const onGap = (gap: ManifestGap): void => {
      isListed = false;
      this.#isWhole = false;
      this.#unreadable += gap.length;
      this.#add(gap.error, { offset: gap.offset, length: gap.length, index: gap.index });
    };
    const chunks = readManifestPast(value, (digest) => reader.readNode(digest, this.#options.signal), onGap);
    for await (const batch of fetchAhead(chunks, (wanted) => this.#fetch(entry, wanted))) {
      this.#options.signal?.throwIfAborted();
      for (const { chunk, bytes } of batch) {
        if (isListed) tree.addLeaf(chunk.offset, chunk.length, asDigest(chunk.digest));
        if (bytes instanceof Uint8Array) {
          this.#tookChunk(chunk, entry);
          if (this.#isWhole) content.add(bytes, chunk);
          continue;
        }
        this.#isWhole = false;
        if (bytes) this.#lostChunk(chunk, bytes);
      }
    }
    if (isListed && !equalBytes(tree.root(value.size), value.root))
      this.#add(storeError('ENTRY_CORRUPT', "the entry's Merkle root is not that of its chunks"));
    if (this.#isWhole) this.#attempt(() => content.finish());
  }

  /** Chunks with their bytes, or what is wrong with them, or neither where they are known to be good. */
  async #fetch(
    { reader, isolated }: OpenedEntry,
    batch: readonly ManifestChunk[],
  ): Promise<readonly { readonly chunk: ManifestChunk; readonly bytes: Uint8Array | StoreError | undefined }[]> {
    const { signal, good } = this.#options;
    // Decided once: the batch before goes on adding to them meanwhile.
    const known = batch.map(({ digest }) => !isolated && good?.has(digest) === true);
    const wanted = batch.filter((_, at) => !known[at]);
    const results = (await reader.readEach('chunk', wanted, signal)).values();
    return batch.map((chunk, at) => ({ chunk, bytes: known[at] ? undefined : results.next().value }));
  }

  #tookChunk({ digest, length }: ManifestChunk, { isolated }: OpenedEntry): void {
    const { good, onBytes } = this.#options;
    if (!isolated) good?.add(digest);
    this.#bytesRead += length;
    onBytes?.(length);
  }

  #lostChunk({ offset, length, index, digest }: ManifestChunk, error: StoreError): void {
    this.#unreadable += length;
    this.#add(error, { offset, length, index, digest: digestText(digest) });
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#add(error);
    }
  }

  /** Takes an error that says something about the entry; every other one is thrown on. */
  #add(error: unknown, place: Partial<EntryProblem> = {}): void {
    if (!isProblem(error)) throw error;
    if (error.kind !== 'unavailable') this.#damaged = true;
    const { code, message, details } = error;
    const digest = place.digest ?? details.digest;
    const problem = Object.freeze({
      ...{ code, message },
      ...place,
      ...(typeof digest === 'string' && { digest }),
      ...(details.packId !== undefined && { packId: details.packId }),
    });
    this.#problems.add(problem);
    this.#options.onProblem?.(problem);
  }

  #report(entry: OpenedEntry | undefined): EntryValidation {
    const row = this.#row;
    const { count } = this.#problems;
    // A manifest is read ahead of the chunks it lists.
    const listed = this.#problems.listed.toSorted((a, b) => (a.offset ?? 0) - (b.offset ?? 0));
    return Object.freeze({
      key: keyText(row),
      outcome: this.#damaged ? 'damaged' : count > 0 ? 'partial' : 'ok',
      version: toHex(row.version),
      size: entry?.value.size ?? row.size,
      chunks: entry?.value.chunkCount ?? 0,
      bytesRead: this.#bytesRead,
      unreadableBytes: this.#unreadable,
      wholeCompared: this.#isWhole,
      problems: Object.freeze(listed),
      problemCount: count,
    });
  }
}

/** Equal for entries that are read from the same chunks and compared with the same digests. */
function nameOfContent({ digest, root, size, chunkCount, manifest }: EntryValue): Uint8Array {
  const top = 'id' in manifest ? manifest.id : manifest.inline;
  return blake3(concatBytes([digest, root, utf8Encode(`${size} ${chunkCount} `), top]));
}
