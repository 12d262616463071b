/** Folders as chunkstore writes them, made from what its format says and not by the code under test. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

export const HELLO = 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9';

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Writes a file below a folder, with the folders above it. */
export async function writeBelow(folder: string, name: string, content: Uint8Array | string): Promise<void> {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
}

/** Every file below a folder with its text in latin1, which keeps every byte apart. */
export async function filesBelow(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const item of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (item.isDirectory()) continue;
    const file = path.join(item.parentPath, item.name);
    found[path.relative(folder, file)] = item.isFile() ? await readFile(file, 'latin1') : 'no file';
  }
  return found;
}

/** A folder of chunkstore that holds the given chunks under each id, indexes and counts included. */
export async function writeChunkstore(
  folder: string,
  files: Readonly<Record<string, readonly Uint8Array[]>>,
): Promise<void> {
  const counts = new Map<string, number>();
  for (const [id, chunks] of Object.entries(files)) {
    const digests = chunks.map(sha256);
    for (const [index, digest] of digests.entries()) {
      counts.set(digest, (counts.get(digest) ?? 0) + 1);
      await writeBelow(folder, digest, chunks[index] as Uint8Array);
    }
    const fileBytes = chunks.reduce((sum, { length }) => sum + length, 0);
    const list = digests.map((digest) => `"${digest}"`).join(',');
    await writeBelow(folder, `_manifest/${id}`, `{"digests":[${list}],"file_bytes":${fileBytes}}`);
  }
  for (const [digest, count] of counts) await writeBelow(folder, `_refcount/${digest}`, `${count}`);
  await writeBelow(folder, '_manifest/__index__', JSON.stringify(Object.keys(files)));
  await writeBelow(folder, '_refcount/__index__', JSON.stringify([...counts.keys()]));
}

const at = (text: string): Uint8Array => Buffer.from(text);

/** What chunkstore holds after doc_v1 and doc_v2 = "hello world", empty = "", dir/x = "abcdefghij" in chunks of 4. */
export const GOLDEN_CHUNKS: Readonly<Record<string, readonly Uint8Array[]>> = {
  doc_v1: [at('hello world')],
  doc_v2: [at('hello world')],
  empty: [],
  'dir/x': [at('abcd'), at('efgh'), at('ij')],
};

const [ABCD, EFGH, IJ] = [
  '88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589',
  'e5e088a0b66163a0a26a5e053d2a4496dc16ab6e0e3dd1adf2d16aa84a078c9d',
  'c9df9c3f2963b19b9b95f58c4d33b053fa9f8586dd6ee04126e52a868f882108',
];

/** The same, byte for byte as chunkstore 0.3.0 wrote it. */
export const GOLDEN_FILES: Readonly<Record<string, string>> = {
  [HELLO]: 'hello world',
  [ABCD]: 'abcd',
  [EFGH]: 'efgh',
  [IJ]: 'ij',
  '_manifest/doc_v1': `{"digests":["${HELLO}"],"file_bytes":11}`,
  '_manifest/doc_v2': `{"digests":["${HELLO}"],"file_bytes":11}`,
  '_manifest/empty': '{"digests":[],"file_bytes":0}',
  '_manifest/dir/x': `{"digests":["${ABCD}","${EFGH}","${IJ}"],"file_bytes":10}`,
  '_manifest/__index__': '["doc_v1","doc_v2","empty","dir/x"]',
  [`_refcount/${HELLO}`]: '2',
  [`_refcount/${ABCD}`]: '1',
  [`_refcount/${EFGH}`]: '1',
  [`_refcount/${IJ}`]: '1',
  '_refcount/__index__': `["${HELLO}","${ABCD}","${EFGH}","${IJ}"]`,
};
