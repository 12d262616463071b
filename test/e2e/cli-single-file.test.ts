import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';
import { noise } from '../support/contents.ts';
import { destroyPages, treePages } from '../support/single-file.ts';

let folder: CliFolder;
beforeAll(async () => {
  folder = await createCliFolder({ store: false });
  writeFileSync(path.join(folder.path, 'large.bin'), noise(2_000_000));
});
afterAll(() => folder.remove());

const at = (name: string): string => path.join(folder.path, name);

describe('a store in one file, on the command line', () => {
  it('is made, filled, told of, compacted, copied, salvaged and rebuilt', async () => {
    const made = await folder.ok('init', '--plain', 'my.hold', '--capacity', '32MiB', '--block-size', '64KiB');
    expect(made).toContain('holdfast -s my.hold put FILE');
    await folder.ok('-s', 'my.hold', 'put', 'large.bin');
    expect(readdirSync(folder.path).filter((name) => name.startsWith('my.hold'))).toEqual(['my.hold']);
    expect(await folder.run(['init', '--plain', 'my.hold'])).toMatchObject({ status: 4 });

    const [info] = jsonLines(await folder.ok('vault', 'info', 'my.hold', '--json'));
    expect(info).toMatchObject({ capacityBytes: 32 * 1024 * 1024, blockBytes: 65_536, pageBytes: 8192 });
    expect(await folder.ok('-s', 'my.hold', 'vault', 'info')).toMatch(/^capacity +32\.0 MiB$/m);

    expect(await folder.ok('vault', 'compact', 'my.hold', '--dry-run')).toContain('would give back');
    expect(jsonLines(await folder.ok('vault', 'compact', 'my.hold', '--json'))[0]).toHaveProperty('freedBytes');

    await folder.ok('vault', 'export', 'my.hold', 'copy.hold');
    expect(await folder.run(['vault', 'export', 'my.hold', 'copy.hold'])).toMatchObject({ status: 2 });
    expect(await folder.ok('-s', 'copy.hold', 'check')).toContain('ok: ');

    destroyPages(at('copy.hold'), [1, ...treePages(at('copy.hold'))]);
    expect(await folder.run(['-s', 'copy.hold', 'ls'])).toMatchObject({ status: 2 });
    const dry = await folder.ok('vault', 'salvage', 'copy.hold', 'rescued.hold', '--dry-run', '--json');
    expect([jsonLines(dry)[0]?.dryRun, existsSync(at('rescued.hold'))]).toEqual([true, false]);
    expect(await folder.ok('vault', 'salvage', 'copy.hold', 'rescued.hold')).toContain('rescued.hold rebuild');
    expect(await folder.ok('-s', 'rescued.hold', 'rebuild')).toContain('rebuilt 1 entry');
    await folder.ok('-s', 'rescued.hold', 'get', 'large.bin', '-o', 'back.bin');
    expect(statSync(at('back.bin')).size).toBe(2_000_000);
    expect(await folder.ok('-s', 'rescued.hold', 'doctor')).toMatch(/^ok +file /m);
  });

  it('says what is wrong with what it is given', async () => {
    writeFileSync(at('text.hold'), 'no store');
    for (const args of [
      ['vault', 'info', 'text.hold'],
      ['vault', 'compact', 'text.hold'],
      ['vault', 'export', 'text.hold', 'x.hold'],
      ['init', '--plain', 'text.hold'],
      ['init', '--plain', 'small.hold', '--capacity', '5'],
      ['init', '--plain', 'a-folder', '--capacity', '5GiB'],
    ]) {
      const { status, stderr } = await folder.run(args);
      expect([status, stderr.startsWith('holdfast: ')], args.join(' ')).toEqual([2, true]);
    }
    expect(await folder.run(['vault', 'info', 'absent.hold'])).toMatchObject({ status: 3 });
    expect(await folder.run(['vault', 'salvage', 'absent.hold', 'x.hold'])).toMatchObject({ status: 3 });
  });
});
