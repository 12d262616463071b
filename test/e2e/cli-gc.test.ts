import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';
import { noise } from '../support/contents.ts';

let folder: CliFolder;
beforeAll(async () => {
  folder = await createCliFolder();
  await writeFile(path.join(folder.path, 'kept'), noise(300_000, 1));
  await writeFile(path.join(folder.path, 'gone'), noise(700_000, 2));
  await folder.ok('put', 'kept', '-q');
  await folder.ok('put', 'gone', '-q');
  await folder.ok('rm', 'gone', '-q');
});
afterAll(() => folder.remove());

describe('gc', () => {
  it('says what it would give back, gives it back, and then has nothing more to do', async () => {
    const planned = await folder.ok('gc', '--dry-run', '--checkpoint', '-q');
    expect(planned).toMatch(/^would give back 6\d\d\.\d KiB: 0 objects, 1 pack deleted$/m);
    expect(planned).toMatch(/^would write a checkpoint at commit \d+: a rebuild begins with it$/m);
    const text = await folder.ok('gc', '-q');
    expect(text).toMatch(/^gave back 6\d\d\.\d KiB: \d+ chunks and nodes, 0 objects, 1 pack deleted, 0 written$/m);
    expect(text).toMatch(/^ok: there is nothing more to give back$/m);
    const [report] = jsonLines(await folder.ok('gc', '--json', '-q'));
    expect(report).toMatchObject({ outcome: 'ok', bytesFreed: 0, packsRemoved: 0, problems: [], waitingFor: [] });
    expect(await folder.ok('check', '-q')).toContain('ok: every reference');
  });

  it('refuses what is no time, no size and no share', async () => {
    for (const [option, value] of [
      ['--time', 'soon'],
      ['--budget', 'much'],
      ['--dead-share', '101'],
    ] as const)
      expect(await folder.run(['gc', option, value])).toMatchObject({ status: 2 });
  });
});
