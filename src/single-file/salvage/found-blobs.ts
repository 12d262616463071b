import { isRowWhole, ROW_HEADER_BYTES, type RowFacts, readRowHeader } from '../row-header.ts';
import { CHAIN_BYTES, chainedBytes } from '../row-shape.ts';
import { type RawPages, uint32 } from './raw-pages.ts';

/** A version of a blob of which at least one row was found. */
export interface FoundBlob {
  readonly key: string;
  readonly number: number;
  readonly bytes: number;
  readonly rowCount: number;
  /** First pages of what says that it is this row; more than one where an old copy of a page was left behind. */
  readonly rows: ReadonlyMap<number, readonly number[]>;
}

interface Gathered extends FoundBlob {
  readonly rows: Map<number, number[]>;
}

/**
 * Looks at the beginning of every page that is not free for the header of a row. Memory: a few numbers for each row.
 * @param onPage told after each page
 */
export async function findBlobs(pages: RawPages, onPage: (page: number) => void): Promise<readonly FoundBlob[]> {
  const free = await pages.freePages();
  const found = new Map<string, Gathered>();
  for await (const [page, bytes] of pages.all()) {
    onPage(page);
    if (free.has(page)) continue;
    const facts = readRowHeader(bytes.subarray(CHAIN_BYTES));
    if (facts) note(found, facts, page);
  }
  return [...found.values()];
}

function note(found: Map<string, Gathered>, facts: RowFacts, page: number): void {
  const { key, number, blobBytes, count, index } = facts;
  const name = `${number} ${key} ${blobBytes} ${count}`;
  const blob = found.get(name) ?? { key, number, bytes: blobBytes, rowCount: count, rows: new Map() };
  found.set(name, blob);
  const copies = blob.rows.get(index) ?? [];
  copies.push(page);
  blob.rows.set(index, copies);
}

/** The bytes of a blob, every row proven by its checksum; `undefined` when one is not there whole. */
export async function readFoundBlob(pages: RawPages, blob: FoundBlob): Promise<Uint8Array | undefined> {
  if (blob.rows.size !== blob.rowCount) return undefined;
  const bytes = new Uint8Array(blob.bytes);
  let at = 0;
  for (let index = 0; index < blob.rowCount; index += 1) {
    const content = await readRow(pages, blob, index);
    if (content === undefined || at + content.length > bytes.length) return undefined;
    bytes.set(content, at);
    at += content.length;
  }
  return at === bytes.length ? bytes : undefined;
}

async function readRow(pages: RawPages, blob: FoundBlob, index: number): Promise<Uint8Array | undefined> {
  for (const first of blob.rows.get(index) ?? []) {
    const row = await readChain(pages, first);
    const facts = row && readRowHeader(row);
    if (row && facts?.number === blob.number && facts.index === index && isRowWhole(row)) {
      return row.subarray(ROW_HEADER_BYTES);
    }
  }
  return undefined;
}

/** Header and content of the row whose pages begin with this one. */
async function readChain(pages: RawPages, first: number): Promise<Uint8Array | undefined> {
  const head = await pages.read(first);
  const facts = head && readRowHeader(head.subarray(CHAIN_BYTES));
  // A length that the file has no room for is no length.
  if (!facts || facts.contentBytes > pages.pageCount * pages.pageBytes) return undefined;
  const row = new Uint8Array(ROW_HEADER_BYTES + facts.contentBytes);
  const perPage = chainedBytes(pages.pageBytes);
  let page: number = first;
  for (let at = 0; at < row.length; at += perPage) {
    const bytes = await pages.read(page);
    if (bytes === undefined) return undefined;
    row.set(bytes.subarray(CHAIN_BYTES, CHAIN_BYTES + Math.min(perPage, row.length - at)), at);
    page = uint32(bytes, 0);
  }
  return row;
}
