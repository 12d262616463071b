import { chmod, cp } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';
import { flipByte, journalFiles, packFiles } from '../support/store-files.ts';

const GOLDEN = path.resolve(import.meta.dirname, '../golden/v1');

let folder: CliFolder;
beforeAll(async () => {
  folder = await createCliFolder({ store: false });
  for (const name of ['store', 'sealed-store']) {
    await cp(path.join(GOLDEN, name), path.join(folder.path, name), { recursive: true });
  }
  await folder.write('key', 'f'.repeat(64));
});
afterAll(() => folder.remove());

describe('holdfast inspect', () => {
  it('shows packs as tables, journal records with their operations, and the same as JSON', async () => {
    const [pack = ''] = await packFiles(path.join(folder.path, 'store'));
    const text = await folder.ok('inspect', pack);
    expect(text).toMatch(/^what {3}shard$/m);
    expect(text).toMatch(/^record +kind +offset +stored +plain +codec +from +length +id$/m);
    expect(text).toMatch(/\nok\n$/);
    const [journal = ''] = await journalFiles(path.join(folder.path, 'store'));
    expect(await folder.ok('inspect', journal)).toMatch(/^commit \d+ .*\n {2}[a-z-]+ {2}/m);
    const [json] = jsonLines(await folder.ok('inspect', pack, '--json', '--limit', '1'));
    expect(json).toMatchObject({ kind: 'shard', outcome: 'ok', pack: { items: [{ ordinal: 0 }] } });
    expect(await folder.ok('inspect', pack, '--limit', '0')).toMatch(/more items?: --limit lists them/);
    expect(await folder.ok('inspect', 'store/holdfast.json')).toContain('"redundancy": "none"');
  });

  it('shows what is sealed with keys only', async () => {
    const [journal = ''] = await journalFiles(path.join(folder.path, 'sealed-store'));
    expect(await folder.ok('inspect', journal)).toMatch(/^sealed: keys open the rest.*\nok, as far/m);
    await cp(path.join(GOLDEN, 'sealed-store.key'), path.join(folder.path, 'golden.key'));
    await chmod(path.join(folder.path, 'golden.key'), 0o600);
    expect(await folder.ok('inspect', journal, '--key-file', 'golden.key')).toContain('entry-put');
  });

  it('shows what the store has under an id or a number', async () => {
    const [pack = ''] = await packFiles(path.join(folder.path, 'store'));
    const id = path.basename(pack, '.0');
    const [json] = jsonLines(await folder.ok('-s', 'store', 'inspect', `pack:${id}`, '--json'));
    expect(json).toMatchObject({ kind: 'pack', pack: { header: { pack: id } } });
    expect(await folder.ok('-s', 'store', 'inspect', '1')).toMatch(/^lies in {2}pack .*\n\ncommit 1 {2}/m);
    expect(await folder.run(['-s', 'store', 'inspect', '123456789'])).toMatchObject({ status: 3 });
    expect(await folder.run(['-s', 'store', 'inspect', 'a4'])).toMatchObject({ status: 2 });
  });

  it('ends with 6 for damage, with 2 for what is none of Holdfast’s, and with 3 for nothing', async () => {
    const [, pack = ''] = await packFiles(path.join(folder.path, 'store'));
    await flipByte(pack, 128 + 128);
    const damaged = await folder.run(['inspect', pack]);
    expect(damaged).toMatchObject({ status: 6, stdout: expect.stringContaining('record 0: PACK_CORRUPT') });
    expect(damaged.stdout).toMatch(/\nDAMAGED\n$/);
    const unknown = await folder.run(['inspect', 'key']);
    expect(unknown).toMatchObject({ status: 2, stderr: expect.stringContaining('looks like a text') });
    expect(await folder.run(['inspect', 'absent'])).toMatchObject({ status: 3 });
  });
});
