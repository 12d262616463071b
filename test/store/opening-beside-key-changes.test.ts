import { expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/index.ts';
import { decodeStoreConfig, STORE_CONFIG_KEY } from '../../src/format/index.ts';
import { LIVING_KEYS, metadataHome, startProcess } from '../support/living-store.ts';
import { SOUND } from '../support/stores.ts';

/** Something that others overtake before the first call of a name, and of no other. */
function overtaken<T extends object>(one: T, call: keyof T, meanwhile: () => Promise<unknown>): T {
  let isOvertaken = false;
  return new Proxy(one, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return async (...args: readonly unknown[]) => {
        if (name === call && !isOvertaken) {
          isOvertaken = true;
          await meanwhile();
        }
        return await Reflect.apply(member, target, args);
      };
    },
  });
}

async function sealedStore() {
  const [backend, home] = [new MemoryBackend(), await metadataHome(LIVING_KEYS)];
  const { store } = await startProcess({ backend, metadata: home.open(), keys: LIVING_KEYS });
  return { backend, home, store };
}

it('a store is opened whose keys another process changes between the reading of the config and its use', async () => {
  const { backend, home, store } = await sealedStore();
  const metadata = overtaken(home.open(), 'unlock', () => store.keys.rotate());
  const late = await startProcess({ backend, metadata, keys: LIVING_KEYS });
  await late.store.put('a', 'a');
  expect((await late.store.keys.epochs()).map(({ epoch }) => epoch)).toEqual([1, 2]);
  expect(await store.maintenance.check()).toMatchObject(SOUND);
});

it('who opens a store leaves no older config in the place of a newer one', async () => {
  const { backend, home, store } = await sealedStore();
  const before = await backend.get(STORE_CONFIG_KEY);
  await store.keys.rotate();
  // As after a power cut, or when somebody put it back.
  await backend.put(STORE_CONFIG_KEY, before ?? new Uint8Array());
  const slow = overtaken(backend as MemoryBackend, 'put', () => store.keys.rotate());
  await startProcess({ backend: slow, metadata: home.open(), keys: LIVING_KEYS });
  const after = await backend.get(STORE_CONFIG_KEY);
  expect(decodeStoreConfig(after ?? new Uint8Array()).generation).toBe((await home.open().config())?.generation);
});
