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

it('a pack whose backends left while it was written is not acknowledged', async () => {
  const root = await testFolder();
  let store: Store | undefined;
  let hasLeft = false;
  const leaving = afterPut(new MemoryBackend(), async () => {
    if (hasLeft) return;
    hasLeft = true;
    await store?.backends.remove('leaving');
  });
  const backends = [{ location: leaving, name: 'leaving' }, { location: path.join(root, 'disk') }];
  const options = { keys: 'none', reserveBytes: 0, heal: 'manual', backends } as const;
  store = closedAfterTest(await createStore(path.join(root, 'home'), options));
  await store.backends.setMap(['leaving']);
  await expect(store.put('key', noise(300_000, 1))).rejects.toMatchObject({ code: 'REDUNDANCY_UNMET' });
  expect(hasLeft).toBe(true);
  await store.put('key', noise(300_000, 1));
  expect(await store.get('key')).toEqual(noise(300_000, 1));
});
