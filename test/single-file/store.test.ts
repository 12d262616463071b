/** A store in one file: what is the same as in a folder, and what is its own. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import {
  createStore,
  diagnoseStore,
  fileInfo,
  openOrCreateStore,
  openPutOnly,
  openStore,
  rebuildStore,
} from '../../src/index.ts';
import { KIB, MIB } from '../../src/limits.ts';
import { noise, sameBytes, text } from '../support/contents.ts';
import { fileStore } from '../support/single-file.ts';
import { closedAfterTest, keysOf, reopen, SOUND, testFolder } from '../support/stores.ts';

const KEYS = { key: new Uint8Array(32).fill(7) };

describe('a store in one file', () => {
  it('is made, opened, opened or made, and one file when it is closed', async () => {
    const file = path.join(await testFolder(), 'new', 'one.hold');
    const made = closedAfterTest(await openOrCreateStore(file, { keys: 'none' }));
    await made.put('large', noise(3 * MIB));
    await made.put('small', 'x');
    await made.rename('small', 'renamed');
    await made.close();
    expect(readdirSync(path.dirname(file))).toEqual(['one.hold']);
    const store = closedAfterTest(await openOrCreateStore(file, { keys: 'none' }));
    expect(store.id).toBe(made.id);
    expect(await keysOf(store)).toEqual(['large', 'renamed']);
    expect(sameBytes(await store.get('large'), noise(3 * MIB))).toBe(true);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
    await expect(createStore(file, { keys: 'none' })).rejects.toMatchObject({ code: 'STORE_EXISTS' });
  });

  it('is opened by what is in it, under any name; other files are not touched', async () => {
    const { file, store } = await fileStore();
    await store.put('k', 'v');
    await store.close();
    const renamed = path.join(path.dirname(file), 'renamed.bin');
    writeFileSync(renamed, readFileSync(file));
    expect(await (await reopen(renamed)).get('k')).toEqual(text('v'));
    const foreign = path.join(path.dirname(file), 'foreign.hold');
    new DatabaseSync(foreign).exec('CREATE TABLE t (a)');
    for (const [name, content] of [
      ['foreign.hold', readFileSync(foreign)],
      ['text.hold', text('this is no store at all')],
      ['empty.hold', new Uint8Array(0)],
    ] as const) {
      const other = path.join(path.dirname(file), name);
      writeFileSync(other, content);
      await expect(openStore(other)).rejects.toMatchObject({ code: 'NOT_A_STORE' });
      await expect(rebuildStore(other)).rejects.toMatchObject({ code: 'NOT_A_STORE' });
      await expect(fileInfo(other)).rejects.toMatchObject({ code: 'NOT_A_STORE' });
      if (content.length > 0) {
        await expect(createStore(other, { keys: 'none' })).rejects.toMatchObject({ code: 'LOCATION_INVALID' });
      }
      expect(readFileSync(other)).toEqual(Buffer.from(content));
    }
    await expect(openStore(path.join(path.dirname(file), 'absent.hold'))).rejects.toMatchObject({
      code: 'STORE_NOT_FOUND',
    });
    await (await openOrCreateStore(path.join(path.dirname(file), 'empty.hold'), { keys: 'none' })).close();
  });

  it('writes nothing when it is opened to be read', async () => {
    const { file, store } = await fileStore();
    await store.put('k', noise(100_000));
    await store.close();
    const before = statSync(file, { bigint: true }).mtimeNs;
    const reader = closedAfterTest(await openStore(file, { readOnly: true }));
    expect((await reader.get('k')).length).toBe(100_000);
    await expect(reader.put('k', 'x')).rejects.toMatchObject({ code: 'READ_ONLY' });
    await reader.close();
    expect(readdirSync(path.dirname(file))).toEqual(['store.hold']);
    expect(statSync(file, { bigint: true }).mtimeNs).toBe(before);
  });

  it('takes capacity and block size only for a file', async () => {
    const folder = path.join(await testFolder(), 'folder');
    for (const options of [{ capacityBytes: 8 * MIB }, { blockBytes: 64 * KIB }]) {
      await expect(createStore(folder, { keys: 'none', ...options })).rejects.toMatchObject({
        code: 'LOCATION_INVALID',
      });
    }
    writeFileSync(`${folder}.txt`, 'a file, no folder');
    await expect(createStore(path.join(`${folder}.txt`, 'x.hold'), { keys: 'none' })).rejects.toMatchObject({
      code: 'LOCATION_INVALID',
    });
    await expect(createStore(`${folder}.hold`, { keys: 'none', capacityBytes: 5 })).rejects.toThrow(RangeError);
    await expect(createStore(`${folder}.hold`, { keys: 'none', blockBytes: 2 ** 28 })).rejects.toThrow(RangeError);
    const wide = closedAfterTest(await createStore(`${folder}.hold`, { keys: 'none', blockBytes: 128 * MIB }));
    await wide.put('k', noise(20 * MIB));
    expect(sameBytes(await wide.get('k'), noise(20 * MIB))).toBe(true);
    const { file, store } = await fileStore({ blockBytes: 64 * KIB });
    await store.put('k', noise(1_000_000));
    expect(sameBytes(await store.get('k'), noise(1_000_000))).toBe(true);
    expect(await fileInfo(file)).toMatchObject({ blockBytes: 64 * KIB, pageBytes: 8 * KIB });
  });

  it('refuses what does not fit, keeps what was acknowledged, lets go of entries, and never passes its capacity', async () => {
    const { file, store } = await fileStore({ capacityBytes: 12 * MIB });
    const kept = new Map<string, number>();
    const codes = new Set<string>();
    for (let index = 0; codes.size === 0 || index < 24; index += 1) {
      const size = index % 3 === 0 ? 500 : 900_000;
      try {
        await store.put(`k${index}`, noise(size, index));
        kept.set(`k${index}`, size);
      } catch (error) {
        codes.add((error as { readonly code: string }).code);
      }
    }
    expect([...codes]).toEqual(['QUOTA_EXCEEDED']);
    expect(kept.size).toBeGreaterThan(8);
    for (const [key, size] of kept) expect((await store.get(key)).length).toBe(size);
    for (const key of [...kept.keys()].slice(3)) expect(await store.delete(key)).toBe(true);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
    await store.close();
    expect(statSync(file).size).toBeLessThanOrEqual(12 * MIB);
    const again = await reopen(file);
    expect(await keysOf(again)).toEqual([...kept.keys()].slice(0, 3).sort());
    const info = await fileInfo(file);
    expect(info).toMatchObject({ capacityBytes: 12 * MIB, pages: (12 * MIB) / 8192 });
    expect(info.usedPages + info.freePages).toBe(info.pages);
    expect(info.utilizationPercent).toBeGreaterThan(60);
  });

  it('has its metadata made anew in a new file; the old one is kept, and is no store any more', async () => {
    const { file, store } = await fileStore();
    for (let index = 0; index < 5; index += 1) await store.put(`k${index}`, noise(50_000 * index + 3, index));
    await expect(rebuildStore(file)).rejects.toMatchObject({ code: 'STORE_IN_USE' });
    const stats = await store.stats();
    await store.close();
    const damaged = new DatabaseSync(file);
    damaged.exec('DELETE FROM items');
    damaged.close();
    expect((await diagnoseStore(file)).healthy).toBe(true);
    for (const suffix of ['', '-wal']) writeFileSync(`${file}.rebuild${suffix}`, 'left by a rebuild that was killed');
    const report = await rebuildStore(file);
    expect(report).toMatchObject({ entries: 5, problems: [], commit: stats.commit });
    const rebuilt = await reopen(file);
    expect(await rebuilt.maintenance.check()).toMatchObject(SOUND);
    for (let index = 0; index < 5; index += 1) {
      expect(sameBytes(await rebuilt.get(`k${index}`), noise(50_000 * index + 3, index))).toBe(true);
    }
    await rebuilt.close();
    const { setAside = '' } = report;
    expect(readdirSync(path.dirname(file)).sort()).toEqual(['store.hold', path.basename(setAside)].sort());
    await expect(openStore(setAside)).rejects.toMatchObject({ code: 'METADATA_BUSY' });
    // As a rebuild that was interrupted before the names were exchanged leaves it.
    expect((await rebuildStore(setAside)).entries).toBe(5);
    expect(await keysOf(await reopen(setAside))).toHaveLength(5);
  });

  it('is looked at by a diagnosis', async () => {
    const { file, store } = await fileStore({ capacityBytes: 64 * MIB });
    await store.put('k', 'v');
    await store.close();
    const { healthy, findings } = await diagnoseStore(file);
    expect(healthy).toBe(true);
    expect(findings.map(({ subject }) => subject)).toEqual(
      expect.arrayContaining(['config', 'disk', 'permissions', 'file', 'metadata', 'journal']),
    );
  });
});

describe('a sealed store in one file', () => {
  it('keeps secrets, namespaces, isolated entries and writers, and is rebuilt', async () => {
    const { file, store } = await fileStore({ keys: KEYS });
    await store.namespaces.create('tenant');
    await store.put('canary-name', 'canary-content');
    await store.namespace('tenant').put('k', noise(200_000));
    await store.put('alone', 'one-canary', { isolation: 'entry' });
    const credential = await store.keys.exportWriter({ label: 'w', namespace: 'default' });
    expect(await store.delete('alone')).toBe(true);
    await store.close();
    expect(readFileSync(file).includes('canary')).toBe(false);
    await expect(openStore(file)).rejects.toMatchObject({ code: 'KEY_REQUIRED' });
    await expect(openStore(file, { keys: { key: new Uint8Array(32) } })).rejects.toMatchObject({ code: 'WRONG_KEY' });
    const writer = closedAfterTest(await openPutOnly(file, { credential }));
    await writer.put('left', 'by a writer');
    await writer.close();
    const reader = closedAfterTest(await openStore(file, { keys: KEYS }));
    await reader.inbox.adopt();
    expect(await reader.get('left')).toEqual(text('by a writer'));
    await reader.close();
    expect(await rebuildStore(file, { keys: KEYS })).toMatchObject({ entries: 3, problems: [] });
    const rebuilt = await reopen(file, { keys: KEYS });
    expect(await rebuilt.get('canary-name')).toEqual(text('canary-content'));
    expect(sameBytes(await rebuilt.namespace('tenant').get('k'), noise(200_000))).toBe(true);
    expect(await rebuilt.maintenance.check()).toMatchObject(SOUND);
  });
});
