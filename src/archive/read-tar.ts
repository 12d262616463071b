/**
 * Reads tar archives as a stream: ustar, pax (POSIX.1-2017), GNU tar's long names and base-256 numbers, old tars; plain or
 * compressed with gzip or zstd, told by the first bytes.
 *
 * - Names are bytes from beginning to end; nothing is decoded, so nothing is mangled.
 * - What would leave the folder it is restored to is refused item by item, as are kinds of items that Holdfast does not
 *   keep (devices, pipes, GNU tar's sparse files); the rest goes on.
 * - Memory is one piece of the source and one extended header of `ARCHIVE_HEADER_BYTES_MAX`, whatever the archive claims.
 * - An archive ends with a block of zeros (two, but one is enough at the end) and nothing but zeros behind. One that is cut
 *   off is never taken for whole.
 */
import { StreamReader } from '../bytes/stream-reader.ts';
import { decompressStream, sniffCompression } from '../compress/index.ts';
import { argumentRangeError } from '../errors/argument-error.ts';
import { isStoreError, type StoreError } from '../errors/store-error.ts';
import { ARCHIVE_HEADER_BYTES_MAX } from '../limits.ts';
import { isSparse, type PaxRecords, parsePax } from './pax-records.ts';
import { BLOCK_BYTES, isZeroBlock, parseHeader, type TarHeader, untilNul } from './tar-header.ts';
import { archiveInvalid, cleanPath, itemUnsupported, pathText, type TarItem, type TarRefusal } from './tar-item.ts';
import { formatTimeText, parseDecimalTime } from './tar-time.ts';

/** Longest pieces of content that are given at once. */
const PIECE_BYTES = 1024 * 1024;

/** What stands before an item and is about it alone, or about all that follow. */
interface Extended {
  readonly pax: PaxRecords;
  readonly longName?: Uint8Array;
  readonly longLink?: Uint8Array;
}

const NOTHING: Extended = { pax: new Map() };

/** One item as the archive has it, before anything is checked. */
interface RawItem {
  readonly header: TarHeader;
  readonly path: Uint8Array;
  readonly link: Uint8Array;
  readonly pax: PaxRecords;
  readonly bodyBytes: number;
}

/** Flags of items that have no content, whatever their size field says. */
const BODYLESS = new Set(['1', '2', '3', '4', '5', '6']);
const KINDS: Readonly<Record<string, string>> = {
  '3': 'a character device',
  '4': 'a block device',
  '6': 'a pipe',
  S: "a sparse file in GNU tar's format",
  V: 'the label of a volume',
  M: 'the rest of a file from an earlier volume',
  D: 'the listing of a folder by GNU tar',
};

class TarReader {
  readonly #reader: StreamReader;
  #globals: PaxRecords = new Map();

  constructor(reader: StreamReader) {
    this.#reader = reader;
  }

  /** The header block that comes next, of an item or an extended one; `undefined` at the end of the archive. */
  async #header(): Promise<TarHeader | undefined> {
    const { offset } = this.#reader;
    const block = await this.#block();
    if (!isZeroBlock(block)) return parseHeader(block, offset);
    for (;;) {
      const piece = await this.#reader.some(PIECE_BYTES);
      if (piece.length === 0) return undefined;
      // A second archive behind the first, or an item whose header was overwritten, must not be lost in silence.
      if (!isZeroBlock(piece)) throw archiveInvalid('something follows its end', { offset });
    }
  }

  async #block(): Promise<Uint8Array> {
    const { offset } = this.#reader;
    const block = await this.#reader.take(BLOCK_BYTES);
    if (block.length < BLOCK_BYTES) throw archiveInvalid('it is cut off', { offset: offset + block.length });
    return block;
  }

  async skip(length: number): Promise<void> {
    if ((await this.#reader.skip(length)) < length)
      throw archiveInvalid('it is cut off', { offset: this.#reader.offset });
  }

  async #extendedBody({ size }: TarHeader): Promise<Uint8Array> {
    const { offset } = this.#reader;
    if (size > ARCHIVE_HEADER_BYTES_MAX) {
      throw archiveInvalid(`an extended header is longer than ${ARCHIVE_HEADER_BYTES_MAX} bytes`, { offset });
    }
    const body = await this.#reader.take(size);
    await this.skip(padding(size) + size - body.length);
    return body;
  }

  /** Takes in one extended header; `undefined` when it is the header of an item. */
  async #extend(header: TarHeader, before: Extended): Promise<Extended | undefined> {
    const offset = this.#reader.offset;
    switch (header.flag) {
      case 'x':
        return { ...before, pax: merged(before.pax, parsePax(await this.#extendedBody(header), offset)) };
      case 'g':
        this.#globals = merged(this.#globals, parsePax(await this.#extendedBody(header), offset));
        return before;
      case 'L':
        return { ...before, longName: untilNul(await this.#extendedBody(header)) };
      case 'K':
        return { ...before, longLink: untilNul(await this.#extendedBody(header)) };
      default:
        return undefined;
    }
  }

  /** Old GNU sparse files have more of their map in blocks between header and content. */
  async #skipSparseMap(header: TarHeader): Promise<void> {
    for (let more = header.flag === 'S' && header.isExtended; more; ) more = (await this.#block())[504] === 1;
  }

  async next(): Promise<RawItem | undefined> {
    let extended = NOTHING;
    for (;;) {
      const { offset } = this.#reader;
      const header = await this.#header();
      if (header === undefined) {
        if (extended !== NOTHING) throw archiveInvalid('an extended header has no item', { offset });
        return undefined;
      }
      const next = await this.#extend(header, extended);
      if (next === undefined) {
        await this.#skipSparseMap(header);
        return rawItem(header, extended, { globals: this.#globals, offset });
      }
      extended = next;
    }
  }

  /** The content of the item that `next` gave last, as views of what the source gave. */
  async *content(state: ContentState): AsyncGenerator<Uint8Array> {
    while (state.left > 0) {
      // Never a short content without an error: whoever reads on gets no bytes of the next item either.
      if (state.isPast) throw tooLate(state.path);
      const piece = await this.#reader.some(Math.min(state.left, PIECE_BYTES));
      if (piece.length === 0) throw archiveInvalid('it is cut off', { offset: this.#reader.offset });
      state.left -= piece.length;
      yield piece;
    }
  }
}

interface ContentState {
  readonly path: Uint8Array;
  left: number;
  isTaken: boolean;
  isPast: boolean;
}

function tooLate(path: Uint8Array): Error {
  return argumentRangeError('content', 'read once, before the next item', pathText(path));
}

function padding(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}

function merged(before: PaxRecords, records: PaxRecords): PaxRecords {
  return new Map([...before, ...records]);
}

/** What a record says; an empty one takes back what was said before. */
function said(records: PaxRecords, key: string): Uint8Array | undefined {
  const value = records.get(key);
  return value === undefined || value.length === 0 ? undefined : value;
}

function rawItem(
  header: TarHeader,
  own: Extended,
  { globals, offset }: { readonly globals: PaxRecords; readonly offset: number },
): RawItem {
  const pax = merged(globals, own.pax);
  const sizeText = said(pax, 'size');
  const size = sizeText === undefined ? header.size : sizeIn(sizeText);
  if (!Number.isSafeInteger(size)) throw archiveInvalid('the size of an item is none', { offset });
  return {
    header,
    pax,
    path: said(pax, 'path') ?? own.longName ?? header.name,
    link: said(pax, 'linkpath') ?? own.longLink ?? header.link,
    bodyBytes: BODYLESS.has(header.flag) ? 0 : size,
  };
}

function sizeIn(value: Uint8Array): number {
  const text = Buffer.from(value).toString('latin1');
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

function mtimeOf({ header, pax, path }: RawItem): string {
  const value = said(pax, 'mtime');
  const time =
    value === undefined
      ? { seconds: header.seconds, nanoseconds: 0 }
      : parseDecimalTime(Buffer.from(value).toString('latin1'));
  const text = time && formatTimeText(time);
  if (text === undefined) throw itemUnsupported(path, 'its time of change is outside the years 0 to 9999');
  return text;
}

function endsWithSlash(path: Uint8Array): boolean {
  return path.at(-1) === 0x2f;
}

type ItemKind = Pick<TarItem, 'type' | 'target' | 'sameAs'>;

/** @throws what makes the item one to refuse */
function kindOf({ header: { flag }, path, link, pax }: RawItem): ItemKind {
  if (isSparse(pax)) throw itemUnsupported(path, "a sparse file in GNU tar's format");
  if (flag === '5') return { type: 'folder' };
  if (flag === '0' || flag === '7') return { type: endsWithSlash(path) ? 'folder' : 'file' };
  if (flag !== '1' && flag !== '2')
    throw itemUnsupported(path, KINDS[flag] ?? `an item of kind ${JSON.stringify(flag)}`);
  if (link.length === 0 || link.includes(0)) throw itemUnsupported(path, 'a link that says nothing of where to');
  return flag === '1' ? { type: 'file', sameAs: cleanPath(link) } : { type: 'link', target: link };
}

/** The item with everything but its content. */
function itemOf(raw: RawItem): Omit<TarItem, 'content'> {
  const path = cleanPath(raw.path);
  const kind = kindOf(raw);
  if (path.length === 0 && kind.type !== 'folder') throw itemUnsupported(raw.path, 'only a folder can be the root');
  const size = kind.type === 'file' ? raw.bodyBytes : 0;
  return { path, ...kind, mode: raw.header.mode, mtime: mtimeOf(raw), size };
}

function judged(raw: RawItem): Omit<TarItem, 'content'> | TarRefusal {
  try {
    return itemOf(raw);
  } catch (error) {
    if (!isStoreError(error, 'PATH_UNSAFE', 'ARCHIVE_ITEM_UNSUPPORTED')) throw error;
    return { type: 'refused', path: raw.path, error: error as StoreError };
  }
}

/** Hands out the content of one item, once and in its time. */
function contentOf(reader: TarReader, state: ContentState): () => AsyncIterable<Uint8Array> {
  return () => {
    if (state.isTaken || state.isPast) throw tooLate(state.path);
    state.isTaken = true;
    return reader.content(state);
  };
}

async function* plainOf(reader: StreamReader): AsyncGenerator<Uint8Array> {
  const compression = sniffCompression(await reader.peek(4));
  if (compression === undefined) {
    yield* reader.rest();
    return;
  }
  try {
    yield* decompressStream(reader.rest(), compression);
  } catch (error) {
    if (!isStoreError(error, 'COMPRESSED_CORRUPT')) throw error;
    throw archiveInvalid(error.message, { cause: error });
  }
}

/**
 * Reads an archive item by item. Content that is not read is passed over; it can be read once, until the next item is
 * asked for, and its pieces are valid until the next one is. Ending early closes the source.
 * @param source bytes of the archive, compressed or not; its own errors come through unchanged
 * @returns items in the order of the archive, and what was refused; the same path may come twice, the later one counts
 * @throws `invalid/ARCHIVE_INVALID` when the archive is none, damaged or cut off; what was given before was whole
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarItem | TarRefusal> {
  const plain = plainOf(new StreamReader(source));
  const bytes = new StreamReader(plain);
  const reader = new TarReader(bytes);
  try {
    for (let raw = await reader.next(); raw !== undefined; raw = await reader.next()) {
      const item = judged(raw);
      const state: ContentState = { path: raw.path, left: raw.bodyBytes, isTaken: false, isPast: false };
      const hasContent = item.type === 'file' && item.sameAs === undefined;
      yield hasContent ? { ...item, content: contentOf(reader, state) } : item;
      state.isPast = true;
      await reader.skip(state.left + padding(raw.bodyBytes));
    }
  } finally {
    await bytes.close();
  }
}
