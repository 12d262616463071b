import { cp, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { openStore } from '../../../src/index.ts';
import { type FlipFigures, flipBlobs, flipFile } from '../../support/flips.ts';
import {
  crashCopy,
  makeSampleStore,
  metadataPath,
  SEALED_OPTIONS,
  StoreImage,
  sampleEntries,
} from '../../support/sealed-store.ts';

/** Of all flips those that go to the metadata: each opens the database anew and takes a hundred times as long. */
const FILE_SHARE = 100;
/** A large pack has nothing that small ones have not, and is hashed for each of its flips. */
const LEFT = ['packed'];
/** How many flips of one file are made between two words about them. */
const ROUND = 5000;

/** Flips so many bits of the files of a sample store. @throws at the first that gives wrong bytes, or that nobody notices */
export async function runFlips(options: {
  readonly flips: number;
  readonly seed: number;
  readonly folder: string;
  readonly onRound: (done: number) => void;
}): Promise<FlipFigures> {
  const { flips, seed } = options;
  const folders = ['closed', 'running', 'crashed'].map((name) => path.join(options.folder, 'flips', name));
  const [closed = '', running = '', crashed = ''] = folders;
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
  await mkdir(path.dirname(closed), { recursive: true });
  await makeSampleStore(closed, 1, LEFT);
  await cp(closed, running, { recursive: true });
  const store = await openStore(running, { keys: SEALED_OPTIONS.keys, reserveBytes: 0 });
  const known = sampleEntries().filter(({ key }) => !LEFT.includes(key));
  await store.put('later', known.find(({ key }) => key === 'later')?.bytes ?? '');
  // The log of a process that ends here.
  await crashCopy(running, crashed);
  await store.close();

  const figures: FlipFigures = new Map();
  let done = 0;
  const add = (some: FlipFigures, what = ''): void => {
    for (const [name, count] of some) {
      figures.set(what + name, (figures.get(what + name) ?? 0) + count);
      done += count;
    }
    options.onRound(done);
  };
  const inFiles = Math.floor(flips / FILE_SHARE / 2);
  const image = await StoreImage.of(closed);
  for (let round = 0; done < flips - 2 * inFiles; round += 1) {
    const count = Math.min(ROUND, flips - 2 * inFiles - done);
    add(await flipBlobs({ image, known, count, seed: seed + round, readEvery: ROUND / 2 }));
  }
  // Without the entry of five hundred chunks: everything that is left is read after every flip.
  const quick = known.filter(({ key }) => key !== 'many');
  const file = metadataPath(closed);
  add(await flipFile(file, { image, known: quick, listed: known, count: inFiles, seed, readEvery: 50 }), 'metadata: ');
  await image.close();
  const crash = await StoreImage.of(crashed);
  const log = `${metadataPath(crashed)}-wal`;
  const inLog = { image: crash, known: quick, listed: known, count: inFiles, seed, readEvery: 50 };
  add(await flipFile(log, inLog), 'log of the metadata: ');
  await crash.close();
  return figures;
}
