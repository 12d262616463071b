/**
 * Rebuilding a store in one file. A file whose metadata is in doubt is not written to: its blobs are copied to a new file,
 * in which the metadata is made. Nobody else uses the old file from the first step on, and it is marked before the new one
 * takes its name. A crash before that leaves the old file as it was, or marked so that only another rebuild opens it.
 */
import { dirname } from 'node:path';
import type { Backend } from '../backend/contract.ts';
import { listAll } from '../backend/list-all.ts';
import { discardBytes } from '../bytes/discard.ts';
import { isStoreError } from '../errors/store-error.ts';
import { STORE_CONFIG_KEY } from '../format/index.ts';
import { findUnknownPlaces } from '../maintenance/find-places.ts';
import type { Problem } from '../maintenance/problems.ts';
import { recoverFromJournal } from '../maintenance/recover.ts';
import { exists, nodeFileSystem } from '../runtime/file-system.ts';
import { openSingleFile, type SingleFileBackend } from '../single-file/index.ts';
import { connectBackends } from './connect-store.ts';
import type { FilePlace } from './file-place.ts';
import { readConfig } from './location.ts';
import { newestConfig } from './newest-config.ts';
import {
  flushOldOutbox,
  openParts,
  type PlacedToRebuild,
  refuseShorter,
  type StoreToRebuild,
  toReport,
} from './rebuild-parts.ts';
import { rememberedOf } from './rollback-watch.ts';
import { addName } from './second-name.ts';
import { SYSTEM_SURROUNDINGS } from './surroundings.ts';

import type { OpenOptions, ProgressOptions } from './types.ts';
import { unlockConfig } from './unlock.ts';
import type { RebuildReport } from './upkeep-types.ts';

const NEW_SUFFIX = '.rebuild';
const FILE_SUFFIXES = ['', '-wal', '-shm', '-journal'];

type RebuildOptions = OpenOptions & ProgressOptions;

/** See `rebuildStore`. @throws also `conflict/STORE_IN_USE` when any process has the file open */
export async function rebuildFile(place: FilePlace, options: RebuildOptions): Promise<RebuildReport> {
  const backend = await openSingleFile(place.file, { create: false, alone: true });
  let report: RebuildReport;
  try {
    const { signal } = options;
    const unlocking = await unlockConfig(await readConfig(backend, { readOnly: false, signal }), options.keys);
    try {
      report = await rebuildConnected({ place, backend, unlocking }, options);
    } finally {
      unlocking.end();
    }
    await backend.setAside();
  } finally {
    await backend.close();
  }
  return Object.freeze({ ...report, setAside: await exchange(place.file) });
}

async function rebuildConnected(placed: FileToRebuild, options: RebuildOptions): Promise<RebuildReport> {
  const { unlocking } = placed;
  const { config } = unlocking.opened;
  const remembered = await rememberedOf(config.storeId, options, SYSTEM_SURROUNDINGS);
  const connection = await connectBackends(placed, config, { readOnly: false });
  try {
    const newest = await newestConfig(connection, unlocking);
    await connection.follow(newest.config);
    const store = { ...placed, unlocking: { ...unlocking, opened: newest }, connection, remembered };
    const { opened, commit: known } = await flushOldOutbox(store, options);
    return await makeAnew({ ...store, unlocking: { ...unlocking, opened }, known }, options);
  } finally {
    for (const { backend } of connection.backends.links) if (backend !== placed.backend) await backend?.close();
  }
}

interface FileToRebuild extends PlacedToRebuild {
  readonly backend: SingleFileBackend;
}

/** Makes the new file beside the old one. What is left of it after a failure the next rebuild removes. */
async function makeAnew(
  store: StoreToRebuild & { readonly backend: SingleFileBackend },
  options: RebuildOptions,
): Promise<RebuildReport> {
  const file = store.backend.path + NEW_SUFFIX;
  await removeFile(file);
  const { capacityBytes, blockBytes } = await store.backend.use();
  const backend = await openSingleFile(file, { blockBytes, ...(capacityBytes > 0 && { capacityBytes }) });
  try {
    const unread = await copyBlobs(store.backend, backend, options);
    const placed = { ...store, place: { kind: 'file', file }, backend } as const;
    const connection = await connectBackends(placed, store.unlocking.opened.config, { readOnly: false });
    const { metadata, packs } = await openParts({ ...placed, connection }, { create: true });
    try {
      const { control, backends } = connection;
      const recovered = await recoverFromJournal({ backend: control, metadata, packs, signal: options.signal });
      await refuseShorter(metadata, store.known ?? 0, connection);
      if (packs.isSpread) await findUnknownPlaces(metadata, backends, options.signal);
      const report = await toReport(metadata, recovered);
      return { ...report, problems: [...unread, ...report.problems] };
    } finally {
      await metadata.close();
      await connection.control.close();
    }
  } catch (error) {
    await backend.close();
    await removeFile(file);
    throw error;
  } finally {
    await backend.close();
  }
}

/** @returns the blobs that cannot be read any more and are left out */
async function copyBlobs(from: SingleFileBackend, to: Backend, options: RebuildOptions): Promise<readonly Problem[]> {
  const { signal } = options;
  const { blobs } = await from.use();
  const problems: Problem[] = [];
  let [done, bytes] = [0, 0];
  for await (const { key } of listAll(from, signal && { signal })) {
    try {
      const blob = await from.get(key);
      bytes += blob?.length ?? 0;
      if (blob) await to.put(key, blob, { spendReserve: true });
      if (blob) discardBytes(blob);
    } catch (error) {
      if (key === STORE_CONFIG_KEY || !isStoreError(error) || !isStoreError(error.cause, 'METADATA_CORRUPT'))
        throw error;
      problems.push({ code: 'PACK_CORRUPT', message: `${key} cannot be read and was left out: ${error.message}` });
    }
    done += 1;
    options.onProgress?.({ phase: 'rebuild', done, total: blobs, bytes });
  }
  return problems;
}

/**
 * Gives the new file the name of the old one, in one step, so that there is a store under it at any time; where a file can
 * have one name only, there is none for a moment.
 */
async function exchange(file: string): Promise<string> {
  const setAside = `${file}.set-aside-${new Date(SYSTEM_SURROUNDINGS.clock.now()).toISOString().replaceAll(':', '')}`;
  await addName(file, setAside);
  await nodeFileSystem.rename(file + NEW_SUFFIX, file);
  await nodeFileSystem.syncDirectory(dirname(file));
  return setAside;
}

async function removeFile(file: string): Promise<void> {
  for (const suffix of FILE_SUFFIXES) if (await exists(file + suffix)) await nodeFileSystem.unlink(file + suffix);
}
