import { readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createStore, type Entries, type EntryProblem, type EntryValidation, type Store } from '../../src/index.ts';
import { KIB, MIB } from '../../src/limits.ts';
import { noise, pieces } from '../support/contents.ts';
import { STORE_KEY } from '../support/sealed-store.ts';
import { flipByte, packFiles } from '../support/store-files.ts';
import {
  all,
  closedAfterTest,
  folderStore,
  memoryStore,
  reopen,
  storeTemplate,
  testFolder,
} from '../support/stores.ts';

const FIXED = { chunking: 'fixed:50000' };
const FIRST = noise(3_000_000, 81);
const SECOND = noise(1_000_000, 82);

/** Packs by size: that of `first`, that of `second`, that of the chunks of `wide`, that of its manifest. */
const template = storeTemplate(async (store) => {
  await store.put('first', FIRST, FIXED);
  await store.put('second', SECOND, FIXED);
  await store.put('both', Buffer.concat([SECOND.subarray(0, 50_000), FIRST.subarray(0, 50_000)]), FIXED);
  await store.put('wide', pieces(noise(240_000, 83), 40), { chunking: 'given' });
  await store.put('tiny', 'rides in the journal');
  await store.put('empty', '');
});
const KEYS = ['both', 'empty', 'first', 'second', 'tiny', 'wide'];

async function packBySize(folder: string, at: number): Promise<string> {
  const files = await packFiles(folder);
  const sized = await Promise.all(files.map(async (file) => ({ file, size: (await readFile(file)).length })));
  return sized.toSorted((a, b) => b.size - a.size)[at]?.file as string;
}

/** Keys with the outcome of each. */
async function outcomes(entries: Entries, options = {}): Promise<Record<string, string>> {
  const found = await all(entries.validateAll(options));
  return Object.fromEntries(found.map(({ key, outcome }) => [key, outcome]));
}

function allOk(...but: readonly string[]): Record<string, string> {
  return Object.fromEntries(KEYS.map((key) => [key, but.includes(key) ? 'damaged' : 'ok']));
}

describe('a sound store', () => {
  it('has entries that are all what they should be, read to the last byte', async () => {
    const store = await reopen(await template.copy());
    expect(await outcomes(store)).toEqual(allOk());
    expect(await store.validate('first')).toEqual({
      ...{ key: 'first', outcome: 'ok', version: (await store.stat('first')).version, size: FIRST.length, chunks: 60 },
      ...{ bytesRead: FIRST.length, unreadableBytes: 0, wholeCompared: true, problems: [], problemCount: 0 },
    });
    expect(await store.validate('empty')).toMatchObject({ outcome: 'ok', bytesRead: 0, wholeCompared: true });
    await expect(store.validate('none')).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND' });
    await expect(store.validate('')).rejects.toMatchObject({ code: 'KEY_INVALID' });
    expect((await store.maintenance.check()).outcome).toBe('ok');
  });

  it('tells how far it is', async () => {
    const store = await reopen(await template.copy());
    const told: { done: number; total?: number; bytes: number }[] = [];
    const onProgress = (progress: { done: number; total?: number; bytes: number }): void => void told.push(progress);
    await store.validate('first', { onProgress });
    expect(told.at(-1)).toEqual({ phase: 'validate', done: 3_000_000, total: 3_000_000, bytes: 3_000_000 });
    await all(store.validateAll({ onProgress }));
    expect(told.at(-1)).toMatchObject({ done: KEYS.length, total: KEYS.length, bytes: 4_340_020 });
  });

  it('is gone through from any key on, and under a prefix', async () => {
    const store = await reopen(await template.copy());
    expect(Object.keys(await outcomes(store, { after: 'first' }))).toEqual(['second', 'tiny', 'wide']);
    expect(Object.keys(await outcomes(store, { prefix: 's' }))).toEqual(['second']);
    expect(Object.keys(await outcomes(store, { prefix: 'x' }))).toEqual([]);
  });

  it('has copies read once, and chunks of several entries too where that is wanted', async () => {
    const store = await reopen(await template.copy());
    await store.copy('first', 'first too');
    const read = async (options = {}): Promise<Record<string, readonly [number, boolean]>> =>
      Object.fromEntries(
        (await all(store.validateAll(options))).map((one) => [one.key, [one.bytesRead, one.wholeCompared]]),
      );
    expect(await read()).toMatchObject({ first: [3_000_000, true], 'first too': [0, true], both: [100_000, true] });
    expect(await read({ sharedOnce: true })).toMatchObject({
      both: [100_000, true],
      // One chunk of each was read as part of `both`.
      ...{ first: [2_950_000, false], 'first too': [0, false], second: [950_000, false] },
    });
  });

  it('ends with the reason of a signal, also in the middle of an entry', async () => {
    const store = await reopen(await template.copy());
    const stop = new AbortController();
    const reason = new Error('enough');
    // Content of 3 MB is one batch; this one is several.
    await store.put('large', noise(20 * MIB), FIXED);
    const onProgress = (): void => stop.abort(reason);
    await expect(store.validate('large', { signal: stop.signal, onProgress })).rejects.toBe(reason);
    await expect(all(store.validateAll({ signal: stop.signal }))).rejects.toBe(reason);
  });
});

describe('damage', () => {
  it('in a pack is told of every entry that stands on it, with each bad chunk, and of no other', async () => {
    const folder = await template.copy();
    const pack = await packBySize(folder, 0);
    // Records hold 20 chunks: two of the three records.
    for (const position of [60_000, 2_700_000]) await flipByte(pack, position);
    const store = await reopen(folder);
    expect(await outcomes(store)).toEqual(allOk('first', 'both'));
    const found = await store.validate('first');
    const chunks = await all(store.chunks('first'));
    const bad = [...chunks.slice(0, 20), ...chunks.slice(40, 60)];
    expect(found).toMatchObject({ outcome: 'damaged', problemCount: 40, wholeCompared: false });
    expect(found.problems.map(({ index, offset, length, digest }) => ({ index, offset, length, digest }))).toEqual(bad);
    expect(new Set(found.problems.map(({ code }) => code))).toEqual(new Set(['CHUNK_CORRUPT']));
    expect([found.unreadableBytes, found.bytesRead]).toEqual([2_000_000, 1_000_000]);
    expect((await store.validate('both')).problems).toMatchObject([{ index: 1, offset: 50_000, length: 50_000 }]);
    for (const part of [found, found.problems, found.problems[0]]) expect(Object.isFrozen(part)).toBe(true);
  });

  it('of a disk that failed for once is forgotten when what was flagged is read well, by whoever reads it', async () => {
    const folder = await template.copy();
    const pack = await packBySize(folder, 0);
    const store = await reopen(folder);
    const flagged = async (): Promise<number> => (await store.inspect('first')).suspectItems;
    for (const read of [() => store.validate('first'), () => store.get('first')]) {
      await flipByte(pack, 60_000);
      expect(await store.validate('first')).toMatchObject({ outcome: 'damaged' });
      await flipByte(pack, 60_000);
      expect(await flagged()).toBe(20);
      expect((await store.maintenance.check()).outcome).toBe('damaged');
      // Good shards prove nothing of what was written into them.
      await store.maintenance.scrub();
      expect(await flagged()).toBe(20);
      await read();
      expect(await flagged()).toBe(0);
      expect((await store.maintenance.check()).outcome).toBe('ok');
    }
    const { packs } = await store.stats();
    await store.put('again', FIRST, FIXED);
    expect((await store.stats()).packs).toBe(packs);
  });

  it('anywhere in any pack never hides, and is never told of an entry that can be read', async () => {
    const folder = await template.copy();
    const store = await reopen(folder, { readOnly: true });
    let damaged = 0;
    for (const pack of await packFiles(folder)) {
      const { length } = await readFile(pack);
      for (let position = 11; position < length; position += Math.ceil(length / 3)) {
        await flipByte(pack, position);
        const found = await outcomes(store);
        for (const key of KEYS) {
          const isReadable = await store.get(key).then(
            () => true,
            () => false,
          );
          expect(found[key], `${key} with ${position} of ${length} flipped`).toBe(isReadable ? 'ok' : 'damaged');
          if (!isReadable) damaged += 1;
        }
        await flipByte(pack, position);
      }
    }
    expect(damaged).toBeGreaterThan(4);
    expect(await outcomes(store)).toEqual(allOk());
  });

  it('of a pack that is gone makes its chunks missing', async () => {
    const folder = await template.copy();
    await rm(await packBySize(folder, 0));
    const store = await reopen(folder);
    const problems: EntryProblem[] = [];
    const found = await store.validate('first', { onProblem: (problem) => problems.push(problem) });
    expect(found).toMatchObject({ outcome: 'damaged', problemCount: 60, unreadableBytes: FIRST.length, bytesRead: 0 });
    expect(problems).toHaveLength(60);
    expect(new Set(problems.map(({ code }) => code))).toEqual(new Set(['CHUNK_MISSING']));
    expect(await outcomes(store)).toEqual(allOk('first', 'both'));
    expect(await store.inspect('first')).toMatchObject({ suspectItems: 60, missingItems: 0 });
    expect((await all(store.chunks('both', { placement: true }))).map(({ placement }) => placement?.state)).toEqual([
      'stored',
      'suspect',
    ]);
    // What was found missing is stored anew by the next put.
    await store.put('first', FIRST, FIXED);
    expect(await outcomes(store)).toEqual(allOk());
  });

  it('of one node of a manifest leaves the chunks of the others to be read', async () => {
    const folder = await template.copy();
    const pack = await packBySize(folder, 3);
    const store = await reopen(folder);
    const partly: EntryValidation[] = [];
    for (let position = 300; position < 230_000; position += 20_011) {
      await flipByte(pack, position);
      const found = await store.validate('wide');
      expect(found.outcome === 'ok' || found.unreadableBytes > 0).toBe(true);
      if (found.outcome !== 'ok' && found.bytesRead > 0) partly.push(found);
      await flipByte(pack, position);
    }
    // The leaves are of 4,096 and 1,904 chunks; when they share a record none of them can be read.
    for (const found of partly) {
      expect(found.problems).toMatchObject([{ code: 'MANIFEST_CORRUPT', length: found.unreadableBytes }]);
      expect(found.bytesRead + found.unreadableBytes).toBe(240_000);
    }
    await rm(pack);
    expect(await store.validate('wide')).toMatchObject({ outcome: 'damaged', unreadableBytes: 240_000, bytesRead: 0 });
  });
});

describe('a sealed store', () => {
  it('is read through its keys: every namespace and entries with keys of their own', async () => {
    const { store, path: folder } = await folderStore({ keys: { key: STORE_KEY }, ...FIXED });
    await store.namespaces.create('tenant');
    const tenant = store.namespace('tenant');
    await store.put('a', FIRST);
    await tenant.put('a', FIRST);
    await tenant.put('alone', SECOND, { isolation: 'entry' });
    expect([await outcomes(store), await outcomes(tenant)]).toEqual([{ a: 'ok' }, { a: 'ok', alone: 'ok' }]);
    await store.close();
    const sealed = await reopen(folder, { keys: { key: STORE_KEY } });
    const [own] = (await sealed.namespace('tenant').inspect('alone', { packs: true })).packs ?? [];
    const id = own?.packId ?? '';
    await flipByte(path.join(folder, 'packs', id.slice(-2), `${id}.0`), 5000);
    expect(await outcomes(sealed)).toEqual({ a: 'ok' });
    expect(await outcomes(sealed.namespace('tenant'))).toEqual({ a: 'ok', alone: 'damaged' });
  });

  it('without the key of an entry has that entry damaged, and goes on', async () => {
    const { store, path: folder } = await folderStore({ keys: { key: STORE_KEY } });
    await store.put('alone', 'x', { isolation: 'entry' });
    await store.put('other', 'y');
    await store.close();
    await rm(path.join(folder, 'keys'), { recursive: true });
    const found = await all((await reopen(folder, { keys: { key: STORE_KEY } })).validateAll());
    expect(found).toMatchObject([
      { key: 'alone', outcome: 'damaged', problems: [{ code: 'KEY_PAGE_MISSING' }], unreadableBytes: 1 },
      { key: 'other', outcome: 'ok' },
    ]);
  });
});

describe('a store over several backends', () => {
  async function spread(): Promise<{ readonly root: string; readonly store: Store }> {
    const root = await testFolder();
    const backends = [1, 2, 3, 4, 5].map((at) => ({ location: path.join(root, `disk${at}`) }));
    const options = { keys: 'none', reserveBytes: 0, redundancy: '3+2', backends, heal: 'manual' } as const;
    const store = await createStore(path.join(root, 'home'), options);
    await store.put('key', noise(2 * MIB), { chunking: 'fixed:65536' });
    await store.close();
    return { root, store };
  }

  it('is fine without two of its disks, and says which entries lack one that is away', async () => {
    const { root } = await spread();
    const away = (at: number): Promise<void> => rename(path.join(root, `disk${at}`), path.join(root, `disk${at}.away`));
    await away(1);
    await away(4);
    const two = closedAfterTest(await reopen(path.join(root, 'home'), { heal: 'manual' }));
    expect(await outcomes(two)).toEqual({ key: 'ok' });
    await two.close();
    await away(5);
    const three = await reopen(path.join(root, 'home'), { heal: 'manual' });
    const found = await three.validate('key');
    expect(found).toMatchObject({ outcome: 'partial', problemCount: 32, unreadableBytes: 2 * MIB });
    expect(found.problems[0]).toMatchObject({ code: 'BACKEND_UNREACHABLE', offset: 0, length: 64 * KIB });
  });

  it('is fine with flipped bytes in two shards, and damaged with a third one', async () => {
    const { root } = await spread();
    const flip = async (at: number): Promise<void> => {
      for (const file of await packFiles(path.join(root, `disk${at}`))) await flipByte(file, 5000);
    };
    await flip(1);
    await flip(2);
    const store = await reopen(path.join(root, 'home'), { heal: 'manual' });
    expect(await outcomes(store)).toEqual({ key: 'ok' });
    await flip(3);
    expect(await outcomes(store)).toEqual({ key: 'damaged' });
  });
});

describe('many entries', () => {
  it('are validated whatever page they are listed on', async () => {
    const store = await memoryStore();
    await store.putMany(Array.from({ length: 2100 }, (_, at) => ({ key: `k${at}`, source: `content ${at % 7}` })));
    const found = await all(store.validateAll());
    expect(found).toHaveLength(2100);
    expect(found.every(({ outcome }) => outcome === 'ok')).toBe(true);
    expect(found.filter(({ bytesRead }) => bytesRead > 0)).toHaveLength(7);
  });
});
