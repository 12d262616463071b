import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { SeededRandom } from '../../../src/testing/index.ts';
import { flipByte } from '../../support/store-files.ts';

/** Of the shards on the disk one in so many is damaged. */
const DAMAGED_ODDS = 4;

/** Damages shards on one of the disks of a spread store, which can do without: some are gone, of others a bit flips. */
export async function damageDisk(random: SeededRandom, disks: readonly string[]): Promise<void> {
  const disk = disks[random.integer(disks.length)] as string;
  const items = await readdir(disk, { recursive: true, withFileTypes: true });
  const files = items
    .filter((item) => item.isFile())
    .map((item) => path.join(item.parentPath, item.name))
    .filter((file) => /^(packs|journal)/.test(path.relative(disk, file)));
  for (const file of files.sort()) {
    if (random.integer(DAMAGED_ODDS) !== 0) continue;
    if (random.integer(2) === 0) await rm(file);
    else await flipByte(file, random.integer(400));
  }
}
