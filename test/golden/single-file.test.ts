/**
 * A store in one file as version 1 of its layout wrote it. To make one anew for a new version:
 * `HOLDFAST_GOLDEN=write npx vitest run test/golden`; what is there is never overwritten.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createStore, fileInfo, rebuildStore, type Store, salvageFile } from '../../src/index.ts';
import { openSingleFile } from '../../src/single-file/index.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { text } from '../support/contents.ts';
import { keysOf, reopen, SOUND, testFolder } from '../support/stores.ts';
import { readFileAsStranger } from './stranger-file.ts';

const GOLDEN = path.resolve(import.meta.dirname, 'v1/single-file/store.hold');
const RANDOM = seededRandom(3).bytes(90_000);

async function createGoldenFile(): Promise<void> {
  mkdirSync(path.dirname(GOLDEN), { recursive: true });
  const store = await createStore(GOLDEN, { keys: 'none', capacityBytes: 16 * 1024 * 1024, blockBytes: 32_768 });
  await store.put('random', RANDOM);
  await store.put('tiny', 'rides in the journal');
  await store.put('replaced', 'first');
  await store.put('replaced', 'second');
  await store.delete('tiny');
  await store.put('empty', '');
  await store.close();
}

async function copyOfGolden(): Promise<string> {
  const file = path.join(await testFolder(), 'copy.hold');
  copyFileSync(GOLDEN, file);
  return file;
}

async function expectContents(store: Store): Promise<void> {
  expect(await keysOf(store)).toEqual(['empty', 'random', 'replaced']);
  expect(Buffer.compare(await store.get('random'), RANDOM)).toBe(0);
  expect(await store.get('replaced')).toEqual(text('second'));
  expect(await store.maintenance.check()).toMatchObject(SOUND);
}

describe('the golden single file of version 1', () => {
  if (process.env.HOLDFAST_GOLDEN === 'write' && !existsSync(GOLDEN)) {
    it('is written', createGoldenFile);
  }

  it('opens for reading and for writing, with what it was made with', async () => {
    const file = await copyOfGolden();
    expect(await fileInfo(file)).toMatchObject({
      capacityBytes: 16 * 1024 * 1024,
      blockBytes: 32_768,
      pageBytes: 8192,
    });
    const reader = await reopen(file, { readOnly: true });
    await expectContents(reader);
    await reader.close();
    expect(readFileSync(file).equals(readFileSync(GOLDEN))).toBe(true);
    const store = await reopen(file);
    await store.put('new', 'still writable');
    expect(await store.get('new')).toEqual(text('still writable'));
  });

  it('is rebuilt, and salvaged', async () => {
    const file = await copyOfGolden();
    expect((await rebuildStore(file)).problems).toEqual([]);
    const rebuilt = await reopen(file);
    await expectContents(rebuilt);
    const salvaged = path.join(path.dirname(file), 'salvaged.hold');
    expect((await salvageFile(GOLDEN, salvaged)).damaged).toEqual([]);
    await rebuildStore(salvaged);
    await expectContents(await reopen(salvaged));
  });

  it('is read blob by blob by somebody who has only its description', async () => {
    const backend = await openSingleFile(await copyOfGolden(), { readOnly: true });
    const blobs = readFileAsStranger(GOLDEN);
    const listed = await backend.list();
    expect(listed.length).toBeGreaterThan(3);
    for (const { key } of listed) {
      expect(Buffer.compare((await backend.get(key)) as Uint8Array, blobs.get(key) as Uint8Array), key).toBe(0);
    }
    await backend.close();
  });
});
