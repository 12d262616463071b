import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesBelow, GOLDEN_CHUNKS, HELLO, writeBelow, writeChunkstore } from '../exchange/chunkstore-folder.ts';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';

let folder: CliFolder;
beforeAll(async () => {
  folder = await createCliFolder();
  await writeChunkstore(path.join(folder.path, 'old'), GOLDEN_CHUNKS);
});
afterAll(() => folder.remove());

describe('import and export on the command line', () => {
  it('takes a folder of chunkstore in, again for nothing, and writes one', async () => {
    expect(await folder.ok('import', 'chunkstore', 'old', '--prefix', 'cs', '--dry-run')).toBe(
      'would import 4 entries, 0 there already, 0 failed: 32 B\n',
    );
    expect(await folder.ok('ls')).toBe('');
    expect(await folder.ok('import', 'chunkstore', 'old', '--prefix', 'cs')).toContain('imported 4 entries, 0 there');
    expect(await folder.ok('cat', 'cs/dir/x')).toBe('abcdefghij');
    const again = await folder.run(['import', 'chunkstore', 'old', '-p', 'cs/', '--json']);
    expect(again).toMatchObject({ status: 0 });
    expect(jsonLines(again.stdout)[0]).toMatchObject({ id: 'doc_v1', key: 'cs/doc_v1', status: 'same', size: 11 });
    expect(jsonLines(again.stderr).at(-1)).toEqual({
      summary: {
        files: 4,
        imported: 0,
        same: 4,
        failed: 0,
        bytes: 0,
        newBytes: 0,
        storedBytes: 0,
        differences: 0,
        dryRun: false,
      },
    });
    const out = await folder.ok('export', 'chunkstore', 'new', '--prefix', 'cs');
    expect(out).toBe('exported 4 entries, 0 failed: 32 B in 2 chunks of 21 B\n');
    expect(readFileSync(path.join(folder.path, 'new/_manifest/doc_v1'), 'utf8')).toBe(
      `{"digests":["${HELLO}"],"file_bytes":11}`,
    );
    expect(await folder.run(['export', 'chunkstore', 'new'])).toMatchObject({ status: 2 });
    const json = await folder.run(['export', 'chunkstore', 'by-entry', '--chunk-size', 'entry', '--json']);
    expect(jsonLines(json.stderr)).toEqual([{ summary: expect.objectContaining({ exported: 4, failed: 0 }) }]);
    expect(Object.keys(await filesBelow(path.join(folder.path, 'by-entry')))).toContain('_manifest/cs/dir/x');
  });

  it('tells each failure and difference, goes on, and ends with the status of the first failure', async () => {
    await writeBelow(path.join(folder.path, 'old'), HELLO, 'hello worle');
    writeFileSync(path.join(folder.path, 'old/_manifest/__index__'), '[]');
    const done = await folder.run(['import', 'chunkstore', 'old', '-p', 'damaged']);
    expect(done.status).toBe(6);
    expect(done.stderr).toContain('"damaged/doc_v1": the chunk ');
    expect(done.stderr).toContain('holdfast: _manifest/empty: not in the index');
    expect(done.stdout).toContain('imported 2 entries, 0 there already, 2 failed');
    const json = await folder.run(['import', 'chunkstore', 'old', '-p', 'damaged', '--json']);
    expect(jsonLines(json.stderr)).toContainEqual({ difference: { kind: 'index-lacks', path: '_manifest/empty' } });
    expect(await folder.run(['put', '--data', 'x', '-k', 'a\\b'])).toMatchObject({ status: 0 });
    const half = await folder.run(['export', 'chunkstore', 'half']);
    expect([half.status, half.stdout]).toEqual([2, expect.stringContaining('1 failed')]);
  });

  it('says what is wrong with what it is given', async () => {
    mkdirSync(path.join(folder.path, 'empty'));
    expect(await folder.run(['import', 'chunkstore', 'empty'])).toMatchObject({ status: 2 });
    expect(await folder.run(['import', 'chunkstore', 'nowhere'])).toMatchObject({ status: 3 });
    expect(await folder.run(['export', 'chunkstore', 'x', '--chunk-size', 'many'])).toMatchObject({ status: 2 });
    expect(await folder.run(['import'])).toMatchObject({ status: expect.any(Number) });
  });
});
