/** Turns what a caller may hand to `put` into one stream of bytes. */
import { utf8Encode } from '../bytes/bytes.ts';
import { argumentTypeError } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { SOURCE_FILES_OPEN_MAX } from '../limits.ts';
import { abortableItems } from '../runtime/abort.ts';
import { readFileBytes } from '../runtime/file-reader.ts';
import { type FileStat, nodeFileSystem, systemCode } from '../runtime/file-system.ts';
import { Semaphore } from '../runtime/semaphore.ts';

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
    if ('path' in source && typeof source.path === 'string') return fileBytes(source.path, signal);
  }
  throw argumentTypeError('source', 'bytes, text, { path }, a stream or an iterable of bytes', source);
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

async function* fileBytes(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    // Before it is opened: opening a pipe waits for its writer, and a device may never end.
    checkRegular(path, await nodeFileSystem.stat(path));
    yield* unchangedBytes(path, signal);
  } catch (error) {
    throw sourceError(path, error);
  }
}

/**
 * Of the process, as its descriptors are. A file asks nothing of its reader's caller, so waiting for one always ends.
 */
const openFiles = new Semaphore(SOURCE_FILES_OPEN_MAX);

async function* unchangedBytes(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  await openFiles.acquire(1, signal);
  const pieces = readFileBytes(path, { ...(signal && { signal }) });
  let size = 0;
  try {
    for (;;) {
      const next = await pieces.next();
      if (next.done) return checkUnchanged(path, next.value, size);
      size += next.value.length;
      yield next.value;
    }
  } finally {
    // Closes the file when its reader stops early.
    await pieces.return(undefined as never).finally(() => openFiles.release());
  }
}

function checkRegular(path: string, stat: FileStat): void {
  if (!stat.isFile()) throw storeError('SOURCE_INVALID', `${path} is not a regular file`, { details: { path } });
}

/** A file that was written to while it was read has content that never existed: refused rather than stored. */
function checkUnchanged(
  path: string,
  stats: { readonly before: FileStat; readonly after: FileStat },
  size: number,
): void {
  const { before, after } = stats;
  checkRegular(path, before);
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
