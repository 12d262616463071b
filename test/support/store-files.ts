/** The files of a store in a folder, for tests that damage them or prove that nobody wrote. */
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { blake3 } from '../../src/hash/index.ts';

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

/** Every file by its path in the folder, with the digest of its bytes. */
export async function imageOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const image: Record<string, string> = {};
  for (const name of await filesIn(folder))
    image[name] = Buffer.from(blake3(await readFile(path.join(folder, name)))).toString('hex');
  return image;
}

/** Full paths of the data and meta packs of a store. */
export async function packFiles(folder: string): Promise<string[]> {
  return (await filesIn(folder)).filter((name) => name.startsWith('packs')).map((name) => path.join(folder, name));
}

/** Full paths of the journal packs, oldest commit first. */
export async function journalFiles(folder: string): Promise<string[]> {
  return (await filesIn(folder)).filter((name) => name.startsWith('journal')).map((name) => path.join(folder, name));
}

export function metadataFile(folder: string): string {
  return path.join(folder, '.metadata', 'store.sqlite');
}

/** Takes the database and its log away, as a lost disk would. */
export async function loseMetadata(folder: string): Promise<void> {
  await rm(path.join(folder, '.metadata'), { recursive: true });
}

/** Changes one bit of the byte at a position; a negative one counts from the end. */
export async function flipByte(file: string, position: number, mask = 0x40): Promise<void> {
  const bytes = await readFile(file);
  const at = position < 0 ? bytes.length + position : position;
  bytes[at] = (bytes[at] as number) ^ mask;
  await writeFile(file, bytes);
}

/** Cuts the last bytes of a file off. */
export async function cutOff(file: string, count: number): Promise<void> {
  const { length } = await readFile(file);
  await truncate(file, length - count);
}
