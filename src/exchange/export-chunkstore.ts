import { toHex } from '../bytes/bytes.ts';
import { argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { isStoreError } from '../errors/store-error.ts';
import { digestOf } from '../hash/index.ts';
import { CHUNK_BYTES_MAX, CHUNKSTORE_CHUNK_BYTES, EXCHANGE_FILES_AT_ONCE } from '../limits.ts';
import { type FileSystem, nodeFileSystem } from '../runtime/file-system.ts';
import { mapInOrder } from '../runtime/map-in-order.ts';
import type { Entries, ProgressOptions } from '../store/types.ts';
import {
  COUNTS,
  encodeCount,
  encodeIndex,
  encodeManifest,
  INDEX,
  isChunkName,
  MANIFESTS,
} from './chunkstore-layout.ts';
import { ChunkstoreNames } from './chunkstore-names.ts';
import { cutPieces, sameLength } from './cut-pieces.ts';
import { Listed } from './listed.ts';
import { TargetFolder } from './target-folder.ts';

/** How to export to the layout of chunkstore. */
export interface ChunkstoreExportOptions extends ProgressOptions {
  /** Only entries whose key begins with this; the rest of the key is the file id. Default: all, under their keys. */
  readonly prefix?: string;
  /** Bytes of every chunk but the last of a file, or `entry` for the chunks of each entry. Default 4 MiB. */
  readonly chunkBytes?: number | 'entry';
  /** Called once for every entry when its content is written or it is known that it cannot be. */
  readonly onItem?: (item: ChunkstoreExportItem) => void | Promise<void>;
}

/** What became of one entry. */
export interface ChunkstoreExportItem {
  readonly key: string;
  /** File id in the chunkstore. */
  readonly id: string;
  readonly status: 'exported' | 'failed';
  readonly size?: number;
  readonly chunks?: number;
  readonly error?: unknown;
}

/** What an export did; failures are counted all and listed up to 1,000. */
export interface ChunkstoreExportReport {
  readonly exported: number;
  readonly failed: number;
  /** Sum of the sizes of what was exported. */
  readonly bytes: number;
  /** Distinct chunks, and their bytes. */
  readonly chunks: number;
  readonly chunkBytes: number;
  /** Whether it went on with one that was interrupted. */
  readonly resumed: boolean;
  readonly failures: readonly ChunkstoreExportItem[];
}

type Planned = { readonly key: string; readonly id: string; readonly error?: unknown };
type Written = Planned & { readonly digests: readonly string[]; readonly fileBytes: number };

/** Whether an error is about one entry alone, so that the others can go on. */
function concernsOneEntry(error: unknown): boolean {
  if (!isStoreError(error)) return false;
  if (error.kind === 'corrupt') return true;
  return isStoreError(error, 'ENTRY_NOT_FOUND', 'BACKEND_UNREACHABLE', 'SOURCE_CHANGED');
}

/** Of one export: what the counts and indexes are made of. */
class ChunkstoreExport {
  readonly #entries: Entries;
  readonly #folder: TargetFolder;
  readonly #options: ChunkstoreExportOptions;
  /** Of files whose content is written whole, in order: occurrences of each chunk, with its length. */
  readonly #chunks = new Map<string, { count: number; readonly bytes: number }>();
  readonly #lengths = new Map<string, number>();
  readonly #written: Written[] = [];
  readonly #failures = new Listed<ChunkstoreExportItem>();
  #bytesRead = 0;
  #done = 0;
  #total = 0;

  constructor(entries: Entries, folder: TargetFolder, options: ChunkstoreExportOptions) {
    this.#entries = entries;
    this.#folder = folder;
    this.#options = options;
  }

  get #call(): { signal?: AbortSignal } {
    const { signal } = this.#options;
    return { ...(signal && { signal }) };
  }

  async #plan(): Promise<readonly Planned[]> {
    const { prefix = '' } = this.#options;
    const names = new ChunkstoreNames(await this.#folder.foldsCase());
    const planned: Planned[] = [];
    // By time: the indexes list what was put first first.
    for await (const { key } of this.#entries.list({ prefix, sort: 'modified', ...this.#call })) {
      const id = key.slice(prefix.length);
      try {
        names.take(id, key);
        planned.push({ key, id });
      } catch (error) {
        if (!isStoreError(error, 'LOCATION_INVALID')) throw error;
        planned.push({ key, id, error });
      }
    }
    return planned;
  }

  async run(): Promise<ChunkstoreExportReport> {
    // Manifests and counts of an export that was interrupted may be of entries that have changed since.
    await this.#folder.removeFolder(MANIFESTS);
    await this.#folder.removeFolder(COUNTS);
    const planned = await this.#plan();
    this.#total = planned.length;
    for await (const outcome of mapInOrder(planned, EXCHANGE_FILES_AT_ONCE, (one) => this.#writeContent(one))) {
      await this.#account(outcome);
    }
    await this.#removeUncounted();
    await this.#folder.sync();
    await this.#writeLists();
    await this.#folder.finish();
    return this.#report();
  }

  /** Writes the chunks of one entry; what concerns it alone is an answer. */
  async #writeContent(planned: Planned): Promise<Planned | Written> {
    if (planned.error !== undefined) return planned;
    const digests: string[] = [];
    let fileBytes = 0;
    try {
      const content = this.#entries.read(planned.key, this.#call);
      for await (const chunk of cutPieces(content, await this.#lengthsOf(planned.key))) {
        this.#options.signal?.throwIfAborted();
        const digest = toHex(digestOf('sha256', chunk));
        if (!this.#lengths.has(digest)) await this.#folder.writeOnce(digest, chunk);
        this.#lengths.set(digest, chunk.length);
        digests.push(digest);
        fileBytes += chunk.length;
        this.#bytesRead += chunk.length;
      }
    } catch (error) {
      if (this.#options.signal?.aborted || !concernsOneEntry(error)) throw error;
      return { ...planned, error };
    }
    return { ...planned, digests, fileBytes };
  }

  async #lengthsOf(key: string): Promise<Iterator<number>> {
    const { chunkBytes = CHUNKSTORE_CHUNK_BYTES } = this.#options;
    if (chunkBytes !== 'entry') return sameLength(chunkBytes);
    const lengths: number[] = [];
    for await (const { length } of this.#entries.chunks(key, this.#call)) lengths.push(length);
    return lengths.values();
  }

  async #account(outcome: Planned | Written): Promise<void> {
    const { key, id } = outcome;
    this.#done += 1;
    if ('digests' in outcome) {
      const { digests, fileBytes } = outcome;
      for (const digest of digests) {
        const known = this.#chunks.get(digest);
        if (known) known.count += 1;
        else this.#chunks.set(digest, { count: 1, bytes: this.#lengths.get(digest) ?? 0 });
      }
      this.#written.push(outcome);
      await this.#options.onItem?.({ key, id, status: 'exported', size: fileBytes, chunks: digests.length });
    } else {
      const item: ChunkstoreExportItem = { key, id, status: 'failed', error: outcome.error };
      this.#failures.add(item);
      await this.#options.onItem?.(item);
    }
    this.#progress('export');
  }

  #progress(phase: string): void {
    const { onProgress } = this.#options;
    onProgress?.({ phase, done: this.#done, total: this.#total, bytes: this.#bytesRead });
  }

  /** Chunks of entries that failed half-way, or that an interrupted export wrote for what is there no more. */
  async #removeUncounted(): Promise<void> {
    if (!this.#folder.resumed && this.#failures.count === 0) return;
    for (const name of await this.#folder.names()) {
      if (isChunkName(name) && !this.#chunks.has(name)) await this.#folder.remove(name);
    }
  }

  /** Counts before manifests, both before the indexes: what is named is there. */
  async #writeLists(): Promise<void> {
    await this.#writeAll(this.#chunks, ([digest, { count }]) =>
      this.#folder.write(`${COUNTS}/${digest}`, encodeCount(count)),
    );
    await this.#folder.sync();
    await this.#writeAll(this.#written, (file) => this.#folder.write(`${MANIFESTS}/${file.id}`, encodeManifest(file)));
    await this.#folder.sync();
    await this.#folder.write(`${COUNTS}/${INDEX}`, encodeIndex([...this.#chunks.keys()]));
    await this.#folder.write(`${MANIFESTS}/${INDEX}`, encodeIndex(this.#written.map(({ id }) => id)));
    await this.#folder.sync();
  }

  async #writeAll<T>(items: Iterable<T>, write: (item: T) => Promise<void>): Promise<void> {
    for await (const _ of mapInOrder(items, EXCHANGE_FILES_AT_ONCE, write)) this.#options.signal?.throwIfAborted();
    this.#progress('lists');
  }

  #report(): ChunkstoreExportReport {
    const chunkBytes = [...this.#chunks.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    return {
      exported: this.#written.length,
      failed: this.#failures.count,
      bytes: this.#written.reduce((sum, { fileBytes }) => sum + fileBytes, 0),
      chunks: this.#chunks.size,
      chunkBytes,
      resumed: this.#folder.resumed,
      failures: this.#failures.items,
    };
  }
}

/** `exportChunkstore` over a file system that tests replace. */
export async function exportChunkstoreTo(
  entries: Entries,
  target: { readonly folder: string; readonly fileSystem: FileSystem },
  options: ChunkstoreExportOptions,
): Promise<ChunkstoreExportReport> {
  const { prefix = '', chunkBytes = CHUNKSTORE_CHUNK_BYTES, signal } = options;
  if (typeof target.folder !== 'string') throw argumentTypeError('folder', 'a path', target.folder);
  if (chunkBytes !== 'entry') checkInteger('chunkBytes', chunkBytes, { min: 1, max: CHUNK_BYTES_MAX });
  signal?.throwIfAborted();
  const mark = JSON.stringify({ layout: 'chunkstore', prefix, chunkBytes });
  const folder = await TargetFolder.open(target.folder, mark, target.fileSystem);
  return new ChunkstoreExport(entries, folder, options).run();
}

/**
 * Writes entries as a folder of chunkstore, byte for byte as it would write them, so that its Rust, Python and Go
 * readers open, count and delete them. Kept are keys and content; content type, attributes, parents and times have no
 * place there.
 *
 * Into an empty or absent folder only. Chunks come first, then counts, manifests and the indexes, each written beside,
 * flushed and renamed; until the end a file `.holdfast-export` marks the folder as unfinished. An export that was
 * interrupted, by whatever, goes on when it is called again with the same options: chunks that are there are compared and
 * not written anew. A finished folder is never written to again.
 *
 * An entry that cannot be read, or whose key is no file id (`a` beside `a/b`, `..`, backslash, `__index__`, ...), is
 * reported and the others go on. Entries are read one by one, not in one state of the store. Memory: keys, and about 200
 * bytes for each distinct chunk; the chunks of 8 files.
 *
 * @throws `invalid/LOCATION_INVALID`, `denied/PERMISSION_DENIED`, `exhausted/DISK_FULL`, `unavailable/BACKEND_IO`; what
 *   reading throws, where it does not concern one entry alone; the signal's reason
 */
export async function exportChunkstore(
  entries: Entries,
  folder: string,
  options: ChunkstoreExportOptions = {},
): Promise<ChunkstoreExportReport> {
  return exportChunkstoreTo(entries, { folder, fileSystem: nodeFileSystem }, options);
}
