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
  const reader = new RowReader(pages);
  let at = 0;
  for (let index = 0; index < blob.rowCount; index += 1) {
    const content = await reader.read(blob, index);
    if (content === undefined || at + content.length > bytes.length) return undefined;
    bytes.set(content, at);
    at += content.length;
  }
  return at === bytes.length ? bytes : undefined;
}

/** Reads rows into memory of its own, which the next row uses again. */
class RowReader {
  readonly #pages: RawPages;
  readonly #page: Uint8Array;
  #row = new Uint8Array(0);

  constructor(pages: RawPages) {
    this.#pages = pages;
    this.#page = new Uint8Array(pages.pageBytes);
  }

  /** The content of a row that is whole; good until the next call. */
  async read(blob: FoundBlob, index: number): Promise<Uint8Array | undefined> {
    for (const first of blob.rows.get(index) ?? []) {
      const row = await this.#readChain(first);
      const facts = row && readRowHeader(row);
      if (row && facts?.number === blob.number && facts.index === index && isRowWhole(row)) {
        return row.subarray(ROW_HEADER_BYTES);
      }
    }
    return undefined;
  }

  /** Header and content of the row whose pages begin with this one. */
  async #readChain(first: number): Promise<Uint8Array | undefined> {
    const { pageBytes, pageCount } = this.#pages;
    if (!(await this.#pages.readInto(first, this.#page))) return undefined;
    const facts = readRowHeader(this.#page.subarray(CHAIN_BYTES));
    // A length that the file has no room for is no length.
    if (!facts || facts.contentBytes > pageCount * pageBytes) return undefined;
    const length = ROW_HEADER_BYTES + facts.contentBytes;
    if (this.#row.length < length) this.#row = new Uint8Array(length);
    const perPage = chainedBytes(pageBytes);
    for (let at = 0; ; ) {
      this.#row.set(this.#page.subarray(CHAIN_BYTES, CHAIN_BYTES + Math.min(perPage, length - at)), at);
      at += perPage;
      if (at >= length) return this.#row.subarray(0, length);
      if (!(await this.#pages.readInto(uint32(this.#page, 0), this.#page))) return undefined;
    }
  }
}
