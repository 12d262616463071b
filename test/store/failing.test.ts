import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/index.ts';
import { createStore, type Store, StoreError } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { FaultyBackend } from '../../src/testing/index.ts';
import { noise, sameBytes, text } from '../support/contents.ts';
import { metadataFile } from '../support/store-files.ts';
import { closedAfterTest, folderStore, keysOf, memoryStore, reopen, SOUND } from '../support/stores.ts';

async function faultyStore(): Promise<{ store: Store; backend: FaultyBackend }> {
  const backend = new FaultyBackend(new MemoryBackend());
  const store = await createStore({ backend, metadata: ':memory:' }, { keys: 'none' });
  return { store: closedAfterTest(store), backend };
}

describe('a journal that cannot be written', () => {
  it('leaves the change committed and pending when the failure changed nothing, and flushes it later', async () => {
    const { store, backend } = await faultyStore();
    const full = new StoreError('QUOTA_EXCEEDED', 'no room');
    backend.fail({ call: 'put', prefix: 'journal/', how: 'before', error: full });
    await expect(store.put('a', 'x')).rejects.toMatchObject({
      code: 'COMMIT_PENDING',
      kind: 'unavailable',
      cause: { code: 'QUOTA_EXCEEDED' },
    });
    expect(await store.get('a')).toEqual(text('x'));
    await store.put('b', 'y');
    expect(await keysOf(store)).toEqual(['a', 'b']);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('poisons the store when nobody knows what was written: it reads on and writes no more', async () => {
    const { store, backend } = await faultyStore();
    await store.put('before', 'x');
    backend.fail({ call: 'put', prefix: 'journal/', how: 'after' });
    await expect(store.put('a', 'x')).rejects.toMatchObject({ code: 'COMMIT_PENDING' });
    const poisoned = expect.objectContaining({ code: 'STORE_POISONED', kind: 'closed' });
    await expect(store.put('b', 'x')).rejects.toEqual(poisoned);
    await expect(store.delete('before')).rejects.toEqual(poisoned);
    await expect(store.batch((batch) => batch.delete('before'))).rejects.toEqual(poisoned);
    expect(await store.get('before')).toEqual(text('x'));
  });
});

describe('a pack that cannot be written', () => {
  it('fails the put that needs it, and the next one works', async () => {
    const { store, backend } = await faultyStore();
    const full = new StoreError('DISK_FULL', 'no room');
    backend.fail({ call: 'put', prefix: 'packs/', how: 'before', error: full });
    await expect(store.put('a', noise(MIB, 131))).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(await store.has('a')).toBe(false);
    await store.put('a', noise(MIB, 131));
    expect(sameBytes(await store.get('a'), noise(MIB, 131))).toBe(true);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('fails every put that has something in it, and no other', async () => {
    const { store, backend } = await faultyStore();
    backend.fail({ call: 'put', prefix: 'packs/', how: 'before', error: new StoreError('DISK_FULL', 'no room') });
    const shared = noise(200_000, 132);
    const outcomes = await Promise.allSettled([store.put('a', shared), store.put('b', shared), store.put('tiny', 'x')]);
    const [a, b, tiny] = outcomes.map(({ status }) => status);
    expect([a, b].filter((status) => status === 'fulfilled').length).toBeLessThan(2);
    expect(tiny).toBe('fulfilled');
    for (const key of await keysOf(store, { prefix: 'a' })) expect(sameBytes(await store.get(key), shared)).toBe(true);
    for (const key of ['a', 'b']) await store.put(key, shared);
    for (const key of ['a', 'b']) expect(sameBytes(await store.get(key), shared)).toBe(true);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });
});

describe('metadata that another process holds', () => {
  it('makes a change fail after a while, changes nothing, and poisons nobody', async () => {
    const { path, store } = await folderStore();
    await store.put('a', 'old');
    const holder = new DatabaseSync(metadataFile(path));
    holder.exec('BEGIN IMMEDIATE');
    try {
      await expect(store.put('a', 'new')).rejects.toMatchObject({
        code: 'METADATA_BUSY',
        kind: 'unavailable',
        retry: true,
      });
      expect(await store.get('a')).toEqual(text('old'));
    } finally {
      holder.exec('ROLLBACK');
      holder.close();
    }
    await store.put('a', 'new');
    expect(await store.get('a')).toEqual(text('new'));
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });
});

describe('a quota', () => {
  it('refuses what passes it and keeps what is there, deletes and reads go on', async () => {
    const { path, store } = await folderStore({ quotaBytes: MIB });
    await store.put('a', noise(600_000, 133));
    await expect(store.put('b', noise(600_000, 134))).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    expect(await keysOf(store)).toEqual(['a']);
    await store.put('small', 'fits');
    expect(await store.delete('a')).toBe(true);
    expect(await store.maintenance.check()).toMatchObject({ problems: [] });
    await store.close();
    const larger = await reopen(path, { quotaBytes: 4 * MIB });
    await larger.put('b', noise(600_000, 134));
    expect(sameBytes(await larger.get('b'), noise(600_000, 134))).toBe(true);
  });

  it('of free space on the disk refuses every put when there is less', async () => {
    const { path, store: first } = await folderStore();
    await first.put('old', 'x');
    await first.close();
    const store = await reopen(path, { freeBytesMin: Number.MAX_SAFE_INTEGER });
    await expect(store.put('a', noise(200_000, 135))).rejects.toMatchObject({
      code: 'FREE_SPACE_LOW',
      kind: 'exhausted',
    });
    expect(await keysOf(store)).toEqual(['old']);
    expect(await store.delete('old')).toBe(true);
  });
});

describe('an invariant', () => {
  it('is not what callers meet: a broken source, key and option are told as such', async () => {
    const store = await memoryStore();
    for (const bad of [5, Symbol('x'), () => 'x', new Date(0), /x/]) {
      const failure = await store.put('k', bad as unknown as string).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(TypeError);
      expect(failure).toMatchObject({ kind: 'invalid', code: 'ARGUMENT_INVALID' });
    }
  });
});
