import { isUtf8 } from 'node:buffer';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { craftFolder, factsOf, ODD_NAMES, scanned } from '../../test/support/folders.ts';
import { nodeFolderSystem } from '../runtime/folder-system.ts';
import { SmallFileReader } from '../runtime/small-file-reader.ts';
import { every } from '../runtime/timers.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../testing/index.ts';
import { formatTimeNs, readScannedFile, readSmallFiles, type ScanItem, scanFolder } from './index.ts';

let folder: TemporaryFolder;
let root: string;
beforeEach(async () => {
  folder = await makeTemporaryFolder();
  root = path.join(folder.path, 'root');
  fs.mkdirSync(root);
});
afterEach(() => folder.remove());

function pathOf(item: ScanItem): string {
  return ('node' in item ? item.node.path : item.path).toString('latin1');
}

function told(items: readonly ScanItem[]): string[] {
  return items.map((item) => `${item.kind} ${pathOf(item)}${item.kind === 'skipped' ? ` (${item.reason})` : ''}`);
}

function write(...names: string[]): void {
  for (const name of names) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), name);
  }
}

describe('scanFolder', () => {
  it('finds all that another walk finds, as it is', async () => {
    craftFolder(root);
    const items = await scanned(root);
    const facts = factsOf(root);
    const nodes = items.filter((item) => item.kind !== 'leave');
    expect(nodes.map(pathOf).sort()).toEqual([...facts.keys()].sort());
    for (const item of nodes) {
      if (!('node' in item)) throw new Error(`${item.kind} ${pathOf(item)}`);
      const fact = facts.get(pathOf(item));
      expect(item.node.mtimeNs).toBe(fact?.mtimeNs);
      if (item.kind === 'link') expect(item.target.toString('latin1')).toBe(fact?.content);
      else expect(item.node.mode).toBe(fact?.mode);
      if (fact?.names) expect(item.node.nlink).toBe(fact.names.length);
    }
  });

  it('says which names are not text, and which files have holes', async () => {
    craftFolder(root);
    const items = await scanned(root);
    const nodes = items.flatMap((item) => (item.kind === 'file' ? [item.node] : []));
    const odd = ODD_NAMES.filter((name) => typeof name !== 'string').length;
    // And one more in the folder whose name is no text.
    expect(nodes.filter(({ name }) => !isUtf8(name))).toHaveLength(odd + 1);
    expect(nodes.filter((node) => node.sparse).map(({ name }) => name.toString())).toEqual(['sparse']);
    const large = nodes.find(({ name }) => name.toString() === 'large');
    expect(formatTimeNs(large?.mtimeNs ?? 0n)).toMatch(/^2009-02-13T23:31:30\.12345\d{4}Z$/);
  });

  it('tells folders before and after what is in them, in the order of bytes', async () => {
    write('b/z', 'b/a', 'a.txt', 'b.txt', 'B', 'é');
    expect(told(await scanned(root))).toEqual([
      'enter ',
      'file B',
      'file a.txt',
      'enter b',
      'file b/a',
      'file b/z',
      'leave b',
      'file b.txt',
      'file \xc3\xa9',
      'leave ',
    ]);
  });

  it('goes through 100,000 files in one folder, in order, and lets others have their turn', async () => {
    const count = 100_000;
    for (let index = 0; index < count; index += 1) fs.closeSync(fs.openSync(path.join(root, `f${index}`), 'w'));
    let previous = '';
    let files = 0;
    let turns = 0;
    const ticking = every(5, () => {
      turns += 1;
    });
    for await (const items of scanFolder(root)) {
      for (const item of items) {
        if (item.kind !== 'file') continue;
        const name = item.node.name.toString();
        if (name <= previous) throw new Error(`${name} after ${previous}`);
        previous = name;
        files += 1;
      }
    }
    ticking.stop();
    expect(files).toBe(count);
    expect(turns).toBeGreaterThan(10);
  });

  it('goes down 1,000 levels', async () => {
    const deep = 'd/'.repeat(1000);
    fs.mkdirSync(path.join(root, deep), { recursive: true });
    const items = await scanned(root);
    expect(items).toHaveLength(2 * 1001);
  });

  it('passes by what has a path longer than the system takes, and tells', async () => {
    const name = 'n'.repeat(250);
    // Made from the bottom: a path of this length cannot be named at once.
    let made = fs.mkdtempSync(path.join(folder.path, 'x'));
    for (let level = 0; level < 20; level += 1) {
      const above = fs.mkdtempSync(path.join(folder.path, 'x'));
      fs.renameSync(made, path.join(above, name));
      made = above;
    }
    fs.renameSync(made, path.join(root, 'long'));
    write('z');
    const items = await scanned(root);
    const failures = items.filter((item) => item.kind === 'failed');
    expect(failures).toMatchObject([{ error: { code: 'SOURCE_INVALID', details: { system: 'ENAMETOOLONG' } } }]);
    expect(told(items)).toContain('file z');
    // Taken apart from the top again, as nothing else can remove it.
    const long = path.join(root, 'long');
    for (let level = 0; level < 20; level += 1) {
      fs.renameSync(path.join(long, name), path.join(folder.path, 'rest'));
      fs.rmdirSync(long);
      fs.renameSync(path.join(folder.path, 'rest'), long);
    }
  });

  it('skips sockets and pipes, other file systems, and the store itself', async () => {
    write('store/pack', 'kept', 'mounted/inside');
    const pipe = path.join(root, 'pipe');
    const system = {
      ...nodeFolderSystem,
      lstatAll: async (paths: readonly Buffer[]) =>
        (await nodeFolderSystem.lstatAll(paths)).map((stat, index) => {
          if (stat instanceof Error) return stat;
          if (paths[index]?.toString().endsWith('mounted')) return { ...stat, dev: stat.dev + 1n };
          return paths[index]?.toString() === pipe ? { ...stat, kind: 'special' as const } : stat;
        }),
    };
    fs.writeFileSync(pipe, '');
    const options = { system, avoid: [path.join(root, 'store'), path.join(root, 'absent')], oneFileSystem: true };
    expect(told(await scanned(root, options))).toEqual([
      'enter ',
      'file kept',
      'enter mounted',
      'skipped mounted (file-system)',
      'leave mounted',
      'skipped pipe (special)',
      'skipped store (store)',
      'leave ',
    ]);
    expect(told(await scanned(root, { system }))).toContain('file mounted/inside');
  });

  it('goes on after what cannot be read or is gone', async () => {
    write('a', 'b/inside', 'c', 'd');
    const denied = Object.assign(new Error('no'), { code: 'EACCES' });
    const system = {
      ...nodeFolderSystem,
      readdir: async (at: Buffer) => {
        if (at.toString().endsWith('/b')) throw denied;
        return await nodeFolderSystem.readdir(at);
      },
      lstatAll: async (paths: readonly Buffer[]) => {
        fs.rmSync(path.join(root, 'c'));
        return await nodeFolderSystem.lstatAll(paths);
      },
    };
    const items = await scanned(root, { system });
    expect(told(items)).toEqual(['enter ', 'file a', 'failed b', 'failed c', 'file d', 'leave ']);
    const errors = items.flatMap((item) => (item.kind === 'failed' ? [item.error] : []));
    expect(errors).toMatchObject([
      { code: 'PERMISSION_DENIED', kind: 'denied', details: { path: 'b' }, cause: denied },
      { code: 'SOURCE_NOT_FOUND', details: { path: 'c', system: 'ENOENT' } },
    ]);
  });

  it('refuses a root that is gone, no folder or the store', async () => {
    write('file');
    await expect(scanned(path.join(root, 'absent'))).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    await expect(scanned(path.join(root, 'file'))).rejects.toMatchObject({ code: 'SOURCE_INVALID' });
    await expect(scanned(root, { avoid: [root] })).rejects.toMatchObject({ code: 'SOURCE_INVALID' });
  });

  it('follows a link that is the root, and no other', async () => {
    write('x/file');
    fs.symlinkSync(root, path.join(folder.path, 'to-root'));
    fs.symlinkSync('x', path.join(root, 'y'));
    const items = await scanned(path.join(folder.path, 'to-root'));
    expect(told(items)).toEqual(['enter ', 'enter x', 'file x/file', 'leave x', 'link y', 'leave ']);
  });

  it('ends with the reason of its signal', async () => {
    // More than is told at once, in folders that are entered later.
    write(...Array.from({ length: 300 }, (_, index) => `${index}/file`));
    const abort = new AbortController();
    const reason = new Error('enough');
    const scan = scanFolder(root, { signal: abort.signal });
    await scan.next();
    abort.abort(reason);
    await expect(scan.next()).rejects.toBe(reason);
  });
});

describe('scanFolder with rules', () => {
  async function files(options: Parameters<typeof scanned>[1]): Promise<string[]> {
    return (await scanned(root, options)).filter((item) => item.kind === 'file').map(pathOf);
  }

  it('leaves out what rules of the call say, and does not go into it', async () => {
    write('a.log', 'keep.log', 'build/x', 'sub/build/y', 'sub/A.LOG');
    const excludes = ['*.log', '!keep.log', '/build/'];
    expect(await files({ excludes })).toEqual(['keep.log', 'sub/A.LOG', 'sub/build/y']);
    expect(told(await scanned(root, { excludes }))).toContain('skipped build (excluded)');
  });

  it('reads rules in folders, of which deeper ones win, and those of the call over all', async () => {
    write('sub/a.tmp', 'sub/b.tmp', 'sub/inner/a.tmp', 'other/a.tmp');
    fs.writeFileSync(path.join(root, '.holdfastignore'), '*.tmp\n');
    fs.writeFileSync(path.join(root, 'sub/.holdfastignore'), '!a.tmp\n# a comment\n\n.holdfastignore\n');
    const excludeFiles = ['.gitignore', '.holdfastignore'];
    expect(await files({ excludeFiles })).toEqual(['.holdfastignore', 'sub/a.tmp', 'sub/inner/a.tmp']);
    expect(await files({ excludeFiles, excludes: ['inner'] })).toEqual(['.holdfastignore', 'sub/a.tmp']);
    expect(await files({ excludeFiles, excludes: ['!b.tmp'] })).toContain('sub/b.tmp');
  });

  it('keeps what is below a folder that a more important rule keeps', async () => {
    write('out/file', 'out/other');
    fs.writeFileSync(path.join(root, '.gitignore'), 'out/\n');
    expect(await files({ excludeFiles: ['.gitignore'] })).toEqual(['.gitignore']);
    const kept = await files({ excludeFiles: ['.gitignore'], excludes: ['!out/', 'other'] });
    expect(kept).toEqual(['.gitignore', 'out/file']);
  });

  it('tells of rules that it cannot read, and leaves nothing out for them', async () => {
    write('a');
    fs.symlinkSync('/etc/passwd', path.join(root, '.holdfastignore'));
    const items = await scanned(root, { excludeFiles: ['.holdfastignore'] });
    expect(told(items)).toEqual(['enter ', 'failed .holdfastignore', 'link .holdfastignore', 'file a', 'leave ']);
    fs.rmSync(path.join(root, '.holdfastignore'));
    fs.writeFileSync(path.join(root, '.holdfastignore'), '#'.repeat(1024 * 1024 + 1));
    expect(told(await scanned(root, { excludeFiles: ['.holdfastignore'] }))[1]).toBe('failed .holdfastignore');
  });

  it('matches names of any kind', async () => {
    for (const name of ODD_NAMES) fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name)]), '');
    expect(await files({ excludes: ['nothing-of-this'] })).toHaveLength(ODD_NAMES.length);
    expect(await files({ excludes: ['*'] })).toEqual([]);
  });
});

describe('readScannedFile', () => {
  async function nodeOf(name: string) {
    const found = (await scanned(root)).find((item) => pathOf(item) === name);
    if (found?.kind !== 'file') throw new Error(`no file ${name}`);
    return found.node;
  }

  it('gives content, and the facts that belong to it', async () => {
    write('a');
    const node = await nodeOf('a');
    fs.appendFileSync(path.join(root, 'a'), ' and more');
    const reading = readScannedFile(root, node);
    expect(Buffer.from((await reading.next()).value as Uint8Array).toString()).toBe('a and more');
    expect((await reading.next()).value).toMatchObject({ size: 10, ino: node.ino });
  });

  it('refuses another file of that name, a link, and one that changes meanwhile', async () => {
    write('a', 'b', 'c');
    const [a, b, c] = [await nodeOf('a'), await nodeOf('b'), await nodeOf('c')];
    fs.writeFileSync(path.join(root, 'new'), 'a');
    fs.renameSync(path.join(root, 'new'), path.join(root, 'a'));
    await expect(Array.fromAsync(readScannedFile(root, a))).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
    fs.rmSync(path.join(root, 'b'));
    fs.symlinkSync('c', path.join(root, 'b'));
    await expect(Array.fromAsync(readScannedFile(root, b))).rejects.toMatchObject({ code: 'SOURCE_INVALID' });
    const reading = readScannedFile(root, c);
    await reading.next();
    fs.writeFileSync(path.join(root, 'c'), 'something longer');
    // How much of what came later was read ahead is chance; that it changed is told at its end.
    await expect(Array.fromAsync(reading)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
  });

  it('reads small files together, under the same conditions', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    write(...names);
    const nodes = await Promise.all(names.map((name) => nodeOf(name)));
    const reader = new SmallFileReader();
    onTestFinished(() => reader.close());
    fs.writeFileSync(path.join(root, 'b'), 'something longer than it was');
    fs.rmSync(path.join(root, 'c'));
    fs.symlinkSync('a', path.join(root, 'c'));
    fs.rmSync(path.join(root, 'd'));
    fs.rmSync(path.join(root, 'e'));
    fs.writeFileSync(path.join(root, 'other'), 'e');
    fs.renameSync(path.join(root, 'other'), path.join(root, 'e'));
    fs.chmodSync(path.join(root, 'f'), 0o604);
    const { files, release } = await readSmallFiles(root, nodes, reader);
    expect(files.map((file) => ('code' in file ? file.code : 'read'))).toEqual([
      ...['read', 'SOURCE_CHANGED', 'SOURCE_INVALID', 'SOURCE_NOT_FOUND', 'SOURCE_CHANGED', 'read'],
    ]);
    const [a, , , , , f] = files as readonly { readonly bytes: Uint8Array; readonly facts: unknown }[];
    expect(a && [Buffer.from(a.bytes).toString(), a.facts]).toEqual(['a', nodes[0]]);
    expect(f?.facts).toMatchObject({ mode: 0o604, path: Buffer.from('f') });
    release();
  });

  it('tells of a file that is gone', async () => {
    write('a');
    const node = await nodeOf('a');
    fs.rmSync(path.join(root, 'a'));
    await expect(Array.fromAsync(readScannedFile(root, node))).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
  });
});
