/** Where the bytes of a blob lie: in which rows, and where in them. */
import { ROW_HEADER_BYTES } from './row-header.ts';
import { chainedBytes, type RowShape, rowShape } from './row-shape.ts';

/** Sizes of a file's pages and of the rows of its blobs, fixed when it is made. */
export interface FileGeometry {
  readonly pageBytes: number;
  /** Overflow pages of a full row. */
  readonly rowPages: number;
}

/** One row of a blob. */
export interface RowPart {
  readonly index: number;
  readonly shape: RowShape;
  /** Bytes of the blob in it, and where in the blob they begin. */
  readonly contentBytes: number;
  readonly contentAt: number;
  /** Where the row begins when all rows stand one after the other. */
  readonly at: number;
}

/** Rows are numbered within their blob below this, so that one integer tells blob and row. */
const ROWS_PER_BLOB = 65_536;

/** Key of a row in its table. Those of one blob are neighbours. */
export function rowId(number: number, index: number): number {
  return number * ROWS_PER_BLOB + index;
}

/** Bytes of a blob that a full row holds. */
export function rowContentBytes({ pageBytes, rowPages }: FileGeometry): number {
  return rowPages * chainedBytes(pageBytes) - ROW_HEADER_BYTES;
}

/** Rows of a blob; an empty blob has one, which says that it was there. */
export function rowCount(geometry: FileGeometry, blobBytes: number): number {
  return Math.max(1, Math.ceil(blobBytes / rowContentBytes(geometry)));
}

function lastPages({ pageBytes }: FileGeometry, contentBytes: number): number {
  return Math.ceil((ROW_HEADER_BYTES + contentBytes) / chainedBytes(pageBytes));
}

/** The rows of a blob, in order; all but the last are full. */
export function layRows(geometry: FileGeometry, blobBytes: number): readonly RowPart[] {
  const full = rowContentBytes(geometry);
  const count = rowCount(geometry, blobBytes);
  const parts: RowPart[] = [];
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    const contentBytes = Math.min(full, blobBytes - index * full);
    const shape = rowShape(geometry.pageBytes, lastPages(geometry, contentBytes));
    parts.push({ index, shape, contentBytes, contentAt: index * full, at });
    at += shape.dataBytes;
  }
  return parts;
}

/** A piece of one row: what a read of a range asks of it. */
export interface RowPiece {
  readonly index: number;
  /** Where in the row's data the piece begins. */
  readonly at: number;
  readonly length: number;
}

/** The pieces of rows that make up the bytes `[start, end)` of a blob. */
export function piecesOf(
  geometry: FileGeometry,
  blobBytes: number,
  range: { readonly start: number; readonly end: number },
): readonly RowPiece[] {
  const full = rowContentBytes(geometry);
  const pieces: RowPiece[] = [];
  for (let from = range.start; from < range.end; ) {
    const index = Math.floor(from / full);
    const contentBytes = Math.min(full, blobBytes - index * full);
    const inside = from - index * full;
    const length = Math.min(contentBytes - inside, range.end - from);
    const { start } = rowShape(geometry.pageBytes, lastPages(geometry, contentBytes));
    pieces.push({ index, at: start + ROW_HEADER_BYTES + inside, length });
    from += length;
  }
  return pieces;
}

/**
 * Pages that a blob takes at most: those of its content, leaves for its rows, the list that SQLite keeps of what each
 * page is for, and what a tree may grow by.
 */
export function pagesOf(geometry: FileGeometry, blobBytes: number): number {
  const full = rowContentBytes(geometry);
  const count = rowCount(geometry, blobBytes);
  const chained = (count - 1) * geometry.rowPages + lastPages(geometry, blobBytes - (count - 1) * full);
  const pages = chained + Math.ceil(count / ROWS_PER_LEAF) + TREE_PAGES;
  return pages + Math.ceil(pages / (geometry.pageBytes / POINTER_BYTES));
}

/** A leaf keeps an eighth of a page of each row, and some bytes beside. */
const ROWS_PER_LEAF = 7;
/** Pages by which the trees of blobs, rows and settings may grow with one blob. */
const TREE_PAGES = 8;
/** SQLite notes five bytes for each page of a file that can give pages back. */
const POINTER_BYTES = 5;

/** The largest blob that fits so many pages; 0 when none does. */
export function bytesInPages(geometry: FileGeometry, pages: number): number {
  let [low, high] = [0, Math.max(0, pages) * geometry.pageBytes];
  if (pagesOf(geometry, 0) > pages) return 0;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (pagesOf(geometry, middle) <= pages) low = middle;
    else high = middle - 1;
  }
  return low;
}
