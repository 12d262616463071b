import { argumentTypeError } from '../errors/argument-error.ts';
import { isStoreError, storeError } from '../errors/store-error.ts';
import { createHasher, formatDigest } from '../hash/index.ts';
import { CHUNKSTORE_LIST_BYTES_MAX, EXCHANGE_FILES_AT_ONCE } from '../limits.ts';
import { mapInOrder } from '../runtime/map-in-order.ts';
import type { Entries, EntryInfo, ProgressOptions, PutOptions } from '../store/types.ts';
import { BlobContent } from './blob-content.ts';
import {
  type ChunkstoreDifference,
  compareCounts,
  compareIndex,
  findUnlisted,
  readIndex,
} from './chunkstore-differences.ts';
import { type ChunkstoreManifest, INDEX, MANIFESTS, parseManifest } from './chunkstore-layout.ts';
import { Listed } from './listed.ts';
import { type FoundFile, SourceFolder } from './source-folder.ts';

/** How to import a folder of chunkstore. */
export interface ChunkstoreImportOptions extends ProgressOptions {
  /** Put before every id to make the key. Default: the id is the key. */
  readonly prefix?: string;
  /** Read and verify everything, and store nothing. Default false. */
  readonly dryRun?: boolean;
  /** Replace entries that hold something else; they are `conflict/ENTRY_EXISTS` otherwise. Default false. */
  readonly replace?: boolean;
  /** How to cut, as for a put; `given` keeps the chunks of chunkstore. Default: as the store cuts everything. */
  readonly chunking?: string;
  /** Called once for every file, in the order of the ids, when its outcome is known. */
  readonly onItem?: (item: ChunkstoreImportItem) => void | Promise<void>;
}

/** What became of one file. */
export interface ChunkstoreImportItem {
  /** File id in the chunkstore. */
  readonly id: string;
  readonly key: string;
  /** `same`: the entry with this content was there already. Of a dry run `imported` means: would be. */
  readonly status: 'imported' | 'same' | 'failed';
  readonly size?: number;
  /** `blake3:<hex>`. */
  readonly digest?: string;
  readonly error?: unknown;
}

/** What an import did; failures and differences are counted all and listed up to 1,000. */
export interface ChunkstoreImportReport {
  readonly files: number;
  readonly imported: number;
  readonly same: number;
  readonly failed: number;
  /** Plain bytes of what was imported. */
  readonly bytes: number;
  /** As of a put, summed up; 0 in a dry run. */
  readonly newBytes: number;
  readonly storedBytes: number;
  readonly failures: readonly ChunkstoreImportItem[];
  readonly differences: readonly ChunkstoreDifference[];
  readonly differenceCount: number;
}

type Outcome = ChunkstoreImportItem & { readonly newBytes?: number; readonly storedBytes?: number };

/** Of one import: what is shared by its files. */
class ChunkstoreImport {
  readonly #entries: Entries;
  readonly #folder: SourceFolder;
  readonly #options: ChunkstoreImportOptions;
  readonly differences = new Listed<ChunkstoreDifference>();
  /** How often the manifests list each chunk. */
  readonly counts = new Map<string, number>();
  #bytesRead = 0;

  constructor(entries: Entries, folder: SourceFolder, options: ChunkstoreImportOptions) {
    this.#entries = entries;
    this.#folder = folder;
    this.#options = options;
  }

  get #signal(): AbortSignal | undefined {
    return this.#options.signal;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** The files in order of their ids; the index is compared with them. */
  async find(): Promise<readonly FoundFile[]> {
    const files: FoundFile[] = [];
    for await (const file of this.#folder.walk(MANIFESTS, this.#signal)) {
      if (file.name !== INDEX) files.push(file);
    }
    const index = await readIndex(this.#folder, MANIFESTS, this.differences);
    if (index === undefined) return files;
    // A write that was interrupted leaves a manifest under a name of its own. Where no index tells, it counts as a file.
    const listed = new Set(index);
    const isLeftover = ({ name }: FoundFile): boolean => name.endsWith('.tmp') && !listed.has(name);
    for (const { name } of files.filter(isLeftover)) {
      this.differences.add({ kind: 'file-unknown', path: `${MANIFESTS}/${name}` });
    }
    const kept = files.filter((file) => !isLeftover(file));
    const names = new Set(kept.map(({ name }) => name));
    compareIndex(index, names, { of: MANIFESTS, differences: this.differences });
    return kept;
  }

  async compareRest(): Promise<void> {
    const context = { differences: this.differences, signal: this.#signal };
    await compareCounts(this.#folder, this.counts, context);
    await findUnlisted(this.#folder, this.counts, context);
  }

  /** Imports one file; what concerns it alone is an answer, everything else a rejection. */
  async importFile(file: FoundFile): Promise<Outcome> {
    const id = file.name;
    const key = `${this.#options.prefix ?? ''}${id}`;
    if ('error' in file) return { id, key, status: 'failed', error: file.error };
    let manifest: ChunkstoreManifest;
    try {
      manifest = await this.#manifest(id);
    } catch (error) {
      if (!isStoreError(error)) throw error;
      return { id, key, status: 'failed', error };
    }
    const content = new BlobContent(this.#folder, manifest, {
      key,
      whole: this.#options.chunking === 'given',
      signal: this.#signal,
      onBytes: (bytes) => {
        this.#bytesRead += bytes;
      },
    });
    try {
      return { id, key, size: manifest.fileBytes, ...(await this.#store(key, manifest, content)) };
    } catch (error) {
      if (this.#signal?.aborted || !isStoreError(error)) throw error;
      const ofThisKey = isStoreError(error, 'ENTRY_EXISTS', 'PRECONDITION_FAILED', 'KEY_INVALID');
      if (content.failure !== error && !ofThisKey) throw error;
      return { id, key, status: 'failed', size: manifest.fileBytes, error };
    }
  }

  async #manifest(id: string): Promise<ChunkstoreManifest> {
    const name = `${MANIFESTS}/${id}`;
    const bytes = await this.#folder.bytes(name, CHUNKSTORE_LIST_BYTES_MAX, this.#signal);
    const manifest = parseManifest(bytes, this.#folder.path(name));
    for (const digest of manifest.digests) this.counts.set(digest, (this.counts.get(digest) ?? 0) + 1);
    return manifest;
  }

  async #store(key: string, manifest: ChunkstoreManifest, content: BlobContent): Promise<Omit<Outcome, 'id' | 'key'>> {
    const { replace = false, dryRun = false, chunking } = this.#options;
    const existing = await this.#statIfAny(key);
    if (existing || dryRun) {
      const canBeSame = existing?.size === manifest.fileBytes;
      if (existing && !canBeSame && !replace) throw differs(key);
      // The one way to compare: what is stored has a digest of the whole, and chunkstore only digests of chunks.
      const digest = canBeSame || dryRun ? await digestOfAll(content) : undefined;
      if (existing && existing.digest === digest) return { status: 'same', digest };
      if (existing && !replace) throw differs(key);
      if (digest !== undefined && dryRun) return { status: 'imported', digest };
    }
    const condition: PutOptions = existing ? { ifMatch: existing.version } : { ifAbsent: true };
    const put = await this.#entries.put(key, content, {
      ...condition,
      ...(chunking !== undefined && { chunking }),
      ...(this.#signal && { signal: this.#signal }),
    });
    const { digest, newBytes, storedBytes } = put;
    return { status: 'imported', digest, newBytes, storedBytes };
  }

  async #statIfAny(key: string): Promise<EntryInfo | undefined> {
    try {
      return await this.#entries.stat(key, { ...(this.#signal && { signal: this.#signal }) });
    } catch (error) {
      if (isStoreError(error, 'ENTRY_NOT_FOUND')) return undefined;
      throw error;
    }
  }
}

function differs(key: string): Error {
  return storeError('ENTRY_EXISTS', `${JSON.stringify(key)} is there with other content`, { details: { key } });
}

async function digestOfAll(content: AsyncIterable<Uint8Array>): Promise<string> {
  const hasher = createHasher('blake3');
  for await (const piece of content) hasher.update(piece);
  return formatDigest('blake3', hasher.digest());
}

/**
 * Imports a folder that chunkstore wrote: every manifest becomes an entry, its content read chunk by chunk and verified
 * by SHA-256 and length on the way. What fails of one file leaves nothing of it, is reported, and the others go on. An
 * import that was interrupted is run again: entries that are there with the same content are passed by.
 *
 * The manifests decide what is there; indexes and counts that say otherwise are listed as differences, as is what no
 * manifest lists. Nothing is written to the folder, links in it are not followed, and nobody may write to it meanwhile.
 * Memory: the ids, one number for every distinct chunk, and 2 MiB (with `given` one chunk) for each of 8 files.
 *
 * @throws `not-found/SOURCE_NOT_FOUND`, `invalid/SOURCE_INVALID` when it is no folder of chunkstore; what `put` throws,
 *   where it does not concern one file alone; the signal's reason
 */
export async function importChunkstore(
  entries: Entries,
  folder: string,
  options: ChunkstoreImportOptions = {},
): Promise<ChunkstoreImportReport> {
  if (typeof folder !== 'string') throw argumentTypeError('folder', 'a path', folder);
  options.signal?.throwIfAborted();
  const source = await SourceFolder.open(folder);
  if (!(await source.hasFolder(MANIFESTS))) {
    throw storeError('SOURCE_INVALID', `${folder} is no chunkstore: it has no folder ${MANIFESTS}`, {
      details: { path: folder },
    });
  }
  const work = new ChunkstoreImport(entries, source, options);
  const files = await work.find();
  const failures = new Listed<ChunkstoreImportItem>();
  const totals = { imported: 0, same: 0, bytes: 0, newBytes: 0, storedBytes: 0 };
  let done = 0;
  for await (const outcome of mapInOrder(files, EXCHANGE_FILES_AT_ONCE, (file) => work.importFile(file))) {
    const { newBytes = 0, storedBytes = 0, ...item } = outcome;
    done += 1;
    if (item.status === 'failed') failures.add(item);
    else totals[item.status] += 1;
    if (item.status === 'imported') totals.bytes += item.size ?? 0;
    totals.newBytes += newBytes;
    totals.storedBytes += storedBytes;
    await options.onItem?.(item);
    options.onProgress?.({ phase: 'import', done, total: files.length, bytes: work.bytesRead });
  }
  await work.compareRest();
  return {
    files: files.length,
    ...totals,
    failed: failures.count,
    failures: failures.items,
    differences: work.differences.items,
    differenceCount: work.differences.count,
  };
}
