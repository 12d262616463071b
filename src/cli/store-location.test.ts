import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConsumerFolder, createConsumerFolder } from '../../test/support/consumer-folder.ts';
import { findStore, requireStore, STORE_FOLDER_NAME } from './store-location.ts';

describe('where the store is', () => {
  let folder: ConsumerFolder;
  let deep: string;

  beforeEach(async () => {
    folder = await createConsumerFolder();
    deep = path.join(folder.path, 'a/b');
    await mkdir(deep, { recursive: true });
  });
  afterEach(() => folder.remove());

  it('is what -s says, else HOLDFAST_STORE, else the nearest folder upward', async () => {
    const found = path.join(folder.path, STORE_FOLDER_NAME);
    await mkdir(found);
    const hints = { workingFolder: deep };
    expect(await findStore({ ...hints, option: 'x', environment: 'y' })).toBe('x');
    expect(await findStore({ ...hints, environment: 'y' })).toBe('y');
    expect(await findStore({ ...hints, environment: '' })).toBe(found);
    await mkdir(path.join(deep, STORE_FOLDER_NAME));
    expect(await findStore(hints)).toBe(path.join(deep, STORE_FOLDER_NAME));
  });

  it('passes by a file of that name', async () => {
    await mkdir(path.join(folder.path, STORE_FOLDER_NAME));
    await folder.write(`a/${STORE_FOLDER_NAME}`, '');
    expect(await findStore({ workingFolder: deep })).toBe(path.join(folder.path, STORE_FOLDER_NAME));
  });

  it('may be nowhere', async () => {
    expect(await findStore({ workingFolder: deep })).toBeUndefined();
    await expect(requireStore({ workingFolder: deep })).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' });
  });
});
