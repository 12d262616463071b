/** What the figures say about the machine: which of its parts a store waits for. */
import type { Figure } from './figure.ts';

/** What was measured, and with what. */
export interface Measured {
  readonly figures: readonly Figure[];
  /** Cores that this process may use. */
  readonly cores: number;
  readonly sealed: boolean;
  readonly redundancy: { readonly k: number; readonly m: number };
  /** Backends that hold shards. */
  readonly backendCount: number;
  /** Stored bytes by plain bytes of what was written, before redundancy. */
  readonly storedRatio: number;
}

/** The bounds of ingest of new content, in decimal megabytes of plain bytes a second. */
export interface IngestLimits {
  /** One core that does every step after the other. */
  readonly core: number;
  /** All cores, were nothing else to do. */
  readonly cores: number;
  /** What the backends take, of which the slowest is waited for; absent where none was asked. */
  readonly backends?: number;
  /** The part with the lowest bound. */
  readonly by: 'processor' | 'backends';
  /** What the store did of the lower bound, 0 to 1 and, by other luck of the moment, a little above. */
  readonly share: number;
}

function medianOf(figures: readonly Figure[], id: string): number | undefined {
  return figures.find((figure) => figure.id === id)?.median;
}

/** The rate of steps one after the other: their times add up. */
function inTurn(rates: readonly number[]): number {
  return 1 / rates.reduce((sum, rate) => sum + 1 / rate, 0);
}

/** @returns the bounds that the figures of kernels and backends put on the figure of writing */
export function ingestLimits(measured: Measured): IngestLimits {
  const { figures, redundancy } = measured;
  const { k, m } = redundancy;
  const stored = measured.storedRatio;
  const rate = (id: string): number => medianOf(figures, id) ?? Number.POSITIVE_INFINITY;
  const core = inTurn([
    rate('kernel.cut'),
    rate('kernel.hash'),
    rate('kernel.compress'),
    // What is sealed and coded is compressed already.
    ...(measured.sealed ? [rate('kernel.seal') / stored] : []),
    ...(m > 0 ? [rate('kernel.erasure') / stored] : []),
  ]);
  const cores = core * measured.cores;
  const writes = figures.filter(({ id }) => /^backend\..*\.write$/.test(id)).map(({ median }) => median);
  // Shards go round: each backend gets an equal part of all bytes, parity included.
  const backends =
    writes.length === 0 ? undefined : (Math.min(...writes) * measured.backendCount * k) / ((k + m) * stored);
  const lower = Math.min(cores, backends ?? Number.POSITIVE_INFINITY);
  return {
    core,
    cores,
    ...(backends !== undefined && { backends }),
    by: lower === cores ? 'processor' : 'backends',
    share: (medianOf(figures, 'store.write') ?? 0) / lower,
  };
}

function megabytes(rate: number): string {
  return `${Math.round(rate).toLocaleString('en')} MB/s`;
}

/** The bounds in sentences, for people. */
export function describeLimits(measured: Measured): readonly string[] {
  const { core, cores, backends, by, share } = ingestLimits(measured);
  const { figures } = measured;
  const flushMs = medianOf(figures, 'disk.flush');
  const putsPerSecond = medianOf(figures, 'store.put');
  return [
    `new content: a core cuts, hashes, compresses${measured.sealed ? ', seals' : ''} ${megabytes(core)}, so all ${measured.cores} at most ${megabytes(cores)}`,
    ...(backends === undefined
      ? []
      : [`the backends take at most ${megabytes(backends)} of it, written one blob at a time`]),
    `the limit here is the ${by === 'processor' ? 'processor' : 'backends'}; the store wrote at ${Math.round(share * 100)} % of it`,
    ...(flushMs === undefined || putsPerSecond === undefined
      ? []
      : [
          `a durable put alone takes as long as ${(1000 / putsPerSecond / flushMs).toFixed(1)} flushes of the disk: many at once share them`,
        ]),
  ];
}
