/**
 * How large a row must be so that SQLite keeps all of its content off the tree pages.
 *
 * SQLite keeps the first bytes of a large row in its leaf and the rest in a chain of overflow pages, each of which begins
 * with the number of the next (https://sqlite.org/fileformat2.html sections 1.5 and 1.6). Of a row whose length is just
 * right the leaf keeps the least that it may, and everything else fills its overflow pages to the last byte. Rows here
 * are always that long: their header and content begin where the first overflow page begins. So whatever happens to tree
 * pages, a scan of the raw file finds every row by the first bytes of a page.
 *
 * Invariant: `leafBytes + pages * (pageBytes - 4)` is the length of the row as SQLite counts it.
 */
import { invariant } from '../errors/store-error.ts';

/** Bytes at the beginning of an overflow page: the number of the next page of the row, or 0, big-endian. */
export const CHAIN_BYTES = 4;

/** A row of so many overflow pages. */
export interface RowShape {
  /** Bytes of the column that holds header and content, everything included. */
  readonly dataBytes: number;
  /** Where in that column the first overflow page begins. */
  readonly start: number;
}

/** Bytes of a row that fill an overflow page. */
export function chainedBytes(pageBytes: number): number {
  return pageBytes - CHAIN_BYTES;
}

/** The least that a leaf keeps of a row (section 1.6: "M"). */
function leafBytesMin(pageBytes: number): number {
  return Math.floor(((pageBytes - 12) * 32) / 255) - 23;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}

/**
 * Before the columns a row has their types: a length, one byte for the key, which is not stored again, and the type of
 * the data, which tells its length (section 2.1).
 */
function typeBytes(dataBytes: number): number {
  return 2 + varintBytes(2 * dataBytes + 12);
}

/** The shape of a row of `pages` overflow pages. */
export function rowShape(pageBytes: number, pages: number): RowShape {
  const leafBytes = leafBytesMin(pageBytes);
  const rowBytes = leafBytes + pages * chainedBytes(pageBytes);
  for (let types = 3; types <= 7; types += 1) {
    const dataBytes = rowBytes - types;
    if (typeBytes(dataBytes) === types) return { dataBytes, start: leafBytes - types };
  }
  invariant(false, 'a row of whole pages has a length that says so');
}
