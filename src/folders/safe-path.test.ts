import { readdirSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { type FolderSystem, nodeFolderSystem } from '../runtime/folder-system.ts';
import { makeTemporaryFolder } from '../testing/index.ts';
import { probeTarget } from './index.ts';
import { unsafePath } from './safe-path.ts';
import { foldName } from './target-nature.ts';

const folder = await makeTemporaryFolder();
afterAll(() => folder.remove());

describe('a path to restore', () => {
  it.each([
    'CON',
    'nul.txt',
    'Com1',
    'lpt9.x',
    'a:b',
    'a\\b',
    'ends.',
    'ends ',
    'a|b',
    'tab\t',
    '\xff',
  ])('is unsafe on Windows alone: %j', (name) => {
    const path = [Buffer.from('a'), Buffer.from(name, 'latin1')];
    expect(unsafePath(path, true)).toMatchObject({ code: 'PATH_UNSAFE', kind: 'invalid' });
    expect(unsafePath(path, false)).toBeUndefined();
  });

  it.each(['console', 'com', 'a.b', '...a', '~', '-rf', 'é'])('is fine everywhere: %j', (name) => {
    expect(unsafePath([Buffer.from(name)], true)).toBeUndefined();
  });
});

describe('the nature of a target', () => {
  it.runIf(process.platform === 'linux')('is tried out, and nothing is left behind', async () => {
    expect(await probeTarget(Buffer.from(folder.path))).toEqual({ foldsCase: false, foldsForms: false });
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('is found where names are taken for one another', async () => {
    const system = (fold: (text: string) => string): FolderSystem => ({
      ...nodeFolderSystem,
      lstat: (path) => nodeFolderSystem.lstat(Buffer.from(fold(path.toString()))),
    });
    const at = Buffer.from(folder.path);
    const byCase = system((text) => text.replace('HOLDFAST', 'holdfast'));
    expect(await probeTarget(at, byCase)).toEqual({ foldsCase: true, foldsForms: false });
    const byForm = system((text) => text.normalize('NFC'));
    expect(await probeTarget(at, byForm)).toEqual({ foldsCase: false, foldsForms: true });
  });

  it('decides which names are one', () => {
    const same = (a: string, b: string, nature: Parameters<typeof foldName>[1]) =>
      foldName(Buffer.from(a), nature) === foldName(Buffer.from(b), nature);
    const all = { foldsCase: true, foldsForms: true };
    expect(same('README', 'readme', all)).toBe(true);
    expect(same('\u00e9', 'E\u0301', all)).toBe(true);
    expect(same('\u00e9', 'e\u0301', { foldsCase: true, foldsForms: false })).toBe(false);
    expect(same('a', 'A', { foldsCase: false, foldsForms: true })).toBe(false);
    expect(foldName(Buffer.from([0xff]), { foldsCase: false, foldsForms: false })).toBe('\xff');
  });
});
