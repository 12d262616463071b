import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objectId } from '../../src/index.ts';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';
import { noise } from '../support/contents.ts';

let folder: CliFolder;
beforeAll(async () => {
  folder = await createCliFolder();
});
afterAll(() => folder.remove());

async function put(...args: string[]): Promise<string> {
  return (await folder.ok('object', 'put', ...args)).trim();
}

describe('object', () => {
  it('puts and gets what is of every type, by ids and their beginnings', async () => {
    await writeFile(path.join(folder.path, 'file'), noise(200_000, 1));
    const blob = await put('file');
    expect(blob).toMatch(/^[0-9a-f]{64}$/);
    await folder.ok('object', 'get', blob.slice(0, 12), '-o', 'copy');
    expect((await readFile(path.join(folder.path, 'copy'))).equals(noise(200_000, 1))).toBe(true);
    const named = await put('--data', 'text', '--metadata', '{"title":"a text"}');
    expect(await folder.ok('object', 'get', named)).toBe('text');
    expect(await folder.ok('object', 'get', named, '--canonical')).toContain('"metadata":{"title":"a text"}');
    const bundle = await put('--type', 'bundle', '--data', '{ "sequence": 1, "operations": [] }');
    expect(bundle).toBe('b7f742e496ddac12d70ccbc5f15a9d3ddb14dd87c8aad4cf0bb3835d529a6e21');
    const piped = await folder.run(['object', 'put', '-t', 'tree', '-'], {
      input: JSON.stringify([{ name: 'b', type: 'bundle', id: bundle }]),
    });
    const tree = piped.stdout.trim();
    expect(await folder.ok('object', 'get', `${tree}:b`, '--canonical')).toBe(
      '{"content":{"operations":[],"sequence":1},"type":"bundle"}',
    );
    const snapshot = await put('--type', 'snapshot', '--data', JSON.stringify({ tree }));
    expect(await folder.ok('object', 'get', snapshot)).toBe(
      `${JSON.stringify({ content: { tree }, type: 'snapshot' }, undefined, 2)}\n`,
    );
    expect(await folder.ok('object', 'ls', '--type', 'tree')).toBe(`${tree}\n`);
    expect(await folder.ok('object', 'ls', '--long')).toMatch(new RegExp(`^snapshot .* ${snapshot}$`, 'm'));
    expect(jsonLines(await folder.ok('object', 'stat', tree, '--json'))[0]).toMatchObject({ id: tree, type: 'tree' });
    expect(await folder.ok('object', 'stat', tree)).toMatch(/^type +tree$/m);
  });

  it('says what is wrong with what it is given', async () => {
    const seen = new Map<string, string>();
    let clash: string | undefined;
    const lines = jsonLines(await folder.ok('object', 'ls', '--json'));
    const [{ id } = { id: '' }] = lines;
    for (let number = 0; clash === undefined && number < 3000; number += 1) {
      const bundle = { type: 'bundle', content: { number } } as const;
      const start = objectId(bundle).slice(0, 4);
      const before = seen.get(start);
      if (before !== undefined) {
        await put('--type', 'bundle', '--data', before);
        await put('--type', 'bundle', '--data', JSON.stringify({ number }));
        clash = start;
      }
      seen.set(start, JSON.stringify({ number }));
    }
    const ambiguous = await folder.run(['object', 'get', clash as string]);
    expect(ambiguous).toMatchObject({ status: 2, stderr: expect.stringContaining(`ids begin with ${clash}`) });
    expect(ambiguous.stderr).toContain('hint: give more digits');
    expect(await folder.run(['object', 'get', '0'.repeat(64)])).toMatchObject({ status: 3 });
    expect(await folder.run(['object', 'put'])).toMatchObject({ status: 2 });
    expect(await folder.run(['object', 'put', 'none'])).toMatchObject({ status: 3 });
    expect(await folder.run(['object', 'put', '-t', 'bundle', '--data', '[1]'])).toMatchObject({ status: 2 });
    expect(await folder.run(['object', 'put', '--data', 'x', '--metadata', '7'])).toMatchObject({ status: 2 });
    const missing = JSON.stringify({ tree: id });
    expect((await folder.run(['object', 'put', '-t', 'snapshot', '--data', missing])).status).not.toBe(0);
    expect(await folder.run(['object', 'verify', '--alone'])).toMatchObject({ status: 2 });
    expect(await folder.run(['object', 'verify', 'nobody'])).toMatchObject({ status: 3 });
  });
});

describe('ref, explain and verify', () => {
  it('move names, tell what they keep, and find what is damaged', async () => {
    await writeFile(path.join(folder.path, 'large'), noise(300_000, 2));
    const blob = await put('large');
    const tree = await put('-t', 'tree', '--data', JSON.stringify([{ name: 'x', type: 'raw', id: blob }]));
    expect(await folder.ok('ref', 'set', 'release/1.0', blob, '--expected', 'none', '-m', 'first')).toContain(blob);
    expect(await folder.run(['ref', 'set', 'release/1.0', tree, '--expected', 'none'])).toMatchObject({ status: 4 });
    await folder.ok('ref', 'set', 'release/1.0', tree.slice(0, 20), '--expected', 'release/1.0');
    expect(await folder.ok('ref', 'get', 'release/1.0')).toBe(`${tree}\n`);
    expect(await folder.ok('ref', 'ls', 'rel')).toBe('release/1.0\n');
    const moves = jsonLines(await folder.ok('ref', 'history', 'release/1.0', '--json'));
    expect(moves).toMatchObject([
      { number: 2, to: { id: tree } },
      { number: 1, message: 'first', from: null },
    ]);
    expect(await folder.ok('ref', 'history', 'release/1.0', '--limit', '1')).toMatch(/^ +2 {2}.* tree [0-9a-f]{64}\n$/);
    const why = await folder.ok('explain', 'release/1.0:x');
    expect(why).toContain(`ref release/1.0\n  tree ${tree}\n  blob ${blob}`);
    expect(why).toContain(`3 refs and moves keep blob ${blob}`);
    expect(await folder.ok('ref', 'forget', 'release/1.0', '1')).toBe('forgot 1 move of release/1.0\n');
    expect(await folder.ok('object', 'verify')).toMatch(/^verified 2 objects \(1 blob\), .*: 0 missing, 0 corrupt$/m);
    expect(await folder.ok('object', 'verify', '--no-content', '-q')).toBe('');
    const packs = path.join(folder.path, '.holdfast', 'packs');
    for (const name of await readdir(packs, { recursive: true }))
      if (name.endsWith('.0')) await rm(path.join(packs, name));
    const done = await folder.run(['object', 'verify', 'release/1.0', '--dry-run']);
    expect(done.status).toBe(6);
    expect(done.stdout).toContain(`MISSING  blob ${blob}\n  CHUNK_MISSING: `);
    expect(done.stdout).toContain(`  referred to by tree ${tree}\n`);
    expect((await folder.run(['check'])).stdout).toContain(`object ${blob}`);
    expect(await folder.ok('ref', 'delete', 'release/1.0')).toContain('deleted release/1.0');
    expect(await folder.run(['ref', 'get', 'release/1.0'])).toMatchObject({ status: 3 });
    expect(await folder.run(['ref', 'delete', 'release/1.0'])).toMatchObject({ status: 3 });
    expect(await folder.run(['ref', 'set', '../x', tree])).toMatchObject({ status: 2 });
  });
});
