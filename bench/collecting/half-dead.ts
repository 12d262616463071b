/** A store of a million chunks of which every second entry is deleted: what collecting the garbage takes. */
import path from 'node:path';
import { timed } from '../../src/bench/timing.ts';
import { KIB, MIB } from '../../src/limits.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import type { BenchContext } from '../harness/bench.ts';
import { holdfast as holdfastCommand } from '../harness/command.ts';
import type { Library } from '../harness/library.ts';
import type { Report } from '../harness/report.ts';
import { folderUse } from './folder-use.ts';

const CHUNKS = 1_000_000;
const CHUNK_BYTES = KIB;
const CHUNKS_PER_ENTRY = 1024;
const ENTRIES_PER_COMMIT = 32;
/** The bound of the design. */
const MEMORY_BYTES_MAX = 256 * MIB;

const keyOf = (index: number): string => `entry ${index}`;

async function fill({ holdfast }: Library, folder: string, entries: number): Promise<void> {
  await using store = await holdfast.createStore(folder, {
    keys: 'none',
    chunking: `fixed:${CHUNK_BYTES}`,
  });
  for (let first = 0; first < entries; first += ENTRIES_PER_COMMIT) {
    const items = Array.from({ length: Math.min(ENTRIES_PER_COMMIT, entries - first) }, (_, offset) => ({
      key: keyOf(first + offset),
      source: systemRandom(CHUNK_BYTES * CHUNKS_PER_ENTRY),
    }));
    await store.putMany(items);
  }
}

async function deleteHalf({ holdfast }: Library, folder: string, entries: number): Promise<void> {
  // Nothing is collected before it is measured.
  await using store = await holdfast.openStore(folder, { gc: 'manual' });
  for (let index = 0; index < entries; index += 2) await store.delete(keyOf(index));
}

export async function measureHalfDead(library: Library, { scale, workFolder, say }: BenchContext): Promise<Report> {
  const folder = path.join(workFolder, 'half-dead');
  const entries = Math.ceil((CHUNKS * scale) / CHUNKS_PER_ENTRY);
  const chunks = entries * CHUNKS_PER_ENTRY;
  const { seconds } = await timed(() => fill(library, folder, entries));
  say(`  ${chunks} chunks put in ${seconds.toFixed(1)} s`);
  await deleteHalf(library, folder, entries);
  const rows: Report['rows'][number][] = [];
  for (const which of ['first', 'second']) {
    const before = folderUse(folder);
    const run = await holdfastCommand(folder, 'gc');
    const after = folderUse(folder);
    const within = run.peakBytes < MEMORY_BYTES_MAX ? 'yes' : 'NO';
    rows.push({
      ...{ which, seconds: run.seconds, each: (run.seconds / chunks) * 1e6, peak: run.peakBytes, within },
      ...{ before: before.bytes, after: after.bytes, files: after.files },
    });
  }
  return {
    title: `collecting: a store of ${chunks.toLocaleString('en')} chunks of ${CHUNK_BYTES} bytes, every second entry of ${CHUNKS_PER_ENTRY} deleted`,
    columns: [
      { key: 'which', head: 'holdfast gc' },
      { key: 'seconds', head: 'time', unit: 's' },
      { key: 'each', head: 'a chunk', unit: 'us' },
      { key: 'peak', head: 'peak memory', unit: 'MB' },
      { key: 'within', head: 'under 256 MiB' },
      { key: 'before', head: 'store before', unit: 'MB' },
      { key: 'after', head: 'after', unit: 'MB' },
      { key: 'files', head: 'files', unit: 'count' },
    ],
    rows,
  };
}
