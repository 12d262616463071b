/**
 * Rounds of one or two processes that change a store and are killed at a random instant, often inside a commit. After
 * each the store is opened again and compared with what the dead had reported to this process.
 */

import { deepStrictEqual } from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { openFsBackend } from '../../../src/backend/index.ts';
import { fromHex } from '../../../src/bytes/bytes.ts';
import { createStore, openStore, rebuildStore, type StoreStats } from '../../../src/index.ts';
import { listJournalPacks } from '../../../src/maintenance/journal-reader.ts';
import { openSqliteMetadata } from '../../../src/metadata/index.ts';
import { type SeededRandom, seededRandom } from '../../../src/testing/index.ts';
import type { Model } from '../../support/operations.ts';
import { type Aim, runAndKill } from './killed-run.ts';
import { LANES } from './protocol.ts';
import { listingOf, verifyLanes } from './verify-round.ts';

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
  readonly onRound?: (round: number, figures: Readonly<KillFigures>) => void;
}

interface Series {
  readonly folder: string;
  models: readonly Model[];
}

/** A third at any instant, two thirds at a step of a commit, right then or up to 2 ms later. */
function drawAim(random: SeededRandom): Aim {
  const afterMs = random.integer(3) === 0 ? 0 : random.integer(200) / 100;
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
      return { at: 'call delete journal', nth: 1 + random.integer(10), afterMs };
    default:
      return { at: 'ready', nth: 1, afterMs: random.integer(700) };
  }
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
    series ??= await beginSeries(options.folder);
    try {
      await runRound(series, { random, figures });
      if (round % REBUILD_EVERY === 0 || round === options.rounds) await rebuildIsEqual(series.folder, figures);
    } catch (error) {
      throw new Error(`round ${round} of seed ${options.seed}, store in ${series.folder}`, { cause: error });
    }
    figures.rounds = round;
    options.onRound?.(round, figures);
    if (round % ROUNDS_PER_STORE !== 0 && round !== options.rounds) continue;
    await rm(path.dirname(series.folder), { recursive: true });
    series = undefined;
  }
  return figures;
}

async function beginSeries(parent: string): Promise<Series> {
  const folder = path.join(await mkdtemp(path.join(parent, 'kill-')), 'store');
  await (await createStore(folder, { keys: 'none', reserveBytes: 0 })).close();
  return { folder, models: Array.from({ length: LANES }, () => new Map()) };
}

async function runRound(
  series: Series,
  context: { readonly random: SeededRandom; readonly figures: KillFigures },
): Promise<void> {
  const { random, figures } = context;
  const aims = Array.from({ length: random.integer(WORKERS_ODDS) === 0 ? 2 : 1 }, () => drawAim(random));
  const run = await runAndKill(series.folder, random.integer(2 ** 30), aims);
  figures.kills += aims.length;
  figures.aimedAtCommit += aims.filter(({ at }) => at !== 'ready').length;
  figures.inJournalPut += run.inJournalPut;
  for (const { acknowledged, inFlight } of run.lanes) {
    figures.acknowledged += acknowledged.length;
    if (inFlight) figures.inFlight += 1;
  }
  await countWhatOpeningFinds(series.folder, figures);
  const store = await openStore(series.folder, { reserveBytes: 0 });
  try {
    const { models, survived } = await verifyLanes(store, series.models, run.lanes);
    figures.survived += survived;
    series.models = models;
  } finally {
    await store.close();
  }
}

function metadataOf(folder: string): string {
  return path.join(folder, '.metadata', 'store.sqlite');
}

async function openMetadataReadOnly(folder: string) {
  const store = await openStore(folder, { readOnly: true });
  await store.close();
  const storeId = fromHex(store.id);
  if (!storeId) throw new Error('a store id is hex');
  return await openSqliteMetadata({ path: metadataOf(folder), storeId, create: false, readOnly: true });
}

async function countWhatOpeningFinds(folder: string, figures: KillFigures): Promise<void> {
  const metadata = await openMetadataReadOnly(folder);
  const backend = await openFsBackend(folder, { readOnly: true });
  try {
    const { commit, flushed } = await metadata.head();
    const journal = await listJournalPacks(backend, flushed);
    if (journal.length > 0) figures.adopted += 1;
    if (commit > Math.max(flushed, ...journal.map((pack) => pack.journal.lastCommit))) figures.flushed += 1;
  } finally {
    await backend.close();
    await metadata.close();
  }
}

/** Everything that a rebuild must reproduce. */
async function stateOf(folder: string): Promise<{ readonly listing: readonly unknown[]; readonly digests: unknown }> {
  const store = await openStore(folder, { reserveBytes: 0 });
  const listing = await listingOf(store);
  const counts = countsOf(await store.stats());
  await store.close();
  const metadata = await openMetadataReadOnly(folder);
  try {
    return { listing, digests: { ...(await metadata.stateDigests()), ...counts } };
  } finally {
    await metadata.close();
  }
}

function countsOf({ entries, chunks, logicalBytes, uniqueBytes, commit }: StoreStats) {
  return { entries, chunks, logicalBytes, uniqueBytes, commit };
}

async function rebuildIsEqual(folder: string, figures: KillFigures): Promise<void> {
  const running = await stateOf(folder);
  const report = await rebuildStore(folder, { reserveBytes: 0 });
  deepStrictEqual(report.problems, [], 'a rebuild finds all packs');
  deepStrictEqual(await stateOf(folder), running, 'a rebuild leads to the running state');
  figures.rebuilds += 1;
}
