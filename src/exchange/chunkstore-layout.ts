/**
 * The layout of chunkstore 0.1 to 0.3, a folder:
 *
 *     <sha256 hex>            a chunk, as it is
 *     _manifest/<file id>     {"digests":[...],"file_bytes":N}; ids may hold `/`
 *     _refcount/<sha256 hex>  how often manifests list the chunk, every occurrence counted
 *     _manifest/__index__     the ids, _refcount/__index__ the digests: JSON arrays in the order of insertion
 *
 * All JSON is compact and without a newline at the end.
 */
import { utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { CHUNKSTORE_NAME_BYTES_MAX } from '../limits.ts';

export const MANIFESTS = '_manifest';
export const COUNTS = '_refcount';
export const INDEX = '__index__';

/** What a manifest says. */
export interface ChunkstoreManifest {
  readonly digests: readonly string[];
  readonly fileBytes: number;
}

const DIGEST = /^[0-9a-f]{64}$/;

export function isChunkName(name: string): boolean {
  return DIGEST.test(name);
}

/** Whether a value counts something. Minus zero does not: JSON has it, and a size would carry it on. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);
}

/** The value of JSON bytes, or `undefined` for what is none. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8Decode(bytes));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/**
 * Reads a manifest. Fields that chunkstore does not write are passed over: content is what the chunks are, and they are
 * proven.
 * @param file its path, for the error
 * @throws `corrupt/IMPORT_CORRUPT`
 */
export function parseManifest(bytes: Uint8Array, file: string): ChunkstoreManifest {
  const value = parseJson(bytes);
  const { digests, file_bytes: fileBytes } = Object(value) as { digests?: unknown; file_bytes?: unknown };
  const listed = Array.isArray(digests) && digests.every((one) => typeof one === 'string' && isChunkName(one));
  if (listed && isCount(fileBytes)) return { digests, fileBytes };
  throw storeError('IMPORT_CORRUPT', `${file} is no manifest of chunkstore`, { details: { path: file } });
}

export function encodeManifest({ digests, fileBytes }: ChunkstoreManifest): Uint8Array {
  return utf8Encode(JSON.stringify({ digests, file_bytes: fileBytes }));
}

/** The texts of an index, or `undefined` when it is none. */
export function parseIndex(bytes: Uint8Array): readonly string[] | undefined {
  const value = parseJson(bytes);
  return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined;
}

export function encodeIndex(names: readonly string[]): Uint8Array {
  return utf8Encode(JSON.stringify(names));
}

/** A count, or `undefined` when the bytes are none. */
export function parseCount(bytes: Uint8Array): number | undefined {
  const value = parseJson(bytes);
  return isCount(value) ? value : undefined;
}

export function encodeCount(count: number): Uint8Array {
  return utf8Encode(String(count));
}

/** The name under which chunkstore finds an id, which is a path to it: `./a//b` is `a/b`. */
export function plainId(id: string): string {
  return id
    .split('/')
    .filter((component) => component !== '' && component !== '.')
    .join('/');
}

/** Why chunkstore cannot hold a file under an id, or would hold another one instead; `undefined` when it can. */
export function whyNoId(id: string): string | undefined {
  if (id === '') return 'it is empty';
  if (id.includes('\\')) return 'it holds a backslash';
  if (id.includes('\0')) return 'it holds a zero byte';
  const components = id.split('/');
  if (components.includes('..')) return 'it holds ".."';
  if (id !== plainId(id)) return 'it is no plain relative path';
  if (components[0] === INDEX) return `"${INDEX}" is the list of all ids`;
  if (components.some((one) => utf8Encode(one).length > CHUNKSTORE_NAME_BYTES_MAX)) {
    return `a part of it is longer than ${CHUNKSTORE_NAME_BYTES_MAX} bytes`;
  }
  return undefined;
}
