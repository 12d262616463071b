import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { craftFolder, factsOf, itemsOf, scanned, withoutNanoseconds } from '../../test/support/folders.ts';
import { codes, components, dir, file, link, namesIn } from '../../test/support/restore-items.ts';
import { storeError } from '../errors/store-error.ts';
import { type FolderSystem, nodeFolderSystem } from '../runtime/folder-system.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../testing/index.ts';
import { type RestoreOptions, restoreInto } from './index.ts';

let folder: TemporaryFolder;
let target: string;
beforeEach(async () => {
  folder = await makeTemporaryFolder();
  target = path.join(folder.path, 'target');
});
afterEach(() => folder.remove());

function read(name: string): string {
  return fs.readFileSync(path.join(target, name), 'utf8');
}

function names(): string[] {
  return namesIn(target);
}

describe('restoreInto', () => {
  it.runIf(process.platform === 'linux')('gives back a crafted folder as it was', async () => {
    const root = path.join(folder.path, 'root');
    fs.mkdirSync(root);
    craftFolder(root);
    const items = itemsOf(root, await scanned(root));
    const report = await restoreInto(target, items, { specialModes: true });
    expect(codes(report)).toEqual([]);
    expect(withoutNanoseconds(factsOf(target))).toEqual(withoutNanoseconds(factsOf(root)));
    const sparse = fs.statSync(path.join(target, 'sparse'));
    expect(sparse.blocks * 512).toBeLessThan(1_000_000);
    expect(report).toMatchObject({ hardLinks: 2, links: 6, failed: 0, dryRun: false, specialModesDropped: 0 });
    // Both the first and a later run say so in each folder.
    const again = await restoreInto(target, itemsOf(root, await scanned(root)), {
      overwrite: 'changed',
      specialModes: true,
    });
    expect(again).toMatchObject({ files: 0, links: 0, hardLinks: 0, folders: 0, failed: 0 });
    expect(withoutNanoseconds(factsOf(target))).toEqual(withoutNanoseconds(factsOf(root)));
  });

  it('leaves setuid and setgid away unless asked, and says so', async () => {
    const items = [dir('d', { mode: 0o3775 }), file('program', 'x', { mode: 0o6755 })];
    const report = await restoreInto(target, items);
    expect(report.specialModesDropped).toBe(2);
    expect(fs.statSync(path.join(target, 'program')).mode & 0o7777).toBe(0o755);
    expect(fs.statSync(path.join(target, 'd')).mode & 0o7777).toBe(0o1775);
  });

  it('sets times before 1970 and counts those that are not exact', async () => {
    const items = [
      file('old', '', { mtime: '1969-12-31T23:59:58.500000000Z' }),
      file('fine', '', { mtime: '2026-11-21T20:00:00.123456789Z' }),
    ];
    expect((await restoreInto(target, items)).timesRounded).toBe(1);
    expect(fs.statSync(path.join(target, 'old')).mtimeMs).toBe(-1500);
    const { mtimeNs } = fs.statSync(path.join(target, 'fine'), { bigint: true });
    expect(Number(mtimeNs - 1_795_291_200_123_456_789n)).toBeLessThan(1000);
  });

  it('makes folders on the way that no item is about', async () => {
    expect(await restoreInto(target, [file('a/b/c')])).toMatchObject({ files: 1, folders: 2, failed: 0 });
    expect(read('a/b/c')).toBe('a/b/c');
  });

  it('goes down 1,000 levels', async () => {
    const deep = new Array<Buffer>(1000).fill(Buffer.from('d'));
    const items = deep.map((_, index) => dir('', { path: deep.slice(0, index + 1) }));
    expect(await restoreInto(target, items, { sync: 'none' })).toMatchObject({ folders: 1000, failed: 0 });
  });

  it('copies where the other name of a file was not restored, or cannot be linked', async () => {
    fs.mkdirSync(target);
    fs.writeFileSync(path.join(target, 'stranger'), 'not of this snapshot');
    const sameAs = (name: string) => ({ sameAs: components(name) });
    const items = [file('a', 'one'), file('b', 'one', sameAs('a')), file('c', 'two', sameAs('stranger'))];
    expect(await restoreInto(target, items)).toMatchObject({ files: 2, hardLinks: 1 });
    expect(fs.statSync(path.join(target, 'b')).nlink).toBe(2);
    expect(read('c')).toBe('two');
    const eperm = Object.assign(new Error('no links here'), { code: 'EPERM' });
    const system: FolderSystem = { ...nodeFolderSystem, link: () => Promise.reject(eperm) };
    const other = path.join(folder.path, 'other');
    expect(await restoreInto(other, items, { system })).toMatchObject({ files: 3, hardLinks: 0, failed: 0 });
  });

  it.each(['end', 'file', 'none'] as const)('flushes files and folders: %s', async (sync) => {
    const synced: string[] = [];
    const watch = (at: Buffer, handle: Awaited<ReturnType<FolderSystem['open']>>) => ({
      ...handle,
      sync: async () => {
        synced.push(path.relative(fs.realpathSync(folder.path), at.toString()).replace(/\.holdfast-.*/, 'temporary'));
        await handle.sync();
      },
    });
    const system: FolderSystem = {
      ...nodeFolderSystem,
      open: async (at) => watch(at, await nodeFolderSystem.open(at)),
      create: async (at) => watch(at, await nodeFolderSystem.create(at)),
    };
    await restoreInto(target, [dir('d'), file('d/a')], { system, sync });
    const folders = ['', 'target', 'target/d'];
    const expected = { end: [...folders, 'target/d/a'], file: [...folders, 'target/d/temporary'], none: [] };
    expect(synced.sort()).toEqual(expected[sync]);
  });

  it('tells every step, and of a dry run the same with nothing changed', async () => {
    fs.mkdirSync(path.join(target, 'd/gone'), { recursive: true });
    fs.writeFileSync(path.join(target, 'd/x'), 'was here');
    const items = [dir(''), dir('d'), file('d/x'), dir('e'), file('e/new'), link('l', 'd/x')];
    const before = factsOf(target);
    const steps = async (options: RestoreOptions) => {
      const events: string[] = [];
      const onEvent = (event: { action: string; path: Buffer }) => events.push(`${event.action} ${event.path}`);
      const report = await restoreInto(target, items, { overwrite: 'always', delete: true, onEvent, ...options });
      return { events: events.sort(), report: { ...report, dryRun: false } };
    };
    const dry = await steps({ dryRun: true });
    expect(factsOf(target)).toEqual(before);
    expect(dry.events).toEqual(['folder e', 'link l', 'remove d/gone', 'write d/x', 'write e/new']);
    expect(await steps({})).toEqual(dry);
    expect(names()).toEqual(['d', 'd/x', 'e', 'e/new', 'l']);
    const absent = path.join(folder.path, 'absent');
    expect(await restoreInto(absent, items, { dryRun: true })).toMatchObject({ files: 2, folders: 2, links: 1 });
    expect(fs.existsSync(absent)).toBe(false);
  });
});

describe('restoreInto with things that are there', () => {
  beforeEach(() => {
    fs.mkdirSync(target);
    fs.writeFileSync(path.join(target, 'a'), 'mine');
  });

  it('refuses files by default, each by itself, and merges folders', async () => {
    fs.mkdirSync(path.join(target, 'd'));
    fs.writeFileSync(path.join(target, 'd/mine'), 'mine');
    const { mode } = fs.statSync(path.join(target, 'd'));
    const report = await restoreInto(target, [file('a'), dir('d'), file('d/theirs'), link('d/mine', 'x')]);
    expect(codes(report)).toEqual(['a conflict/TARGET_EXISTS', 'd/mine conflict/TARGET_EXISTS']);
    expect([read('a'), read('d/mine'), read('d/theirs')]).toEqual(['mine', 'mine', 'd/theirs']);
    expect(fs.statSync(path.join(target, 'd')).mode).toBe(mode);
  });

  it('writes changed ones only, or all', async () => {
    const items = [file('a', 'mine'), file('b')];
    expect(await restoreInto(target, items, { overwrite: 'changed' })).toMatchObject({ files: 2, unchanged: 0 });
    fs.chmodSync(path.join(target, 'a'), 0o600);
    expect(await restoreInto(target, items, { overwrite: 'changed' })).toMatchObject({ files: 0, unchanged: 2 });
    expect(fs.statSync(path.join(target, 'a')).mode & 0o777).toBe(0o640);
    expect(await restoreInto(target, items, { overwrite: 'always' })).toMatchObject({ files: 2, unchanged: 0 });
  });

  it('replaces a link that is in the place of a file, not what it points at', async () => {
    fs.symlinkSync('a', path.join(target, 'b'));
    expect(await restoreInto(target, [file('b')], { overwrite: 'always' })).toMatchObject({ files: 1, failed: 0 });
    expect([read('a'), read('b')]).toEqual(['mine', 'b']);
  });

  it('replaces a folder by a file only with delete, and not before the file is there', async () => {
    fs.mkdirSync(path.join(target, 'd'));
    fs.writeFileSync(path.join(target, 'd/mine'), 'mine');
    const refused = await restoreInto(target, [file('d')], { overwrite: 'always' });
    expect(codes(refused)).toEqual(['d conflict/TARGET_EXISTS']);
    const bad = file('d', 'x', { size: 9 });
    expect(codes(await restoreInto(target, [bad], { delete: true }))).toEqual(['d invalid/SOURCE_INVALID']);
    expect(names()).toEqual(['a', 'd', 'd/mine']);
    expect(await restoreInto(target, [file('d')], { delete: true })).toMatchObject({ files: 1, removed: 1 });
    expect(read('d')).toBe('d');
  });

  it('removes with delete what no item is about, in folders that came as items', async () => {
    fs.mkdirSync(path.join(target, 'd/old/older'), { recursive: true });
    fs.symlinkSync(folder.path, path.join(target, 'd/old/out'));
    fs.mkdirSync(path.join(target, 'other'));
    fs.writeFileSync(path.join(target, 'other/kept'), '');
    const report = await restoreInto(target, [dir('d'), file('d/x'), file('other/y')], { delete: true });
    expect(report).toMatchObject({ removed: 1, removalSkipped: false });
    expect(names()).toEqual(['a', 'd', 'd/x', 'other', 'other/kept', 'other/y']);
    expect(fs.existsSync(folder.path)).toBe(true);
  });

  it('removes nothing when something failed', async () => {
    const report = await restoreInto(target, [dir(''), file('x', 'x', { size: 2 })], { delete: true });
    expect(report).toMatchObject({ removed: 0, removalSkipped: true, failed: 1 });
    expect(read('a')).toBe('mine');
  });

  it('never touches what it is to avoid', async () => {
    fs.mkdirSync(path.join(target, 'in/store'), { recursive: true });
    fs.writeFileSync(path.join(target, 'in/store/pack'), 'bytes');
    fs.writeFileSync(path.join(target, 'in/rest'), '');
    const avoid = [path.join(target, 'in/store')];
    expect(await restoreInto(target, [dir('')], { delete: true, avoid })).toMatchObject({ removed: 1 });
    expect(names()).toEqual(['in', 'in/store', 'in/store/pack']);
    const into = await restoreInto(target, [file('in/store/pack'), file('in')], {
      overwrite: 'always',
      delete: true,
      avoid,
    });
    expect(codes(into)).toEqual([
      'in/store conflict/TARGET_EXISTS',
      'in/store/pack conflict/TARGET_EXISTS',
      'in conflict/TARGET_EXISTS',
    ]);
    expect(read('in/store/pack')).toBe('bytes');
    await expect(restoreInto(path.join(target, 'in/store'), [], { avoid })).rejects.toMatchObject({
      code: 'LOCATION_INVALID',
    });
  });
});

describe('restoreInto under attack', () => {
  const outside = () => path.join(folder.path, 'outside');

  it.each([
    ['..', ['..', 'outside']],
    ['.', ['.', 'x']],
    ['an empty one', ['', 'outside']],
    ['an absolute path', ['/etc/holdfast-test']],
    ['a separator', ['a/../../outside']],
    ['a NUL', ['a\0b']],
  ])('refuses a path with %s', async (_, parts) => {
    const at = parts.map((one) => Buffer.from(one));
    for (const item of [file('x'), dir('x'), link('x', 'y')]) {
      const report = await restoreInto(target, [{ ...item, path: at }, file('good')], { overwrite: 'always' });
      expect(report.failures).toMatchObject([{ error: { code: 'PATH_UNSAFE', kind: 'invalid' } }]);
    }
    expect(names()).toEqual(['good']);
    expect(fs.existsSync(outside())).toBe(false);
  });

  it('does not write through a link that an earlier item made', async () => {
    fs.mkdirSync(outside());
    const items = [link('way', '../outside'), file('way/in'), dir('way'), file('way/deeper/in')];
    const report = await restoreInto(target, items, { overwrite: 'always', delete: true });
    // The folder is told once, though an item of its own came after it.
    expect(report.failed).toBe(3);
    expect(fs.readdirSync(outside())).toEqual([]);
    expect(names()).toEqual(['way']);
    // And once it is there.
    const again = await restoreInto(target, [file('way/in'), dir('way/d')], { overwrite: 'always' });
    expect(new Set(again.failures.map(({ error }) => error.code))).toEqual(new Set(['PATH_UNSAFE']));
    expect(fs.readdirSync(outside())).toEqual([]);
  });

  it('does not link to a file through a link, nor to one that it did not restore', async () => {
    fs.mkdirSync(target);
    fs.mkdirSync(outside());
    fs.writeFileSync(path.join(outside(), 'secret'), 'secret');
    fs.symlinkSync('../outside', path.join(target, 'way'));
    const items = [
      ['way', 'secret'],
      ['..', 'outside', 'secret'],
    ].map((sameAs, index) => file(`f${index}`, 'own', { sameAs: sameAs.map((one) => Buffer.from(one)) }));
    await restoreInto(target, items);
    expect([read('f0'), read('f1')]).toEqual(['own', 'own']);
    expect(fs.statSync(path.join(outside(), 'secret')).nlink).toBe(1);
  });

  it('puts a folder in the place of a link only with delete, and leaves what it points at', async () => {
    fs.mkdirSync(outside());
    fs.writeFileSync(path.join(outside(), 'mine'), '');
    fs.mkdirSync(target);
    fs.symlinkSync(outside(), path.join(target, 'd'));
    const items = [dir('d'), file('d/x')];
    expect(codes(await restoreInto(target, items))).toEqual(['d invalid/PATH_UNSAFE', 'd/x invalid/PATH_UNSAFE']);
    expect(await restoreInto(target, items, { delete: true })).toMatchObject({ removed: 1, failed: 0 });
    expect(fs.readdirSync(outside())).toEqual(['mine']);
    expect(names()).toEqual(['d', 'd/x']);
  });

  it('restores one of several names that the target takes for one, and tells of the others', async () => {
    const nature = { foldsCase: true, foldsForms: true };
    const items = [
      file('README'),
      file('readme'),
      dir('D'),
      file('D/x'),
      dir('d'),
      file('d/y'),
      file('é'),
      link('e\u0301', 'x'),
    ];
    const report = await restoreInto(target, items, { nature, overwrite: 'always' });
    expect(codes(report)).toEqual([
      'readme conflict/TARGET_EXISTS',
      'd conflict/TARGET_EXISTS',
      'd/y conflict/TARGET_EXISTS',
      'e\u0301 conflict/TARGET_EXISTS',
    ]);
    expect(names().map((name) => Buffer.from(name, 'latin1').toString())).toEqual(['D', 'D/x', 'README', 'é']);
  });

  it('does not overwrite a file that is there under a name of other letters', async () => {
    fs.mkdirSync(target);
    fs.writeFileSync(path.join(target, 'mine'), 'mine');
    const folded = (at: Buffer) => Buffer.from(at.toString().replace(/MINE$/, 'mine').replace('HOLDFAST', 'holdfast'));
    const system: FolderSystem = { ...nodeFolderSystem, lstat: (at) => nodeFolderSystem.lstat(folded(at)) };
    const report = await restoreInto(target, [file('MINE')], { system, overwrite: 'always' });
    expect(codes(report)).toEqual(['MINE conflict/TARGET_EXISTS']);
    expect(read('mine')).toBe('mine');
  });

  it('takes one of two items with the same path', async () => {
    const report = await restoreInto(target, [file('a', 'first'), file('a', 'second')], { overwrite: 'always' });
    expect(report.failures).toMatchObject([
      { error: { code: 'TARGET_EXISTS', details: { path: 'a', expected: 'a' } } },
    ]);
    expect(read('a')).toBe('first');
  });

  it('refuses a target that is a file, or below one', async () => {
    fs.writeFileSync(target, '');
    await expect(restoreInto(target, [])).rejects.toMatchObject({ code: 'LOCATION_INVALID' });
    await expect(restoreInto(path.join(target, 'below'), [])).rejects.toMatchObject({ code: 'LOCATION_INVALID' });
  });

  it('restores into a folder that a link given by the caller leads to', async () => {
    fs.mkdirSync(outside());
    fs.symlinkSync('outside', target);
    expect(await restoreInto(target, [file('a')])).toMatchObject({ files: 1 });
    expect(fs.readdirSync(outside())).toEqual(['a']);
  });
});

describe('restoreInto when something fails', () => {
  it('goes on after names that are too long, content that fails and content of the wrong size', async () => {
    const corrupt = storeError('CHUNK_CORRUPT', 'a chunk is corrupt');
    async function* failing() {
      yield Buffer.from('beginning');
      throw corrupt;
    }
    const items = [
      file('n'.repeat(256)),
      file('corrupt', 'x'.repeat(100), { content: failing }),
      file('short', 'abc', { size: 4 }),
      file('long', 'abc', { size: 2 }),
      file('more', 'abc', { content: () => [Buffer.from('abc'), Buffer.from('d')] }),
      { ...link('nowhere', 'x'), target: Buffer.alloc(0) },
      file('when', 'x', { mtime: 'yesterday' }),
      file('good'),
    ];
    const report = await restoreInto(target, items);
    expect(report).toMatchObject({ files: 1, failed: 7 });
    expect(
      Object.fromEntries(report.failures.map(({ path: at, error }) => [at.toString().slice(0, 9), error.code])),
    ).toEqual({
      nnnnnnnnn: 'LOCATION_INVALID',
      corrupt: 'CHUNK_CORRUPT',
      short: 'SOURCE_INVALID',
      long: 'SOURCE_INVALID',
      more: 'SOURCE_INVALID',
      nowhere: 'SOURCE_INVALID',
      when: 'SOURCE_INVALID',
    });
    expect(report.failures.find(({ error }) => error.code === 'CHUNK_CORRUPT')?.error).toBe(corrupt);
    expect(names()).toEqual(['good']);
  });

  it('tells of a full disk for each item and leaves nothing half-written', async () => {
    const full = Object.assign(new Error('full'), { code: 'ENOSPC' });
    const system: FolderSystem = {
      ...nodeFolderSystem,
      create: async (at) => ({ ...(await nodeFolderSystem.create(at)), write: () => Promise.reject(full) }),
    };
    const report = await restoreInto(target, [file('a'), file('b'), file('empty', '')], { system });
    expect(codes(report).sort()).toEqual(['a exhausted/DISK_FULL', 'b exhausted/DISK_FULL']);
    expect(names()).toEqual(['empty']);
  });

  it('tells what is below a folder that could not be made', async () => {
    const denied = Object.assign(new Error('no'), { code: 'EACCES' });
    const system: FolderSystem = {
      ...nodeFolderSystem,
      mkdir: (at, mode) => (at.toString().endsWith('/d') ? Promise.reject(denied) : nodeFolderSystem.mkdir(at, mode)),
    };
    const report = await restoreInto(target, [dir('d'), file('d/a'), dir('d/e'), file('x')], { system });
    expect(codes(report)).toEqual([
      'd denied/PERMISSION_DENIED',
      'd/a denied/PERMISSION_DENIED',
      'd/e denied/PERMISSION_DENIED',
    ]);
    expect(names()).toEqual(['x']);
  });

  it('stops at the signal, and at what is no failure of an item, with nothing half-written', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    async function* aborting() {
      yield Buffer.from('some');
      abort.abort(reason);
      yield Buffer.from('more');
    }
    const items = [file('a', 'somemore', { content: aborting }), file('b')];
    await expect(restoreInto(target, items, { signal: abort.signal })).rejects.toBe(reason);
    const bug = new TypeError('a bug');
    const broken = file('c', 'c', {
      content: () => {
        throw bug;
      },
    });
    await expect(restoreInto(target, [broken])).rejects.toBe(bug);
    await expect(restoreInto(target, [{ ...file('e'), content: undefined as never }])).rejects.toThrow(TypeError);
    expect(names().filter((name) => name !== 'b')).toEqual([]);
  });

  it('counts more failures than it lists', async () => {
    const items = Array.from({ length: 1001 }, () => file('..'));
    const report = await restoreInto(target, items);
    expect([report.failed, report.failures.length]).toEqual([1001, 1000]);
  });
});
