/** Pages of a list: in which keys with a common beginning stand for one, or of those that hold a text. */
import type { Entries, EntryInfo, ListOptions } from '../index.ts';
import { ENTRY_KEY_BYTES_MAX, SERVER_SEARCHED_MAX } from '../limits.ts';

/** What a list is gone on from. */
export type ListPlace = Pick<EntryInfo, 'key' | 'modified' | 'size'>;

export interface FoldOptions extends Required<Pick<ListOptions, 'prefix' | 'limit' | 'sort' | 'descending' | 'where'>> {
  readonly signal: AbortSignal;
  readonly after: EntryInfo | undefined;
  /** Only with the order by key, ascending. */
  readonly delimiter: string | undefined;
}

export interface FoldedPage {
  readonly entries: readonly EntryInfo[];
  /** Beginnings of keys up to the delimiter, each told once. */
  readonly prefixes: readonly string[];
  /** There when there may be more. */
  readonly next?: ListPlace;
}

/** By length of UTF-8, from 1: no text of so many bytes comes after it. */
const LAST_OF_BYTES = ['', '\u{7f}', '\u{7ff}', '\u{ffff}', '\u{10ffff}'];

/** A key after which nothing begins with `beginning`: no key is longer, and none of that length comes later. */
export function lastKeyWith(beginning: string): string {
  const left = ENTRY_KEY_BYTES_MAX - Buffer.byteLength(beginning);
  return beginning + (LAST_OF_BYTES[4] ?? '').repeat(Math.floor(left / 4)) + LAST_OF_BYTES[left % 4];
}

function beginningOf(key: string, { prefix, delimiter }: FoldOptions): string | undefined {
  if (delimiter === undefined) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : key.slice(0, at + delimiter.length);
}

/** One page; what is passed over is skipped, and not read. */
export async function foldedList(source: Pick<Entries, 'list'>, options: FoldOptions): Promise<FoldedPage> {
  const { limit, after: from, delimiter: _delimiter, ...asked } = options;
  const entries: EntryInfo[] = [];
  const prefixes: string[] = [];
  let after: ListPlace | undefined = from;
  for (;;) {
    const left = limit - entries.length - prefixes.length;
    if (left === 0) return { entries, prefixes, ...(after && { next: after }) };
    let folded: string | undefined;
    let count = 0;
    const place = after && { after: (asked.sort === 'key' ? after.key : after) as string | EntryInfo };
    for await (const entry of source.list({ ...asked, limit: left, ...place })) {
      count += 1;
      folded = beginningOf(entry.key, options);
      after = folded === undefined ? entry : { ...entry, key: lastKeyWith(folded) };
      if (folded !== undefined) break;
      entries.push(entry);
    }
    if (folded !== undefined) prefixes.push(folded);
    else if (count < left) return { entries, prefixes };
  }
}

export interface SearchOptions extends Omit<FoldOptions, 'delimiter'> {
  /** What keys have to hold, whatever the case of its letters. */
  readonly search: string;
}

/** One page; ends early, to be gone on with, when a great many entries were looked at. */
export async function searchedList(source: Pick<Entries, 'list'>, options: SearchOptions): Promise<FoldedPage> {
  const { limit, after, search, ...asked } = options;
  const wanted = search.toLowerCase();
  const entries: EntryInfo[] = [];
  const place = after && { after: asked.sort === 'key' ? after.key : after };
  let looked = 0;
  for await (const entry of source.list({ ...asked, ...place })) {
    looked += 1;
    if (entry.key.toLowerCase().includes(wanted)) entries.push(entry);
    if (entries.length === limit || looked === SERVER_SEARCHED_MAX) return { entries, prefixes: [], next: entry };
  }
  return { entries, prefixes: [] };
}
