/** Looks into one file of a store: without the store, without its metadata, and without writing anything. */
import { basename, dirname, join, resolve, sep } from 'node:path';
import { fsError } from '../backend/fs-error.ts';
import { openFsBackend } from '../backend/open-fs-backend.ts';
import { argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { isStoreError, storeError } from '../errors/store-error.ts';
import {
  BACKEND_MARKER_KEY,
  decodeStoreConfig,
  type ItemIds,
  keyedIds,
  messageHeadKey,
  parseInboxKey,
  parseShardKey,
  type SealedPackName,
  STORE_CONFIG_KEY,
} from '../format/index.ts';
import { type Keyring, type KeySource, wipeKeyring } from '../keys/index.ts';
import { INSPECTED_ITEMS_DEFAULT, ISOLATED_NAMESPACE_MIN, STORE_CONFIG_BYTES_MAX } from '../limits.ts';
import type { ByteSource } from '../maintenance/inspect/byte-source.ts';
import { Findings, type InspectionKeys } from '../maintenance/inspect/findings.ts';
import { inspectBlob } from '../maintenance/inspect/inspect-blob.ts';
import type { InspectBlobOptions, Inspection } from '../maintenance/inspect/report.ts';
import { type FileHandle, nodeFileSystem, systemCode } from '../runtime/file-system.ts';
import { systemRandom } from '../runtime/random.ts';
import { readAll } from '../runtime/whole-io.ts';
import { sniffFile } from '../single-file/index.ts';
import { fileInfo } from './file-calls.ts';
import { KeyPages } from './key-pages.ts';
import { unlockConfig } from './unlock.ts';

/** What opens the sealed parts of a file, and how much of it to tell. */
export interface InspectFileOptions extends InspectBlobOptions {
  /** What opens the store that the file is of: its config is looked for beside the file and in the folders above. */
  readonly keys?: KeySource;
  /** Path of the config of that store, where it lies elsewhere. */
  readonly config?: string;
}

/** A backend key has up to three parts. */
const KEY_PARTS_MAX = 3;
const LOOSE_SHARD = /^[0-9a-f]{30}([0-9a-f]{2})\.\d{1,3}$/;
/** Beside a database; SQLite alone may touch them. */
const DATABASE_COMPANION = /-(wal|shm|journal)$/;

/**
 * What one file holds: a shard with the pack in it, a bare pack, a config, a backend marker, a key page, a part or the
 * head of a message, or a store in one file. Of what is sealed as much as is readable without keys; all of it with them.
 * Damage is told and does not stop it: whatever can still be read is there. Metadata is never opened, nothing written.
 * @throws `invalid/FILE_UNKNOWN`, `not-found/SOURCE_NOT_FOUND`, `denied/PERMISSION_DENIED`, `unavailable/BACKEND_IO`;
 *   with keys: `not-found/STORE_NOT_FOUND` without a config, `denied/WRONG_KEY`, `denied/STORE_NOT_SEALED`,
 *   `corrupt/CONFIG_CORRUPT`
 * @example
 * const { pack } = await inspectFile('backup/packs/1e/432f21d9f08c5a64000000000000001e.0');
 */
export async function inspectFile(path: string, options: InspectFileOptions = {}): Promise<Inspection> {
  if (typeof path !== 'string' || path === '') throw argumentTypeError('path', 'a path', path);
  const limit = checkLimit(options.limit);
  const file = resolve(path);
  try {
    return await inspectAt(file, { ...options, limit });
  } catch (error) {
    if (isStoreError(error, 'FILE_UNKNOWN')) throw unknown(file, error.message, error);
    throw systemCode(error) === 'ENOENT' ? absent(file, error) : fsError(error, { action: 'get', root: file });
  }
}

/** @throws RangeError, TypeError */
export function checkLimit(limit: number | undefined): number {
  return checkInteger('options.limit', limit ?? INSPECTED_ITEMS_DEFAULT, { min: 0 });
}

async function inspectAt(file: string, options: InspectFileOptions & { readonly limit: number }): Promise<Inspection> {
  if (DATABASE_COMPANION.test(file)) throw unknown(file, 'it belongs to a database, which SQLite alone may read');
  // First of all: reading a database past SQLite gives up the locks that this process has on it.
  const found = await sniffFile(file);
  if (found === 'absent') throw absent(file);
  if (found === 'single file') return await inspectSingleFile(file);
  if (found === 'other database') throw unknown(file, 'it is a database: metadata, or of another program');
  if (!(await nodeFileSystem.stat(file)).isFile()) throw unknown(file, 'it is no file');
  const keys = options.keys === undefined ? undefined : await openKeys(file, options.keys, options.config);
  try {
    return await withSource(file, async (source) => {
      const findings = new Findings({ keys, limit: options.limit, signal: options.signal });
      const key = backendKeyOf(file);
      const message = key === undefined ? undefined : parseInboxKey(key)?.message;
      const head =
        message === undefined ? undefined : () => readWhole(join(dirname(file), basename(messageHeadKey(message))));
      return Object.freeze({ ...(await inspectBlob({ source, key, head }, findings)), path: file });
    });
  } finally {
    await keys?.close();
  }
}

async function inspectSingleFile(path: string): Promise<Inspection> {
  const info = await fileInfo(path);
  const { pageBytes, blockBytes, fileBytes: bytes, usedPages, capacityBytes, blobs, blobBytes } = info;
  const pages = bytes / pageBytes;
  const file = {
    ...{ pageBytes, blockBytes, pages, freePages: pages - usedPages, blobs, blobBytes },
    ...(capacityBytes !== undefined && { capacityBytes }),
  };
  return Object.freeze({ kind: 'single file', path, bytes, outcome: 'ok', problems: [], problemCount: 0, file });
}

async function withSource<T>(path: string, work: (source: ByteSource) => Promise<T>): Promise<T> {
  const handle = await nodeFileSystem.open(path, 'r');
  try {
    return await work(sourceOf(handle, (await handle.stat()).size));
  } finally {
    await handle.close();
  }
}

function sourceOf(handle: FileHandle, bytes: number): ByteSource {
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    const into = new Uint8Array(Math.max(0, Math.min(length, bytes - offset)));
    return into.subarray(0, await readAll(handle, into, { position: offset }));
  };
  return { bytes, read };
}

/** @returns `undefined` for a file that is not there */
async function readWhole(path: string): Promise<Uint8Array | undefined> {
  try {
    return await withSource(path, (source) => source.read(0, Math.min(source.bytes, STORE_CONFIG_BYTES_MAX)));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The backend key that the end of a path spells. */
function backendKeyOf(path: string): string | undefined {
  const parts = path.split(sep);
  const name = basename(path);
  if (name === STORE_CONFIG_KEY || name === BACKEND_MARKER_KEY) return name;
  const key = parts.slice(-KEY_PARTS_MAX).join('/');
  if (parseShardKey(key) || parseInboxKey(key)) return key;
  const page = parts.slice(-2).join('/');
  if (/^keys\/[0-9a-f]{8}$/.test(page)) return page;
  const loose = `packs/${LOOSE_SHARD.exec(name)?.[1]}/${name}`;
  return parseShardKey(loose) ? loose : undefined;
}

/** The keys of the store that a file is of. */
interface FileKeys extends InspectionKeys {
  close(): Promise<void>;
}

async function openKeys(file: string, source: KeySource, named: string | undefined): Promise<FileKeys> {
  const configPath = named === undefined ? await findConfig(file) : resolve(named);
  const bytes = configPath && (await readWhole(configPath));
  if (!configPath || !bytes) {
    const message = `no ${STORE_CONFIG_KEY} lies beside ${file} or above it: without it keys open nothing`;
    throw storeError('STORE_NOT_FOUND', message, { details: { path: file } });
  }
  const unlocking = await unlockConfig(decodeStoreConfig(bytes), source);
  const { keyring } = unlocking.opened;
  if (keyring === undefined) throw storeError('STORE_NOT_SEALED', 'keys were given, and the store is plain');
  // Key pages lie beside the config.
  const backend = await openFsBackend(dirname(configPath), { readOnly: true, create: false });
  const pages = new KeyPages({ backend, random: systemRandom, schedule: () => keyring.schedule });
  return fileKeys(keyring, pages, async () => {
    unlocking.end();
    wipeKeyring(keyring);
    await backend.close();
  });
}

function fileKeys(keyring: Keyring, pages: KeyPages, close: () => Promise<void>): FileKeys {
  const { schedule } = keyring;
  const using = async <T>(namespace: number, work: () => T): Promise<T> =>
    namespace >= ISOLATED_NAMESPACE_MIN ? await pages.using(namespace, work) : work();
  return {
    ...{ keyring, using, close },
    ids: (namespace: number): ItemIds => keyedIds(schedule.idKey(namespace)),
    keyOf: (pack: SealedPackName) => using(pack.namespace, () => schedule.packKey(pack)),
  };
}

async function findConfig(file: string): Promise<string | undefined> {
  let folder = dirname(file);
  for (let up = 0; up <= KEY_PARTS_MAX; up += 1, folder = dirname(folder)) {
    const path = join(folder, STORE_CONFIG_KEY);
    if ((await readWhole(path)) !== undefined) return path;
  }
  return undefined;
}

function unknown(path: string, message: string, cause?: unknown): Error {
  return storeError('FILE_UNKNOWN', `${path}: ${message}`, { details: { path }, cause });
}

function absent(path: string, cause?: unknown): Error {
  return storeError('SOURCE_NOT_FOUND', `there is no file ${path}`, { details: { path }, cause });
}
