/** What a collection in another process costs whoever puts meanwhile. */
import path from 'node:path';
import { KIB, MIB } from '../../src/limits.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import type { BenchContext } from '../harness/bench.ts';
import { holdfast as holdfastCommand } from '../harness/command.ts';
import type { Library } from '../harness/library.ts';
import { type Report, spreadOf } from '../harness/report.ts';
import { timed } from '../harness/timing.ts';

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

async function ingest(store: Store, sources: readonly Uint8Array[], name: string): Promise<void> {
  for (const [index, source] of sources.entries()) await store.put(`${name}/${index}`, source);
}

export async function measureBesideIngest(library: Library, context: BenchContext): Promise<Report> {
  const { rounds, scale, workFolder, say } = context;
  const folder = path.join(workFolder, 'beside');
  await using store = await library.holdfast.createStore(folder, { keys: 'none', gc: 'manual' });
  const count = Math.max(2, Math.ceil((PUT_BYTES * scale) / PUT_ENTRY_BYTES));
  const fresh = (): Uint8Array[] => Array.from({ length: count }, () => systemRandom(PUT_ENTRY_BYTES));
  const [alone, beside, collecting]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round <= rounds; round += 1) {
    await leaveGarbage(store, GARBAGE_BYTES * scale, round);
    const [first, second] = [fresh(), fresh()];
    const quiet = await timed(() => ingest(store, first, `alone/${round}`));
    const collection = holdfastCommand(folder, 'gc');
    const busy = await timed(() => ingest(store, second, `beside/${round}`));
    const { seconds } = await collection;
    say(
      `  alone ${quiet.seconds.toFixed(2)} s, beside ${busy.seconds.toFixed(2)} s, the collection ${seconds.toFixed(2)} s`,
    );
    // The first round pays for compilation.
    if (round === 0) continue;
    alone.push(quiet.seconds);
    beside.push(busy.seconds);
    collecting.push(seconds);
  }
  const ratio = spreadOf(beside.map((seconds, round) => seconds / alone[round]!));
  return {
    title: `collecting: putting ${(count * PUT_ENTRY_BYTES) / MIB} MiB of noise while another process collects`,
    columns: [
      { key: 'alone', head: 'put alone', unit: 's' },
      { key: 'beside', head: 'put beside gc', unit: 's' },
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
    notes: ['both processes share two cores: what takes twice as long has lost as much as it can to a fair neighbour'],
  };
}
