/** Calls on a store in one file that need no key: what is in it, giving back space, a copy, and getting out what is whole. */
import { dirname, resolve } from 'node:path';
import type { Backend } from '../backend/contract.ts';
import { fsError } from '../backend/fs-error.ts';
import { openFsBackend } from '../backend/open-fs-backend.ts';
import { checkInteger } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { FILE_COMPACT_PAGES } from '../limits.ts';
import { exists, nodeFileSystem } from '../runtime/file-system.ts';
import {
  copySingleFile,
  type DamagedBlob,
  openSingleFile,
  RawPages,
  type SingleFileBackend,
  salvageBlobs,
} from '../single-file/index.ts';
import { checkExistingFilePlace, checkWritableFilePlace, FILE_ENDING } from './file-place.ts';
import { checkNewPlace, toPlace } from './location.ts';
import { addName } from './second-name.ts';
import type { CallOptions, ProgressOptions } from './types.ts';

/** A store in one file, as a file. */
export interface FileInfo {
  readonly path: string;
  /** Bytes of one page, the unit of space in the file, and of one row of a blob as the file was made with. */
  readonly pageBytes: number;
  readonly blockBytes: number;
  /** Pages of the file; of one with a capacity those that it may have. */
  readonly pages: number;
  readonly usedPages: number;
  readonly freePages: number;
  /** usedPages / pages. */
  readonly utilizationPercent: number;
  /** Bytes of the file, its log aside; absent capacity: the file grows. */
  readonly fileBytes: number;
  readonly capacityBytes?: number;
  /** Bytes of the largest blob that can still be put; of a file that grows, what the disk has room for. */
  readonly freeBytes: number;
  /** Packs and everything else that the store keeps as blobs; the rest of the file is metadata. */
  readonly blobs: number;
  readonly blobBytes: number;
}

/** What compacting a file came to. */
export interface CompactReport {
  readonly path: string;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** Bytes given back to the disk, or that would be with `dryRun`. */
  readonly freedBytes: number;
}

/** How to compact a file. */
export interface CompactOptions extends ProgressOptions {
  /** Pages moved in one step, during which writers wait. Default 256. */
  readonly stepPages?: number;
  /** Only tells what would be given back. Default false. */
  readonly dryRun?: boolean;
}

/** A copy that was made. */
export interface ExportReport {
  readonly path: string;
  readonly bytes: number;
}

/** How to get blobs out of a damaged file. */
export interface SalvageOptions extends ProgressOptions {
  /** Only tells what is found. Default false. */
  readonly dryRun?: boolean;
}

/** What was found in a damaged file. */
export interface SalvageReport {
  /** Where the blobs were put. */
  readonly path: string;
  readonly blobs: number;
  readonly bytes: number;
  readonly damaged: readonly DamagedBlob[];
}

async function withFile<T>(
  path: string,
  readOnly: boolean,
  work: (backend: SingleFileBackend) => Promise<T>,
): Promise<T> {
  const place = { kind: 'file', file: resolve(path) } as const;
  await checkExistingFilePlace(place);
  if (!readOnly) await checkWritableFilePlace(place);
  const backend = await openSingleFile(place.file, { create: false, readOnly });
  try {
    return await work(backend);
  } finally {
    await backend.close();
  }
}

/**
 * How the space in a store's file is used. Needs no key and writes nothing.
 * @throws `not-found/STORE_NOT_FOUND`, `invalid/NOT_A_STORE`, `unsupported/FORMAT_UNSUPPORTED`,
 *   `denied/PERMISSION_DENIED`, `unavailable/*`
 */
export async function fileInfo(path: string, options: CallOptions = {}): Promise<FileInfo> {
  options.signal?.throwIfAborted();
  return await withFile(path, true, async (backend) => {
    const [use, { freeBytes = 0 }] = await Promise.all([backend.use(options), backend.space(options)]);
    const { pageBytes, blockBytes, capacityBytes, blobs, blobBytes } = use;
    const pages = capacityBytes > 0 ? Math.floor(capacityBytes / pageBytes) : use.pages;
    const usedPages = use.pages - use.freePages;
    return Object.freeze({
      path: backend.path,
      pageBytes,
      blockBytes,
      pages,
      usedPages,
      freePages: Math.max(0, pages - usedPages),
      utilizationPercent: (100 * usedPages) / Math.max(1, pages),
      fileBytes: use.pages * pageBytes,
      ...(capacityBytes > 0 && { capacityBytes }),
      freeBytes,
      blobs,
      blobBytes,
    });
  });
}

/**
 * Gives free pages back to the disk, step by step, while others read and write. Needs no key. Aborting between two steps
 * keeps what was given back until then.
 * @throws as `fileInfo`, and `unavailable/METADATA_BUSY`
 */
export async function compactFile(path: string, options: CompactOptions = {}): Promise<CompactReport> {
  const { signal, onProgress, dryRun = false } = options;
  const stepPages = checkInteger('stepPages', options.stepPages ?? FILE_COMPACT_PAGES, { min: 1, max: 2 ** 31 - 1 });
  signal?.throwIfAborted();
  return await withFile(path, dryRun, async (backend) => {
    const before = await backend.use();
    let now = { pages: before.pages, freePages: before.freePages };
    for (let moved = 0; !dryRun && now.freePages > 0 && moved < before.freePages; moved += stepPages) {
      signal?.throwIfAborted();
      now = await backend.compactStep(stepPages);
      const done = Math.max(0, before.pages - now.pages);
      onProgress?.({ phase: 'compact', done, total: before.freePages, bytes: done * before.pageBytes });
    }
    // The end is cut off when the log is written back, which waits for whoever reads an older state.
    if (!dryRun) await backend.truncateLog();
    const pagesAfter = dryRun ? before.pages - before.freePages : now.pages;
    const [bytesBefore, bytesAfter] = [before.pages * before.pageBytes, pagesAfter * before.pageBytes];
    const freedBytes = Math.max(0, bytesBefore - bytesAfter);
    return Object.freeze({ path: backend.path, bytesBefore, bytesAfter, freedBytes });
  });
}

/**
 * Makes a copy of a store in one file while others use it: the state of the moment at which it began, whole. Needs no
 * key. Copying the file itself is safe only when nobody has it open.
 * @param to the copy; there must be nothing
 * @throws as `fileInfo`, and `invalid/LOCATION_INVALID` when there is something at `to`, `exhausted/DISK_FULL`
 */
export async function exportFile(path: string, to: string, options: ProgressOptions = {}): Promise<ExportReport> {
  const { signal, onProgress } = options;
  const [from, target] = [resolve(path), resolve(to)];
  await checkExistingFilePlace({ kind: 'file', file: from });
  await refuseTaken(target);
  const { pageBytes } = await fileInfo(from, options);
  const partial = `${target}.partial`;
  try {
    const progress = (done: number, total: number): void =>
      onProgress?.({ phase: 'export', done, total, bytes: done * pageBytes });
    if (await exists(partial)) await nodeFileSystem.unlink(partial);
    await copySingleFile(from, partial, { signal, progress });
    // A link fails where somebody was faster, a rename would replace what he made.
    await addName(partial, target);
    if (await exists(partial)) await nodeFileSystem.unlink(partial);
    await nodeFileSystem.syncDirectory(dirname(target));
    return Object.freeze({ path: target, bytes: (await nodeFileSystem.stat(target)).size });
  } catch (error) {
    if (await exists(partial).catch(() => false)) await nodeFileSystem.unlink(partial);
    throw fsError(error, { action: 'put', root: target });
  }
}

async function refuseTaken(path: string): Promise<void> {
  if (!(await exists(path))) return;
  throw storeError('LOCATION_INVALID', `there is something at ${path} already`, { details: { path } });
}

/**
 * Gets every blob out of a damaged file that can be found whole, however much of its tables is gone, and puts them to a
 * new place: `rebuildStore` there makes a store of them again. Needs no key and writes nothing to the damaged file. What
 * was deleted shortly before may come back, where the list of free pages is gone.
 *
 * No store of this process may have the file open: reading it would give up the locks that SQLite has on it.
 * @param to a file that ends in `.hold`, or a folder; there must be no store
 * @throws `not-found/STORE_NOT_FOUND`, `conflict/STORE_EXISTS`, `invalid/LOCATION_INVALID`, `exhausted/*`,
 *   `denied/PERMISSION_DENIED`, `unavailable/BACKEND_IO`
 */
export async function salvageFile(path: string, to: string, options: SalvageOptions = {}): Promise<SalvageReport> {
  const { signal, dryRun = false } = options;
  const [from, target] = [resolve(path), resolve(to)];
  if (!(await exists(from))) {
    throw storeError('STORE_NOT_FOUND', `there is no store at ${from}`, { details: { path: from } });
  }
  await checkNewPlace(toPlace(target));
  const pages = await RawPages.open(from).catch((error: unknown) => {
    throw fsError(error, { action: 'open', root: from });
  });
  let backend: Backend | undefined;
  try {
    if (!dryRun) backend = await openTarget(target);
    const onProgress = (phase: string, done: number, total: number, bytes: number): void =>
      options.onProgress?.({ phase, done, total, bytes });
    const found = await salvageBlobs(pages, backend, { signal, onProgress });
    return Object.freeze({ path: target, ...found });
  } catch (error) {
    throw fsError(error, { action: 'get', root: from });
  } finally {
    await pages.close();
    await backend?.close();
  }
}

async function openTarget(target: string): Promise<Backend> {
  return target.endsWith(FILE_ENDING) ? await openSingleFile(target) : await openFsBackend(target);
}
