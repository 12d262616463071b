/** What a collection in another process costs whoever puts meanwhile. */
import path from 'node:path';
import { spreadOf } from '../../src/bench/spread.ts';
import { timed } from '../../src/bench/timing.ts';
import { KIB, MIB } from '../../src/limits.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import type { BenchContext } from '../harness/bench.ts';
import { holdfast as holdfastCommand } from '../harness/command.ts';
import type { Library } from '../harness/library.ts';
import type { Report } from '../harness/report.ts';

const GARBAGE_BYTES = 512 * MIB;
const GARBAGE_ENTRY_BYTES = 256 * KIB;
const PUT_BYTES = 128 * MIB;
const PUT_ENTRY_BYTES = 8 * MIB;
/** The bound of the design: slower by less than half. */
const RATIO_MAX = 2;

type Store = Awaited<ReturnType<Library['holdfast']['createStore']>>;

/** Leaves every second entry of what it puts: each pack has to be written anew. */
async function leaveGarbage(store: Store, bytes: number, round: number): Promise<void> {
  const entries = Math.ceil(bytes / GARBAGE_ENTRY_BYTES);
  const keyOf = (index: number): string => `${round}/${index}`;
  for (let index = 0; index < entries; index += 1) await store.put(keyOf(index), systemRandom(GARBAGE_ENTRY_BYTES));
  for (let index = 0; index < entries; index += 2) await store.delete(keyOf(index));
}

/** Puts entries of noise until it is told to end. @returns MB a second */
async function ingest(store: Store, name: string, isOver: (entries: number) => boolean): Promise<number> {
  let entries = 0;
  const { seconds } = await timed(async () => {
    for (; !isOver(entries); entries += 1) await store.put(`${name}/${entries}`, systemRandom(PUT_ENTRY_BYTES));
  });
  return (entries * PUT_ENTRY_BYTES) / seconds / 1e6;
}

/** For as long as a collection takes. @returns also how long that is */
async function ingestBeside(store: Store, folder: string, name: string): Promise<{ rate: number; seconds: number }> {
  let isEnded = false;
  const collection = holdfastCommand(folder, 'gc').finally(() => {
    isEnded = true;
  });
  const rate = await ingest(store, name, () => isEnded);
  return { rate, seconds: (await collection).seconds };
}

export async function measureBesideIngest(library: Library, context: BenchContext): Promise<Report> {
  const { rounds, scale, workFolder, say } = context;
  const folder = path.join(workFolder, 'beside');
  await using store = await library.holdfast.createStore(folder, { keys: 'none', gc: 'manual' });
  const count = Math.max(2, Math.ceil((PUT_BYTES * scale) / PUT_ENTRY_BYTES));
  const [alone, beside, collecting]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round <= rounds; round += 1) {
    await leaveGarbage(store, GARBAGE_BYTES * scale, round);
    const quiet = await ingest(store, `alone/${round}`, (entries) => entries === count);
    const { rate: busy, seconds } = await ingestBeside(store, folder, `beside/${round}`);
    say(`  ${quiet.toFixed(0)} MB/s alone, ${busy.toFixed(0)} beside ${seconds.toFixed(1)} s of collecting`);
    // The first round pays for compilation.
    if (round === 0) continue;
    alone.push(quiet);
    beside.push(busy);
    collecting.push(seconds);
  }
  const ratio = spreadOf(alone.map((rate, round) => rate / beside[round]!));
  return {
    title: `collecting: putting noise while another process collects the half of ${(GARBAGE_BYTES * scale) / MIB} MiB`,
    columns: [
      { key: 'alone', head: 'put alone', unit: 'MB/s' },
      { key: 'beside', head: 'put beside gc', unit: 'MB/s' },
      { key: 'ratio', head: 'ratio by round', unit: 'x' },
      { key: 'gc', head: 'gc', unit: 's' },
      { key: 'within', head: `under ${RATIO_MAX}x` },
    ],
    rows: [
      {
        ...{ alone: spreadOf(alone), beside: spreadOf(beside), gc: spreadOf(collecting), ratio },
        within: ratio.median < RATIO_MAX ? 'yes' : 'NO',
      },
    ],
    notes: [
      'both processes share the cores: on two, what takes twice as long has lost no more than a fair neighbour takes',
    ],
  };
}
