import { dirname } from 'node:path';
import { toHex } from '../bytes/bytes.ts';
import { parseRedundancy } from '../erasure/index.ts';
import { isStoreError, storeError } from '../errors/store-error.ts';
import { decodeStoreConfig, STORE_CONFIG_KEY, type StoreConfig } from '../format/index.ts';
import type { GuardState } from '../keys/index.ts';
import { allPacks } from '../maintenance/all-packs.ts';
import { findUnknownPlaces } from '../maintenance/find-places.ts';
import type { UnreadablePack } from '../maintenance/journal-reader.ts';
import type { Problem } from '../maintenance/problems.ts';
import { recoverFromJournal } from '../maintenance/recover.ts';
import type { Metadata } from '../metadata/contract.ts';
import { checkSqliteUnused, setAsideSqliteMetadata } from '../metadata/index.ts';
import { PackStore } from '../placement/pack-store.ts';
import { systemClock } from '../runtime/clock.ts';
import { exists, nodeFileSystem } from '../runtime/file-system.ts';
import { systemRandom } from '../runtime/random.ts';
import type { Connection } from './backends/connect.ts';
import { connectBackends, connectedStore, type PlacedStore } from './connect-store.ts';
import { JournalWriter } from './journal-writer.ts';
import type { Keychain } from './keychain.ts';
import { checkExistingPlace, checkWritablePlace, openPlace, type Place, storeIdOf, toPlace } from './location.ts';
import { openMetadata, unlockPlace } from './open.ts';
import { rememberedOf } from './rollback-watch.ts';
import { Session } from './session.ts';
import { newerPlain } from './settings.ts';
import type { OpenOptions, ProgressOptions, RebuildReport, StoreLocation } from './types.ts';
import type { OpenedConfig, Unlocking } from './unlock.ts';

const NEW_SUFFIX = '.rebuild';
const DATABASE_SUFFIXES = ['', '-wal', '-shm'];

/**
 * Makes the metadata of a store anew from its journal and packs; content is not read. The new one is made beside the
 * present one, which is set aside and kept when all has gone well, and stays as it is when not.
 * @throws `conflict/STORE_IN_USE` when any process has the store open, `corrupt/JOURNAL_GAP` when part of the journal
 *   is gone, `corrupt/*` when it is damaged, and what `openStore` throws for what is no store
 */
export async function rebuildStore(
  location: StoreLocation,
  options: OpenOptions & ProgressOptions = {},
): Promise<RebuildReport> {
  const place = toPlace(location);
  await checkExistingPlace(place);
  await checkWritablePlace(place);
  if (place.kind === 'memory' || place.metadataPath === ':memory:') {
    throw storeError('LOCATION_INVALID', 'only metadata in a file can be rebuilt');
  }
  const unlocking = await unlockPlace(place, options);
  try {
    const { backend } = await openPlace(place, { ...options, readOnly: false, create: false });
    try {
      return await rebuildPlaced({ place, backend, unlocking }, options);
    } finally {
      await backend.close();
    }
  } finally {
    unlocking.end();
  }
}

async function rebuildPlaced(placed: PlacedToRebuild, options: OpenOptions & ProgressOptions): Promise<RebuildReport> {
  const { place, unlocking } = placed;
  const { config } = unlocking.opened;
  const remembered = await rememberedOf(config.storeId, options);
  await checkSqliteUnused(place.metadataPath);
  await removeDatabase(place.metadataPath + NEW_SUFFIX);
  const connection = await connectBackends(placed, config, { readOnly: false });
  try {
    const newest = await newestConfig(connection, unlocking);
    await connection.follow(newest.config);
    const store = { ...placed, unlocking: { ...unlocking, opened: newest }, connection, remembered };
    const opened = await flushOldOutbox(store, options);
    return await rebuild({ ...store, unlocking: { ...unlocking, opened } }, options);
  } finally {
    await connection.control.close();
  }
}

/** The newest config that any backend has: the one at the place may have been away when it was changed. */
async function newestConfig({ backends }: Connection, unlocking: Unlocking): Promise<OpenedConfig> {
  let newest = unlocking.opened;
  for (const link of backends.links) {
    const bytes = await link.call('read', (backend) => backend.get(STORE_CONFIG_KEY)).catch(() => undefined);
    const config = bytes && decodeIfSound(bytes);
    if (bytes === undefined || config === undefined || config.generation <= newest.config.generation) continue;
    const stored = { generation: config.generation, bytes };
    newest = newest.keyring
      ? await unlocking.newer(stored)
      : { config: newerPlain(newest.config, stored) ?? newest.config };
  }
  return newest;
}

function decodeIfSound(bytes: Uint8Array): StoreConfig | undefined {
  try {
    return decodeStoreConfig(bytes);
  } catch (error) {
    if (!isStoreError(error)) throw error;
    return undefined;
  }
}

interface PlacedToRebuild extends PlacedStore {
  readonly place: Exclude<Place, { kind: 'memory' }>;
}

interface StoreToRebuild extends PlacedToRebuild {
  readonly connection: Connection;
  /** What this client remembers of the store: another one in its place is refused before anything is written. */
  readonly remembered: GuardState | undefined;
}

/** Metadata of a store being rebuilt, and the packs that its keys open. */
async function openParts(
  store: StoreToRebuild,
  options: { readonly create: boolean; readonly suffix?: string },
): Promise<{ readonly metadata: Metadata; readonly packs: PackStore; readonly keychain: Keychain | undefined }> {
  const { place, unlocking, remembered, connection } = store;
  const { config } = unlocking.opened;
  const metadata = await openMetadata(place, config, { ...options, readOnly: false });
  try {
    await refuseOtherKeys(metadata, unlocking);
    const { keychain } = await connectedStore({ ...store, metadata }, connection, { readOnly: false, remembered });
    const packs = new PackStore({
      backends: connection.backends,
      storeId: storeIdOf(config),
      random: systemRandom,
      keys: keychain,
      redundancy: () => parseRedundancy(config.redundancy),
    });
    return { metadata, packs, keychain };
  } catch (error) {
    await metadata.close();
    throw error;
  }
}

/**
 * A config that somebody made for the slots of this store opens with the caller's secret. With the journal gone as well,
 * a rebuild under its keys would end in an empty store: the old metadata knows better.
 */
async function refuseOtherKeys(metadata: Metadata, unlocking: Unlocking): Promise<void> {
  const kept = await metadata.config();
  if (kept === undefined || !(await unlocking.isOfOther(kept))) return;
  const message =
    'the config has other keys than the metadata, so one of them is of another store: restore holdfast.json from a ' +
    'copy; only if you know that it is right, move the metadata away and rebuild again';
  throw storeError('CONFIG_CORRUPT', message, { details: { backendKey: STORE_CONFIG_KEY } });
}

/**
 * What was committed and is not in the journal yet would be lost with the old metadata: written now, as far as it can
 * still be read and goes on from the journal.
 * @returns the config: the old metadata may hold a newer one than the backend
 */
async function flushOldOutbox(store: StoreToRebuild, options: OpenOptions): Promise<OpenedConfig> {
  const { unlocking } = store;
  const { control: backend } = store.connection;
  let metadata: Metadata | undefined;
  let opened = unlocking.opened;
  try {
    const old = await openParts(store, { create: false });
    metadata = old.metadata;
    const { packs, keychain } = old;
    if (keychain) opened = { config: keychain.config, keyring: keychain.keyring };
    // First of all compared with the journal: a record that contradicts it, flushed now, would stay there for ever.
    await recoverFromJournal({ backend, metadata, packs, signal: options.signal });
    const head = await metadata.head();
    if (head.flushed === head.commit) return opened;
    const session = new Session({
      storeId: storeIdOf(opened.config),
      sessionId: await metadata.openSession(),
      schedule: () => keychain?.schedule,
      random: systemRandom,
    });
    await new JournalWriter({ metadata, packs, session, head }).flush();
  } catch (error) {
    if (!isStoreError(error) || error.kind !== 'corrupt') throw error;
    // It is the store that is in doubt, and not the old metadata.
    if (error.code === 'ROLLBACK_DETECTED' || error.code === 'CONFIG_CORRUPT') throw error;
    if (error.code === 'METADATA_MISSING') return opened;
    options.logger?.warn('the old metadata cannot be used: what it may hold beyond the journal is lost', { error });
  } finally {
    await metadata?.close();
  }
  return opened;
}

async function rebuild(store: StoreToRebuild, options: OpenOptions & ProgressOptions): Promise<RebuildReport> {
  const { place } = store;
  const { control: backend } = store.connection;
  const newPath = place.metadataPath + NEW_SUFFIX;
  const setAside = `${place.metadataPath}.set-aside-${new Date(systemClock.now()).toISOString().replaceAll(':', '')}`;
  const { metadata, packs } = await openParts(store, { create: true, suffix: NEW_SUFFIX });
  let hadOld: boolean;
  let report: RebuildReport;
  try {
    const onJournalPack = (done: number, total: number): void =>
      options.onProgress?.({ phase: 'rebuild', done, total, bytes: 0 });
    const first = await recoverFromJournal({ backend, metadata, packs, signal: options.signal, onJournalPack });
    hadOld = await exists(place.metadataPath);
    await setAsideSqliteMetadata(place.metadataPath, setAside);
    // From here on nobody commits; what somebody committed while the journal was read is in it by now.
    const second = await recoverFromJournal({ backend, metadata, packs });
    if (packs.isSpread) await findUnknownPlaces(metadata, store.connection.backends, options.signal);
    report = await toReport(metadata, [...first.unreadable, ...second.unreadable]);
  } catch (error) {
    await metadata.close();
    await removeDatabase(newPath);
    throw error;
  }
  await metadata.close();
  await nodeFileSystem.rename(newPath, place.metadataPath);
  await nodeFileSystem.syncDirectory(dirname(place.metadataPath));
  return Object.freeze({ ...report, ...(hadOld && { setAside }) });
}

async function toReport(metadata: Metadata, unreadable: readonly UnreadablePack[]): Promise<RebuildReport> {
  const doubtful = new Map(unreadable.map((pack) => [pack.packId, pack]));
  const problems: Problem[] = [];
  if (doubtful.size > 0) {
    for await (const { id } of allPacks(metadata)) {
      const found = doubtful.get(toHex(id));
      // Packs that a later merge dropped are not missed.
      if (found) problems.push(toProblem(found));
    }
  }
  const [{ entries, chunks, packs }, { commit }] = await Promise.all([metadata.counters(), metadata.head()]);
  return { commit, entries, chunks, packs, problems };
}

function toProblem({ packId, error }: UnreadablePack): Problem {
  if (error) return { code: error.code, message: error.message, packId };
  return { code: 'CHUNK_MISSING', message: `pack ${packId} is gone`, packId };
}

/** What a rebuild that was interrupted left. */
async function removeDatabase(path: string): Promise<void> {
  for (const suffix of DATABASE_SUFFIXES) if (await exists(path + suffix)) await nodeFileSystem.unlink(path + suffix);
}
