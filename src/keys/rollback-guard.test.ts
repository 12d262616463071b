import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { asyncOutcome } from '../../test/support/sealed.ts';
import { nodeFileSystem } from '../runtime/file-system.ts';
import { makeTemporaryFolder, seededRandom } from '../testing/index.ts';
import { checkGuardedJournal, checkGuardedKeys, type GuardState, readGuard, writeGuard } from './rollback-guard.ts';

const { bytes: random } = seededRandom(10);
const root = await makeTemporaryFolder();
afterAll(() => root.remove());

const STORE = '0123456789abcdef'.repeat(2);
const DIGEST = 'ab'.repeat(32);
const KEYS = '12'.repeat(32);
const STATE: GuardState = { storeId: STORE, keys: KEYS, generation: 3, commit: 10, digest: DIGEST };

interface Shown {
  readonly keys?: string;
  readonly generation: number;
  readonly commit: number;
  readonly digest?: string | undefined;
}

function check({ keys = KEYS, generation, commit, digest }: Shown): void {
  checkGuardedKeys(STATE, { keys, generation });
  checkGuardedJournal(STATE, { commit, digest });
}

describe('a store held against what is remembered of it', () => {
  it.each([
    ['the same', { generation: 3, commit: 10, digest: DIGEST }],
    ['newer', { generation: 4, commit: 11, digest: DIGEST }],
    ['newer, and the old record is gone', { generation: 3, commit: 11, digest: undefined }],
  ])('may be %s', (_, actual) => {
    expect(outcomeOf(() => check(actual))).toBe('no error');
  });

  it.each([
    ['older keys', { generation: 2, commit: 10, digest: DIGEST }, { expected: 3, actual: 2 }],
    ['older keys and more commits', { generation: 2, commit: 99, digest: DIGEST }, { expected: 3, actual: 2 }],
    ['fewer commits', { generation: 3, commit: 9, digest: undefined }, { expected: 10, actual: 9 }],
    ['newer keys and fewer commits', { generation: 9, commit: 9, digest: DIGEST }, { expected: 10, actual: 9 }],
    ['keys of another store', { keys: 'cd'.repeat(32), generation: 3, commit: 10 }, { actual: 'cd'.repeat(32) }],
    ['no keys any more', { keys: 'none', generation: 9, commit: 99, digest: DIGEST }, { expected: KEYS }],
    ['another past', { generation: 3, commit: 12, digest: 'cd'.repeat(32) }, { commit: 10, actual: 'cd'.repeat(32) }],
  ])('is refused with %s', (_, actual, details) => {
    expect(outcomeOf(() => check(actual))).toBe('corrupt/ROLLBACK_DETECTED');
    try {
      check(actual);
    } catch (error) {
      expect(error).toMatchObject({ details });
    }
  });
});

describe('a guard file', () => {
  it('is told of in plain words where there can be none', async () => {
    const folder = path.join(root.path, 'a-file');
    await writeFile(folder, '');
    expect(await asyncOutcome(readGuard(STORE, { folder }))).toBe('invalid/LOCATION_INVALID');
    expect(await asyncOutcome(writeGuard(STATE, { folder }, random))).toBe('invalid/LOCATION_INVALID');
    const refused = () => Promise.reject(Object.assign(new Error('no'), { code: 'EACCES' }));
    const place = { folder: root.path, fileSystem: { ...nodeFileSystem, stat: refused, mkdir: refused } };
    expect(await asyncOutcome(readGuard(STORE, place))).toBe('denied/PERMISSION_DENIED');
    expect(await asyncOutcome(writeGuard(STATE, place, random))).toBe('denied/PERMISSION_DENIED');
  });

  it('remembers one store, for its owner alone, in a folder it makes', async () => {
    const place = { folder: path.join(root.path, 'made', 'guards') };
    expect(await readGuard(STORE, place)).toBeUndefined();
    await writeGuard(STATE, place, random);
    expect(await readGuard(STORE, place)).toEqual(STATE);
    expect(await readGuard('ff'.repeat(16), place)).toBeUndefined();
    await writeGuard({ ...STATE, commit: 11 }, place, random);
    expect((await readGuard(STORE, place))?.commit).toBe(11);
    expect(await readdir(place.folder)).toEqual([`${STORE}.json`]);
    expect((await stat(path.join(place.folder, `${STORE}.json`))).mode & 0o777).toBe(0o600);
  });

  it('is as it was when it could not be written', async () => {
    const folder = path.join(root.path, 'kept');
    await writeGuard(STATE, { folder }, random);
    const fileSystem = { ...nodeFileSystem, rename: () => Promise.reject(new Error('no disk')) };
    await expect(writeGuard({ ...STATE, commit: 11 }, { folder, fileSystem }, random)).rejects.toThrow('no disk');
    expect(await readGuard(STORE, { folder })).toEqual(STATE);
    expect(await readdir(folder)).toEqual([`${STORE}.json`]);
  });

  it.each<[string, (text: string) => string]>([
    ['half of itself', (text) => text.slice(0, 40)],
    ['nothing', () => ''],
    ['another store in it', (text) => text.replace(STORE, 'ff'.repeat(16))],
    ['a number that is none', (text) => text.replace('"commit": 10', '"commit": "10"')],
    ['a member too many', (text) => text.replace('{', '{ "x": 1,')],
  ])('is refused with %s', async (name, change) => {
    const folder = path.join(root.path, name.replaceAll(' ', '-'));
    await writeGuard(STATE, { folder }, random);
    const file = path.join(folder, `${STORE}.json`);
    await writeFile(file, change(await readFile(file, 'utf8')));
    expect(await asyncOutcome(readGuard(STORE, { folder }))).toBe('invalid/CREDENTIAL_INVALID');
  });

  it.skipIf(process.platform === 'win32')('is refused when others could have written it', async () => {
    const folder = path.join(root.path, 'exposed');
    await writeGuard(STATE, { folder }, random);
    await chmod(path.join(folder, `${STORE}.json`), 0o666);
    expect(await asyncOutcome(readGuard(STORE, { folder }))).toBe('denied/KEY_FILE_EXPOSED');
  });
});
