import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { noise, sameBytes } from '../support/contents.ts';
import { flipByte, packFiles } from '../support/store-files.ts';
import { reopen, SOUND, storeTemplate } from '../support/stores.ts';

const CONTENT = noise(200_000, 91);
const template = storeTemplate(async (store) => {
  await store.put('mine', CONTENT, { chunking: 'fixed:50000' });
  await store.put('theirs', CONTENT.subarray(0, 100_000), { chunking: 'fixed:50000' });
});

async function damaged(): Promise<string> {
  const folder = await template.copy();
  const [pack = ''] = await packFiles(folder);
  await flipByte(pack, 20_000);
  return folder;
}

describe('putting the same content again', () => {
  it('mends what a read found damaged, for every entry that stands on it, and check agrees', async () => {
    const store = await reopen(await damaged());
    await expect(store.get('mine')).rejects.toMatchObject({ code: 'CHUNK_CORRUPT' });
    await expect(store.get('theirs')).rejects.toMatchObject({ code: 'CHUNK_CORRUPT' });
    const put = await store.put('mine', CONTENT, { chunking: 'fixed:50000' });
    expect(put.newBytes).toBeGreaterThan(0);
    expect(sameBytes(await store.get('mine'), CONTENT)).toBe(true);
    expect(sameBytes(await store.get('theirs'), CONTENT.subarray(0, 100_000))).toBe(true);
    expect((await store.put('mine', CONTENT, { chunking: 'fixed:50000' })).newBytes).toBe(0);
  });

  it('under another key mends it as well', async () => {
    const store = await reopen(await damaged());
    await expect(store.get('mine')).rejects.toThrow();
    await store.put('another', CONTENT, { chunking: 'fixed:50000' });
    expect(sameBytes(await store.get('theirs'), CONTENT.subarray(0, 100_000))).toBe(true);
  });

  it('mends a lost pack after the first read of it, or after a check', async () => {
    for (const find of ['read', 'check'] as const) {
      const folder = await template.copy();
      for (const pack of await packFiles(folder)) await rm(pack);
      const store = await reopen(folder);
      if (find === 'read') await expect(store.get('mine')).rejects.toMatchObject({ code: 'CHUNK_MISSING' });
      else expect((await store.maintenance.check()).outcome).toBe('damaged');
      const put = await store.put('mine', CONTENT, { chunking: 'fixed:50000' });
      expect(put.newBytes).toBeGreaterThan(0);
      if (find === 'check') expect(put.newBytes).toBe(CONTENT.length);
      await store.put('mine', CONTENT, { chunking: 'fixed:50000', verifyExisting: true });
      expect(sameBytes(await store.get('mine'), CONTENT)).toBe(true);
      expect(sameBytes(await store.get('theirs'), CONTENT.subarray(0, 100_000))).toBe(true);
    }
  });

  it('stays mended after reopening', async () => {
    const folder = await damaged();
    const store = await reopen(folder);
    await expect(store.get('mine')).rejects.toThrow();
    await store.put('mine', CONTENT, { chunking: 'fixed:50000' });
    await store.close();
    const again = await reopen(folder);
    expect(sameBytes(await again.get('theirs'), CONTENT.subarray(0, 100_000))).toBe(true);
  });
});

describe('a put that nobody warned', () => {
  it('counts on chunks that nobody found damaged yet, unless it verifies them', async () => {
    const store = await reopen(await damaged());
    expect((await store.put('trusting', CONTENT, { chunking: 'fixed:50000' })).newBytes).toBe(0);
    await expect(store.get('trusting')).rejects.toMatchObject({ kind: 'corrupt' });
  });

  it('that verifies stores again what is damaged and counts on what is sound', async () => {
    const store = await reopen(await damaged());
    const heard: string[] = [];
    store.on('damage', ({ code }) => heard.push(code));
    const put = await store.put('careful', CONTENT, { chunking: 'fixed:50000', verifyExisting: true });
    expect(put.newBytes).toBeGreaterThan(0);
    expect(heard).toContain('CHUNK_CORRUPT');
    for (const key of ['careful', 'mine']) expect(sameBytes(await store.get(key), CONTENT)).toBe(true);
  });

  it('that verifies finds everything sound in a sound store', async () => {
    const store = await reopen(await template.copy());
    const put = await store.put('careful', CONTENT, { chunking: 'fixed:50000', verifyExisting: true });
    expect(put.newBytes).toBe(0);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });
});
