/**
 * The drill: what the documents promise to somebody whose disks die, one after the other, done over the command line
 * with real files: the sources of this project without their tests.
 */
import { cpSync } from 'node:fs';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PlacementStatus } from '../../src/index.ts';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';
import { ROOT } from '../support/consumer-folder.ts';
import { noise } from '../support/contents.ts';
import type { ProcessResult } from '../support/run-process.ts';

const DISKS = [1, 2, 3, 4, 5];
/** A bit in each so many bytes: some in every part of every shard. */
const FLIP_EVERY_BYTES = 5000;

let folder: CliFolder;
const contents = new Map<string, Uint8Array>();

type Failure = { readonly code: string; readonly message: string; readonly details: { readonly key: string } };

beforeAll(async () => {
  folder = await createCliFolder({ store: false });
  const filter = (file: string): boolean => !file.endsWith('.test.ts');
  cpSync(path.join(ROOT, 'src'), path.join(folder.path, 'src'), { recursive: true, filter });
  for (const file of await filesOf('src')) contents.set(file, await readFile(path.join(folder.path, file)));
  const backends = DISKS.flatMap((disk) => ['--backend', `disk${disk}`]);
  await folder.ok('init', '--plain', '-q', '--redundancy', '3+2', ...backends, 'home');
});
afterAll(() => folder.remove());

async function filesOf(below: string): Promise<readonly string[]> {
  const found = await readdir(path.join(folder.path, below), { recursive: true, withFileTypes: true });
  return found
    .filter((one) => one.isFile())
    .map((one) => path.relative(folder.path, path.join(one.parentPath, one.name)));
}

function run(...args: string[]): Promise<ProcessResult> {
  return folder.run(['-s', 'home', ...args]);
}

function lose(disk: number): Promise<void> {
  return rename(path.join(folder.path, `disk${disk}`), path.join(folder.path, `disk${disk}.away`));
}

/** Flips bits all over the shards of a disk. */
async function rot(disk: number): Promise<void> {
  for (const file of await filesOf(`disk${disk}`)) {
    if (path.basename(file).startsWith('holdfast') || file.includes('.tmp')) continue;
    const bytes = await readFile(path.join(folder.path, file));
    for (let at = file.length; at < bytes.length; at += FLIP_EVERY_BYTES) bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    await writeFile(path.join(folder.path, file), bytes);
  }
}

/** Restores everything. */
async function restore(): Promise<ProcessResult> {
  await rm(path.join(folder.path, 'back'), { recursive: true, force: true });
  return run('get', '--prefix', 'src/', '-o', 'back/src', '--json');
}

async function expectAll(): Promise<void> {
  const read = await restore();
  expect(read.status, read.stderr).toBe(0);
  for (const [name, bytes] of contents) {
    const back = await readFile(path.join(folder.path, 'back', name));
    expect(Buffer.compare(back, bytes), name).toBe(0);
  }
}

async function lossesMax(): Promise<number> {
  const [status] = jsonLines((await run('backend', 'status', '--json')).stdout);
  return (status as unknown as PlacementStatus).survives.backends.lossesMax;
}

it('survives what its redundancy says, is healed, and survives it again; what is lost then is named', async () => {
  expect(await run('put', '-q', 'src')).toMatchObject({ status: 0, stderr: '' });
  expect(await lossesMax()).toBe(2);

  await lose(1);
  await rot(2);
  await expectAll();

  expect(await run('backend', 'replace', 'disk1', 'new-disk1')).toMatchObject({ status: 0 });
  expect(await run('verify')).toMatchObject({ status: 6, stdout: expect.stringContaining('holdfast repair') });
  expect(await run('repair')).toMatchObject({ status: 0, stdout: expect.stringContaining('ok: no pack lacks') });
  expect(await run('verify')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('0 missing, 0 corrupt, 0 un'),
  });
  expect(await lossesMax()).toBe(2);

  await lose(3);
  await lose(4);
  await expectAll();
  expect(await lossesMax()).toBe(0);

  await lose(5);
  await expectNamed(await restore());
  expect((await run('ls')).stdout.split('\n').filter((key) => key !== '').length).toBe(contents.size);
  expect(await run('status')).toMatchObject({ status: 0, stdout: expect.stringContaining('CANNOT BE READ NOW') });
  await writeFile(path.join(folder.path, 'new'), noise(200_000, 1));
  const refused = await run('put', 'new');
  expect(refused).toMatchObject({ status: 7, stderr: expect.stringContaining('where 4 must') });

  await rename(path.join(folder.path, 'disk5.away'), path.join(folder.path, 'disk5'));
  await expectAll();
});

/** Everything that could not be read is named, with the reason; everything else is there. */
async function expectNamed(read: ProcessResult): Promise<void> {
  const notes = jsonLines(read.stderr);
  const [summary] = notes.flatMap((note) => ('summary' in note ? [note.summary] : []));
  const errors = notes.flatMap((note) => ('error' in note ? [note.error as Failure] : []));
  expect(errors.length).toBeGreaterThan(0);
  expect(read.status).toBe(7);
  expect(summary).toMatchObject({ failed: errors.length, restored: contents.size - errors.length });
  for (const { code, message, details } of errors) {
    expect(contents.has(details.key)).toBe(true);
    expect(code).toBe('BACKEND_UNREACHABLE');
    expect(message).toMatch(/needs \d of its \d shards, \d are good: (shard \d on disk[345] is unreachable(, )?)+$/);
  }
  const [gone] = errors;
  expect(await run('stat', gone?.details.key ?? '')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('CANNOT BE READ NOW'),
  });
}
