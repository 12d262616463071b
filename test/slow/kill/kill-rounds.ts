/**
 * Rounds of one or two processes that change a store and are killed at a random instant, often inside a commit. After
 * each the store is opened again and compared with what the dead had reported to this process.
 */

import { deepStrictEqual } from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Backend } from '../../../src/backend/contract.ts';
import { createStore, openStore, rebuildStore, type StoreStats } from '../../../src/index.ts';
import { listJournalPacks } from '../../../src/maintenance/journal-reader.ts';
import type { Metadata } from '../../../src/metadata/contract.ts';
import { openPlace, readConfig, toPlace } from '../../../src/store/location.ts';
import { openMetadata } from '../../../src/store/open.ts';
import { unlockConfig, unlockMetadata } from '../../../src/store/unlock.ts';
import { type SeededRandom, seededRandom } from '../../../src/testing/index.ts';
import type { Model } from '../../support/operations.ts';
import type { KeysModel } from './key-changes.ts';
import { type Aim, runAndKill } from './killed-run.ts';
import { LANES, ROUND_KEYS, TENANT } from './protocol.ts';
import { listingOf, verifyKeys, verifyLanes } from './verify-round.ts';

/** Rounds on one store; half-way and at the end its metadata is rebuilt. */
const ROUNDS_PER_STORE = 20;
const REBUILD_EVERY = 10;
/** One round of so many has two processes, killed one after the other. */
const WORKERS_ODDS = 3;

export interface KillFigures {
  rounds: number;
  /** Of one or two processes a round. */
  kills: number;
  /** Kills that were aimed at a step of a commit, and those that met a journal pack while it was being written. */
  aimedAtCommit: number;
  inJournalPut: number;
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

export interface KillOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Where the folders of the stores are made. */
  readonly folder: string;
  /** Whether the stores are sealed. Default: every second one. */
  readonly sealed?: boolean;
  /** Whether each store is one file. Default false: a folder. */
  readonly file?: boolean;
  readonly onRound?: (round: number, figures: Readonly<KillFigures>) => void;
}

interface Series {
  /** A folder, or a file. */
  readonly location: string;
  readonly file: boolean;
  readonly sealed: boolean;
  models: readonly Model[];
  names: KeysModel;
}

/**
 * A third at any instant (in a sealed store a sixth), the others at a step of a commit or of a change of keys, right then
 * or up to some milliseconds later.
 */
function drawAim(random: SeededRandom, { sealed, file }: Pick<Series, 'sealed' | 'file'>): Aim {
  const afterMs = random.integer(3) === 0 ? 0 : random.integer(200) / 100;
  // The blobs of a file announce nothing: nearly all of the time after the begin of an operation is that of a commit.
  if (file) return { at: 'begin', nth: 1 + random.integer(30), afterMs: 10 * afterMs };
  switch (random.integer(12)) {
    case 0:
      return { at: 'begin', nth: 1 + random.integer(60), afterMs };
    case 1:
    case 2:
    case 3:
      return { at: 'call put journal', nth: 1 + random.integer(40), afterMs };
    case 4:
      return { at: 'answer put journal', nth: 1 + random.integer(40), afterMs };
    case 5:
      return { at: 'call put packs', nth: 1 + random.integer(6), afterMs };
    case 6:
      return { at: 'answer put packs', nth: 1 + random.integer(6), afterMs };
    case 7:
      return { at: sealed ? 'call put keys' : 'call delete journal', nth: 1 + random.integer(10), afterMs };
    case 8:
      if (sealed) return { at: 'call delete keys', nth: 1 + random.integer(6), afterMs };
      break;
    case 9:
      if (sealed) return { at: 'begin keys', nth: 1 + random.integer(6), afterMs: random.integer(30) };
      break;
    default:
  }
  return { at: 'ready', nth: 1, afterMs: random.integer(700) };
}

/**
 * Runs the rounds.
 * @throws at the first difference, with round and seed; the folder of that store is left for a look
 */
export async function runKillRounds(options: KillOptions): Promise<Readonly<KillFigures>> {
  const figures: KillFigures = {
    rounds: 0,
    kills: 0,
    aimedAtCommit: 0,
    inJournalPut: 0,
    acknowledged: 0,
    keyChanges: 0,
    keyChangesInFlight: 0,
    inFlight: 0,
    survived: 0,
    flushed: 0,
    adopted: 0,
    rebuilds: 0,
  };
  const random = seededRandom(options.seed);
  await mkdir(options.folder, { recursive: true });
  let series: Series | undefined;
  for (let round = 1; round <= options.rounds; round += 1) {
    series ??= await beginSeries(options.folder, {
      file: options.file ?? false,
      sealed: options.sealed ?? Math.floor(round / ROUNDS_PER_STORE) % 2 === 1,
    });
    try {
      await runRound(series, { random, figures });
      if (round % REBUILD_EVERY === 0 || round === options.rounds) await rebuildIsEqual(series, figures);
    } catch (error) {
      throw new Error(`round ${round} of seed ${options.seed}, store in ${series.location}`, { cause: error });
    }
    figures.rounds = round;
    options.onRound?.(round, figures);
    if (round % ROUNDS_PER_STORE !== 0 && round !== options.rounds) continue;
    await rm(path.dirname(series.location), { recursive: true });
    series = undefined;
  }
  return figures;
}

/** How the stores of a series are opened. */
function openOptions({ sealed }: Pick<Series, 'sealed'>) {
  return sealed ? { reserveBytes: 0, keys: ROUND_KEYS } : { reserveBytes: 0 };
}

async function beginSeries(parent: string, kind: Pick<Series, 'sealed' | 'file'>): Promise<Series> {
  const { sealed, file } = kind;
  const location = path.join(await mkdtemp(path.join(parent, 'kill-')), file ? 'store.hold' : 'store');
  const store = await createStore(location, { keys: 'none', ...openOptions({ sealed }) });
  if (sealed) await store.namespaces.create(TENANT);
  await store.close();
  const models = Array.from({ length: LANES }, () => new Map());
  return { location, file, sealed, models, names: new Set() };
}

async function runRound(
  series: Series,
  context: { readonly random: SeededRandom; readonly figures: KillFigures },
): Promise<void> {
  const { random, figures } = context;
  const { sealed } = series;
  const aims = Array.from({ length: random.integer(WORKERS_ODDS) === 0 ? 2 : 1 }, () => drawAim(random, series));
  const run = await runAndKill(series, random.integer(2 ** 30), aims);
  figures.kills += aims.length;
  figures.aimedAtCommit += aims.filter(({ at }) => at !== 'ready').length;
  figures.inJournalPut += run.inJournalPut;
  for (const { acknowledged, inFlight } of run.lanes) {
    figures.acknowledged += acknowledged.length;
    if (inFlight) figures.inFlight += 1;
  }
  figures.keyChanges += run.keys.acknowledged.length;
  if (run.keys.inFlight) figures.keyChangesInFlight += 1;
  await countWhatOpeningFinds(series, figures);
  const store = await openStore(series.location, openOptions(series));
  try {
    const { models, survived } = await verifyLanes(store, series.models, run.lanes);
    figures.survived += survived;
    series.models = models;
    if (sealed) series.names = await verifyKeys(store, series.names, run.keys);
  } finally {
    await store.close();
  }
}

/** Runs `work` over the metadata of a store as it is, without recovery. */
async function withMetadata<T>(series: Series, work: (metadata: Metadata, backend: Backend) => Promise<T>): Promise<T> {
  const { location, sealed } = series;
  const place = toPlace(location);
  const { backend } = await openPlace(place, { readOnly: true, create: false });
  const config = await readConfig(backend, { readOnly: true });
  const unlocking = await unlockConfig(config, sealed ? ROUND_KEYS : undefined);
  const metadata = await openMetadata(place, config, { backend, create: false, readOnly: true });
  try {
    if (sealed) await unlockMetadata({ backend, metadata, unlocking }, { readOnly: true });
    return await work(metadata, backend);
  } finally {
    unlocking.end();
    await metadata.close();
    await backend.close();
  }
}

async function countWhatOpeningFinds(series: Series, figures: KillFigures): Promise<void> {
  await withMetadata(series, async (metadata, backend) => {
    const { commit, flushed } = await metadata.head();
    const journal = await listJournalPacks(backend, flushed);
    if (journal.length > 0) figures.adopted += 1;
    if (commit > Math.max(flushed, ...journal.map((pack) => pack.journal.lastCommit))) figures.flushed += 1;
  });
}

/** Everything that a rebuild must reproduce. */
async function stateOf(series: Series): Promise<{ readonly listing: readonly unknown[]; readonly digests: unknown }> {
  const store = await openStore(series.location, openOptions(series));
  const listing = await listingOf(store);
  const counts = countsOf(await store.stats());
  await store.close();
  const digests = await withMetadata(series, (metadata) => metadata.stateDigests());
  return { listing, digests: { ...digests, ...counts } };
}

function countsOf({ entries, chunks, logicalBytes, uniqueBytes, commit }: StoreStats) {
  return { entries, chunks, logicalBytes, uniqueBytes, commit };
}

async function rebuildIsEqual(series: Series, figures: KillFigures): Promise<void> {
  const running = await stateOf(series);
  const report = await rebuildStore(series.location, openOptions(series));
  deepStrictEqual(report.problems, [], 'a rebuild finds all packs');
  deepStrictEqual(await stateOf(series), running, 'a rebuild leads to the running state');
  figures.rebuilds += 1;
}
