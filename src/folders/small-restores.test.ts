import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codes, dir, file, MTIME, namesIn } from '../../test/support/restore-items.ts';
import { storeError } from '../errors/store-error.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../testing/index.ts';
import { type RestoreItem, restoreInto } from './index.ts';

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

describe('restoreInto with files whose content is at hand', () => {
  function whole(name: string, content = name, more: Partial<RestoreItem> = {}): RestoreItem {
    const bytes = Buffer.from(content);
    const neverRead = (): never => {
      throw new Error('the content is at hand');
    };
    return file(name, content, { content: neverRead, whole: () => bytes, ...more });
  }

  it('writes them as any other, also when their bytes are gone with the next item', async () => {
    const items = function* (): Generator<RestoreItem> {
      yield dir('d');
      for (let nth = 0; nth < 700; nth += 1) {
        const bytes = Buffer.from(`content ${nth}`.repeat(nth));
        yield whole(`d/file-${nth}`, bytes.toString(), { whole: () => bytes, mode: nth % 2 ? 0o600 : 0o4755 });
        bytes.fill(0);
      }
    };
    const told: string[] = [];
    const report = await restoreInto(target, items(), {
      onEvent: ({ action, path: at }) => told.push(`${action} ${at}`),
    });
    expect(report).toMatchObject({ files: 700, failed: 0, specialModesDropped: 350 });
    expect(told.filter((one) => one.startsWith('write'))).toHaveLength(700);
    for (const nth of [0, 1, 255, 256, 699]) {
      expect(read(`d/file-${nth}`)).toBe(`content ${nth}`.repeat(nth));
      const { mode, mtimeMs } = fs.statSync(path.join(target, `d/file-${nth}`));
      expect([mode & 0o7777, mtimeMs]).toEqual([nth % 2 ? 0o600 : 0o755, Date.parse(MTIME)]);
    }
    expect(names()).toHaveLength(701);
  });

  it('waits for bytes that come later, and reads the content where there are none', async () => {
    const items = [
      whole('later', 'later', { whole: async () => Buffer.from('later') }),
      file('streamed', 'streamed', { whole: () => undefined }),
      file('streamed-later', 'streamed-later', { whole: async () => undefined }),
      whole('empty', ''),
    ];
    expect(await restoreInto(target, items)).toMatchObject({ files: 4, failed: 0 });
    expect(['later', 'streamed', 'streamed-later', 'empty'].map(read)).toEqual([
      'later',
      'streamed',
      'streamed-later',
      '',
    ]);
  });

  it('tells of each that fails, and goes on with the others', async () => {
    const damaged = storeError('CHUNK_CORRUPT', 'damaged');
    const failing = (): never => {
      throw damaged;
    };
    const items = [
      whole('good'),
      whole('short', 'short', { size: 6 }),
      whole('damaged', 'x', { whole: failing }),
      whole('damaged-later', 'x', { whole: () => Promise.reject(damaged) }),
      whole('good', 'another of that name'),
      whole('../out'),
      whole('n'.repeat(300)),
      whole('time', 'x', { mtime: 'yesterday' }),
      whole('last'),
    ];
    const report = await restoreInto(target, items);
    expect(codes(report)).toEqual([
      expect.stringMatching(/^short invalid\/SOURCE_INVALID/),
      'damaged corrupt/CHUNK_CORRUPT',
      'damaged-later corrupt/CHUNK_CORRUPT',
      'good conflict/TARGET_EXISTS',
      '../out invalid/PATH_UNSAFE',
      'time invalid/SOURCE_INVALID',
      expect.stringMatching(/^n{300} /),
    ]);
    expect([names(), read('good')]).toEqual([['good', 'last'], 'good']);
  });

  it('ends with an error that is not of an item, and leaves nothing half written', async () => {
    const broken = function* (): Generator<RestoreItem> {
      yield whole('one');
      throw new Error('the items broke');
    };
    await expect(restoreInto(target, broken())).rejects.toThrow('the items broke');
    expect(names()).toEqual(['one']);
  });

  it.each(['end', 'file', 'none'] as const)('writes all whatever is flushed: %s', async (sync) => {
    // Those that are flushed at once go by their content.
    const either = (name: string, more = {}): RestoreItem =>
      file(name, name, { whole: () => Buffer.from(name), ...more });
    const items = [dir('d'), either('d/a'), either('d/secret', { mode: 0o200 }), either('b')];
    expect(await restoreInto(target, items, { sync })).toMatchObject({ files: 3, failed: 0 });
    expect(fs.statSync(path.join(target, 'd/secret')).mode & 0o777).toBe(0o200);
  });

  it('leaves alone what is there, as with any other', async () => {
    fs.mkdirSync(target);
    fs.writeFileSync(path.join(target, 'a'), 'theirs');
    expect(codes(await restoreInto(target, [file('a'), file('b')]))).toEqual(['a conflict/TARGET_EXISTS']);
    const wholes = [
      whole('a', 'a', { content: () => [Buffer.from('a')] }),
      whole('c', 'c', { content: () => [Buffer.from('c')] }),
    ];
    expect(codes(await restoreInto(target, wholes))).toEqual(['a conflict/TARGET_EXISTS']);
    expect([read('a'), read('c')]).toEqual(['theirs', 'c']);
    expect(await restoreInto(target, [whole('new')], { dryRun: true })).toMatchObject({ files: 1, failed: 0 });
    expect(names()).toEqual(['a', 'b', 'c']);
  });
});
