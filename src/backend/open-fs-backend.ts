import { dirname, join, resolve } from 'node:path';
import { argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { RESERVE_BYTES } from '../limits.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { type FileSystem, nodeFileSystem, systemCode } from '../runtime/file-system.ts';
import { type RandomBytes, systemRandom } from '../runtime/random.ts';
import { FsBackend } from './fs-backend.ts';
import { fsError } from './fs-error.ts';
import { DurableFolders } from './fs-folders.ts';
import { Reserve } from './fs-reserve.ts';
import { TemporaryFiles } from './fs-temporary.ts';

/** How to open a folder as a backend. */
export interface FsBackendOptions {
  /** Most bytes of all blobs together; more is `exhausted/QUOTA_EXCEEDED`. Default: no bound. */
  readonly quotaBytes?: number;
  /** Bytes that ordinary puts leave free on the disk, else `exhausted/FREE_SPACE_LOW`. Default 0: no bound. */
  readonly freeBytesMin?: number;
  /** Bytes set aside for freeing a full disk; 0 for none. Default 16 MiB. */
  readonly reserveBytes?: number;
  /** Writes nothing whatever into the folder. Default false. */
  readonly readOnly?: boolean;
  /** Makes the folder when it is absent; ignored when read-only. Default true. */
  readonly create?: boolean;
  readonly fileSystem?: FileSystem;
  readonly random?: RandomBytes;
  readonly clock?: Clock;
}

async function isFolder(fileSystem: FileSystem, path: string): Promise<boolean> {
  try {
    const stat = await fileSystem.stat(path);
    if (stat.isDirectory()) return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
  throw storeError('BACKEND_IO', `${path} is no folder`, { details: { path, system: 'ENOTDIR' }, retry: false });
}

/**
 * Codes of a folder that others keep: one we may pass but not read, or of a system that cannot or need not flush it.
 */
const NOT_OURS: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS', 'EINVAL']);

/**
 * Makes a folder and those above it, each one's name flushed before the next stands in it. Names found are flushed like
 * names made: a process that made one may have died before it got to the flush.
 */
export async function makeFolder(fileSystem: FileSystem, path: string): Promise<void> {
  const parent = dirname(path);
  if (parent === path) return;
  await makeFolder(fileSystem, parent);
  const isNew = !(await isFolder(fileSystem, path));
  if (isNew) await fileSystem.mkdir(path);
  try {
    await fileSystem.syncDirectory(parent);
  } catch (error) {
    if (isNew || !NOT_OURS.has(systemCode(error))) throw error;
  }
}

/**
 * Makes the root and, last, its `.tmp`: where that stands, all before it was done and is durable. The name `.tmp`
 * itself need not be: when it is lost, this is done once more.
 */
async function prepareRoot(fileSystem: FileSystem, root: string, temporaryFolder: string): Promise<void> {
  if (await isFolder(fileSystem, temporaryFolder)) return;
  await makeFolder(fileSystem, root);
  await fileSystem.mkdir(temporaryFolder);
}

async function prepare(
  fileSystem: FileSystem,
  folder: { root: string; temporary: string; create: boolean; readOnly: boolean },
) {
  const { root, temporary, create, readOnly } = folder;
  if ((readOnly || !create) && !(await isFolder(fileSystem, root))) {
    const message = `there is no folder ${root}; is the disk mounted?`;
    throw storeError('BACKEND_IO', message, { details: { path: root, system: 'ENOENT' } });
  }
  if (!readOnly) await prepareRoot(fileSystem, root, temporary);
  // A mount point is still there when its disk is not, the folder below it is not: the better sign, where it exists.
  return { marker: (await isFolder(fileSystem, temporary)) ? temporary : root };
}

/**
 * Opens a folder as a backend: makes it when asked to, removes temporary files of processes that died, sets the reserve
 * aside while there is room for twice its size, and with a quota counts what is there (one listing). Within one process
 * all backends of one folder belong into one thread, which is what tells their temporary files from abandoned ones.
 * @param folder path, taken as it is when this is called
 * @throws `unavailable/BACKEND_IO` (also when the folder is absent and must not be made), `denied/PERMISSION_DENIED`,
 *   `exhausted/DISK_FULL`; TypeError and RangeError for options
 * @example
 * const backend = await openFsBackend('./blobs', { quotaBytes: 10 * 2 ** 30 });
 */
export async function openFsBackend(folder: string, options: FsBackendOptions = {}): Promise<FsBackend> {
  if (typeof folder !== 'string' || folder === '') throw argumentTypeError('folder', 'a path', folder);
  const {
    fileSystem = nodeFileSystem,
    random = systemRandom,
    clock = systemClock,
    readOnly = false,
    create = true,
  } = options;
  if (options.quotaBytes !== undefined) checkInteger('quotaBytes', options.quotaBytes, { min: 0 });
  const freeBytesMin = checkInteger('freeBytesMin', options.freeBytesMin ?? 0, { min: 0 });
  const reserveBytes = checkInteger('reserveBytes', options.reserveBytes ?? RESERVE_BYTES, { min: 0 });
  const root = resolve(folder);
  const temporaryFolder = join(root, '.tmp');
  const temporary = new TemporaryFiles(temporaryFolder, { fileSystem, random });
  try {
    const { marker } = await prepare(fileSystem, { root, temporary: temporaryFolder, create, readOnly });
    if (!readOnly) await temporary.removeAbandoned(clock);
    const path = join(root, '.reserve');
    const reserve = new Reserve({ fileSystem, root, path, bytes: reserveBytes, temporary, random });
    if (!readOnly) await reserve.restoreWithEase();
    const backend = new FsBackend({
      fileSystem,
      root,
      marker,
      temporary,
      folders: new DurableFolders(fileSystem, root),
      reserve,
      readOnly,
      freeBytesMin,
      ...(options.quotaBytes !== undefined && { quotaBytes: options.quotaBytes }),
    });
    // The first count for the quota, here and not in somebody's first put.
    if (options.quotaBytes !== undefined) await backend.space();
    return backend;
  } catch (error) {
    temporary.close();
    throw fsError(error, { action: 'open', root });
  }
}
