/**
 * What changing the keys of a store costs, which must not depend on what it holds: bytes written to the backend and
 * time, of a store of 1 GiB. No passphrase is involved: its derivation is slow on purpose.
 */
import path from 'node:path';
import { type Spread, spreadOf } from '../src/bench/spread.ts';
import { timed } from '../src/bench/timing.ts';
import type { Store } from '../src/index.ts';
import { KIB, MIB } from '../src/limits.ts';
import { systemRandom } from '../src/runtime/random.ts';
import type { Bench, BenchContext } from './harness/bench.ts';
import { type Library, loadLibrary } from './harness/library.ts';
import type { Report } from './harness/report.ts';
import { CountingBackend } from './rotation/counting-backend.ts';

const STORE_BYTES = 1024 * MIB;
const ENTRY_BYTES = MIB;
const ENTRIES_PER_COMMIT = 32;
/** The bounds of the design, a change. */
const WRITTEN_BYTES_MAX = 64 * KIB;
const SECONDS_MAX = 2;
const KEYS = { key: new Uint8Array(32).fill(0x5e) };

async function fill(store: Store, bytes: number): Promise<void> {
  for (let done = 0; done < bytes; done += ENTRY_BYTES * ENTRIES_PER_COMMIT) {
    const left = Math.ceil((bytes - done) / ENTRY_BYTES);
    const items = Array.from({ length: Math.min(ENTRIES_PER_COMMIT, left) }, (_, index) => ({
      key: `entry ${done / ENTRY_BYTES + index}`,
      source: systemRandom(ENTRY_BYTES),
    }));
    await store.putMany(items);
  }
}

interface Costs {
  readonly ms: number[];
  readonly bytes: number[];
  readonly puts: number[];
}

interface Change {
  readonly what: string;
  run(): Promise<unknown>;
}

function changesOf(store: Store, { holdfast }: Library): readonly Change[] {
  let slot = '';
  const add = async (): Promise<void> => {
    ({ id: slot } = await store.keys.add({ recipient: holdfast.generateIdentity('ml-kem-1024') }));
  };
  const remove = () => store.keys.remove(slot);
  return [
    { what: 'rotate', run: () => store.keys.rotate() },
    { what: 'add a recipient', run: add },
    // Of what `add` left; the next one adds its own.
    { what: 'remove a recipient', run: remove },
  ];
}

async function measureChange(change: Change, backend: CountingBackend, costs: Costs): Promise<void> {
  backend.take();
  const { seconds } = await timed(() => change.run());
  const { puts, bytes } = backend.take();
  costs.ms.push(seconds * 1000);
  costs.bytes.push(bytes);
  costs.puts.push(puts);
}

function rowOf(what: string, { ms, bytes, puts }: Costs): Report['rows'][number] {
  const [time, written]: [Spread, Spread] = [spreadOf(ms), spreadOf(bytes.map((count) => count / KIB))];
  const within = time.max < SECONDS_MAX * 1000 && written.max < WRITTEN_BYTES_MAX / KIB;
  return { what, time, written, puts: spreadOf(puts), within: within ? 'yes' : 'NO' };
}

async function measure(library: Library, storeBytes: number, context: BenchContext): Promise<Report> {
  const { holdfast, backends } = library;
  const folder = path.join(context.workFolder, 'store');
  const metadata = path.join(context.workFolder, 'metadata.sqlite');
  const filled = await holdfast.createStore(
    { backend: await backends.openFsBackend(folder), metadata },
    { keys: KEYS },
  );
  const { seconds } = await timed(async () => {
    await fill(filled, storeBytes);
    // Packs that are being merged are merged now: from here on nothing is written but what a change of keys writes.
    await filled.close();
  });
  context.say(`  ${(storeBytes / 1e6).toFixed(0)} MB put in ${seconds.toFixed(1)} s`);
  const backend = new CountingBackend(await backends.openFsBackend(folder));
  const store = await holdfast.openStore({ backend, metadata }, { keys: KEYS });
  try {
    const changes = changesOf(store, library).map((change): [Change, Costs] => [
      change,
      { ms: [], bytes: [], puts: [] },
    ]);
    for (let round = 0; round < context.rounds; round += 1)
      for (const [change, costs] of changes) await measureChange(change, backend, costs);
    return {
      title: `rotation: of a store of ${(storeBytes / MIB).toFixed(0)} MiB, ${context.rounds} times each`,
      columns: [
        { key: 'what', head: 'what' },
        { key: 'time', head: 'time', unit: 'ms' },
        { key: 'written', head: 'written [KiB]', unit: 'text' },
        { key: 'puts', head: 'blobs', unit: 'count' },
        { key: 'within', head: `under ${SECONDS_MAX} s and ${WRITTEN_BYTES_MAX / KIB} KiB` },
      ],
      rows: changes.map(([{ what }, costs]) => rowOf(what, costs)),
      notes: [`the store lies ${context.inMemory ? 'in memory' : 'on disk'}; its data is left as it is`],
    };
  } finally {
    await store.close();
  }
}

export const bench: Bench = {
  name: 'rotation',
  about: 'bytes and time that changing the keys of a store of 1 GiB takes',
  async run(context) {
    const library = await loadLibrary(context.say);
    if (library === undefined) return [];
    return [await measure(library, Math.ceil(STORE_BYTES * context.scale), context)];
  },
};
