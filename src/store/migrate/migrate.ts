/**
 * Moving a store as a whole: its bytes to another folder or bucket, its metadata to another kind of place, or both. The
 * journal and the packs are the truth, so the metadata at the target is made from the bytes there, as a rebuild makes it;
 * what a rebuild would not find is not moved either.
 *
 * Until the metadata of the source is set aside nothing of the source is changed, and from then on nobody commits to it. A
 * move that ends at any point goes on when it is made again: what is at the target is known by its mark.
 */
import type { Backend, BlobInfo } from '../../backend/contract.ts';
import { storeError } from '../../errors/store-error.ts';
import { STORE_CONFIG_KEY } from '../../format/index.ts';
import { exists } from '../../runtime/file-system.ts';
import { closingOnFailure } from '../closing-on-failure.ts';
import {
  checkExistingPlace,
  checkWritablePlace,
  openPlace,
  type Place,
  readConfig,
  surroundingsOf,
  toPlace,
  withCodes,
} from '../location.ts';
import type { OpenOptions, ProgressOptions, StoreLocation } from '../types.ts';
import { type Unlocking, unlockConfig } from '../unlock.ts';
import type { RebuildReport } from '../upkeep-types.ts';
import { ALL_KEYS, copiedBlobs, copyBlobs } from './copy-blobs.ts';
import { makeMetadata, settleSource } from './make-metadata.ts';
import { hasMoved, removeMark, writeMark, writeMoved } from './migration-mark.ts';
import { checkSourceConfig, endOf, type MigrationEnd, markOf } from './migration-places.ts';
import { Tally } from './tally.ts';

/** What a move may use, and whether it is only tried. */
export interface MigrateOptions
  extends ProgressOptions,
    Pick<OpenOptions, 'keys' | 'rollbackGuard' | 'acceptRollback' | 'logger' | 'backendModules'> {
  /** Look at both ends and count what would be copied; nothing is changed. Default false. */
  readonly dryRun?: boolean;
}

/** What a move did, or would do. */
export interface MigrationReport extends Partial<RebuildReport> {
  readonly storeId: string;
  /** URLs of where the bytes were and are. */
  readonly from: string;
  readonly to: string;
  readonly dryRun: boolean;
  /** Whether an earlier move was gone on with. */
  readonly resumed: boolean;
  /** Blobs of the source and their bytes; 0 where the bytes stay where they are. */
  readonly blobs: number;
  readonly bytes: number;
  /** Of these, what was not at the target yet. */
  readonly copiedBlobs: number;
  readonly copiedBytes: number;
}

/** The ends of a move, and how it is made. */
interface Ends {
  readonly source: MigrationEnd;
  readonly target: MigrationEnd;
  readonly options: MigrateOptions;
}

/** A move whose source was looked at. */
interface Move extends Ends {
  readonly unlocking: Unlocking;
  readonly storeId: string;
}

/**
 * Moves a store to another place: a folder, or a bucket with its metadata in PostgreSQL, and back. Every blob is read back
 * and compared, the metadata is made anew at the target, and the source stays as it is until all of that is done; then it
 * says where its store went, and may be deleted. No other process may have the store open. Made again after an
 * interruption it goes on, whatever the interruption was. Other backends of a store stay what they are.
 * @param to an empty or absent folder, an empty bucket; or the bytes as they are, with other metadata
 * @throws what `openStore` throws for the source; `conflict/STORE_IN_USE`, `conflict/STORE_EXISTS` and
 *   `conflict/TARGET_EXISTS` for what is at the target, `invalid/LOCATION_INVALID`, `corrupt/JOURNAL_GAP`, `exhausted/*`,
 *   `unavailable/BACKEND_IO`
 * @example
 * await migrateStore('./photos', { backend: 's3://photos', metadata: 'postgres://db.example/photos' }, { keys });
 */
export async function migrateStore(
  from: StoreLocation,
  to: StoreLocation,
  options: MigrateOptions = {},
): Promise<MigrationReport> {
  return await migrateAt(toPlace(from, options), toPlace(to, options), options);
}

/** See `migrateStore`. */
export async function migrateAt(from: Place, to: Place, options: MigrateOptions = {}): Promise<MigrationReport> {
  const [source, target] = [endOf(from), endOf(to)];
  if (source.url === target.url && source.home.newPath === target.home.newPath)
    throw storeError('LOCATION_INVALID', 'the store is there already', { details: { path: target.url } });
  return await withCodes(source.place, () => unlockAndMove({ source, target, options }));
}

async function unlockAndMove(ends: Ends): Promise<MigrationReport> {
  const { source, target, options } = ends;
  const { dryRun = false, signal, keys } = options;
  await checkExistingPlace(source.place);
  if (!dryRun) await checkWritablePlace(source.place);
  signal?.throwIfAborted();
  const { config, isMoved } = await withBackend(source, { readOnly: true }, async (from) => ({
    config: await readConfig(from, { readOnly: dryRun, signal }),
    isMoved: await hasMoved(from, target.url),
  }));
  await checkSourceConfig(source, target, config);
  const unlocking = await unlockConfig(config, keys);
  try {
    const move = { ...ends, unlocking, storeId: config.storeId };
    await source.home.checkUnused();
    if (dryRun) return await tryMove(move);
    // It ended after the target was whole: what is left is to say so.
    if (isMoved) return await retire(move, { resumed: true });
    return source.url === target.url ? await moveMetadata(move) : await moveAll(move);
  } finally {
    unlocking.end();
  }
}

/** The reserve for deletes is that of who works with the store: it is neither spent nor set aside here. */
async function withBackend<T>(
  { place }: MigrationEnd,
  how: { readonly readOnly: boolean; readonly create?: boolean },
  work: (backend: Backend) => Promise<T>,
): Promise<T> {
  const { backend } = await openPlace(place, { create: false, ...how, reserveBytes: 0 });
  try {
    return await work(backend);
  } finally {
    await backend.close();
  }
}

/** Counts what would be copied, and refuses what would be refused. */
async function tryMove({ source, target, storeId, options }: Move): Promise<MigrationReport> {
  const ends = { storeId, from: source.url, to: target.url, dryRun: true };
  const tally = new Tally(options);
  if (source.url === target.url) {
    const resumed = !(await source.home.exists());
    if (!resumed) await refuseMetadata(target);
    return Object.freeze({ ...ends, ...tally.counts, resumed });
  }
  const { fileSystem } = surroundingsOf(target.place);
  const isThere = target.place.kind === 'bucket' || (await exists(target.place.folder, fileSystem));
  const mark = isThere ? await withBackend(target, { readOnly: true }, (at) => markOf(at, target, storeId)) : undefined;
  if (mark === undefined) await refuseMetadata(target);
  await withBackend(source, { readOnly: true }, async (from) => {
    for await (const blob of copiedBlobs(from, options.signal))
      tally.add(blob, mark && blob.key <= mark.verifiedTo ? 0 : blob.bytes);
  });
  return Object.freeze({ ...ends, ...tally.counts, resumed: mark !== undefined });
}

/** Of a store that is on its way nobody but this move has made them. */
async function refuseMetadata({ home, url }: MigrationEnd): Promise<void> {
  if (!(await home.exists())) return;
  const message = 'there is metadata at the target already: name another schema, or drop that one if nobody needs it';
  throw storeError('TARGET_EXISTS', message, { details: { path: url } });
}

/** The bytes stay, and so does who reads them: nobody, until the new metadata is in its place. */
async function moveMetadata(move: Move): Promise<MigrationReport> {
  const { source, target, storeId, options } = move;
  const resumed = !(await source.home.exists());
  if (!resumed) await refuseMetadata(target);
  const { counts } = new Tally(options);
  const ends = { storeId, from: source.url, to: target.url, dryRun: false, resumed, ...counts };
  if (resumed && (await target.home.exists())) return Object.freeze(ends);
  const known = await settleSource(move);
  const { backend: at } = await openPlace(target.place, { readOnly: false, create: false, reserveBytes: 0 });
  const made = await makeMetadata(move, { at, known, follow: async () => undefined });
  return Object.freeze({ ...ends, ...made });
}

async function moveAll(move: Move): Promise<MigrationReport> {
  const { source, target, storeId, options } = move;
  const { signal } = options;
  const tally = new Tally(options);
  const known = await settleSource(move);
  return await withBackend(source, { readOnly: true }, async (from) => {
    const { backend: at } = await openPlace(target.place, { readOnly: false, create: true, reserveBytes: 0 });
    const mark = await closingOnFailure(at, async () => {
      const found = await markOf(at, target, storeId);
      if (found === undefined) await refuseMetadata(target);
      return found;
    });
    const resumed = mark !== undefined;
    if (mark && (await at.head(STORE_CONFIG_KEY)) && (await target.home.exists())) {
      await at.close();
      return await retire(move, { resumed });
    }
    await closingOnFailure(at, async () => {
      const { verifiedTo = '' } = mark ?? {};
      if (!mark) await writeMark(at, { storeId, verifiedTo });
      await tally.expect(from);
      const onBatch = async (key: string): Promise<void> => {
        if (key > verifiedTo) await writeMark(at, { storeId, verifiedTo: key });
      };
      const onBlob = (blob: BlobInfo, copied: number): void => tally.add(blob, copied);
      await copyBlobs({ from, to: at, verifiedTo, signal, onBlob, onBatch });
    });
    // What was committed, merged or collected while it was copied.
    const follow = (): Promise<void> => copyBlobs({ from, to: at, verifiedTo: ALL_KEYS, signal });
    const made = await makeMetadata(move, { at, known, follow });
    return await retire(move, { resumed, ...tally.counts, ...made });
  });
}

/** Says at the source where its store went, and that there is none any more; the target is a store like any other then. */
async function retire(
  { source, target, storeId }: Move,
  done: Partial<MigrationReport> & { readonly resumed: boolean },
): Promise<MigrationReport> {
  await withBackend(source, { readOnly: false }, async (from) => {
    await writeMoved(from, { storeId, to: target.url });
    await withBackend(target, { readOnly: false }, (at) => removeMark(at));
    await from.delete(STORE_CONFIG_KEY);
  });
  const counts = { blobs: 0, bytes: 0, copiedBlobs: 0, copiedBytes: 0 };
  return Object.freeze({ storeId, from: source.url, to: target.url, dryRun: false, ...counts, ...done });
}
