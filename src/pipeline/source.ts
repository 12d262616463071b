/** Turns what a caller may hand to `put` into one stream of bytes. */
import { utf8Encode } from '../bytes/bytes.ts';
import { argumentTypeError } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { SOURCE_FILES_OPEN_MAX } from '../limits.ts';
import { abortableItems } from '../runtime/abort.ts';
import { readFileBytes } from '../runtime/file-reader.ts';
import { type FileStat, nodeFileSystem, systemCode } from '../runtime/file-system.ts';
import { Semaphore } from '../runtime/semaphore.ts';
import type { FileFacts } from './file-cutter.ts';

/** Content of an entry: bytes, text (stored as UTF-8), a file by path, or a stream or iterable of bytes. */
export type Source =
  | Uint8Array
  | string
  | { readonly path: string }
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>
  | ReadableStream<Uint8Array>;

/**
 * Opens a source. Nothing is read before the first piece is asked for.
 * @yields pieces in order; each is valid until the next one is asked for
 * @throws `TypeError` for what is no source or yields no bytes; `not-found/SOURCE_NOT_FOUND`,
 *   `denied/PERMISSION_DENIED`, `invalid/SOURCE_INVALID` (not a regular file) and `conflict/SOURCE_CHANGED` for paths;
 *   `invalid/SOURCE_INVALID` for text that is ill-formed; a stream's own error as it is
 */
export function openSource(source: Source, signal?: AbortSignal): AsyncIterable<Uint8Array> {
  if (typeof source === 'string') return single(encodeText(source));
  if (source instanceof Uint8Array) return single(source);
  if (typeof source === 'object' && source !== null) {
    if (Symbol.asyncIterator in source || Symbol.iterator in source) return checked(source, signal);
    if (isPath(source)) return checkedFile(source.path, signal);
  }
  throw argumentTypeError('source', 'bytes, text, { path }, a stream or an iterable of bytes', source);
}

/** Whether a source is a file by its path, rather than a stream that has one. */
export function isPath(source: Source): source is { readonly path: string } {
  if (typeof source !== 'object' || source === null || source instanceof Uint8Array) return false;
  if (Symbol.asyncIterator in source || Symbol.iterator in source) return false;
  return 'path' in source && typeof source.path === 'string';
}

/** Half of a surrogate pair has no UTF-8: it would be stored as another character, and read back as that. */
function encodeText(text: string): Uint8Array {
  if (text.isWellFormed()) return utf8Encode(text);
  throw storeError('SOURCE_INVALID', 'the text holds half of a surrogate pair, which cannot be stored as UTF-8');
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

async function* checked(
  source: AsyncIterable<unknown> | Iterable<unknown>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const piece of abortableItems(source, signal)) {
    if (!(piece instanceof Uint8Array)) throw argumentTypeError('source', 'made of Uint8Array pieces', piece);
    yield piece;
  }
}

/**
 * What a path leads to, before it is opened: opening a pipe waits for its writer, and a device may never end.
 * @throws what {@link openSource} says of paths
 */
export async function statSource(path: string): Promise<FileStat> {
  try {
    const stat = await nodeFileSystem.stat(path);
    checkRegular(path, stat.isFile());
    return stat;
  } catch (error) {
    throw sourceError(path, error);
  }
}

async function* checkedFile(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  await statSource(path);
  yield* fileBytes(path, signal);
}

/** As {@link openSource} of a path that `statSource` has looked at. */
export async function* fileBytes(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* unchanged(path, readFacts(path, signal), { lengthOf: (piece) => piece.length, signal });
}

async function* readFacts(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array, FileEnds> {
  const { before, after } = yield* readFileBytes(path, { ...(signal && { signal }) });
  return { before: factsOf(before), after: factsOf(after) };
}

function factsOf(stat: FileStat): FileFacts {
  return { regular: stat.isFile(), size: stat.size, mtimeMs: stat.mtimeMs };
}

/** What the system says of an open file before the first byte and after the last. */
interface FileEnds {
  readonly before: FileFacts;
  readonly after: FileFacts;
}

/**
 * Of the process, as its descriptors are. A file asks nothing of its reader's caller, so waiting for one always ends.
 */
const openFiles = new Semaphore(SOURCE_FILES_OPEN_MAX);

/**
 * Passes on what is read of a file, and what it comes to where that is what the file was and is.
 * @param reading begins with its first piece, and closes the file when it is stopped
 * @throws what {@link openSource} says of paths
 */
export async function* unchanged<Piece, Ends extends FileEnds>(
  path: string,
  reading: AsyncGenerator<Piece, Ends>,
  { lengthOf, signal }: { readonly lengthOf: (piece: Piece) => number; readonly signal: AbortSignal | undefined },
): AsyncGenerator<Piece, Ends> {
  await openFiles.acquire(1, signal);
  let size = 0;
  try {
    for (;;) {
      const next = await reading.next();
      if (next.done) {
        checkUnchanged(path, next.value, size);
        return next.value;
      }
      size += lengthOf(next.value);
      yield next.value;
    }
  } catch (error) {
    throw sourceError(path, error);
  } finally {
    await reading.return(undefined as never).finally(() => openFiles.release());
  }
}

function checkRegular(path: string, isRegular: boolean): void {
  if (!isRegular) throw storeError('SOURCE_INVALID', `${path} is not a regular file`, { details: { path } });
}

/** A file that was written to while it was read has content that never existed: refused rather than stored. */
function checkUnchanged(path: string, { before, after }: FileEnds, size: number): void {
  checkRegular(path, before.regular);
  if (before.size === size && after.size === size && before.mtimeMs === after.mtimeMs) return;
  throw storeError('SOURCE_CHANGED', `${path} changed while it was read`, {
    details: { path, expected: before.size, actual: size },
  });
}

function sourceError(path: string, error: unknown): unknown {
  const system = systemCode(error);
  if (system === undefined) return error;
  const options = { details: { path, system }, cause: error };
  switch (system) {
    case 'ENOENT':
    case 'ENOTDIR':
      return storeError('SOURCE_NOT_FOUND', `${path} does not exist`, options);
    case 'EACCES':
    case 'EPERM':
      return storeError('PERMISSION_DENIED', `${path} may not be read by this user`, options);
    default:
      return storeError('SOURCE_INVALID', `${path} cannot be read (${system})`, options);
  }
}
