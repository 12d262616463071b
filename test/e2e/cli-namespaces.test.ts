import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';

let folder: CliFolder;
const KEY = { HOLDFAST_KEY_FILE: 'main.key' };

beforeAll(async () => {
  folder = await createCliFolder({ store: false });
  await folder.ok('key', 'generate', 'key-file', '-o', 'main.key');
  await folder.run(['init', '-q'], { env: KEY });
});
afterAll(() => folder.remove());

describe('namespaces', () => {
  it('are apart, and gone when dropped', async () => {
    const run = (...args: string[]) => folder.run(args, { env: KEY });
    expect(await run('namespace', 'create', 'tenant', '--quota', '1KiB')).toMatchObject({ status: 0 });
    expect(await run('namespace', 'create', 'tenant')).toMatchObject({ status: 4 });
    expect(await run('-N', 'tenant', 'put', '--data', 'theirs', '-k', 'k')).toMatchObject({ status: 0 });
    expect(await run('-N', 'tenant', 'ls')).toMatchObject({ stdout: 'k\n' });
    const byEnvironment = await folder.run(['get', 'k'], { env: { ...KEY, HOLDFAST_NAMESPACE: 'tenant' } });
    expect(byEnvironment).toMatchObject({ status: 0, stdout: 'theirs' });
    expect(await run('get', 'k')).toMatchObject({ status: 3 });
    await folder.write('large', 'x'.repeat(2000));
    expect(await run('-N', 'tenant', 'put', 'large')).toMatchObject({ status: 8 });
    expect(await run('namespace', 'quota', 'tenant', 'none')).toMatchObject({ status: 0 });
    expect(await run('-N', 'tenant', 'put', 'large')).toMatchObject({ status: 0 });
    const [info] = jsonLines((await run('namespace', 'stat', 'tenant', '--json')).stdout);
    expect(info).toMatchObject({ name: 'tenant', entries: 2, logicalBytes: 2006 });
    expect(jsonLines((await run('-N', 'tenant', 'stats', '--json')).stdout)[0]).toMatchObject({ entries: 2 });
    expect(await run('-N', 'tenant', 'validate', '--all')).toMatchObject({
      ...{ status: 0, stdout: expect.stringContaining('validated 2 entries, 2.0 KiB read: 0 damaged') },
    });
    expect(await run('-N', 'tenant', 'check')).toMatchObject({ status: 2 });
    expect(await run('namespace', 'drop', 'tenant', '--yes')).toMatchObject({ status: 2 });
    expect(await run('namespace', 'drop', 'tenant', '--shred')).toMatchObject({ status: 2 });
    expect(await run('namespace', 'drop', 'tenant', '--shred', '--dry-run')).toMatchObject({ status: 0 });
    const dropped = await run('namespace', 'drop', 'tenant', '--shred', '--yes', '--json');
    expect(jsonLines(dropped.stdout)[0]).toMatchObject({ done: true });
    expect(await run('-N', 'tenant', 'ls')).toMatchObject({ status: 3 });
    expect(await run('namespace', 'shred')).toMatchObject({ status: 0 });
  });
});
