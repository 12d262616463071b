import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStore } from '../../src/index.ts';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';
import { noise } from '../support/contents.ts';

let folder: CliFolder;
beforeAll(async () => {
  folder = await createCliFolder({ store: false });
  const backends = [1, 2, 3, 4].map((at) => ({ location: path.join(folder.path, `disk${at}`) }));
  const options = { keys: 'none', reserveBytes: 0, redundancy: '2+2', backends, heal: 'manual' } as const;
  const store = await createStore(path.join(folder.path, '.holdfast'), options);
  await store.put('key', noise(300_000, 3));
  await store.close();
});
afterAll(() => folder.remove());

/** Paths of the shards on a disk. */
async function shardsOn(at: number): Promise<readonly string[]> {
  const disk = path.join(folder.path, `disk${at}`);
  const names = await readdir(disk, { recursive: true });
  return names.filter((name) => /\.\d+$/.test(name) && !name.startsWith('.')).map((name) => path.join(disk, name));
}

async function flip(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[200] = (bytes[200] ?? 0) ^ 1;
  await writeFile(file, bytes);
}

describe('verify, scrub and repair', () => {
  it('say that all is well, in words and as JSON', async () => {
    expect(await folder.ok('verify')).toMatch(/^verified [\s\S]*good, 0 missing, 0 corrupt[\s\S]*^ok: every shard/m);
    expect(jsonLines(await folder.ok('verify', '--json', '--percent', '100'))[0]).toMatchObject({ outcome: 'ok' });
    expect(jsonLines(await folder.ok('verify', '--json', '--max-age', '1d'))[0]).toMatchObject({ packs: 0 });
    expect(await folder.ok('repair')).toContain('repaired 0 of 0 packs');
    expect(await folder.ok('scrub', '--rate', '100MiB/s')).toContain('ok: every shard');
  });

  it('find damage, say what would be done, do it, and are well again', async () => {
    const [lost] = await shardsOn(1);
    const [wrong] = await shardsOn(2);
    await rm(lost ?? '');
    await flip(wrong ?? '');
    const dry = await folder.run(['verify', '--dry-run']);
    expect(dry).toMatchObject({ status: 6, stdout: expect.stringContaining('SHARD_MISSING') });
    expect(await folder.ok('repair', '--dry-run')).toContain('would repair 0 of 0 packs');
    const found = await folder.run(['verify', '--json']);
    expect(found.status).toBe(6);
    expect(jsonLines(found.stdout)[0]).toMatchObject({ shardsMissing: 1, shardsCorrupt: 1, findingCount: 2 });
    expect(await folder.ok('repair', '--dry-run')).toMatch(/would repair [12] of [12] packs?: 2 shards made anew/);
    const repaired = jsonLines(await folder.ok('repair', '--json', '--read-back'))[0];
    expect(repaired).toMatchObject({ outcome: 'ok', shardsMade: 2 });
    expect(await folder.ok('check')).toContain('ok:');
  });

  it('repair what a scrub finds, and what lies nowhere it should', async () => {
    for (const at of [3, 4]) for (const shard of await shardsOn(at)) await flip(shard);
    expect(await folder.ok('scrub')).toMatch(/ok: no pack lacks a shard/);
    for (const shard of await shardsOn(1)) await rm(shard);
    expect(jsonLines(await folder.ok('repair', '--all', '--json'))[0]).toMatchObject({ outcome: 'ok' });
    expect(await folder.ok('verify')).toContain('ok: every shard');
  });

  it('end with 7 when something was left out, and with 2 for what they do not understand', async () => {
    expect(await folder.run(['verify', '--budget', '1'])).toMatchObject({
      ...{ status: 7, stdout: expect.stringContaining('PARTIAL') },
    });
    for (const args of [
      ['verify', '--percent', '0'],
      ['scrub', '--rate', 'fast'],
      ['verify', '--max-age', 'long'],
    ])
      expect(await folder.run(args)).toMatchObject({ status: 2 });
  });
});
