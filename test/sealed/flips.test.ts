/** Twenty thousand single-bit flips; `npm run test:slow -- flips` makes a million. */
import { cp } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/index.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../src/testing/index.ts';
import { flipBlobs, flipFile } from '../support/flips.ts';
import { IS_THOROUGH } from '../support/points.ts';
import {
  crashCopy,
  makeSampleStore,
  metadataPath,
  SEALED_OPTIONS,
  StoreImage,
  sampleEntries,
} from '../support/sealed-store.ts';

const SEED = 20_260;
/** `npm run test:slow -- points` flips the larger number, `flips` a million. */
const BLOB_FLIPS = IS_THOROUGH ? 19_780 : 2480;
const DATABASE_FLIPS = IS_THOROUGH ? 160 : 80;
const LOG_FLIPS = IS_THOROUGH ? 60 : 30;
/** Of many chunks: without them everything is read in a third of the time. */
const LEFT = ['many', 'packed'];
const KNOWN = sampleEntries().filter(({ key }) => !LEFT.includes(key));

const folders: TemporaryFolder[] = [];
let closed: StoreImage;
let crashed: StoreImage;

async function newFolder(): Promise<string> {
  const folder = await makeTemporaryFolder();
  folders.push(folder);
  return folder.path;
}

beforeAll(async () => {
  const [folder, copy] = [await newFolder(), await newFolder()];
  await makeSampleStore(folder, 1, LEFT);
  closed = await StoreImage.of(folder);
  // As a process leaves it that ends without a word: what it committed last is in the log.
  const running = await newFolder();
  await cp(folder, running, { recursive: true });
  const store = await openStore(running, { keys: SEALED_OPTIONS.keys, reserveBytes: 0 });
  await store.put('later', KNOWN.find(({ key }) => key === 'later')?.bytes ?? '');
  await crashCopy(running, copy);
  await store.close();
  crashed = await StoreImage.of(copy);
});

afterAll(async () => {
  await closed.close();
  await crashed.close();
  for (const folder of folders) await folder.remove();
});

function total(figures: ReadonlyMap<string, number>): number {
  return [...figures.values()].reduce((sum, count) => sum + count, 0);
}

describe(`a bit that flips (seed ${SEED})`, () => {
  it('is noticed in every config, key page, pack and shard, padding included, though its digests are mended', async () => {
    const figures = await flipBlobs({ image: closed, known: KNOWN, count: BLOB_FLIPS, seed: SEED, readEvery: 1000 });
    expect(total(figures)).toBe(BLOB_FLIPS);
    const noticed = [...figures.keys()].map((what) => what.replace(/: .*/, ''));
    expect([...new Set(noticed)].sort()).toEqual([
      'config, read by whoever opens the store',
      'journal pack, read whole',
      'journal pack, read whole, digests mended',
      'key page, read with its entry',
      'pack, read whole',
      'pack, read whole, digests mended',
    ]);
  });

  it('never gives wrong bytes in the file of the metadata, and hides nothing without a trace', async () => {
    const file = metadataPath(folders[0]?.path ?? '');
    const figures = await flipFile(file, {
      image: closed,
      known: KNOWN,
      count: DATABASE_FLIPS,
      seed: SEED,
      readEvery: 10,
    });
    expect(total(figures)).toBe(DATABASE_FLIPS);
    // Most pages of so small a file are free, or belong to indexes that a read never meets.
    expect(figures.get('noticed')).toBeGreaterThan(DATABASE_FLIPS / 40);
  });

  it('never gives wrong bytes in its log, and hides nothing without a trace', async () => {
    const file = `${metadataPath(folders[1]?.path ?? '')}-wal`;
    const figures = await flipFile(file, { image: crashed, known: KNOWN, count: LOG_FLIPS, seed: SEED, readEvery: 10 });
    expect(total(figures)).toBe(LOG_FLIPS);
  });
});
