import { type StoreError, storeError } from '../errors/store-error.ts';

/** One item of an archive, as it is written and read. */
export interface TarItem {
  /**
   * Bytes of its path from the root of the archive, parts separated by `/`; none is empty, `.` or `..`. A folder of an
   * empty path is the root itself.
   */
  readonly path: Uint8Array;
  readonly type: 'file' | 'folder' | 'link';
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  /** `2026-11-21T20:00:00.123456789Z`. */
  readonly mtime: string;
  /** Bytes of a file's content; 0 for everything else. */
  readonly size: number;
  /** The content of a file that has one of its own. */
  readonly content?: () => AsyncIterable<Uint8Array>;
  /** What a symbolic link points at: any bytes but none at all and NUL. Never checked further. */
  readonly target?: Uint8Array;
  /** Path of an earlier item of the archive that this file is a hard link to. */
  readonly sameAs?: Uint8Array;
}

/** An item that an archive holds and Holdfast does not take. */
export interface TarRefusal {
  readonly type: 'refused';
  /** As the archive has it. */
  readonly path: Uint8Array;
  /** `PATH_UNSAFE`, or `ARCHIVE_ITEM_UNSUPPORTED` for kinds of items. */
  readonly error: StoreError;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** A path for messages; U+FFFD where it is not UTF-8. */
export function pathText(path: Uint8Array): string {
  return decoder.decode(path);
}

export function archiveInvalid(
  statement: string,
  options: { readonly offset?: number; readonly cause?: unknown } = {},
) {
  const { offset, cause } = options;
  return storeError('ARCHIVE_INVALID', `the archive cannot be read: ${statement}`, {
    ...(offset === undefined ? {} : { details: { offset } }),
    ...(cause === undefined ? {} : { cause }),
  });
}

export function itemUnsupported(path: Uint8Array, what: string): StoreError {
  const text = pathText(path);
  return storeError('ARCHIVE_ITEM_UNSUPPORTED', `${text}: ${what}`, { details: { path: text } });
}

function pathUnsafe(path: Uint8Array, statement: string): StoreError {
  const text = pathText(path);
  return storeError('PATH_UNSAFE', `${text}: ${statement}`, { details: { path: text } });
}

const SLASH = 0x2f;
const DOT = 0x2e;

/** The parts of a path between slashes. */
function* partsOf(path: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start <= path.length; ) {
    const slash = path.indexOf(SLASH, start);
    const end = slash === -1 ? path.length : slash;
    yield path.subarray(start, end);
    start = end + 1;
  }
}

function isDots(part: Uint8Array, count: number): boolean {
  return part.length === count && part.every((byte) => byte === DOT);
}

/** What makes a path lead out of the folder it is meant for. */
function danger(path: Uint8Array): string | undefined {
  if (path[0] === SLASH) return 'an absolute path';
  if (path.includes(0)) return 'a path with a NUL in it';
  for (const part of partsOf(path)) if (isDots(part, 2)) return 'a path with .. in it';
  return undefined;
}

/**
 * The path of an item as archives write it (`./a//b/`) in the form that `TarItem` has (`a/b`).
 * @throws `invalid/PATH_UNSAFE` for absolute paths, `..` and NUL
 */
export function cleanPath(path: Uint8Array): Uint8Array {
  const wrong = danger(path);
  if (wrong !== undefined) throw pathUnsafe(path, wrong);
  const kept = [...partsOf(path)].filter((part) => part.length > 0 && !isDots(part, 1));
  const clean = new Uint8Array(kept.reduce((length, part) => length + part.length + 1, 0));
  let offset = 0;
  for (const part of kept) {
    clean.set(part, offset);
    clean[offset + part.length] = SLASH;
    offset += part.length + 1;
  }
  return clean.subarray(0, Math.max(0, offset - 1));
}

/** @throws `invalid/PATH_UNSAFE` for a path that is not in the form that `TarItem` has */
export function checkPath(path: Uint8Array): void {
  const wrong = danger(path);
  if (wrong !== undefined) throw pathUnsafe(path, wrong);
  if (path.length === 0) return;
  for (const part of partsOf(path)) {
    if (part.length === 0 || isDots(part, 1)) throw pathUnsafe(path, 'a path with an empty part or . in it');
  }
}
