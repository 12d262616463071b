// The part of the demo in which disks die: five folders at 3+2, of which one is deleted and one rots, then two more, then a
// third. Everything happens in a folder of its own, which is gone afterwards.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createStore, isStoreError, openStore } from '../dist/index.js';

/** So much of the files is enough to show it. */
const DRILL_BYTES = 32 * 1024 * 1024;
const FLIP_EVERY_BYTES = 4096;
const PREFIX = 'drill';

/** The first files up to so many bytes, and one at least. */
function someOf(files) {
  let bytes = 0;
  const fitting = files.filter(({ size }) => {
    if (bytes + size > DRILL_BYTES) return false;
    bytes += size;
    return true;
  });
  return fitting.length > 0 ? fitting : files.slice(0, 1);
}

/** Flips bits all over the shards in a folder. */
async function rot(folder) {
  for (const found of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!found.isFile() || !/\.\d+$/.test(found.name)) continue;
    const file = path.join(found.parentPath, found.name);
    const bytes = await readFile(file);
    for (let at = 100; at < bytes.length; at += FLIP_EVERY_BYTES) bytes[at] ^= 1;
    await writeFile(file, bytes);
  }
}

/** How many entries cannot be read, and why the first of them cannot. */
async function unreadable(store, files) {
  const errors = [];
  for (const { name } of files) {
    const error = await store.get(`${PREFIX}/${name}`).then(
      () => undefined,
      (failure) => failure,
    );
    if (error !== undefined && !isStoreError(error, 'BACKEND_UNREACHABLE')) throw error;
    if (error !== undefined) errors.push(error);
  }
  return { count: errors.length, why: errors[0]?.message ?? '' };
}

async function loseDisks(root, files, { line, putAll, compareAll }) {
  const disk = (number) => path.join(root, `disk${number}`);
  const lose = (number) => rm(disk(number), { recursive: true });
  const home = path.join(root, 'home');
  const backends = [1, 2, 3, 4, 5].map((number) => ({ location: disk(number) }));
  const readAll = async (store, lost) => {
    const different = await compareAll(store, files, PREFIX);
    line('different', String(different.length), `without ${lost}`);
    return different.length === 0;
  };
  {
    await using store = await createStore(home, { keys: 'none', redundancy: 'personal', backends });
    await putAll(store, files, PREFIX);
  }
  await lose(1);
  await rot(disk(2));
  let isSound = true;
  {
    await using store = await openStore(home, { heal: 'manual' });
    isSound = await readAll(store, 'disk1, and with flipped bits all over disk2');
    await store.backends.replace('disk1', path.join(root, 'new-disk1'));
    const { repaired } = await store.maintenance.scrub();
    line('made anew', String(repaired.shardsMade), 'shards, on a new disk1 and on disk2');
    const { survives } = await store.backends.status();
    line('may be lost', String(survives.backends.lossesMax), 'disks, whichever they are');
    isSound &&= repaired.outcome === 'ok' && survives.backends.lossesMax === 2;
  }
  for (const number of [3, 4]) await lose(number);
  {
    await using store = await openStore(home, { heal: 'manual' });
    isSound &&= await readAll(store, 'disk3 and disk4');
  }
  await lose(5);
  await using store = await openStore(home, { heal: 'manual' });
  const { count, why } = await unreadable(store, files);
  line('unreadable', `${count} of ${files.length}`, 'without disk5 as well; each says why:');
  line('', '', why);
  return isSound;
}

/**
 * Runs the drill beside the store of the demo.
 * @returns whether everything read that should
 */
export async function drill(location, allFiles, tools) {
  const files = someOf(allFiles);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const root = await mkdtemp(`${location}.drill-`);
  try {
    tools.say(`\n5. Lose disks: ${tools.sizeOf(bytes)} of it spread over five folders, any three of which are enough`);
    return await loseDisks(root, files, tools);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
