import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';
import { noise } from '../support/contents.ts';

const CONTENT = noise(700_000);

let folder: CliFolder;
let root: string;
beforeAll(async () => {
  folder = await createCliFolder();
  await writeFile(path.join(folder.path, 'report.pdf'), CONTENT);
  await folder.ok('put', 'report.pdf');
  root = String(jsonLines(await folder.ok('stat', 'report.pdf', '--json'))[0]?.root);
});
afterAll(() => folder.remove());

describe('prove and verify-proof', () => {
  it('prove a range to somebody who has the root alone', async () => {
    const range = ['--range', '300000:1000'];
    expect(await folder.ok('prove', 'report.pdf', ...range, '-o', 'report.proof')).toContain(root);
    const [answer] = jsonLines(await folder.ok('verify-proof', 'report.proof', '--root', root, ...range, '--json'));
    expect(answer).toMatchObject({ valid: true, size: 700_000 });
    expect(await folder.ok('verify-proof', 'report.proof', '--root', root)).toMatch(/^proof +valid$/m);
    const other = ['--range', '1:1000'];
    expect(await folder.run(['verify-proof', 'report.proof', '--root', root, ...other])).toMatchObject({ status: 6 });
    const wrong = root.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
    const refused = await folder.run(['verify-proof', 'report.proof', '--root', wrong]);
    expect(refused).toMatchObject({ status: 6, stdout: expect.stringContaining('NOT VALID') });
  });

  it('compare data: the whole file, or the proven chunks', async () => {
    const proof = await folder.ok('prove', 'report.pdf', '--range', '300000:1000');
    await folder.write('part.proof', proof);
    const verify = ['verify-proof', 'part.proof', '--root', root, '--json', '--data'];
    const [answer] = jsonLines(await folder.ok(...verify, 'report.pdf'));
    expect(answer).toMatchObject({ valid: true, dataValid: true });
    const { offset, length } = answer as { offset: number; length: number };
    const chunks = CONTENT.slice(offset, offset + length);
    await writeFile(path.join(folder.path, 'chunks'), chunks);
    expect(jsonLines(await folder.ok(...verify, 'chunks'))[0]).toMatchObject({ dataValid: true });
    chunks[5] = (chunks[5] ?? 0) ^ 1;
    await writeFile(path.join(folder.path, 'chunks'), chunks);
    const changed = await folder.run([...verify, 'chunks']);
    expect(changed.status).toBe(6);
    expect(jsonLines(changed.stdout)[0]).toMatchObject({ valid: false, dataValid: false });
    await writeFile(path.join(folder.path, 'chunks'), 'short');
    expect(await folder.run([...verify, 'chunks'])).toMatchObject({ status: 2 });
  });

  it('go through a pipe, and refuse what is no proof', async () => {
    const proof = await folder.ok('prove', 'report.pdf');
    const piped = await folder.run(['verify-proof', '-', '--root', root, '--data', 'report.pdf'], { input: proof });
    expect(piped).toMatchObject({ status: 0, stdout: expect.stringContaining('as proven') });
    const later = proof.replace('"version":1', '"version":2');
    expect(await folder.run(['verify-proof', '-', '--root', root], { input: later })).toMatchObject({ status: 9 });
    for (const input of ['', '{}', proof.replace('"version":1', '"version":"2"')])
      expect(await folder.run(['verify-proof', '-', '--root', root], { input })).toMatchObject({
        status: 2,
        stderr: expect.stringContaining('hint: a proof is the whole of what'),
      });
    expect(await folder.run(['verify-proof', 'nowhere', '--root', root])).toMatchObject({ status: 3 });
    expect(await folder.run(['verify-proof', 'report.pdf', '--root', 'abc'])).toMatchObject({ status: 2 });
    expect(await readFile(path.join(folder.path, 'report.pdf'))).toHaveLength(700_000);
  });
});
