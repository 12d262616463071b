/** What a machine and its backends can do, measured through the public interface alone. */
import { availableParallelism, cpus, totalmem } from 'node:os';
import { parseRedundancy } from '../erasure/index.ts';
import { createStore, type PlacementStatus } from '../index.ts';
import { systemRandom } from '../runtime/random.ts';
import { measureBackend } from './backend-figures.ts';
import { type BenchPlace, placeBesideStore, placeInFolder } from './bench-place.ts';
import type { Figure } from './figure.ts';
import { measureFlush } from './flush-latency.ts';
import { measureKernels } from './kernels.ts';
import { describeLimits, type IngestLimits, ingestLimits, type Measured } from './limits-of.ts';
import { measureStore, type StoreFigures } from './store-figures.ts';

/** Where to measure: in a folder, or beside a store, of which only this is used. */
export type BenchTarget = { readonly folder: string } | { readonly status: PlacementStatus; readonly sealed: boolean };

/** How much to measure, and who is told. */
export interface BenchOptions {
  /** Seconds for each figure. */
  readonly seconds: number;
  /** Size of the large entry. */
  readonly bytes: number;
  readonly signal?: AbortSignal;
  /** Told what is measured next. */
  say(what: string): void;
}

/** What was measured, where, and what it means. */
export interface BenchReport {
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryBytes: number;
    readonly node: string;
  };
  readonly sealed: boolean;
  readonly redundancy: string;
  readonly figures: readonly Figure[];
  readonly limits: IngestLimits;
  /** The limits, and what was left out, in sentences. */
  readonly notes: readonly string[];
}

/** A store made for this, sealed with a key that nobody keeps where the measured one is sealed. */
async function storeFiguresAt(place: BenchPlace, sealed: boolean, options: BenchOptions): Promise<StoreFigures> {
  const { redundancy, backends, homeWeight } = place;
  await using store = await createStore(place.home, {
    keys: sealed ? { key: systemRandom(32) } : 'none',
    redundancy,
    ...(backends.length > 0 && { backends, homeWeight }),
    ...(options.signal && { signal: options.signal }),
    // Nothing but what is measured: neither has anything to do in a store so young.
    gc: 'manual',
    heal: 'manual',
  });
  return await measureStore(store, options, options.say);
}

async function probeFigures({ probes }: BenchPlace, options: BenchOptions): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const { name, open } of probes) {
    options.say(`backend ${name}`);
    const backend = await open();
    try {
      figures.push(...(await measureBackend(backend, name, options)));
    } finally {
      await backend.close();
    }
  }
  return figures;
}

async function measureAt(place: BenchPlace, sealed: boolean, options: BenchOptions): Promise<BenchReport> {
  const kernels = await measureKernels(options, options.say);
  options.say('disk');
  const flush = await measureFlush(place.folder, options);
  const probes = await probeFigures(place, options);
  const { figures, storedRatio } = await storeFiguresAt(place, sealed, options);
  const cores = availableParallelism();
  const measured: Measured = {
    figures: [...kernels, flush, ...probes, ...figures],
    cores,
    sealed,
    storedRatio,
    redundancy: place.redundancy === 'none' ? { k: 1, m: 0 } : parseRedundancy(place.redundancy),
    backendCount: place.backends.length + (place.homeWeight > 0 ? 1 : 0),
  };
  return {
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cores, memoryBytes: totalmem(), node: process.version },
    sealed,
    redundancy: place.redundancy,
    figures: measured.figures,
    limits: ingestLimits(measured),
    notes: [...describeLimits(measured), ...place.notes],
  };
}

/**
 * Measures kernels, disk, backends and a temporary store. Whatever it makes it removes, also when it fails or is aborted.
 * @throws the signal's reason; `unsupported/BACKEND_UNSUPPORTED`; errors of the store, the backends and the file system
 */
export async function runBench(target: BenchTarget, options: BenchOptions): Promise<BenchReport> {
  const place = 'folder' in target ? await placeInFolder(target.folder) : await placeBesideStore(target.status);
  try {
    return await measureAt(place, 'sealed' in target && target.sealed, options);
  } finally {
    await place.remove();
  }
}
