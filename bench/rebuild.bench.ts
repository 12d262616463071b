/** Metadata that is lost: what making it anew takes, from the whole journal and from a checkpoint. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { KIB } from '../src/limits.ts';
import { systemRandom } from '../src/runtime/random.ts';
import type { Bench, BenchContext } from './harness/bench.ts';
import { holdfast } from './harness/command.ts';
import { type Library, loadLibrary } from './harness/library.ts';
import type { Report } from './harness/report.ts';

const ENTRIES = 100_000;
const ENTRY_BYTES = KIB;
const ENTRIES_PER_COMMIT = 100;
/** The bound of the design. */
const SECONDS_MAX = 60;

async function fill({ holdfast: { createStore } }: Library, folder: string, entries: number): Promise<void> {
  await using store = await createStore(folder, { keys: 'none' });
  for (let first = 0; first < entries; first += ENTRIES_PER_COMMIT) {
    const items = Array.from({ length: Math.min(ENTRIES_PER_COMMIT, entries - first) }, (_, offset) => ({
      key: `folder ${offset}/entry ${first + offset}`,
      source: systemRandom(ENTRY_BYTES),
    }));
    await store.putMany(items);
  }
}

async function countEntries({ holdfast: { openStore } }: Library, folder: string): Promise<number> {
  await using store = await openStore(folder, { gc: 'manual' });
  return (await store.stats()).entries;
}

async function measure(library: Library, { scale, workFolder, say }: BenchContext): Promise<Report> {
  const folder = path.join(workFolder, 'rebuilt');
  const entries = Math.ceil(ENTRIES * scale);
  await fill(library, folder, entries);
  const rows: Report['rows'][number][] = [];
  for (const from of ['the journal', 'a checkpoint']) {
    if (from === 'a checkpoint') await holdfast(folder, 'gc', '--checkpoint');
    rmSync(path.join(folder, '.metadata'), { recursive: true });
    const { seconds, peakBytes } = await holdfast(folder, 'rebuild');
    const found = await countEntries(library, folder);
    if (found !== entries) throw new Error(`${found} of ${entries} entries came back`);
    say(`  from ${from}: ${seconds.toFixed(1)} s`);
    const each = (seconds / entries) * 1e6;
    rows.push({ from, seconds, each, peak: peakBytes, within: seconds < SECONDS_MAX ? 'yes' : 'NO' });
  }
  return {
    title: `rebuild: the metadata of ${entries.toLocaleString('en')} entries of ${ENTRY_BYTES} random bytes, ${ENTRIES_PER_COMMIT} in a commit`,
    columns: [
      { key: 'from', head: 'holdfast rebuild from' },
      { key: 'seconds', head: 'time', unit: 's' },
      { key: 'each', head: 'an entry', unit: 'us' },
      { key: 'peak', head: 'peak memory', unit: 'MB' },
      { key: 'within', head: `under ${SECONDS_MAX} s` },
    ],
    rows,
  };
}

export const bench: Bench = {
  name: 'rebuild',
  about: 'making lost metadata anew, of 100,000 entries',
  async run(context) {
    const library = await loadLibrary(context.say);
    return library === undefined ? [] : [await measure(library, context)];
  },
};
