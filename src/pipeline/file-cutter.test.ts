import { appendFileSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ChunkingSpec, createChunker, parseChunking } from '../chunking/index.ts';
import { blake3 } from '../hash/index.ts';
import { FILE_CUTTER_BLOCK_BYTES, MIB } from '../limits.ts';
import { seededRandom } from '../testing/index.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../testing/temporary-folder.ts';
import { ContentThread } from './content-thread.ts';
import { type CutChunk, type CutEnd, FileCutter } from './file-cutter.ts';

const DEFAULT = parseChunking('fastcdc:32768:65536:262144:2');

interface Cut {
  readonly chunks: readonly { readonly bytes: Uint8Array; readonly digest: Uint8Array }[];
  readonly end: CutEnd;
}

describe('FileCutter', () => {
  const seed = 11;
  let folder: TemporaryFolder;
  let thread: ContentThread;
  let files: FileCutter;

  beforeEach(async () => {
    folder = await makeTemporaryFolder();
    thread = new ContentThread();
    files = new FileCutter(thread);
  });
  afterEach(async () => {
    await thread.close();
    await folder.remove();
  });

  async function make(name: string, bytes: Uint8Array): Promise<string> {
    const file = path.join(folder.path, name);
    await writeFile(file, bytes);
    return file;
  }

  async function cut(file: string, chunking: ChunkingSpec = DEFAULT): Promise<Cut> {
    const chunks: { bytes: Uint8Array; digest: Uint8Array }[] = [];
    const given = files.cut(file, chunking);
    for (;;) {
      const next = await given.next();
      if (next.done) return { chunks, end: next.value };
      const { bytes, digest, release } = next.value;
      chunks.push({ bytes: bytes.slice(), digest });
      release();
    }
  }

  function expected(content: Uint8Array, chunking: ChunkingSpec): Cut['chunks'] {
    const chunker = createChunker(chunking);
    const chunks = [...chunker.push(content), ...chunker.finish()];
    return chunks.map((bytes) => ({ bytes, digest: blake3(bytes) }));
  }

  // Around the borders of blocks, and of what zeros come to: the longest chunks.
  it.each([
    0,
    1,
    40_000,
    MIB - 1,
    MIB,
    MIB + 1,
    3 * MIB + 12_345,
  ])(`cuts %i bytes as a chunker does, and digests them (seed ${seed})`, async (size) => {
    const random = seededRandom(seed + size);
    for (const content of [random.bytes(size), new Uint8Array(size)]) {
      const file = await make('file', content);
      for (const spec of ['fastcdc:32768:65536:262144:2', 'fastcdc:64:256:1024:1', 'fixed:4096', 'fixed:100000']) {
        const { chunks, end } = await cut(file, parseChunking(spec));
        expect(chunks).toEqual(expected(content, parseChunking(spec)));
        expect(end.digest).toEqual(blake3(content));
        expect(end.before).toMatchObject({ regular: true, size });
        expect(end.after).toEqual(end.before);
      }
    }
  });

  it('cuts several side by side, each as if it were alone', async () => {
    const contents = Array.from({ length: 5 }, (_, index) => seededRandom(seed + index).bytes((index + 1) * 700_000));
    const made = await Promise.all(contents.map((content, index) => make(`file-${index}`, content)));
    const all = await Promise.all(made.map((file) => cut(file)));
    expect(all.map(({ chunks }) => chunks)).toEqual(contents.map((content) => expected(content, DEFAULT)));
  });

  it('leaves chunks as they are until the last of their block is let go', async () => {
    const content = seededRandom(seed).bytes(6 * MIB);
    const file = await make('file', content);
    const kept: CutChunk[] = [];
    for await (const chunk of files.cut(file, DEFAULT)) kept.push(chunk);
    expect(Buffer.concat(kept.map(({ bytes }) => bytes)).equals(content)).toBe(true);
    for (const { release } of kept.slice(1)) release();
    expect(kept[0]?.bytes).toEqual(expected(content, DEFAULT)[0]?.bytes);
  });

  it('takes what is cut into chunks of at most half a block', () => {
    const fixed = (bytes: number): ChunkingSpec => ({ kind: 'fixed', bytes });
    expect(
      [FILE_CUTTER_BLOCK_BYTES / 2, FILE_CUTTER_BLOCK_BYTES / 2 + 1].map((bytes) => files.takes(fixed(bytes))),
    ).toEqual([true, false]);
    expect(files.takes({ kind: 'given' })).toBe(false);
    expect(files.takes(parseChunking('buzhash:131072:524288:17'))).toBe(true);
  });

  it('tells of a file that changes meanwhile by what it was and is', async () => {
    const file = await make('file', seededRandom(seed).bytes(5 * MIB));
    const chunks = files.cut(file, DEFAULT);
    await chunks.next();
    appendFileSync(file, 'more');
    let end: CutEnd | undefined;
    while (end === undefined) {
      const next = await chunks.next();
      if (next.done) end = next.value;
    }
    expect([end.before.size, end.after.size]).toEqual([5 * MIB, 5 * MIB + 4]);
  });

  it("throws the system's error for what cannot be read", async () => {
    const none = files.cut(path.join(folder.path, 'none'), DEFAULT);
    await expect(none.next()).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(files.cut(folder.path, DEFAULT).next()).rejects.toMatchObject({ code: 'EISDIR' });
  });

  it('closes a file that nobody wants the rest of, or that was aborted', async () => {
    const descriptors = async (): Promise<number> => (await readdir('/proc/self/fd')).length;
    const file = await make('file', new Uint8Array(9 * MIB));
    await cut(file);
    const before = process.platform === 'linux' ? await descriptors() : 0;
    const left = files.cut(file, DEFAULT);
    await left.next();
    await left.return(undefined as never);
    const abort = new AbortController();
    const aborted = files.cut(file, DEFAULT, abort.signal);
    await aborted.next();
    abort.abort(new Error('enough'));
    await expect(
      (async () => {
        for (;;) if ((await aborted.next()).done) return;
      })(),
    ).rejects.toThrow('enough');
    if (process.platform === 'linux') expect(await descriptors()).toBe(before);
    expect((await cut(file)).end.after.size).toBe(9 * MIB);
  });

  it('fails what is under way when it is closed', async () => {
    const file = await make('file', new Uint8Array(9 * MIB));
    const chunks = files.cut(file, DEFAULT);
    await chunks.next();
    await thread.close();
    await expect(
      (async () => {
        for (;;) if ((await chunks.next()).done) return;
      })(),
    ).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });
});
