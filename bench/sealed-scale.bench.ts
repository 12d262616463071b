/**
 * Whether calls on a sealed store stay flat as it grows. Its names lie in sealed sorted pages: what a page of a list
 * costs is the subject. Beside each store lies a plain one of the same size, made and timed right after it.
 */

import type { Spread } from '../src/bench/spread.ts';
import type { Bench, BenchContext } from './harness/bench.ts';
import { type Library, loadLibrary } from './harness/library.ts';
import type { Cell, Report } from './harness/report.ts';
import { measureStore } from './scale/store-calls.ts';

const ENTRY_COUNTS = [1000, 10_000, 100_000];
const RATIO_MAX = 2;
/** Any will do: a passphrase would cost a quarter of a second at each open. */
const KEYS = { key: new Uint8Array(32).fill(0x5e) };

type Times = ReadonlyMap<string, Spread>;

interface Size {
  readonly entryCount: number;
  readonly sealed: Times;
  readonly plain: Times;
}

async function measureSize(library: Library, entryCount: number, context: BenchContext): Promise<Size> {
  const sealed = await measureStore(library, { entryCount, keys: KEYS }, context);
  const plain = await measureStore(library, { entryCount, keys: 'none' }, context);
  return { entryCount, sealed, plain };
}

function reportOf(sizes: readonly Size[]): Report {
  const [first, last] = [sizes[0]!, sizes.at(-1)!];
  const rows = [...first.sealed.keys()].map((call) => {
    const ratio = last.sealed.get(call)!.median / first.sealed.get(call)!.median;
    const row: Record<string, Cell> = { call, ratio, flat: ratio <= RATIO_MAX ? 'yes' : 'NO' };
    for (const { entryCount, sealed } of sizes) row[`sealed ${entryCount}`] = sealed.get(call);
    row.plain = last.plain.get(call);
    row.against = last.sealed.get(call)!.median / last.plain.get(call)!.median;
    return row;
  });
  return {
    title: 'sealed-scale: milliseconds a call by entries in the store',
    columns: [
      { key: 'call', head: 'call' },
      ...sizes.map(({ entryCount }) => ({
        key: `sealed ${entryCount}`,
        head: entryCount.toLocaleString('en'),
        unit: 'ms' as const,
      })),
      { key: 'ratio', head: 'last to first', unit: 'x' },
      { key: 'flat', head: `within ${RATIO_MAX}x` },
      { key: 'plain', head: `plain, ${last.entryCount.toLocaleString('en')}`, unit: 'ms' },
      { key: 'against', head: 'sealed to plain', unit: 'x' },
    ],
    rows,
  };
}

export const bench: Bench = {
  name: 'sealed-scale',
  about: 'calls on sealed stores of 1,000, 10,000 and 100,000 entries, list pages above all',
  async run(context) {
    const library = await loadLibrary(context.say);
    if (library === undefined) return [];
    const sizes: Size[] = [];
    for (const count of ENTRY_COUNTS) sizes.push(await measureSize(library, Math.ceil(count * context.scale), context));
    return [reportOf(sizes)];
  },
};
