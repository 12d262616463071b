import { copyFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { diagnoseStore } from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { imageOf, loseMetadata, metadataFile } from '../support/store-files.ts';
import { reopen, storeTemplate, testFolder } from '../support/stores.ts';

const template = storeTemplate((store) => store.put('a', noise(100_000)));

async function errorsOf(folder: string): Promise<string[]> {
  const before = await imageOf(folder);
  const { healthy, findings } = await diagnoseStore(folder);
  expect(await imageOf(folder)).toEqual(before);
  const errors = findings.filter(({ status }) => status === 'error');
  expect(healthy).toBe(errors.length === 0);
  for (const { advice } of errors) expect(advice).toBeTruthy();
  return errors.map(({ subject, message }) => `${subject}: ${message.split(':')[0]}`);
}

describe('a diagnosis', () => {
  it('finds nothing wrong with a sound store, open or closed, and writes nothing', async () => {
    const folder = await template.copy();
    expect(await errorsOf(folder)).toEqual([]);
    const store = await reopen(folder);
    await store.put('b', 'x');
    expect((await diagnoseStore(folder)).healthy).toBe(true);
  });

  it('looks at this machine without a store', async () => {
    const { healthy, findings } = await diagnoseStore();
    expect(healthy).toBe(true);
    expect(findings).toEqual([{ subject: 'node', status: 'ok', message: expect.stringContaining(process.version) }]);
  });

  it('says what is wrong where opening would fail, with advice', async () => {
    expect(await errorsOf(await testFolder())).toEqual(['location: NOT_A_STORE']);
    const lost = await template.copy();
    await loseMetadata(lost);
    expect(await errorsOf(lost)).toEqual(['metadata: METADATA_MISSING']);
    const damaged = await template.copy();
    await writeFile(metadataFile(damaged), noise(10_000));
    expect(await errorsOf(damaged)).toEqual(['metadata: METADATA_CORRUPT']);
    const config = await template.copy();
    await writeFile(path.join(config, 'holdfast.json'), '{}');
    expect(await errorsOf(config)).toEqual(['config: CONFIG_CORRUPT']);
    await rm(path.join(config, 'holdfast.json'));
    expect(await errorsOf(config)).toEqual(['location: NOT_A_STORE']);
  });

  it('tells an older copy of the metadata', async () => {
    const folder = await template.copy();
    await copyFile(metadataFile(folder), `${folder}/old`);
    const store = await reopen(folder);
    await store.put('b', 'x');
    await store.close();
    await copyFile(`${folder}/old`, metadataFile(folder));
    const { findings } = await diagnoseStore(folder);
    expect(findings).toContainEqual(expect.objectContaining({ subject: 'journal', status: 'warning' }));
  });

  it('takes nothing but a location', async () => {
    await expect(diagnoseStore(5 as unknown as string)).rejects.toMatchObject({ parameter: 'location' });
  });
});
