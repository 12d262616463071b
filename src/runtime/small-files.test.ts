import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SMALL_FILE_BYTES_MAX, SMALL_FILES_AT_ONCE } from '../limits.ts';
import { seededRandom } from '../testing/index.ts';
import { SmallFileReader } from './small-files.ts';

describe('SmallFileReader', () => {
  let folder: string;
  let files: SmallFileReader;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'holdfast-small-'));
    files = new SmallFileReader();
  });
  afterEach(async () => {
    await files.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** What was read, copied before the next one is asked for, as its contract demands. */
  async function read(paths: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const found: (Uint8Array | undefined)[] = [];
    for await (const bytes of files.read(paths)) found.push(bytes?.slice());
    return found;
  }

  async function make(name: string, bytes: Uint8Array): Promise<string> {
    const file = path.join(folder, name);
    await writeFile(file, bytes);
    return file;
  }

  it('gives every file in the order of the paths, over many turns and twice at once', async () => {
    const random = seededRandom(7);
    const contents = Array.from({ length: 3 * SMALL_FILES_AT_ONCE + 5 }, (_, at) =>
      random.bytes(at % 7 === 0 ? 0 : random.integer(5000)),
    );
    const paths = await Promise.all(contents.map((bytes, at) => make(`f${at}`, bytes)));
    const both = await Promise.all([read(paths), read(paths.toReversed())]);
    expect(both[0]).toEqual(contents);
    expect(both[1]).toEqual(contents.toReversed());
  });

  it('reads what is as large as a small file may be, and leaves what is larger', async () => {
    const largest = new Uint8Array(SMALL_FILE_BYTES_MAX).fill(1);
    const paths = [await make('largest', largest), await make('larger', new Uint8Array(SMALL_FILE_BYTES_MAX + 1))];
    expect(await read(paths)).toEqual([largest, undefined]);
  });

  it('leaves what is no regular file, or cannot be read, and does not wait for a pipe', async () => {
    const good = await make('good', new Uint8Array([1, 2]));
    await mkdir(path.join(folder, 'sub'));
    const pipe = path.join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const paths = [path.join(folder, 'sub'), path.join(folder, 'none'), pipe, `${good}/x`, 'a\0b', good];
    expect(await read(paths)).toEqual([...Array(5).fill(undefined), new Uint8Array([1, 2])]);
  });

  it('ends in the midst, and reads again', async () => {
    const paths = await Promise.all(Array.from({ length: 100 }, (_, at) => make(`f${at}`, new Uint8Array([at]))));
    for await (const bytes of files.read(paths)) if (bytes?.[0] === 40) break;
    expect((await read(paths)).map((bytes) => bytes?.[0])).toEqual(paths.map((_, at) => at));
  });
});
