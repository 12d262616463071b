/**
 * A whole sealed store as version 1 wrote it, with the key that opens it. To make one anew for a new format:
 * `HOLDFAST_GOLDEN=write npx vitest run test/golden`; what is there is never overwritten.
 */
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { rebuildStore, type Store } from '../../src/index.ts';
import { formatKey, generateKey, parseKey } from '../../src/keys/index.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { all, keysOf, reopen, testFolder } from '../support/stores.ts';
import { createSealedGoldenStore, ISOLATED_KEYS, SEALED_CONTENTS } from './golden-store.ts';

const GOLDEN = path.resolve(import.meta.dirname, 'v1/sealed-store');
const KEY_FILE = path.resolve(import.meta.dirname, 'v1/sealed-store.key');
const METADATA = '.metadata';

function keys() {
  return { key: parseKey(readFileSync(KEY_FILE)) };
}

async function copyOfGolden(): Promise<string> {
  const folder = await testFolder();
  cpSync(GOLDEN, folder, { recursive: true });
  return folder;
}

async function expectGoldenContents(store: Store): Promise<void> {
  expect((await store.namespaces.list()).map(({ name }) => name)).toEqual(Object.keys(SEALED_CONTENTS));
  for (const [namespace, contents] of Object.entries(SEALED_CONTENTS)) {
    const entries = namespace === 'default' ? store : store.namespace(namespace);
    const found = await all(entries.list());
    expect(found.map(({ key }) => key)).toEqual(Object.keys(contents).toSorted());
    for (const { key, attributes, isolated = false } of found) {
      expect(await entries.get(key), key).toEqual(contents[key]);
      expect({ attributes, isolated }, key).toEqual({
        attributes: { author: 'Ada' },
        isolated: ISOLATED_KEYS.includes(key),
      });
    }
  }
  // What a merge beside it has just replaced is there for a moment more.
  await vi.waitFor(async () => {
    expect(await store.maintenance.check()).toMatchObject({ outcome: 'ok', garbage: { blobs: 0, bytes: 0 } });
  });
}

describe('the golden sealed store of version 1', () => {
  if (process.env.HOLDFAST_GOLDEN === 'write' && !existsSync(GOLDEN)) {
    it('is written', async () => {
      const key = generateKey(systemRandom);
      writeFileSync(KEY_FILE, formatKey(key));
      await createSealedGoldenStore(GOLDEN, key);
    });
  }

  it('opens, and every entry is there', async () => {
    const store = await reopen(await copyOfGolden(), { keys: keys() });
    await expectGoldenContents(store);
    await store.namespace('tenant').put('new', 'still writable', { isolation: 'entry' });
    expect(await keysOf(store.namespace('tenant'))).toContain('new');
    expect(await store.namespaces.stat('tenant')).toMatchObject({ entries: 4, quotaBytes: 1_000_000 });
    expect((await store.keys.list()).map(({ label, type }) => [label, type])).toEqual([
      ['key-file', 'key-file'],
      ['friend', 'recipient'],
    ]);
    expect((await store.keys.epochs()).map(({ epoch }) => epoch)).toEqual([2, 3]);
    expect(await store.keys.writers()).toMatchObject([{ label: 'scanner', namespace: 'tenant' }]);
  });

  it('opens read-only', async () => {
    const store = await reopen(await copyOfGolden(), { keys: keys(), readOnly: true });
    expect(await store.get('alone, large')).toEqual(SEALED_CONTENTS.default?.['alone, large']);
  });

  it('is sealed anew, and drops what it is told to', async () => {
    const store = await reopen(await copyOfGolden(), { keys: keys() });
    expect(await store.keys.rekey()).toMatchObject({ done: true, forgotten: [2] });
    await expectGoldenContents(store);
    expect(await store.namespaces.drop('tenant', { shred: true })).toEqual({ done: true, pending: [] });
    expect(await store.maintenance.check()).toMatchObject({ outcome: 'ok', garbage: { blobs: 0, bytes: 0 } });
  });

  it('is rebuilt from packs, journal and keys alone', async () => {
    const folder = await copyOfGolden();
    const before = await reopen(folder, { keys: keys(), readOnly: true });
    const { commit, requests: _, ...counts } = await before.stats();
    await before.close();
    rmSync(path.join(folder, METADATA), { recursive: true });
    await expect(reopen(folder, { keys: keys() })).rejects.toMatchObject({ code: 'METADATA_MISSING' });
    expect(await rebuildStore(folder, { reserveBytes: 0, keys: keys() })).toMatchObject({ commit, problems: [] });
    const store = await reopen(folder, { keys: keys() });
    expect(await store.stats()).toMatchObject({ ...counts, commit });
    await expectGoldenContents(store);
  });
});
