import { copyFile, cp, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { toHex, utf8Encode } from '../../src/bytes/bytes.ts';
import { blake3 } from '../../src/hash/index.ts';
import { createStore, diagnoseStore, openStore, rebuildStore } from '../../src/index.ts';
import { noise, sameBytes, text } from '../support/contents.ts';
import { cutOff, flipByte, imageOf, loseMetadata, metadataFile } from '../support/store-files.ts';
import { closedAfterTest, folderStore, keysOf, reopen, SOUND, storeTemplate, testFolder } from '../support/stores.ts';

const PLAIN = { keys: 'none', reserveBytes: 0 } as const;

/** Changes the config of a store and gives it the check that belongs to it. */
async function editConfig(folder: string, edit: (text: string) => string): Promise<void> {
  const file = path.join(folder, 'holdfast.json');
  const [front = ''] = (await readFile(file, 'utf8')).split(',\n  "check"');
  const edited = edit(front);
  expect(edited).not.toBe(front);
  await writeFile(file, `${edited},\n  "check": "${toHex(blake3(utf8Encode(edited)))}"\n}\n`);
}

const template = storeTemplate((store) => store.put('a', noise(100_000, 61)));

/** Expects opening to fail with a code and to leave every file as it is. */
async function refused(folder: string, code: string): Promise<void> {
  const before = await imageOf(folder);
  await expect(openStore(folder, { reserveBytes: 0 })).rejects.toMatchObject({ code });
  await expect(openStore(folder, { readOnly: true })).rejects.toMatchObject({ code });
  expect(await imageOf(folder)).toEqual(before);
}

it('a place that the system cannot look into is no error of ours', async () => {
  const place = path.join(await testFolder(), 'x'.repeat(300));
  const failed = { code: 'BACKEND_IO', details: { system: 'ENAMETOOLONG' } };
  await expect(openStore(place)).rejects.toMatchObject(failed);
  await expect(createStore(place, PLAIN)).rejects.toMatchObject(failed);
});

describe('createStore', () => {
  it('makes the folder, and openStore finds the same store there', async () => {
    const folder = path.join(await testFolder(), 'deep', 'er');
    const store = closedAfterTest(await createStore(folder, PLAIN));
    await store.put('a', 'x');
    await store.close();
    const again = await reopen(folder);
    expect(again.id).toBe(store.id);
    expect(await again.get('a')).toEqual(text('x'));
  });

  it('refuses a place that is taken, and touches nothing there', async () => {
    const folder = await template.copy();
    const before = await imageOf(folder);
    await expect(createStore(folder, PLAIN)).rejects.toMatchObject({ code: 'STORE_EXISTS', kind: 'conflict' });
    expect(await imageOf(folder)).toEqual(before);
    const other = await testFolder();
    await writeFile(path.join(other, 'thesis.txt'), 'mine');
    await expect(createStore(other, PLAIN)).rejects.toMatchObject({ code: 'LOCATION_INVALID' });
    await expect(createStore(path.join(other, 'thesis.txt'), PLAIN)).rejects.toMatchObject({
      code: 'LOCATION_INVALID',
    });
    expect(Object.keys(await imageOf(other))).toEqual(['thesis.txt']);
  });

  it('lets one of two at the same time win', async () => {
    const folder = await testFolder();
    const outcomes = await Promise.allSettled([createStore(folder, PLAIN), createStore(folder, PLAIN)]);
    const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    for (const store of won) closedAfterTest(store);
    expect(won).toHaveLength(1);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'STORE_EXISTS' } });
    await won[0]?.put('a', 'x');
    expect(await won[0]?.maintenance.check()).toMatchObject(SOUND);
  });

  it('goes over what an interrupted one left', async () => {
    const folder = await testFolder();
    await mkdir(path.join(folder, '.metadata'));
    await mkdir(path.join(folder, '.tmp'));
    const store = closedAfterTest(await createStore(folder, PLAIN));
    await store.put('a', 'x');
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('wants to hear what seals the store, or that it is plain', async () => {
    const create = (options: unknown) => createStore('memory:', options as typeof PLAIN);
    await expect(create({})).rejects.toMatchObject({ code: 'ARGUMENT_INVALID', parameter: 'options.keys' });
    await expect(create(undefined)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
    await expect(create({ keys: 'some' })).rejects.toMatchObject({ code: 'ARGUMENT_INVALID', parameter: 'keys' });
    await expect(create({ keys: {} })).rejects.toMatchObject({ code: 'ARGUMENT_INVALID', parameter: 'keys' });
  });
});

describe('a location', () => {
  it.each([
    '',
    's3://bucket',
    'https://example.org',
    'postgres:x',
    'a\0b',
    'half \ud800',
  ])('is no text like %j', async (location) => {
    await expect(createStore(location, PLAIN)).rejects.toMatchObject({ code: 'LOCATION_INVALID' });
    await expect(openStore(location)).rejects.toMatchObject({ code: 'LOCATION_INVALID' });
  });

  it.each([
    [{ backend: 'folder', metadata: 'file.sqlite' }, 'LOCATION_INVALID'],
    [{ backend: 'vault.hold', metadata: 'postgres://host/db' }, 'LOCATION_INVALID'],
    [{ backend: 'memory:', metadata: 'postgres://host/db' }, 'LOCATION_INVALID'],
    [{ backend: 'https://example.org', metadata: 'postgres://host/db' }, 'LOCATION_INVALID'],
  ])('is none where bytes and metadata are like %j', async (location, code) => {
    await expect(createStore(location, PLAIN)).rejects.toMatchObject({ code });
    await expect(openStore(location)).rejects.toMatchObject({ code });
  });

  it('that names a database is not that of a store which has its metadata itself', async () => {
    const location = { backend: await template.copy(), metadata: 'postgres://nobody@127.0.0.1:1/db' };
    await expect(openStore(location)).rejects.toMatchObject({ code: 'METADATA_ELSEWHERE', kind: 'invalid' });
    await expect(rebuildStore(location)).rejects.toMatchObject({ code: 'METADATA_ELSEWHERE' });
    const { findings } = await diagnoseStore(location);
    const advice = expect.stringContaining('--database');
    expect(findings).toContainEqual(expect.objectContaining({ subject: 'metadata', status: 'error', advice }));
  });

  it.each([
    5,
    null,
    undefined,
    {},
    { backend: {} },
    { metadata: 'postgres://host/db' },
  ])('is a TypeError when it is none: %j', async (location) => {
    await expect(openStore(location as unknown as string)).rejects.toMatchObject({ parameter: 'location' });
  });
});

describe('openStore', () => {
  it('finds no store where there is nothing, and none in memory', async () => {
    const absent = path.join(await testFolder(), 'absent');
    await expect(openStore(absent)).rejects.toMatchObject({ code: 'STORE_NOT_FOUND', details: { path: absent } });
    await expect(openStore('memory:')).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' });
  });

  it('takes neither a folder of other files nor a file for a store, and writes nothing there', async () => {
    const folder = await testFolder();
    await refused(folder, 'NOT_A_STORE');
    const file = path.join(folder, 'file');
    await writeFile(file, 'mine');
    await refused(folder, 'NOT_A_STORE');
    await expect(openStore(file)).rejects.toMatchObject({ code: 'NOT_A_STORE' });
  });

  it('leaves a store of a newer format alone', async () => {
    const folder = await template.copy();
    await editConfig(folder, (config) => config.replace('"format": 1', '"format": 3'));
    await refused(folder, 'FORMAT_UNSUPPORTED');
  });

  it('leaves a store with features it does not know alone', async () => {
    const folder = await template.copy();
    await editConfig(folder, (config) =>
      config.replace('"incompatible": []', '"incompatible": [\n      "sealed"\n    ]'),
    );
    await refused(folder, 'FORMAT_UNSUPPORTED');
  });

  it('opens a store whose features only matter for writing read-only', async () => {
    const folder = await template.copy();
    await editConfig(folder, (config) => config.replace('"readOnlyCompatible": []', '"readOnlyCompatible": ["later"]'));
    await expect(openStore(folder, { reserveBytes: 0 })).rejects.toMatchObject({ code: 'FORMAT_UNSUPPORTED' });
    expect(await keysOf(await reopen(folder, { readOnly: true }))).toEqual(['a']);
  });

  it('leaves a store with a setting it does not know alone', async () => {
    const folder = await template.copy();
    await editConfig(folder, (config) => config.replace('"redundancy": "none"', '"redundancy": "personal"'));
    await refused(folder, 'SETTING_UNSUPPORTED');
  });

  it('never believes a damaged config', async () => {
    const folder = await template.copy();
    const config = path.join(folder, 'holdfast.json');
    const { length } = await readFile(config);
    for (let position = 0; position < length; position += 37) {
      await flipByte(config, position);
      await refused(folder, 'CONFIG_CORRUPT');
      await flipByte(config, position);
    }
    await cutOff(config, 5);
    await refused(folder, 'CONFIG_CORRUPT');
    await writeFile(config, '');
    await refused(folder, 'CONFIG_CORRUPT');
  });

  it('says that the metadata is missing, and does not begin anew', async () => {
    const folder = await template.copy();
    await loseMetadata(folder);
    await refused(folder, 'METADATA_MISSING');
  });

  it('begins anew where a store was created and never written to', async () => {
    const { path: folder, store } = await folderStore();
    await store.close();
    await loseMetadata(folder);
    const again = await reopen(folder);
    await again.put('a', 'x');
    expect(await again.maintenance.check()).toMatchObject(SOUND);
  });

  it('says that the metadata is damaged, and does not begin anew', async () => {
    const folder = await template.copy();
    await writeFile(metadataFile(folder), noise(40_000));
    await refused(folder, 'METADATA_CORRUPT');
  });

  it('refuses the metadata of another store', async () => {
    const folder = await template.copy();
    const other = await folderStore();
    await other.store.close();
    await copyFile(metadataFile(other.path), metadataFile(folder));
    await refused(folder, 'METADATA_CORRUPT');
  });

  it('keeps everything, however often the store is opened', async () => {
    const folder = await template.copy();
    const contents = Array.from({ length: 4 }, (_, index) => noise(60_000 * index, index));
    for (const [index, content] of contents.entries()) {
      const again = await reopen(folder);
      await again.put(`k${index}`, content);
      for (let earlier = 0; earlier <= index; earlier += 1)
        expect(sameBytes(await again.get(`k${earlier}`), contents[earlier] as Uint8Array)).toBe(true);
      await again.close();
    }
    expect(await (await reopen(folder)).maintenance.check()).toMatchObject({ ...SOUND, entries: 5 });
  });

  it('finds what was acknowledged by a handle that was never closed', async () => {
    const { path: folder, store } = await folderStore();
    await store.put('a', noise(100_000, 62));
    // What a crash leaves: the files as they are, without any goodbye.
    const copy = await testFolder();
    await cp(folder, copy, { recursive: true, filter: (name) => !name.endsWith('-shm') });
    const again = await reopen(copy);
    expect(sameBytes(await again.get('a'), noise(100_000, 62))).toBe(true);
    expect(await again.maintenance.check()).toMatchObject(SOUND);
  });

  it('goes with its folder when that is moved', async () => {
    const folder = await template.copy();
    const moved = path.join(await testFolder(), 'moved');
    await rename(folder, moved);
    expect(await keysOf(await reopen(moved))).toEqual(['a']);
  });
});
