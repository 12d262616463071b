/** Whether what an entry costs stays flat as a store grows: 1,000 entries against 100,000, the same calls on both. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CreateOptions, OpenOptions, Store } from '../src/store/types.ts';
import type { Bench, BenchContext } from './harness/bench.ts';
import { type Report, type Spread, spreadOf } from './harness/report.ts';
import { timed } from './harness/timing.ts';

const LIBRARY = path.resolve(import.meta.dirname, '../dist/index.js');
const ENTRY_COUNTS = [1000, 100_000] as const;
const ENTRIES_PER_COMMIT = 1000;
const PAGE_ENTRIES = 100;
/** Calls of each kind per round: one alone is too short to time. */
const CALLS = 20;
const OPENS = 4;
/** The bound of the design: a call on the large store takes at most this many times as long. */
const RATIO_MAX = 2;

interface Library {
  createStore(location: string, options: CreateOptions): Promise<Store>;
  openStore(location: string, options?: OpenOptions): Promise<Store>;
}

function keyOf(index: number): string {
  return `folder-${String(index % 97).padStart(2, '0')}/entry-${String(index).padStart(6, '0')}`;
}

async function fill(store: Store, entryCount: number): Promise<void> {
  for (let first = 0; first < entryCount; first += ENTRIES_PER_COMMIT) {
    const items = Array.from({ length: ENTRIES_PER_COMMIT }, (_, offset) => {
      const key = keyOf(first + offset);
      return { key, source: Buffer.from(`content of ${key}`) };
    });
    await store.putMany(items);
  }
}

async function listPage(store: Store, after: string): Promise<void> {
  let entries = 0;
  for await (const _entry of store.list({ after, limit: PAGE_ENTRIES })) entries += 1;
  if (entries === 0) throw new Error(`the page after ${after} is empty`);
}

/** One named call, given a number that differs every time. */
type Calls = Readonly<Record<string, (nth: number) => Promise<unknown>>>;

function callsOf(store: Store, entryCount: number): Calls {
  const some = (nth: number): string => keyOf((nth * 7919) % (entryCount / 2));
  return {
    'list, a page of 100': (nth) => listPage(store, some(nth)),
    stats: () => store.stats(),
    stat: (nth) => store.stat(some(nth)),
    get: (nth) => store.get(some(nth)),
    put: (nth) => store.put(`new-${nth}`, Buffer.from(`put ${nth}`)),
  };
}

async function timeCalls(calls: Calls, rounds: number): Promise<Map<string, Spread>> {
  const times = new Map<string, Spread>();
  let nth = 0;
  for (const [name, call] of Object.entries(calls)) {
    const samples: number[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const { seconds } = await timed(async () => {
        for (let repeat = 0; repeat < CALLS; repeat += 1) await call(nth++);
      });
      // The first round pays for compilation and cold pages.
      if (round > 0) samples.push((seconds / CALLS) * 1000);
    }
    times.set(name, spreadOf(samples));
  }
  return times;
}

/** Each open is of a store that was closed before; what closing costs is not in it. */
async function timeOpens(library: Library, folder: string, rounds: number): Promise<Spread> {
  const samples: number[] = [];
  for (let nth = 0; nth <= rounds * OPENS; nth += 1) {
    const { seconds, value } = await timed(() => library.openStore(folder));
    await value.close();
    if (nth > 0) samples.push(seconds * 1000);
  }
  return spreadOf(samples);
}

async function measureStore(library: Library, entryCount: number, { workFolder, rounds, say }: BenchContext) {
  const folder = path.join(workFolder, String(entryCount));
  const filled = await library.createStore(folder, { keys: 'none' });
  const { seconds } = await timed(() => fill(filled, entryCount));
  say(`  ${entryCount} entries put in ${seconds.toFixed(1)} s`);
  // Closing waits for the merging of small packs that the last puts set off: what is timed next is the store at rest.
  await filled.close();
  const open = await timeOpens(library, folder, rounds);
  const store = await library.openStore(folder);
  const times = await timeCalls(callsOf(store, entryCount), rounds);
  await store.close();
  times.set('open', open);
  times.set('put, one of 1,000 in a commit', spreadOf([(seconds / entryCount) * 1000]));
  return times;
}

function reportOf(small: ReadonlyMap<string, Spread>, large: ReadonlyMap<string, Spread>): Report {
  const rows = [...small].map(([call, time]) => {
    const ratio = large.get(call)!.median / time.median;
    return { call, small: time, large: large.get(call)!, ratio, flat: ratio <= RATIO_MAX ? 'yes' : 'NO' };
  });
  return {
    title: `scale: milliseconds a call, ${ENTRY_COUNTS.map((count) => count.toLocaleString('en')).join(' against ')} entries`,
    columns: [
      { key: 'call', head: 'call' },
      { key: 'small', head: 'small store', unit: 'ms' },
      { key: 'large', head: 'large store', unit: 'ms' },
      { key: 'ratio', head: 'ratio', unit: 'x' },
      { key: 'flat', head: `within ${RATIO_MAX}x` },
    ],
    rows,
  };
}

export const bench: Bench = {
  name: 'scale',
  about: 'calls on a store of 100,000 entries against one of 1,000',
  async run(context) {
    if (!existsSync(LIBRARY)) {
      context.say('MISSING dist/index.js: npm run build');
      return [];
    }
    const library = (await import(pathToFileURL(LIBRARY).href)) as Library;
    const [small, large] = ENTRY_COUNTS;
    return [reportOf(await measureStore(library, small, context), await measureStore(library, large, context))];
  },
};
