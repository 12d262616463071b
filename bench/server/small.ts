/** Entries of 4 KiB read one after the other and many at once, over HTTP and by the library. */
import { spreadOf } from '../../src/bench/spread.ts';
import { timed } from '../../src/bench/timing.ts';
import type { Store } from '../../src/index.ts';
import { KIB } from '../../src/limits.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import type { Goal } from '../goals/goal.ts';
import { inFlight } from '../harness/in-flight.ts';
import type { Report } from '../harness/report.ts';
import { type Cost, costOf } from './client.ts';
import { type Served, type ServerBench, withServed } from './served.ts';

export const SMALL_BYTES = 4 * KIB;
const [ENTRIES, GETS] = [5000, 10_000];
const AT_ONCE = [1, 64];
const RATE_MIN = 2000;
/** As the client does it: no record serves two in a row. */
const STRIDE = 7919;

const WAYS = ['get', 'stat and get', 'GET over HTTP'] as const;
type Way = (typeof WAYS)[number];

interface Sizes {
  readonly entries: number;
  readonly total: number;
}

interface Sample extends Cost {
  readonly way: Way;
  readonly atOnce: number;
}

/** Entries `small-0` and so on. */
export async function putSmall(store: Store, entries: number): Promise<void> {
  await inFlight(64, entries, (nth) => store.put(`small-${nth}`, systemRandom(SMALL_BYTES)));
}

function runWay({ store, client }: Served, way: Way, { entries, total, atOnce }: Sizes & { atOnce: number }) {
  const keyOf = (nth: number): string => `small-${(nth * STRIDE) % entries}`;
  const reads = (read: (key: string) => Promise<unknown>) => async (): Promise<number> =>
    (await timed(() => inFlight(atOnce, total, (nth) => read(keyOf(nth))))).seconds;
  const ways: Readonly<Record<Way, () => Promise<number>>> = {
    get: reads((key) => store.get(key)),
    'stat and get': reads(async (key) => {
      const { version } = await store.stat(key);
      await store.get(key, { ifMatch: version });
    }),
    'GET over HTTP': () =>
      client.run({ what: 'gets', prefix: '/files/small-', entries, total, inFlight: atOnce, bytes: SMALL_BYTES }),
  };
  return costOf(ways[way]);
}

async function samplesOf(bench: ServerBench, sizes: Sizes): Promise<readonly Sample[]> {
  const { context } = bench;
  return withServed(bench, 'small', async (served) => {
    await putSmall(served.store, sizes.entries);
    const samples: Sample[] = [];
    // The first round pays for compilation.
    for (let round = 0; round <= context.rounds; round += 1) {
      for (const atOnce of AT_ONCE)
        for (const way of WAYS) {
          const cost = await runWay(served, way, { ...sizes, atOnce });
          if (round > 0) samples.push({ ...cost, way, atOnce });
        }
      context.say(`  small entries, round ${round} of ${context.rounds}`);
    }
    return samples;
  });
}

/** @returns the table, and what is to hold */
export async function measureSmall(bench: ServerBench): Promise<{ report: Report; goals: readonly Goal[] }> {
  const { scale } = bench.context;
  const [entries, total] = [Math.ceil(ENTRIES * scale), Math.ceil(GETS * scale)];
  const samples = await samplesOf(bench, { entries, total });
  const of = (way: Way, atOnce: number): readonly Sample[] =>
    samples.filter((sample) => sample.way === way && sample.atOnce === atOnce);
  const rates = (some: readonly Cost[]): readonly number[] => some.map(({ seconds }) => total / seconds);
  return {
    goals: [
      {
        what: 'GETs of 4 KiB, 64 in flight',
        bound: { least: RATE_MIN },
        unit: 'count',
        samples: rates(of('GET over HTTP', 64)),
      },
    ],
    report: {
      title: `server: reads of 4 KiB, of ${entries} entries`,
      columns: [
        { key: 'way', head: 'what' },
        { key: 'atOnce', head: 'in flight', unit: 'count' },
        { key: 'rate', head: 'a second', unit: 'count' },
        { key: 'processor', head: 'processor, each', unit: 'us' },
      ],
      rows: AT_ONCE.flatMap((atOnce) =>
        WAYS.map((way) => ({
          way,
          atOnce,
          rate: spreadOf(rates(of(way, atOnce))),
          processor: spreadOf(of(way, atOnce).map(({ cpuSeconds }) => (cpuSeconds / total) * 1e6)),
        })),
      ),
      notes: ['processor time is that of the process that has the store, all its threads together'],
    },
  };
}
