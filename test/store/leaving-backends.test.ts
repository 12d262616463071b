import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { Backend } from '../../src/backend/index.ts';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { createStore, type Store } from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { closedAfterTest, testFolder } from '../support/stores.ts';

/** Does something between a shard being there and the store knowing it. */
function afterPut(backend: Backend, work: () => Promise<unknown>): Backend {
  return new Proxy(backend, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      if (name === 'close') return async () => undefined;
      return async (...args: readonly unknown[]): Promise<unknown> => {
        const result: unknown = await Reflect.apply(member, target, args);
        if (name === 'put' && String(args[0]).startsWith('packs/')) await work();
        return result;
      };
    },
  });
}

it.each([
  'home',
  'disk',
])('a pack whose backend left while it was written is not acknowledged, %s is left', async (left) => {
  const root = await testFolder();
  let store: Store | undefined;
  let hasLeft = false;
  const leaving = afterPut(new MemoryBackend(), async () => {
    if (hasLeft) return;
    hasLeft = true;
    await store?.backends.remove('leaving');
  });
  const backends = [
    { location: leaving, name: 'leaving' },
    ...(left === 'disk' ? [{ location: path.join(root, 'disk') }] : []),
  ];
  const options = { keys: 'none', reserveBytes: 0, heal: 'manual', backends } as const;
  store = closedAfterTest(await createStore(path.join(root, 'home'), options));
  if (left === 'home') await store.backends.change('main', { weight: 1 });
  await store.backends.setMap(['leaving']);
  await expect(store.put('key', noise(300_000, 1))).rejects.toMatchObject({ code: 'REDUNDANCY_UNMET' });
  expect(hasLeft).toBe(true);
  await store.put('key', noise(300_000, 1));
  expect(await store.get('key')).toEqual(noise(300_000, 1));
});

it('a shard that a backend has lost is told as missing, and the drain goes on with the others', async () => {
  const root = await testFolder();
  const backends = ['a', 'b', 'c'].map((name) => ({ name, location: path.join(root, name) }));
  const options = { keys: 'none', reserveBytes: 0, heal: 'manual', redundancy: '1+1', backends } as const;
  const store = closedAfterTest(await createStore(path.join(root, 'home'), options));
  for (let number = 0; number < 6; number += 1) await store.put(`key-${number}`, noise(300_000, number));
  const filesIn = async (folder: string) => {
    const found = await readdir(path.join(root, 'a', folder), { recursive: true, withFileTypes: true }).catch(() => []);
    return found.filter((file) => file.isFile());
  };
  const [packs, journal] = [await filesIn('packs'), await filesIn('journal')];
  const [lost] = packs;
  await rm(path.join(lost?.parentPath ?? '', lost?.name ?? ''));
  const report = await store.backends.drain('a');
  expect(report.problems).toMatchObject([{ code: 'SHARD_MISSING', packId: expect.any(String) }]);
  expect(report.outcome).toBe('partial');
  expect(report.shardsMoved).toBe(packs.length + journal.length - 1);
  expect((await store.maintenance.repair()).outcome).toBe('ok');
  for (let number = 0; number < 6; number += 1)
    expect(await store.get(`key-${number}`)).toEqual(noise(300_000, number));
});
