/** The calls whose cost must not grow with a store, and how to time them on a store of any size. */
import path from 'node:path';
import { type Spread, spreadOf } from '../../src/bench/spread.ts';
import { timed } from '../../src/bench/timing.ts';
import type { CreateOptions, Store } from '../../src/index.ts';
import type { BenchContext } from '../harness/bench.ts';
import type { Library } from '../harness/library.ts';

const ENTRIES_PER_COMMIT = 1000;
const PAGE_ENTRIES = 100;
/** Calls of each kind per round: one alone is too short to time. */
const CALLS = 20;
const OPENS = 4;

function keyOf(index: number): string {
  return `folder-${String(index % 97).padStart(2, '0')}/entry-${String(index).padStart(6, '0')}`;
}

async function fill(store: Store, entryCount: number): Promise<void> {
  for (let first = 0; first < entryCount; first += ENTRIES_PER_COMMIT) {
    const items = Array.from({ length: Math.min(ENTRIES_PER_COMMIT, entryCount - first) }, (_, offset) => {
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
  const some = (nth: number): string => keyOf((nth * 7919) % Math.ceil(entryCount / 2));
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
async function timeOpens(open: () => Promise<Store>, rounds: number): Promise<Spread> {
  const samples: number[] = [];
  for (let nth = 0; nth <= rounds * OPENS; nth += 1) {
    const { seconds, value } = await timed(open);
    await value.close();
    if (nth > 0) samples.push(seconds * 1000);
  }
  return spreadOf(samples);
}

/** Which store to measure. */
export interface MeasuredStore {
  readonly entryCount: number;
  readonly keys: CreateOptions['keys'];
}

/** Makes a store of that many small entries and times every call on it. @returns milliseconds a call, by its name */
export async function measureStore(
  { holdfast }: Library,
  { entryCount, keys }: MeasuredStore,
  { workFolder, rounds, say }: BenchContext,
): Promise<ReadonlyMap<string, Spread>> {
  const folder = path.join(workFolder, `${keys === 'none' ? 'plain' : 'sealed'}-${entryCount}`);
  const filled = await holdfast.createStore(folder, { keys });
  const { seconds } = await timed(() => fill(filled, entryCount));
  say(`  ${entryCount} entries put in ${seconds.toFixed(1)} s`);
  // Closing waits for the merging of small packs that the last puts set off: what is timed next is the store at rest.
  await filled.close();
  const open = () => holdfast.openStore(folder, keys === 'none' ? {} : { keys });
  const opens = await timeOpens(open, rounds);
  const store = await open();
  const times = await timeCalls(callsOf(store, entryCount), rounds);
  await store.close();
  times.set('open', opens);
  times.set(
    `put, one of ${ENTRIES_PER_COMMIT.toLocaleString('en')} in a commit`,
    spreadOf([(seconds / entryCount) * 1000]),
  );
  return times;
}
