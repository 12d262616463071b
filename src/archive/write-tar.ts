/**
 * Writes tar archives as a stream, through `modern-tar` (docs/decisions/0024): plain ustar where that says everything, pax
 * records (POSIX.1-2017) for what it cannot say: names that are long or not ASCII, parts of a second, times before 1970,
 * files of 8 GiB and more.
 *
 * The same items give the same bytes: nothing of the machine, its users or the time goes in, and items keep their order.
 */
import { createTarPacker, type TarHeader, type TarPackController } from 'modern-tar';
import { concatBytes, copyBytes, utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import { compressStream, type StreamCompression } from '../compress/index.ts';
import { argumentRangeError, checkInteger } from '../errors/argument-error.ts';
import { isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import { encodePax } from './pax-records.ts';
import { checkPath, itemUnsupported, pathText, type TarItem, type TarRefusal } from './tar-item.ts';
import { formatDecimalTime, parseTimeText, type TarTime } from './tar-time.ts';

export interface WriteTarOptions {
  /** Default `none`. */
  readonly compression?: StreamCompression | 'none' | undefined;
  /** Told of every item that is left out. Without it such an item ends the archive with its error. */
  readonly onRefused?: ((refusal: TarRefusal) => void) | undefined;
}

/** What the name fields of a header hold, one below for the slash of a folder. */
const NAME_BYTES_MAX = 99;
/** Eleven octal digits: size and seconds of ustar. */
const OCTAL_MAX = 8 ** 11 - 1;
const MODE_MAX = 0o7777;
const PIECE_BYTES = 64 * 1024;

const PRINTABLE = /^[\x20-\x7e]*$/;

function asciiOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** Whether a header holds a name as it is. */
function isPlain(name: Uint8Array): boolean {
  return name.length <= NAME_BYTES_MAX && PRINTABLE.test(asciiOf(name));
}

/** What a reader that knows no pax gets for a name: its end, ASCII, of a length that fits. */
function standIn(name: Uint8Array): string {
  return asciiOf(name)
    .slice(-NAME_BYTES_MAX + 1)
    .replace(/[^\x20-\x7e]/g, '_')
    .replace(/^[/.]+/, '_');
}

interface Planned {
  readonly header: TarHeader;
  readonly records: ReadonlyMap<string, Uint8Array>;
}

function headerType({ type, sameAs }: TarItem): 'file' | 'directory' | 'symlink' | 'link' {
  if (type === 'folder') return 'directory';
  if (type === 'link') return 'symlink';
  return sameAs === undefined ? 'file' : 'link';
}

function nameOf({ path, type }: TarItem): Uint8Array {
  if (type !== 'folder') return path;
  return path.length === 0 ? utf8Encode('./') : concatBytes([path, utf8Encode('/')]);
}

function linkOf({ path, type, target, sameAs }: TarItem): Uint8Array | undefined {
  if (sameAs !== undefined) {
    checkPath(sameAs);
    if (sameAs.length === 0) throw itemUnsupported(path, 'a hard link to nothing');
    return sameAs;
  }
  if (type !== 'link') return undefined;
  if (target === undefined || target.length === 0 || target.includes(0)) {
    throw itemUnsupported(path, 'a link that says nothing of where to');
  }
  return target;
}

function timeOf(item: TarItem): TarTime {
  const time = parseTimeText(item.mtime);
  if (time === undefined)
    throw argumentRangeError('mtime', 'a time such as 2026-11-21T20:00:00.123456789Z', item.mtime);
  return time;
}

/** What the header says, and what only records can. */
function plan(item: TarItem): Planned {
  checkPath(item.path);
  if (item.path.length === 0 && item.type !== 'folder')
    throw itemUnsupported(item.path, 'only a folder can be the root');
  const hasContent = item.type === 'file' && item.sameAs === undefined;
  const size = hasContent ? checkInteger('size', item.size, { min: 0 }) : 0;
  const mode = checkInteger('mode', item.mode, { min: 0, max: MODE_MAX });
  const records = new Map<string, Uint8Array>();
  const name = nameOf(item);
  const link = linkOf(item);
  const time = timeOf(item);
  if (!isPlain(name)) records.set('path', name);
  if (link !== undefined && !isPlain(link)) records.set('linkpath', link);
  // The library writes no octal number that other readers take for a time before 1970.
  const isOctal = time.seconds >= 0 && time.seconds <= OCTAL_MAX;
  if (!isOctal || time.nanoseconds > 0) records.set('mtime', utf8Encode(formatDecimalTime(time)));
  const header: TarHeader = {
    name: records.has('path') ? standIn(name) : asciiOf(name),
    type: headerType(item),
    mode,
    size,
    mtime: new Date(isOctal ? time.seconds * 1000 : 0),
    uid: 0,
    gid: 0,
    ...(link === undefined ? {} : { linkname: records.has('linkpath') ? standIn(link) : asciiOf(link) }),
  };
  return { header, records };
}

function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return utf8Decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function planOrRefuse(item: TarItem, onRefused: WriteTarOptions['onRefused']): Planned | undefined {
  try {
    const planned = plan(item);
    // Beyond it the library adds an extended header of its own, and of two in a row readers heed the second.
    if (
      planned.header.size > OCTAL_MAX &&
      [...planned.records.values()].some((value) => utf8Text(value) === undefined)
    ) {
      throw itemUnsupported(item.path, 'larger than 8 GiB, under a name that is not UTF-8');
    }
    return planned;
  } catch (error) {
    if (onRefused === undefined || !isStoreError(error, 'PATH_UNSAFE', 'ARCHIVE_ITEM_UNSUPPORTED')) throw error;
    onRefused({ type: 'refused', path: item.path, error });
    return undefined;
  }
}

class TarWriter {
  readonly #packer: TarPackController;

  constructor(packer: TarPackController) {
    this.#packer = packer;
  }

  /**
   * The library takes the values of records as text and would write U+FFFD for what is no UTF-8. Then the extended header
   * goes in as an item of its own, whose content are the records: the bytes are the same that it would write.
   */
  async #addBinary({ header, records }: Planned): Promise<WritableStream<Uint8Array>> {
    const body = encodePax(new Map([['hdrcharset', utf8Encode('BINARY')], ...records]));
    const { mtime = new Date(0) } = header;
    const name = `PaxHeader/${header.name}`.slice(0, NAME_BYTES_MAX);
    const extended = this.#packer.add({
      name,
      type: 'pax-header',
      mode: 0o644,
      size: body.length,
      mtime,
      uid: 0,
      gid: 0,
    });
    const writer = extended.getWriter();
    await writer.write(body as Uint8Array<ArrayBuffer>);
    await writer.close();
    return this.#packer.add(header);
  }

  async #add(planned: Planned): Promise<WritableStream<Uint8Array>> {
    const pax: Record<string, string> = {};
    for (const [key, value] of planned.records) {
      const text = utf8Text(value);
      if (text === undefined) return await this.#addBinary(planned);
      pax[key] = text;
    }
    return this.#packer.add(planned.records.size === 0 ? planned.header : { ...planned.header, pax });
  }

  async write(item: TarItem, planned: Planned): Promise<void> {
    const stream = await this.#add(planned);
    const writer = stream.getWriter();
    if (item.content !== undefined && planned.header.type === 'file') await copyContent(item, item.content(), writer);
    else if (planned.header.size > 0) throw contentDiffers(item, 0);
    await writer.close();
  }
}

function contentDiffers({ path, size }: TarItem, actual: number): StoreError {
  const text = pathText(path);
  const than = actual > size ? 'more' : 'fewer';
  return storeError('SOURCE_CHANGED', `${text}: the content has ${than} than the ${size} bytes it was said to have`, {
    details: { path: text, expected: size, actual },
  });
}

async function copyContent(
  item: TarItem,
  content: AsyncIterable<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  let written = 0;
  for await (const piece of content) {
    written += piece.length;
    if (written > item.size) throw contentDiffers(item, written);
    // A copy: up to 8 MiB wait inside the library, and whoever gives pieces may use their memory again.
    if (piece.length > 0) await writer.write(copyBytes(piece) as Uint8Array<ArrayBuffer>);
  }
  if (written < item.size) throw contentDiffers(item, written);
}

async function writeItems(
  items: AsyncIterable<TarItem>,
  packer: TarPackController,
  onRefused: WriteTarOptions['onRefused'],
): Promise<void> {
  const writer = new TarWriter(packer);
  for await (const item of items) {
    const planned = planOrRefuse(item, onRefused);
    if (planned !== undefined) await writer.write(item, planned);
  }
  packer.finalize();
}

/** The archive, in pieces of some size: the library gives single blocks. */
async function* plainTar(
  items: AsyncIterable<TarItem>,
  onRefused: WriteTarOptions['onRefused'],
): AsyncGenerator<Uint8Array> {
  const { readable, controller } = createTarPacker();
  // Fails the stream below; after the reader has left, it is told by its next call of the library.
  const writing = writeItems(items, controller, onRefused).catch((error: unknown) => controller.error(error));
  let parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of readable as AsyncIterable<Uint8Array>) {
      // Large pieces of content are not copied once more.
      const isLarge = part.length >= PIECE_BYTES;
      if (!isLarge) {
        parts.push(part);
        length += part.length;
        if (length < PIECE_BYTES) continue;
      }
      if (length > 0) yield concatBytes(parts);
      parts = [];
      length = 0;
      if (isLarge) yield part;
    }
    if (length > 0) yield concatBytes(parts);
  } finally {
    await writing;
  }
}

/**
 * Writes items to an archive. Items and contents are asked for as the archive is read, up to some 8 MiB ahead; ending
 * early ends the source of items once it has answered.
 * @param items in the order they shall have; a hard link (`sameAs`) behind the item it is the same as
 * @returns the bytes of the archive, owned by the caller
 * @throws `conflict/SOURCE_CHANGED` when a content is longer or shorter than its size; `invalid/PATH_UNSAFE` and
 *   `unsupported/ARCHIVE_ITEM_UNSUPPORTED` unless `onRefused` takes them; TypeError, RangeError for items of the wrong
 *   shape; failures of items and contents as they are. What was given until then is no archive: its end is missing.
 */
export async function* writeTar(
  items: AsyncIterable<TarItem>,
  { compression = 'none', onRefused }: WriteTarOptions = {},
): AsyncGenerator<Uint8Array> {
  if (!['none', 'gzip', 'zstd'].includes(compression)) {
    throw argumentRangeError('compression', 'none, gzip or zstd', compression);
  }
  const tar = plainTar(items, onRefused);
  yield* compression === 'none' ? tar : compressStream(tar, compression);
}
