import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';
import { noise } from '../support/contents.ts';

let folder: CliFolder;
beforeAll(async () => {
  folder = await createCliFolder();
  await writeFile(path.join(folder.path, 'a'), noise(1_000_000, 1));
  await writeFile(path.join(folder.path, 'b'), noise(300_000, 2));
  await folder.ok('put', 'a', '-q', '--chunking', 'fixed:65536');
  await folder.ok('put', 'b', '-q');
  await folder.ok('put', '--data', 'c', '-k', 'c', '-q');
});
afterAll(() => folder.remove());

/** Packs of the store, largest first. */
async function packs(): Promise<readonly string[]> {
  const root = path.join(folder.path, '.holdfast', 'packs');
  const names = (await readdir(root, { recursive: true })).filter((name) => name.endsWith('.0'));
  const files = names.map((name) => path.join(root, name));
  const sizes = new Map(await Promise.all(files.map(async (file) => [file, (await readFile(file)).length] as const)));
  return files.toSorted((one, other) => (sizes.get(other) ?? 0) - (sizes.get(one) ?? 0));
}

describe('stat', () => {
  it('tells what entries take, in words and as JSON', async () => {
    const text = await folder.ok('stat', 'a', 'c', '--storage', '--shared');
    expect(text).toContain('976.6 KiB in 16 distinct chunks (0.0 % of it repeats)');
    expect(text).toMatch(/^shared +0 B with other entries; 976\.6 KiB of its own$/m);
    expect(text).toMatch(/^records +976\.6 KiB \(1\.00 to 1\)$/m);
    expect(text).toMatch(/^pack {2}[0-9a-f]{32} {2}data {2}1\+0 .* 16 items {2}main$/m);
    const [storage] = jsonLines(await folder.ok('stat', 'a', '--storage', '--json'));
    expect(storage).toMatchObject({ storage: { distinctChunks: 16, recordBytes: 1_000_016, packCount: 1 } });
    const [shared] = jsonLines(await folder.ok('stat', 'a', '--shared', '--json'));
    expect(shared).toMatchObject({ storage: { sharedBytes: 0, ownBytes: 1_000_000 } });
    expect(jsonLines(await folder.ok('stat', 'a', '--json'))[0]).not.toHaveProperty('storage');
  });

  it('lists chunks with their places', async () => {
    const lines = (await folder.ok('stat', 'a', '--chunks')).trimEnd().split('\n');
    expect(lines).toHaveLength(17);
    expect(lines[2]).toMatch(
      /^ +1 +65,536 +64\.0 KiB +64\.0 KiB +stored +1\+0 {2}blake3:[0-9a-f]{64} {2}[0-9a-f]{32}$/,
    );
    const chunks = jsonLines(await folder.ok('stat', 'a', '--chunks', '--json'));
    expect(chunks[15]).toMatchObject({ key: 'a', index: 15, offset: 983_040, placement: { state: 'stored' } });
    expect(await folder.run(['stat', 'a', 'b', '--chunks'])).toMatchObject({ status: 2 });
    expect(await folder.run(['stat', 'a', '--chunks', '--storage'])).toMatchObject({ status: 2 });
  });
});

describe('validate', () => {
  it('says that entries are what they should be', async () => {
    expect(await folder.ok('validate', '--all')).toBe(
      'OK       a  976.6 KiB\nOK       b  293.0 KiB\nOK       c  1 B\nvalidated 3 entries, 1.2 MiB read: 0 damaged\n',
    );
    expect(await folder.ok('validate', '--all', '-q')).toBe('');
    expect(await folder.ok('validate', '--prefix', 'b', '--shared-once')).toContain('validated 1 entry');
    const lines = jsonLines(await folder.ok('validate', '--all', '--after', 'a', '--json'));
    expect(lines).toMatchObject([
      { key: 'b', outcome: 'ok', bytesRead: 300_000, wholeCompared: true },
      { key: 'c', outcome: 'ok' },
    ]);
  });

  it('ends with 3 for what is not there, and with 2 for what it does not understand', async () => {
    const done = await folder.run(['validate', 'none', 'c']);
    expect(done).toMatchObject({ status: 3, stdout: expect.stringContaining('OK       c') });
    expect(await folder.run(['validate', 'none'])).toMatchObject({ status: 3 });
    for (const args of [[], ['a', '--all'], ['--all', '--prefix', 'a'], ['a', '--after', 'b']])
      expect(await folder.run(['validate', ...args])).toMatchObject({ status: 2 });
  });

  it('tells what is damaged and where, and ends with 6', async () => {
    const [large = '', small = ''] = await packs();
    const bytes = await readFile(large);
    bytes[5000] = (bytes[5000] ?? 0) ^ 1;
    await writeFile(large, bytes);
    await rm(small);
    const done = await folder.run(['validate', '--all', '--dry-run']);
    expect(done.status).toBe(6);
    expect(done.stderr).toBe('');
    expect(done.stdout).toMatch(/^FAIL {5}a {2}976\.6 KiB of 976\.6 KiB cannot be read$/m);
    expect(done.stdout).toMatch(/^ {9}bytes 65,536 to 131,071: CHUNK_CORRUPT: chunk blake3:[0-9a-f]{64}/m);
    expect(done.stdout).toMatch(/^ {9}and 6 more: --json lists the first thousand$/m);
    expect(done.stdout).toMatch(/^FAIL {5}b {2}293\.0 KiB of/m);
    expect(done.stdout).toMatch(/CHUNK_MISSING/);
    expect(done.stdout).toMatch(/^OK {7}c/m);
    expect(done.stdout).toMatch(/validated 3 entries, 1 B read: 2 damaged$/m);
    expect((await folder.run(['stat', 'a', '--storage'])).stdout).not.toContain('DAMAGED');
    const found = await folder.run(['validate', 'a', '--json']);
    expect(found.status).toBe(6);
    expect(jsonLines(found.stdout)[0]).toMatchObject({ key: 'a', outcome: 'damaged', problemCount: 16 });
    expect((await folder.run(['stat', 'a', '--storage'])).stdout).toContain('16 FOUND DAMAGED');
  });
});
