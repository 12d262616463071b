/**
 * Which pages of a database stand in its write-ahead log, read without SQLite (https://sqlite.org/fileformat2.html
 * section 4). A frame counts when its salts are those of the log, its checksum goes on from the frame before, and a commit
 * follows it. All numbers are big-endian; the words that checksums add up are so only if the magic says so.
 */
import type { FileHandle } from '../../runtime/file-system.ts';
import { readFully } from './read-fully.ts';

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;

/** Where in the log the newest committed version of each page is. */
export interface LoggedPages {
  readonly positions: ReadonlyMap<number, number>;
  /** Pages of the database after the last commit; 0 when there is none. */
  readonly pageCount: number;
}

/** The checksum of section 4.2. */
class LogChecksum {
  readonly #littleEndian: boolean;
  a: number;
  b: number;

  constructor(littleEndian: boolean, a = 0, b = 0) {
    this.#littleEndian = littleEndian;
    this.a = a;
    this.b = b;
  }

  add(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let { a, b } = this;
    for (let at = 0; at < bytes.length; at += 8) {
      a = (a + view.getUint32(at, this.#littleEndian) + b) >>> 0;
      b = (b + view.getUint32(at + 4, this.#littleEndian) + a) >>> 0;
    }
    this.a = a;
    this.b = b;
  }
}

/** Reads a log up to its last commit. A log that is no log of pages of this size holds none. */
export async function readLog(log: FileHandle, pageBytes: number): Promise<LoggedPages> {
  const none = { positions: new Map<number, number>(), pageCount: 0 };
  const header = await readFully(log, 0, HEADER_BYTES);
  if (header === undefined) return none;
  const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
  const magic = view.getUint32(0);
  // The lowest bit of the magic says big-endian (section 4.1).
  if ((magic & ~1) >>> 0 !== MAGIC || view.getUint32(8) !== pageBytes) return none;
  const checksum = new LogChecksum((magic & 1) === 0);
  checksum.add(header.subarray(0, 24));
  if (checksum.a !== view.getUint32(24) || checksum.b !== view.getUint32(28)) return none;
  const salts = header.slice(16, 24);
  return await readFrames(log, { pageBytes, salts, checksum });
}

async function readFrames(
  log: FileHandle,
  {
    pageBytes,
    salts,
    checksum,
  }: { readonly pageBytes: number; readonly salts: Uint8Array; readonly checksum: LogChecksum },
): Promise<LoggedPages> {
  const positions = new Map<number, number>();
  const open = new Map<number, number>();
  let pageCount = 0;
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  for (let at = HEADER_BYTES; ; at += frameBytes) {
    const frame = await readFully(log, at, frameBytes);
    if (frame === undefined) break;
    const view = new DataView(frame.buffer, frame.byteOffset, frameBytes);
    if (Buffer.compare(frame.subarray(8, 16), salts) !== 0) break;
    checksum.add(frame.subarray(0, 8));
    checksum.add(frame.subarray(FRAME_HEADER_BYTES));
    if (checksum.a !== view.getUint32(16) || checksum.b !== view.getUint32(20)) break;
    open.set(view.getUint32(0), at + FRAME_HEADER_BYTES);
    const committed = view.getUint32(4);
    if (committed === 0) continue;
    for (const [page, position] of open) positions.set(page, position);
    open.clear();
    pageCount = committed;
  }
  return { positions, pageCount };
}
