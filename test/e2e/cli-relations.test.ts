import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';

describe('relations on the command line', () => {
  let folder: CliFolder;

  beforeAll(async () => {
    folder = await createCliFolder();
    for (const key of ['one', 'two']) await folder.ok('put', '--data', key, '-k', key);
    await folder.ok('put', '--data', 'book', '-k', 'book', '--child', 'one', '--child', 'two');
    await folder.ok('put', '--data', 'note', '-k', 'note', '--parent-entry', 'one');
    await folder.ok('put', '--data', 'alone', '-k', 'alone');
  });

  afterAll(() => folder.remove());

  it('are shown as a tree, upward, and by their roots', async () => {
    expect(await folder.ok('relations', 'book')).toBe('book\n├─ one\n│  └─ note\n└─ two\n');
    expect(await folder.ok('relations', 'tree', 'book', '--depth', '1')).toBe('book\n├─ one\n└─ two\n');
    expect(jsonLines(await folder.ok('relations', 'book', '--depth', '1', '--json'))).toEqual([
      { key: 'book', children: 2, depth: 0 },
      { key: 'one', parent: 'book', children: 1, depth: 1 },
      { key: 'two', parent: 'book', children: 0, depth: 1 },
    ]);
    expect(await folder.ok('relations', 'ancestors', 'note')).toBe('one\nbook\n');
    expect(await folder.ok('relations', 'roots')).toBe('alone\nbook  (2 children)\n');
    expect(await folder.ok('relations', 'ls', '--parents')).toBe('book  (2 children)\n');
    expect(jsonLines(await folder.ok('relations', 'counts', 'book', '--json'))).toEqual([
      { children: 2, descendants: 3 },
    ]);
    expect(await folder.ok('relations', 'counts')).toMatch(/entries +5\nrelated +4\nroots +2\nedges +3\n/);
    expect(await folder.run(['relations', 'nobody'])).toMatchObject({ status: 3 });
  });

  it('are changed, and never lead in a circle', async () => {
    expect(await folder.ok('relations', 'set', 'alone', 'two')).toBe('two is the parent of alone\n');
    const circle = await folder.run(['relations', 'set', 'book', 'alone']);
    expect(circle).toMatchObject({ status: 4, stderr: expect.stringContaining('hint: `holdfast relations ancestors') });
    expect(await folder.ok('relations', 'remove', 'alone')).toBe('alone has no parent\n');
    expect(await folder.run(['put', '--data', 'x', '-k', 'x', '--parent-entry', 'nobody'])).toMatchObject({
      status: 3,
    });
    await folder.write('a.txt', 'a');
    await folder.write('b.txt', 'b');
    expect(await folder.run(['put', 'a.txt', 'b.txt', '--child', 'one'])).toMatchObject({ status: 2 });
  });

  it('say what rm does with children', async () => {
    const refused = await folder.run(['rm', 'book']);
    expect(refused).toMatchObject({
      status: 4,
      stderr: expect.stringContaining('hint: remove them too with --recursive'),
    });
    expect(await folder.run(['rm', 'book', '--dry-run'])).toMatchObject({ status: 4 });
    expect(await folder.run(['rm', 'book', '--recursive', '--orphan'])).toMatchObject({ status: 2 });
    expect(await folder.ok('rm', '--orphan', 'book')).toBe('');
    expect(await folder.ok('relations', 'roots')).toBe('alone\none  (1 child)\ntwo\n');
    const dry = await folder.ok('rm', '--recursive', 'one', 'note', '--dry-run');
    expect(dry).toBe('one\nnote\nwould remove 2 entries\n');
    expect(await folder.ok('rm', '--recursive', 'one', 'note')).toBe('removed 2 entries\n');
    expect(await folder.ok('ls')).toBe('alone\ntwo\n');
  });
});
