import { createHash } from 'node:crypto';
import path from 'node:path';
import { invariant } from '../errors/store-error.ts';
import { STAT_CACHE_BYTES_MAX, STAT_CACHE_ENTRIES_MAX, STAT_CACHE_RACY_MS } from '../limits.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { type FileSystem, nodeFileSystem, systemCode } from '../runtime/file-system.ts';
import { randomId } from '../runtime/random.ts';
import { readAll, writeAll } from '../runtime/whole-io.ts';
import { itemError } from './item-error.ts';
import type { ScannedNode } from './scanned.ts';
import {
  CACHED_PATH_BYTES_MAX,
  CACHED_VALUE_BYTES,
  CachedRecords,
  type DecodedStatCache,
  decodeStatCache,
  encodedAt,
  encodedLength,
  encodeFacts,
  encodeStatCache,
  factsEqual,
  valueAt,
} from './stat-cache-file.ts';

export interface StatCacheOptions {
  /** Folder for such caches, outside the store: they name files, and the values tell equal content apart. */
  readonly folder: string;
  /** Whose values these are. */
  readonly storeId: string;
  /** Real path of the folder that is scanned. */
  readonly root: string | Buffer;
  readonly clock?: Clock;
  readonly fileSystem?: FileSystem;
}

const NS_PER_MS = 1_000_000n;

/** The facts are read-only and few, so that anything with them will do. */
type CachedNode = Pick<ScannedNode, 'path' | 'size' | 'mtimeNs' | 'ctimeNs' | 'ino'>;

/**
 * Remembers of each file of a folder what it was and a value of 32 bytes that its content had, so that a later scan
 * need not read it again. A value is given back only where size, both times and the inode are as they were: whoever
 * changes content and sets the time back still moves `ctime`. The device is not compared, as its number changes when a
 * machine starts.
 *
 * A file that was touched less than two seconds before the scan began is not remembered: it may change once more within
 * one tick of a coarse clock, and nothing but its content would tell. This supposes that the clocks of the file system
 * and of this machine differ by less than that; on a network file system without such clocks use no cache.
 *
 * Memory: some 200 bytes for each file.
 */
export class StatCache {
  readonly #file: string;
  readonly #scope: Buffer;
  readonly #fileSystem: FileSystem;
  /** Times from here on are too close to the scan. */
  readonly #racyFromNs: bigint;
  readonly #loaded: DecodedStatCache | undefined;
  /** What holds now, of this run. */
  readonly #records = new CachedRecords();

  /** For `openStatCache`. */
  constructor(options: StatCacheOptions, place: StatCachePlace, loaded: DecodedStatCache | undefined) {
    this.#file = place.file;
    this.#scope = place.scope;
    this.#fileSystem = options.fileSystem ?? nodeFileSystem;
    this.#racyFromNs = BigInt(Math.floor((options.clock ?? systemClock).now()) - STAT_CACHE_RACY_MS) * NS_PER_MS;
    this.#loaded = loaded;
  }

  /** Files that were remembered when it was opened. */
  get size(): number {
    return this.#loaded?.offsets.size ?? 0;
  }

  /**
   * What was recorded for a file that is still the same. Found ones stay remembered.
   * @returns a view of 32 bytes, not to be changed, or `undefined`
   */
  lookup(node: CachedNode): Uint8Array | undefined {
    const loaded = this.#loaded;
    if (!loaded) return undefined;
    const key = node.path.toString('latin1');
    const offset = loaded.offsets.get(key);
    if (offset === undefined || !factsEqual(loaded.bytes, offset, node)) return undefined;
    this.#keep(key, encodedAt(loaded.bytes, offset));
    return valueAt(loaded.bytes, offset);
  }

  /**
   * Remembers a file that was read.
   * @param node its facts from before the first byte was read, and it was not written to until the last
   * @param value 32 bytes, copied
   * @returns whether it is remembered; a file that was touched just now is not
   */
  record(node: CachedNode, value: Uint8Array): boolean {
    invariant(value.length === CACHED_VALUE_BYTES, 'a cached value is 32 bytes');
    if (node.mtimeNs >= this.#racyFromNs || node.ctimeNs >= this.#racyFromNs) return false;
    if (node.path.length > CACHED_PATH_BYTES_MAX || !fits64(node.mtimeNs) || !fits64(node.ctimeNs)) return false;
    return this.#keep(node.path.toString('latin1'), encodeFacts(node, value));
  }

  /**
   * Replaces the file by what holds now: atomically, so that a crash leaves the old one or this.
   * @param options.complete whether every file was met; otherwise what was not met is kept as it was. Default true
   * @throws what writing the file fails with; the cache of before is whole then
   */
  async save(options: { readonly complete?: boolean } = {}): Promise<void> {
    if (options.complete === false && this.#loaded) {
      for (const [key, offset] of this.#loaded.offsets) {
        if (!this.#records.has(key)) this.#keep(key, encodedAt(this.#loaded.bytes, offset));
      }
    }
    const folder = path.dirname(this.#file);
    const temporary = path.join(folder, `.${randomId()}.tmp`);
    try {
      await this.#fileSystem.mkdir(folder);
      await writeDurably(this.#fileSystem, temporary, encodeStatCache(this.#records, this.#scope));
      await this.#fileSystem.rename(temporary, this.#file);
    } catch (error) {
      // The failure to tell is the one before; there may be nothing to remove.
      await this.#fileSystem.unlink(temporary).catch(() => undefined);
      throw itemError(error, this.#file, 'write');
    }
  }

  #keep(key: string, record: Buffer): boolean {
    if (!this.#records.has(key)) {
      const { size, pathBytes } = this.#records;
      if (size >= STAT_CACHE_ENTRIES_MAX) return false;
      if (encodedLength(pathBytes + key.length, size + 1) > STAT_CACHE_BYTES_MAX) return false;
    }
    this.#records.set(key, record);
    return true;
  }
}

function fits64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}

async function writeDurably(fileSystem: FileSystem, file: string, bytes: Buffer): Promise<void> {
  const handle = await fileSystem.open(file, 'wx');
  try {
    await writeAll(handle, bytes);
    // Before the rename, or a crash could leave the name with nothing behind it; what is read would be refused, slower.
    await handle.sync();
  } finally {
    await handle.close();
  }
}

interface StatCachePlace {
  readonly file: string;
  readonly scope: Buffer;
}

function placeOf(options: StatCacheOptions): StatCachePlace {
  const scope = createHash('sha256').update(options.storeId).update('\0').update(options.root).digest();
  return { file: path.join(options.folder, `${scope.toString('hex', 0, 16)}.stat`), scope };
}

async function readIfAny(fileSystem: FileSystem, file: string): Promise<Buffer | undefined> {
  const handle = await fileSystem.open(file, 'r').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw error;
  });
  if (!handle) return undefined;
  try {
    const { size } = await handle.stat();
    if (size > STAT_CACHE_BYTES_MAX) return undefined;
    const bytes = Buffer.alloc(size);
    // Where it is shorter than it said, the digest at its end is not there.
    return bytes.subarray(0, await readAll(handle, bytes));
  } finally {
    await handle.close();
  }
}

/**
 * Opens the stat cache of one store and one folder; to be called before the scan begins, as the time of the call decides
 * which files are too fresh to be trusted. One that is absent, damaged, of another version or cannot be read is empty:
 * the run is slower, never wrong.
 * @returns the cache and, where its file could not be read, why
 */
export async function openStatCache(
  options: StatCacheOptions,
): Promise<{ readonly cache: StatCache; readonly unreadable?: unknown }> {
  const place = placeOf(options);
  try {
    const bytes = await readIfAny(options.fileSystem ?? nodeFileSystem, place.file);
    return { cache: new StatCache(options, place, bytes && decodeStatCache(bytes, place.scope)) };
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return { cache: new StatCache(options, place, undefined), unreadable: itemError(error, place.file, 'read') };
  }
}
