import { LOG_SUFFIX } from '../../metadata/sqlite-file.ts';
import { exists, type FileHandle, nodeFileSystem } from '../../runtime/file-system.ts';
import { PAGE_BYTES } from '../file-tables.ts';
import { fill, readFully } from './read-fully.ts';
import { readLog } from './write-ahead-log.ts';

/** Pages are read from the file so many at a time while it is scanned. */
const BATCH_PAGES = 128;
/** A chain of pages names the next one first, also where SQLite keeps those that are free. */
const TRUNK_HEADER_BYTES = 8;
const HEADER_BYTES = 100;
const MAGIC = 'SQLite format 3\0';

/** The pages of a database as they lie on the disk, its log considered, read without SQLite. Numbers begin at 1. */
export class RawPages {
  readonly #file: FileHandle;
  readonly #log: FileHandle | undefined;
  readonly #logged: ReadonlyMap<number, number>;
  readonly pageBytes: number;
  readonly pageCount: number;

  private constructor(parts: {
    readonly file: FileHandle;
    readonly log: FileHandle | undefined;
    readonly logged: ReadonlyMap<number, number>;
    readonly pageBytes: number;
    readonly pageCount: number;
  }) {
    this.#file = parts.file;
    this.#log = parts.log;
    this.#logged = parts.logged;
    this.pageBytes = parts.pageBytes;
    this.pageCount = parts.pageCount;
  }

  /** Opens a file whose pages may be damaged, the first one included. No store of this process may have it open. */
  static async open(path: string): Promise<RawPages> {
    const file = await nodeFileSystem.open(path, 'r');
    let log: FileHandle | undefined;
    try {
      const pageBytes = pageBytesIn(await readFully(file, 0, HEADER_BYTES)) ?? PAGE_BYTES;
      const filePages = Math.floor((await file.stat()).size / pageBytes);
      if (await exists(path + LOG_SUFFIX)) log = await nodeFileSystem.open(path + LOG_SUFFIX, 'r');
      const logged = log && (await readLog(log, pageBytes));
      // A file that lost its end may have kept the log of it: whatever either knows is looked at.
      const pageCount = Math.max(filePages, logged?.pageCount ?? 0);
      return new RawPages({ file, log, logged: logged?.positions ?? new Map(), pageBytes, pageCount });
    } catch (error) {
      await log?.close();
      await file.close();
      throw error;
    }
  }

  /** One page; `undefined` when it is not there. */
  async read(page: number): Promise<Uint8Array | undefined> {
    const bytes = new Uint8Array(this.pageBytes);
    return (await this.readInto(page, bytes)) ? bytes : undefined;
  }

  /** The same into an array of the length of a page. @returns false when it is not there */
  async readInto(page: number, bytes: Uint8Array): Promise<boolean> {
    const position = this.#logged.get(page);
    if (position !== undefined && this.#log) return await fill(this.#log, position, bytes);
    if (page < 1 || page > this.pageCount) return false;
    return await fill(this.#file, (page - 1) * this.pageBytes, bytes);
  }

  /** Every page with its number. The bytes are good until the next is asked for. */
  async *all(): AsyncGenerator<readonly [page: number, bytes: Uint8Array]> {
    // One array for all: as garbage, those of a large file would gather faster than they are collected.
    const batch = new Uint8Array(BATCH_PAGES * this.pageBytes);
    for (let first = 1; first <= this.pageCount; first += BATCH_PAGES) {
      const { bytesRead } = await this.#file.read(batch, 0, batch.length, (first - 1) * this.pageBytes);
      for (let index = 0; index < BATCH_PAGES && first + index <= this.pageCount; index += 1) {
        const page = first + index;
        const bytes = batch.subarray(index * this.pageBytes, (index + 1) * this.pageBytes);
        const isRead = (index + 1) * this.pageBytes <= bytesRead && !this.#logged.has(page);
        if (isRead || (await this.readInto(page, bytes))) yield [page, bytes];
      }
    }
  }

  /**
   * Pages that are free (section 1.5 of the format): what they hold was deleted. As many as can be told.
   * https://sqlite.org/fileformat2.html#the_freelist
   */
  async freePages(): Promise<ReadonlySet<number>> {
    const free = new Set<number>();
    const header = await this.read(1);
    if (header === undefined || pageBytesIn(header) === undefined) return free;
    let trunk = uint32(header, 32);
    while (trunk !== 0 && !free.has(trunk)) {
      const bytes = await this.read(trunk);
      if (bytes === undefined) break;
      free.add(trunk);
      const count = Math.min(uint32(bytes, 4), (this.pageBytes - TRUNK_HEADER_BYTES) / 4);
      for (let index = 0; index < count; index += 1) free.add(uint32(bytes, TRUNK_HEADER_BYTES + 4 * index));
      trunk = uint32(bytes, 0);
    }
    return free;
  }

  async close(): Promise<void> {
    await this.#log?.close();
    await this.#file.close();
  }
}

/** The size of pages that the header of a database tells; `undefined` when it is none. */
function pageBytesIn(header: Uint8Array | undefined): number | undefined {
  if (header === undefined || Buffer.from(header.subarray(0, MAGIC.length)).toString('latin1') !== MAGIC)
    return undefined;
  const field = ((header[16] ?? 0) << 8) | (header[17] ?? 0);
  const pageBytes = field === 1 ? 65_536 : field;
  return pageBytes >= 512 && (pageBytes & (pageBytes - 1)) === 0 ? pageBytes : undefined;
}

/** A number as SQLite writes it. */
export function uint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(at);
}
