/** What a program sees that has the library in its own process: small calls, ranges, and how long the event loop waits. */
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { timed } from '../../src/bench/timing.ts';
import type { Store } from '../../src/index.ts';
import { KIB, MIB } from '../../src/limits.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import type { BenchContext } from '../harness/bench.ts';
import { inFlight } from '../harness/in-flight.ts';
import type { Library } from '../harness/library.ts';

const SMALL_BYTES = 4 * KIB;
const IN_FLIGHT = 64;
const RANGE_READS = 300;
/** Resolution of the monitor of the event loop, which counts it as delay. */
const DELAY_RESOLUTION_MS = 1;

/** Figures of one round. */
export interface InProcessFigures {
  readonly putsAtOnce: number;
  readonly putsOneByOne: number;
  readonly gets: number;
  /** Milliseconds: the median of many reads. */
  readonly rangeMs: number;
  /** Milliseconds. */
  readonly loopDelayMs: number;
}

async function rateOf(count: number, total: number, work: (nth: number) => Promise<unknown>): Promise<number> {
  return total / (await timed(() => inFlight(count, total, work))).seconds;
}

async function medianRangeMs(store: Store, size: number): Promise<number> {
  const samples: number[] = [];
  for (let nth = 0; nth < RANGE_READS; nth += 1) {
    const offset = systemRandom(6).reduce((sum, byte) => sum * 256 + byte, 0) % (size - SMALL_BYTES);
    const { seconds } = await timed(async () => {
      for await (const _piece of store.read('large', { offset, length: SMALL_BYTES }));
    });
    samples.push(seconds * 1000);
  }
  return samples.sort((a, b) => a - b)[samples.length >>> 1]!;
}

/** One round on a store that is made and removed. @param largeBytes of the entry that is ingested and read from */
export async function measureInProcess(
  library: Library,
  { workFolder, scale }: BenchContext,
  large: { readonly file: string; readonly bytes: number },
): Promise<InProcessFigures> {
  const folder = path.join(workFolder, 'in-process');
  const store = await library.holdfast.createStore(folder, { keys: 'none' });
  try {
    const [many, few] = [Math.ceil(20_000 * scale), Math.ceil(600 * scale)];
    const small = (key: string) => store.put(key, systemRandom(SMALL_BYTES));
    const putsOneByOne = await rateOf(1, few, (nth) => small(`alone-${nth}`));
    const putsAtOnce = await rateOf(IN_FLIGHT, many, (nth) => small(`small-${nth}`));
    const gets = await rateOf(IN_FLIGHT, many, (nth) => store.get(`small-${(nth * 7919) % many}`));
    const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
    delay.enable();
    await store.put('large', createReadStream(large.file, { end: large.bytes - 1, highWaterMark: MIB }));
    delay.disable();
    const rangeMs = await medianRangeMs(store, large.bytes);
    return { putsAtOnce, putsOneByOne, gets, rangeMs, loopDelayMs: delay.percentile(99) / 1e6 };
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}
