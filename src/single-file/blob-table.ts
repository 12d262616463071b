import { resolveRange } from '../backend/blob-range.ts';
import type { BlobInfo } from '../backend/contract.ts';
import { quotaError } from '../backend/quota.ts';
import { prefixEnd, utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import { discardBytes } from '../bytes/discard.ts';
import { storeError } from '../errors/store-error.ts';
import type { Database, Reader, SqlValue, Transaction } from '../metadata/database.ts';
import { countChange, type FileState, loadPageUse, loadState, type PageUse } from './file-tables.ts';
import { ROW_HEADER_BYTES, writeRowHeader } from './row-header.ts';
import { type FileGeometry, layRows, pagesOf, piecesOf, rowId } from './row-layout.ts';

/** Bounds of a put, beside the capacity of the file. */
export interface PutBounds {
  readonly ifAbsent: boolean;
  /** Most bytes of all blobs together. */
  readonly quotaBytes?: number | undefined;
  /** Pages that must stay free of those the capacity allows. */
  readonly reservePages: number;
}

/** A blob to be put, its rows laid out by `layRows` with room for their headers. */
export interface LaidBlob {
  readonly key: string;
  readonly bytes: number;
  readonly rows: Uint8Array;
}

/** Which blobs to list; everything is checked. */
export interface BlobWindow {
  readonly prefix: string;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** A file as it is used now. */
export interface FileUse extends FileState, PageUse {
  readonly pageBytes: number;
}

interface BlobRow {
  readonly number: number;
  readonly bytes: number;
}

async function loadBlob(reader: Reader, key: string): Promise<BlobRow | undefined> {
  const [row] = await reader.all('SELECT number, bytes FROM file_blobs WHERE key = ?', [key]);
  return row && { number: Number(row.number), bytes: Number(row.bytes) };
}

async function removeBlob(transaction: Transaction, key: string, { number, bytes }: BlobRow): Promise<void> {
  await transaction.run('DELETE FROM file_rows WHERE id >= ? AND id < ?', [[rowId(number, 0), rowId(number + 1, 0)]]);
  await transaction.run('DELETE FROM file_blobs WHERE key = ?', [[key]]);
  await countChange(transaction, { blobs: -1, bytes: -bytes, numbers: 0 });
}

/** The blobs of a single file, in its database. Blocks the thread while SQLite works. */
export class BlobTable {
  readonly #database: Database;
  readonly geometry: FileGeometry;

  constructor(database: Database, geometry: FileGeometry) {
    this.#database = database;
    this.geometry = geometry;
  }

  /** Puts a blob in one transaction: it is there whole or not at all, and durable when this resolves. */
  async put(blob: LaidBlob, bounds: PutBounds): Promise<void> {
    await this.#database.write(async (transaction) => {
      const old = await loadBlob(transaction, blob.key);
      if (old && bounds.ifAbsent) {
        throw storeError('BLOB_EXISTS', 'a blob with this key exists already', { details: { backendKey: blob.key } });
      }
      if (old) await removeBlob(transaction, blob.key, old);
      const state = await loadState(transaction);
      // Only now, when what is replaced is gone: what does not make things worse is never refused.
      if (blob.bytes > (old?.bytes ?? 0)) await this.#checkRoom(transaction, { blob, state, bounds });
      await this.#insertRows(transaction, blob, state.nextNumber);
      await transaction.run('INSERT INTO file_blobs (key, number, bytes) VALUES (?, ?, ?)', [
        [blob.key, state.nextNumber, blob.bytes],
      ]);
      await countChange(transaction, { blobs: 1, bytes: blob.bytes, numbers: 1 });
    });
  }

  async #insertRows(transaction: Transaction, blob: LaidBlob, number: number): Promise<void> {
    const parts = layRows(this.geometry, blob.bytes);
    const sets: SqlValue[][] = [];
    for (const { index, shape, contentBytes, at } of parts) {
      const data = blob.rows.subarray(at, at + shape.dataBytes);
      const row = data.subarray(shape.start, shape.start + ROW_HEADER_BYTES + contentBytes);
      writeRowHeader(row, { key: blob.key, number, blobBytes: blob.bytes, index, count: parts.length, contentBytes });
      sets.push([rowId(number, index), data]);
    }
    await transaction.run('INSERT INTO file_rows (id, data) VALUES (?, ?)', sets);
  }

  /** @throws `exhausted/QUOTA_EXCEEDED` */
  async #checkRoom(
    transaction: Reader,
    { blob, state, bounds }: { readonly blob: LaidBlob; readonly state: FileState; readonly bounds: PutBounds },
  ): Promise<void> {
    const { key, bytes } = blob;
    const { quotaBytes } = bounds;
    const usedBytes = state.blobBytes;
    if (quotaBytes !== undefined && usedBytes + bytes > quotaBytes) {
      throw quotaError({ key, usedBytes, growthBytes: bytes, quotaBytes });
    }
    if (state.capacityBytes === 0) return;
    const free = this.#roomOf(state, await loadPageUse(transaction)) - bounds.reservePages;
    if (pagesOf(this.geometry, bytes) > free) {
      throw quotaError({ key, usedBytes, growthBytes: bytes, quotaBytes: state.capacityBytes });
    }
  }

  /** Pages that the capacity allows beyond those in use. */
  #roomOf({ capacityBytes }: FileState, { pages, freePages }: PageUse): number {
    return Math.floor(capacityBytes / this.geometry.pageBytes) - (pages - freePages);
  }

  /** @returns the asked bytes in a buffer of their own; `undefined` for an absent key */
  async get(
    key: string,
    range: { readonly offset?: number; readonly length?: number },
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return await this.#database.read(async (reader) => {
      const blob = await loadBlob(reader, key);
      if (blob === undefined) return undefined;
      const { start, end } = resolveRange(key, range, blob.bytes);
      const pieces = piecesOf(this.geometry, blob.bytes, { start, end });
      const found = await reader.lookup(
        'SELECT substr(data, ?, ?) AS piece FROM file_rows WHERE id = ?',
        // The first byte is 1: https://sqlite.org/lang_corefunc.html#substr
        pieces.map(({ index, at, length }) => [at + 1, length, rowId(blob.number, index)]),
      );
      const bytes = new Uint8Array(end - start);
      let at = 0;
      for (const [index, { length }] of pieces.entries()) {
        const piece = found[index]?.piece;
        if (!(piece instanceof Uint8Array) || piece.length !== length) {
          throw storeError('METADATA_CORRUPT', 'a row of the blob is gone');
        }
        bytes.set(piece, at);
        discardBytes(piece);
        at += length;
      }
      return bytes;
    });
  }

  async head(key: string): Promise<BlobInfo | undefined> {
    const blob = await this.#database.read((reader) => loadBlob(reader, key));
    return blob && { key, bytes: blob.bytes };
  }

  async delete(key: string): Promise<void> {
    // Mostly there is nothing, and nothing is written then.
    if ((await this.head(key)) === undefined) return;
    await this.#database.write(async (transaction) => {
      const blob = await loadBlob(transaction, key);
      if (blob) await removeBlob(transaction, key, blob);
    });
  }

  /** Keys are ASCII, so that SQLite compares them byte by byte. */
  async list({ prefix, after, limit }: BlobWindow): Promise<readonly BlobInfo[]> {
    const end = prefix === '' ? undefined : prefixEnd(utf8Encode(prefix));
    const conditions = ['key >= ?', ...(after === undefined ? [] : ['key > ?']), ...(end ? ['key < ?'] : [])];
    const parameters = [prefix, ...(after === undefined ? [] : [after]), ...(end ? [utf8Decode(end)] : []), limit];
    const sql = `SELECT key, bytes FROM file_blobs WHERE ${conditions.join(' AND ')} ORDER BY key LIMIT ?`;
    const rows = await this.#database.read((reader) => reader.all(sql, parameters));
    return rows.map(({ key, bytes }) => ({ key: String(key), bytes: Number(bytes) }));
  }

  async use(): Promise<FileUse> {
    return await this.#database.read(async (reader) => ({
      ...(await loadState(reader)),
      ...(await loadPageUse(reader)),
      pageBytes: this.geometry.pageBytes,
    }));
  }
}
