/**
 * Rounds of processes that change a store and are killed at a random instant, often inside a commit. After each the store
 * is opened again and compared with what the dead had reported to this process.
 */

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import {
  createStore,
  isStoreError,
  type OpenOptions,
  openStore,
  rebuildStore,
  type Store,
} from '../../../src/index.ts';
import { listJournalPacks } from '../../../src/maintenance/journal-reader.ts';
import { type SeededRandom, seededRandom } from '../../../src/testing/index.ts';
import type { Model } from '../../support/operations.ts';
import { drawWorkers, type KillKind } from './aims.ts';
import { damageDisk } from './damage-disk.ts';
import type { KeysModel } from './key-changes.ts';
import { type KilledRun, type KilledWorker, runAndKill } from './killed-run.ts';
import { type KilledStore, LANES, ROUND_KEYS, TENANT } from './protocol.ts';
import { rebuiltAlike, withMetadata } from './rebuilt-alike.ts';
import { verifyKeys, verifyLanes } from './verify-round.ts';

export interface KillFigures {
  rounds: number;
  kills: number;
  /** Kills that were aimed at a step of a commit, of a change of keys or of upkeep; those that met a journal pack while it was being written. */
  aimed: number;
  inJournalPut: number;
  /** Kills of processes that collected, scrubbed and repaired, and of such that rebuilt. */
  inUpkeep: number;
  inRebuild: number;
  acknowledged: number;
  /** Changes of keys and namespaces that were acknowledged, and those that ran when their process died. */
  keyChanges: number;
  keyChangesInFlight: number;
  /** Operations that ran when their process died, and those of them that are there, whole. */
  inFlight: number;
  survived: number;
  /** Opens that had to write a journal pack which the dead process owed, and that took over one it had not told of. */
  flushed: number;
  adopted: number;
  rebuilds: number;
}

/** Of nothing. */
export function noKillFigures(): KillFigures {
  return {
    ...{ rounds: 0, kills: 0, aimed: 0, inJournalPut: 0, inUpkeep: 0, inRebuild: 0, acknowledged: 0, keyChanges: 0 },
    ...{ keyChangesInFlight: 0, inFlight: 0, survived: 0, flushed: 0, adopted: 0, rebuilds: 0 },
  };
}

export interface KillOptions {
  readonly kind: KillKind;
  /** Rounds go on until there were so many. */
  readonly kills: number;
  readonly seed: number;
  /** Where the folder of the store is made. */
  readonly folder: string;
  /** Processes of a round, 1 to 4: they run side by side, each with lanes of its own. */
  readonly workers: number;
  /** Whether contents of several packs are put. */
  readonly large: boolean;
  /** A process whose aim is not met is killed so long after it was ready. */
  readonly patienceMs: number;
  /** What `folder` lies on: its power is cut when a process is killed. One process a round then. */
  readonly disk?: PowerSupply;
}

/** What the power of a disk can be cut with. */
export interface PowerSupply {
  /** From now on nothing reaches the disk. */
  cut(): Promise<void>;
  /** Lets the disk be used again, with what was flushed. */
  remount(): Promise<void>;
}

interface Series extends KilledStore {
  readonly kind: KillKind;
  /** Those of a spread store. */
  readonly disks: readonly string[];
  models: readonly Model[];
  names: KeysModel;
}

/**
 * Runs rounds on one store, and at the end rebuilds its metadata and compares.
 * @throws at the first difference, with round and seed; the folder of the store is left for a look
 */
export async function runKillSeries(options: KillOptions): Promise<Readonly<KillFigures>> {
  const figures = noKillFigures();
  const random = seededRandom(options.seed);
  await mkdir(options.folder, { recursive: true });
  const series = await beginSeries(options.folder, options.kind);
  try {
    while (figures.kills < options.kills) {
      figures.rounds += 1;
      await runRound(series, { random, figures }, options);
    }
    await rebuiltAlike(series.location, openOptions(series));
    figures.rebuilds += 1;
  } catch (error) {
    const where = `round ${figures.rounds} of seed ${options.seed}, ${options.kind.name} store in ${series.location}`;
    throw new Error(where, { cause: error });
  }
  await rm(path.dirname(series.location), { recursive: true });
  return figures;
}

/** How the stores of a series are opened. */
function openOptions({ sealed }: Pick<Series, 'sealed'>): OpenOptions {
  return sealed ? { reserveBytes: 0, keys: ROUND_KEYS } : { reserveBytes: 0 };
}

async function beginSeries(parent: string, kind: KillKind): Promise<Series> {
  const { sealed, form } = kind;
  const folder = await mkdtemp(path.join(parent, 'kill-'));
  const location = path.join(folder, form === 'file' ? 'store.hold' : 'store');
  const disks = form === 'spread' ? ['disk1', 'disk2', 'disk3'].map((name) => path.join(folder, name)) : [];
  const spread = { redundancy: '2+1', backends: disks.map((disk) => ({ location: disk })) };
  const options = { keys: 'none', ...openOptions(kind), ...(disks.length > 0 && spread) } as const;
  const store = await createStore(location, options);
  if (sealed) await store.namespaces.create(TENANT);
  await store.close();
  const models = Array.from({ length: LANES }, () => new Map());
  return { ...{ kind, location, form, sealed, disks, models }, names: new Set() };
}

async function runRound(
  series: Series,
  { random, figures }: { readonly random: SeededRandom; readonly figures: KillFigures },
  options: KillOptions,
): Promise<void> {
  const { kind, sealed, disks } = series;
  if (kind.upkeep && disks.length > 0) await damageDisk(random, disks);
  const { large, patienceMs, disk } = options;
  const workers = drawWorkers(random, kind, options.workers);
  const cut = disk && (() => disk.cut());
  const run = await runAndKill(series, workers, { seed: random.integer(2 ** 30), large, patienceMs, cut });
  await disk?.remount();
  countRun(figures, workers, run);
  const isRebuilt = workers.some(({ upkeep }) => upkeep === 'rebuild');
  if (!isRebuilt && disks.length === 0) await countWhatOpeningFinds(series, figures);
  const store = await openAgain(series, isRebuilt);
  try {
    // Of a spread store one disk may lack what a dead process had put on the others, or what was damaged.
    if (disks.length > 0) await scrubbed(store);
    const { models, survived } = await verifyLanes(store, series.models, run.lanes);
    figures.survived += survived;
    series.models = models;
    if (sealed) series.names = await verifyKeys(store, series.names, run.keys);
  } finally {
    await store.close();
  }
}

function countRun(figures: KillFigures, workers: readonly KilledWorker[], run: KilledRun): void {
  figures.kills += workers.length;
  figures.aimed += workers.filter(({ aim }) => aim.at !== 'ready').length;
  figures.inUpkeep += workers.filter(({ upkeep }) => upkeep === 'upkeep').length;
  figures.inRebuild += workers.filter(({ upkeep }) => upkeep === 'rebuild').length;
  figures.inJournalPut += run.inJournalPut;
  for (const { acknowledged, inFlight } of run.lanes) {
    figures.acknowledged += acknowledged.length;
    if (inFlight) figures.inFlight += 1;
  }
  figures.keyChanges += run.keys.acknowledged.length;
  if (run.keys.inFlight) figures.keyChangesInFlight += 1;
}

/** A rebuild that was killed is made again where the store says that it has to be. */
async function openAgain(series: Series, isRebuilt: boolean): Promise<Store> {
  try {
    return await openStore(series.location, openOptions(series));
  } catch (error) {
    if (!isRebuilt || !isStoreError(error) || error.code !== 'METADATA_MISSING') throw error;
    await rebuildStore(series.location, openOptions(series));
    return await openStore(series.location, openOptions(series));
  }
}

async function scrubbed(store: Store): Promise<void> {
  const { outcome, verified, repaired } = await store.maintenance.scrub();
  if (outcome !== 'ok') throw new Error(`scrub: ${JSON.stringify([verified.findings, repaired.findings])}`);
}

async function countWhatOpeningFinds(series: Series, figures: KillFigures): Promise<void> {
  await withMetadata(series.location, openOptions(series), async (metadata, backend) => {
    const { commit, flushed } = await metadata.head();
    const journal = await listJournalPacks(backend, flushed);
    if (journal.length > 0) figures.adopted += 1;
    if (commit > Math.max(flushed, ...journal.map((pack) => pack.journal.lastCommit))) figures.flushed += 1;
  });
}
