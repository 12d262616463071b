/** Stores in one file, for tests. */
import { randomFillSync } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { type CreateOptions, createStore, type Store } from '../../src/index.ts';
import { closedAfterTest, testFolder } from './stores.ts';

export interface FileStore {
  readonly file: string;
  readonly store: Store;
}

/** A store in a file of its own folder. */
export async function fileStore(options: Partial<CreateOptions> = {}): Promise<FileStore> {
  const file = path.join(await testFolder(), 'store.hold');
  return { file, store: closedAfterTest(await createStore(file, { keys: 'none', ...options })) };
}

const PAGE_BYTES = 8192;

/** Types of b-tree pages, by their first byte (https://sqlite.org/fileformat2.html section 1.6). */
const TREE_PAGES: ReadonlySet<number | undefined> = new Set([2, 5, 10, 13]);

/** Every page of the trees in a file that is closed. Pages of blobs cannot be told from them by one byte alone. */
export function treePages(file: string): number[] {
  const bytes = readFileSync(file);
  const pages: number[] = [];
  for (let page = 2; page * PAGE_BYTES <= bytes.length; page += 1) {
    const at = (page - 1) * PAGE_BYTES;
    const isRow = bytes.toString('latin1', at + 4, at + 10) === 'HFblob';
    // An overflow page begins with the number of a page, which is less than 2^24 here: its first byte is 0.
    if (!isRow && TREE_PAGES.has(bytes[at])) pages.push(page);
  }
  return pages;
}

/** Overwrites pages of a file with noise. */
export function destroyPages(file: string, pages: readonly number[]): void {
  const descriptor = openSync(file, 'r+');
  for (const page of pages) {
    writeSync(descriptor, randomFillSync(new Uint8Array(PAGE_BYTES)), 0, PAGE_BYTES, (page - 1) * PAGE_BYTES);
  }
  closeSync(descriptor);
}
