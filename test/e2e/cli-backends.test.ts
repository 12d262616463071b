import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';
import { noise } from '../support/contents.ts';

let folder: CliFolder;

beforeAll(async () => {
  folder = await createCliFolder({ store: false });
});
afterAll(() => folder.remove());

/** A store whose shards go to three disks, in a folder of its own; its commands, given as one line. */
async function spreadStore(name: string, ...more: string[]) {
  const disks = ['a', 'b', 'c'].flatMap((disk) => ['--backend', `${disk}=${name}/${disk}`]);
  await folder.ok('init', '--plain', '-q', '--redundancy', '2+1', ...disks, ...more, `${name}/home`);
  const run = (line: string) => folder.run(['-s', `${name}/home`, ...line.split(' ')]);
  const ok = (line: string) => folder.ok('-s', `${name}/home`, ...line.split(' '));
  return { run, ok, remove: (disk: string) => rm(path.join(folder.path, name, disk), { recursive: true }) };
}

describe('backends of a store', () => {
  it('are listed, changed and ordered', async () => {
    const { ok, run } = await spreadStore('changed', '--home-weight', '2');
    const [home, a] = jsonLines(await ok('backend list --json'));
    expect(home).toMatchObject({ name: 'main', home: true, weight: 2, mode: 'active' });
    expect(a).toMatchObject({ name: 'a', domain: 'a', weight: 1, url: expect.stringMatching(/^file:.*changed\/a$/) });
    expect(await ok('backend set a --name first --domain shelf --weight 3 --read-only')).toMatch(
      /^first \(domain shelf, weight 3, read-only\) in .*changed\/a\n$/,
    );
    expect(await ok('backend set first --active --weight 1')).toContain('first (domain shelf, weight 1) in');
    const named = await run('backend map first first b');
    expect(named).toMatchObject({ status: 0, stdout: '0  first\n1  first\n2  b\n' });
    expect(named.stderr).toContain('up to 2 lie together in one, so the loss of a single one may be fatal');
    expect(jsonLines(await ok('backend map --json'))).toEqual([{ map: ['first', 'first', 'b'] }]);
    expect(await ok('backend map --rotate')).toContain('rotate');
  });

  it('hold what the status says, and bear what it says', async () => {
    const { run, ok, remove } = await spreadStore('told');
    await folder.write('noise', Buffer.from(noise(300_000, 1)).toString('base64'));
    await ok('put noise');
    expect(await ok('stat noise')).toContain('redundancy  2+1; 1 more shard may be lost\n');
    const whole = await ok('status');
    expect(whole).toMatch(/^entries +1\n/);
    expect(whole).toMatch(/survives {2}the loss of any backend; too much: . \+ . \(\d packs?\)/);
    await remove('b');
    const { stdout } = await run('backend status');
    expect(stdout).toMatch(/^b +DOWN /m);
    expect(stdout).toContain('b is down: there is no folder');
    expect(stdout).toContain('survives  no loss of a backend; too much: ');
    expect(stdout).toContain('holdfast backend replace b FOLDER');
    const [json] = jsonLines(await ok('status --json'));
    expect(json).toMatchObject({ stats: { entries: 1 }, placement: { redundancy: '2+1', unreadable: 0 } });
    await remove('c');
    expect((await run('backend status')).stdout).toContain('CANNOT BE READ NOW');
    expect(await run('stat noise')).toMatchObject({ status: 0, stdout: expect.stringContaining('CANNOT BE READ NOW') });
    const read = await run('get noise -o copy');
    expect(read).toMatchObject({ status: 7, stderr: expect.stringContaining('hint: bring the disk back') });
    expect(read.stderr).toMatch(/entry "noise": .* is unreachable, shard \d on . is unreachable/);
  });

  it('come, are filled, emptied and leave', async () => {
    const { run, ok } = await spreadStore('moved');
    await folder.write('noise', Buffer.from(noise(300_000, 2)).toString('base64'));
    await ok('put noise');
    expect(await ok('backend add moved/d --domain cellar --weight 2')).toContain(
      'added d (domain cellar, weight 2) in',
    );
    expect(await ok('backend drain a --dry-run')).toMatch(/^would move [1-9]/);
    expect(await run('backend remove a')).toMatchObject({
      status: 4,
      stderr: expect.stringContaining('drain it first'),
    });
    expect(await ok('backend drain a')).toContain('a is empty');
    expect(await ok('backend status')).toContain('a is empty: holdfast backend remove a');
    expect(await ok('backend remove a')).toBe('removed a; no shard was on it\n');
    const dry = jsonLines(await ok('backend rebalance --redundancy 1+2 --dry-run --json'))[0];
    expect(dry).toMatchObject({ dryRun: true, outcome: 'ok', packsRewritten: expect.any(Number) });
    expect(await ok('backend rebalance --redundancy 1+2')).toContain('wrote');
    expect(jsonLines(await ok('backend status --json'))[0]).toMatchObject({ redundancy: '1+2', weaker: 0 });
    expect(await ok('stat noise')).toContain('2 more shards may be lost');
    const left = await run('backend drain b');
    expect(left).toMatchObject({ status: 0, stdout: expect.stringContaining('b is empty') });
    expect(left.stdout + (await run('backend rebalance')).stderr).toContain('up to 2 lie together in one');
  });

  it('are given up only when that is meant', async () => {
    const { run, ok, remove } = await spreadStore('lost');
    await ok('backend map a b c');
    await ok('put --data hello -k greeting');
    await remove('a');
    expect(await run('backend drain a')).toMatchObject({ status: 7, stdout: expect.stringContaining('PARTIAL') });
    expect(await run('backend remove a --lost')).toMatchObject({ status: 2, stderr: expect.stringContaining('--yes') });
    expect(await run('backend remove a --accept-loss')).toMatchObject({ status: 2 });
    expect(await ok('backend replace a lost/a2')).toMatch(/^a is a new backend now; \d shards? (is|are) missing/);
    expect(await ok('get greeting')).toBe('hello');
    expect(await ok('backend status')).toContain('holdfast repair makes the shards that are missing anew');
    expect(await run('backend replace b lost/b2')).toMatchObject({
      status: 4,
      stderr: expect.stringContaining('needed'),
    });
    expect(await run('backend replace b lost/b2 --accept-loss')).toMatchObject({ status: 2 });
    expect(await ok('backend remove b --lost --accept-loss --yes')).toContain('CANNOT BE READ any more');
    const gone = await run('get greeting');
    expect(gone).toMatchObject({ status: 6, stderr: expect.stringContaining('entry "greeting"') });
    expect(await ok('ls')).toBe('greeting\n');
  });
});

describe('the wrong backend', () => {
  it('is refused, and nothing is overwritten', async () => {
    const { run, ok } = await spreadStore('refused');
    await folder.ok('init', '--plain', '-q', 'other');
    await folder.ok('-s', 'other', 'put', '--data', 'theirs', '-k', 'k');
    const wrong: readonly (readonly [line: string, status: number, told: string])[] = [
      ['backend set nobody --weight 1', 3, 'no backend "nobody"'],
      ['backend map a nobody', 3, 'no backend "nobody"'],
      ['backend drain nobody', 3, '`holdfast backend list` shows them'],
      ['backend add refused/a', 4, 'is backend a already'],
      ['backend add refused/d --name a', 4, 'there is a backend a already'],
      ['backend add refused/a/inside', 4, 'inside each other'],
      ['backend add other', 4, 'holds a store: nothing was changed there'],
      ['backend replace a other', 4, 'holds a store'],
      ['backend set a --location refused/b', 4, 'another backend of this store'],
      ['backend set a --location other', 4, 'nothing of this store'],
      ['backend remove main', 4, 'where the store was opened'],
      ['backend add refused/e --name E', 2, 'the name of a backend is'],
      ['backend add refused/e --weight 1001', 2, 'weight'],
      ['backend add ftp://bucket', 9, 'give a folder'],
      ['backend add s3://a', 2, 'no name of a bucket'],
      ['backend add s3://bucket?region=a/b', 2, 'region is a name'],
      ['backend set a', 2, 'nothing to set'],
      ['backend set a --read-only --active', 2, 'exclude each other'],
      ['backend map a --rotate', 2, 'one of both'],
      ['backend rebalance --redundancy 200+56', 2, 'give k+m such as 3+2'],
      ['put --redundancy nonsense --data x -k y', 2, 'give k+m such as 3+2'],
      ['-N tenant status', 2, 'about the whole store'],
    ];
    for (const [line, status, told] of wrong) {
      const done = await run(line);
      expect(done.stderr, line).toContain(told);
      expect(done.status, line).toBe(status);
    }
    expect(await folder.ok('-s', 'other', 'get', 'k')).toBe('theirs');
    expect(jsonLines(await ok('backend list --json')).map(({ name }) => name)).toEqual(['main', 'a', 'b', 'c']);
  });

  it('keeps a store from being made, and one that has too few warns', async () => {
    const twice = ['init', '--plain', '--backend', 'x', '--backend', './x', 'twice'];
    expect(await folder.run(twice)).toMatchObject({ status: 4, stderr: expect.stringContaining('already') });
    const impossible = ['init', '--plain', '--redundancy', '0+3', 'impossible'];
    expect(await folder.run(impossible)).toMatchObject({ status: 2 });
    expect(await readdir(folder.path)).not.toContain('impossible');
    const few = await folder.run([
      'init',
      '--plain',
      '--redundancy',
      'personal',
      '--backend',
      'one',
      '--backend',
      'n=two',
      'few',
    ]);
    expect(few).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('3+2 makes 5 shards for 2 failure domains'),
    });
  });
});
