/** A million entries of 1 KiB: whether what each costs is the same at the end as at the beginning. */
import path from 'node:path';
import { timed } from '../../src/bench/timing.ts';
import { KIB } from '../../src/limits.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import type { BenchContext } from '../harness/bench.ts';
import { holdfast as holdfastCommand } from '../harness/command.ts';
import type { Library } from '../harness/library.ts';
import type { Report } from '../harness/report.ts';
import { folderUse } from './folder-use.ts';

const ENTRIES = 1_000_000;
const ENTRY_BYTES = KIB;
const PARTS = 10;
const ENTRIES_PER_COMMIT = 1000;

type Store = Awaited<ReturnType<Library['holdfast']['createStore']>>;

const keyOf = (index: number): string =>
  `folder-${String(index % 97).padStart(2, '0')}/${String(index).padStart(7, '0')}`;

interface Part {
  readonly first: number;
  readonly end: number;
}

async function put(store: Store, { first, end }: Part): Promise<void> {
  for (let at = first; at < end; at += ENTRIES_PER_COMMIT) {
    const items = Array.from({ length: Math.min(ENTRIES_PER_COMMIT, end - at) }, (_, offset) => ({
      key: keyOf(at + offset),
      source: systemRandom(ENTRY_BYTES),
    }));
    await store.putMany(items);
  }
}

async function list(store: Store): Promise<number> {
  let entries = 0;
  for await (const _entry of store.list()) entries += 1;
  return entries;
}

async function remove(store: Store, { first, end }: Part): Promise<void> {
  for (let at = first; at < end; at += ENTRIES_PER_COMMIT) {
    await store.batch((change) => {
      for (let index = at; index < Math.min(end, at + ENTRIES_PER_COMMIT); index += 1) change.delete(keyOf(index));
    });
  }
}

export async function measureMillion(library: Library, context: BenchContext): Promise<Report> {
  const { holdfast } = library;
  const folder = path.join(context.workFolder, 'million');
  const size = Math.ceil((ENTRIES * context.scale) / PARTS);
  const parts = Array.from({ length: PARTS }, (_, part) => ({ first: part * size, end: (part + 1) * size }));
  const rows: Report['rows'][number][] = [];
  const note = (what: string, seconds: number, entries: number): void => {
    const use = folderUse(folder);
    rows.push({ what, seconds, each: (seconds / entries) * 1e6, files: use.files, bytes: use.bytes });
    context.say(`  ${what}: ${seconds.toFixed(1)} s, ${use.files} files`);
  };
  await (await holdfast.createStore(folder, { keys: 'none', gc: 'manual' })).close();
  for (const [index, part] of parts.entries()) {
    // With its closing, which waits for the merging that the puts set off.
    const { seconds } = await timed(async () => {
      await using store = await holdfast.openStore(folder, { gc: 'manual' });
      await put(store, part);
    });
    if (index !== 0 && index !== PARTS / 2 && index !== PARTS - 1) continue;
    note(`put, part ${index + 1} of ${PARTS}`, seconds, size);
    await using store = await holdfast.openStore(folder, { gc: 'manual' });
    const listed = await timed(() => list(store));
    note(`list of ${listed.value.toLocaleString('en')}`, listed.seconds, listed.value);
  }
  const dead = parts.filter((_, index) => index % 2 === 0);
  for (const part of dead) {
    await using store = await holdfast.openStore(folder, { gc: 'manual' });
    const { seconds } = await timed(() => remove(store, part));
    note(`delete, entries from ${part.first.toLocaleString('en')}`, seconds, size);
  }
  const { seconds, peakBytes } = await holdfastCommand(folder, 'gc');
  note(`gc of half of them, ${(peakBytes / 1e6).toFixed(0)} MB of memory`, seconds, dead.length * size);
  return {
    title: `collecting: ${(PARTS * size).toLocaleString('en')} entries of ${ENTRY_BYTES} random bytes, ${ENTRIES_PER_COMMIT.toLocaleString('en')} in a commit`,
    columns: [
      { key: 'what', head: 'what' },
      { key: 'seconds', head: 'time', unit: 's' },
      { key: 'each', head: 'an entry', unit: 'us' },
      { key: 'files', head: 'files', unit: 'count' },
      { key: 'bytes', head: 'on the disk', unit: 'MB' },
    ],
    rows,
  };
}
