/** Whether what an entry costs stays flat as a store grows: 1,000 entries against 100,000, the same calls on both. */

import type { Spread } from '../src/bench/spread.ts';
import type { Bench } from './harness/bench.ts';
import { loadLibrary } from './harness/library.ts';
import type { Report } from './harness/report.ts';
import { measureStore } from './scale/store-calls.ts';

const ENTRY_COUNTS = [1000, 100_000] as const;
/** The bound of the design: a call on the large store takes at most this many times as long. */
const RATIO_MAX = 2;

function reportOf(
  counts: readonly number[],
  small: ReadonlyMap<string, Spread>,
  large: ReadonlyMap<string, Spread>,
): Report {
  const rows = [...small].map(([call, time]) => {
    const ratio = large.get(call)!.median / time.median;
    return { call, small: time, large: large.get(call)!, ratio, flat: ratio <= RATIO_MAX ? 'yes' : 'NO' };
  });
  return {
    title: `scale: milliseconds a call, ${counts.map((count) => count.toLocaleString('en')).join(' against ')} entries`,
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
  about: 'calls on a plain store of 100,000 entries against one of 1,000',
  async run(context) {
    const library = await loadLibrary(context.say);
    if (library === undefined) return [];
    const [small, large] = ENTRY_COUNTS.map((count) => Math.ceil(count * context.scale)) as [number, number];
    const [onSmall, onLarge] = [
      await measureStore(library, { entryCount: small, keys: 'none' }, context),
      await measureStore(library, { entryCount: large, keys: 'none' }, context),
    ];
    return [reportOf([small, large], onSmall, onLarge)];
  },
};
