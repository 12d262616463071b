import { execFileSync } from 'node:child_process';
import { lstat, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../testing/index.ts';
import { SmallFileReader } from './small-file-reader.ts';

describe('SmallFileReader', () => {
  let folder: string;
  let files: SmallFileReader;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'holdfast-files-'));
    files = new SmallFileReader();
  });
  afterEach(async () => {
    await files.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function make(name: string, bytes: Uint8Array): Promise<Buffer> {
    const file = path.join(folder, name);
    await writeFile(file, bytes);
    return Buffer.from(file);
  }

  it('reads hundreds at once, each into its own buffer', async () => {
    const random = seededRandom(7);
    const contents = Array.from({ length: 300 }, (_, at) => random.bytes(at % 7 === 0 ? 0 : random.integer(40_000)));
    const paths = await Promise.all(contents.map((bytes, at) => make(`f${at}`, bytes)));
    const found = await Promise.all(
      paths.map((file, at) => files.readWhole(file, new Uint8Array((contents[at]?.length ?? 0) + 1))),
    );
    expect(found.map(({ bytes }) => bytes)).toEqual(contents);
    const { ino, size } = await lstat(paths[9] as Buffer, { bigint: true });
    expect(found[9]).toMatchObject({ before: { kind: 'file', ino, size: Number(size) }, after: { ino } });
  });

  it('reads no more than there is room for, which shows that a file is longer', async () => {
    const file = await make('long', new Uint8Array(100_000).fill(3));
    const { bytes, before } = await files.readWhole(file, new Uint8Array(1001));
    expect([bytes.length > 1000, before.size]).toEqual([true, 100_000]);
  });

  it('tells what cannot be read, follows no link and waits for no pipe, and reads the others', async () => {
    const good = await make('good', new Uint8Array([1, 2]));
    await mkdir(path.join(folder, 'sub'));
    await symlink('good', path.join(folder, 'link'));
    execFileSync('mkfifo', [path.join(folder, 'pipe')]);
    const read = (name: string) => files.readWhole(Buffer.from(path.join(folder, name)), new Uint8Array(10));
    const results = await Promise.allSettled(['sub', 'none', 'link', 'good/x', 'pipe', 'good'].map(read));
    const codes = results.map((result) =>
      result.status === 'rejected' ? result.reason.code : result.value.before.kind,
    );
    expect(codes).toEqual(['EISDIR', 'ENOENT', 'ELOOP', 'ENOTDIR', 'ESPIPE', 'file']);
    expect((await files.readWhole(good, new Uint8Array(3))).bytes).toEqual(new Uint8Array([1, 2]));
  });
});
