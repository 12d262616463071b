import { expect, it } from 'vitest';
import { SAMPLE_CONFIG } from '../../test/support/format-samples.ts';
import { MemoryBackend } from '../backend/memory-backend.ts';
import { storeError } from '../errors/store-error.ts';
import { decodeStoreConfig, type PlainStoreConfig, STORE_CONFIG_KEY } from '../format/index.ts';
import type { Metadata, StoredConfig } from '../metadata/contract.ts';
import { systemRandom } from '../runtime/random.ts';
import { StoreSettings } from './settings.ts';

it('of two processes the slower one leaves the newer settings on the backends', async () => {
  let stored: StoredConfig | undefined;
  const metadata = {
    config: async () => stored,
    setConfig: async (expected: number, next: StoredConfig) => {
      if ((stored?.generation ?? 0) !== expected) throw storeError('KEYS_CHANGED', 'somebody was first');
      stored = next;
    },
  } as unknown as Metadata;
  const control = new MemoryBackend();
  const { promise: waiting, resolve: goOn } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const slow = new Proxy(control, {
    get: (target, name) => {
      if (name !== 'put') return Reflect.get(target, name, target);
      return async (key: string, bytes: Uint8Array) => {
        begin();
        await waiting;
        await target.put(key, bytes);
      };
    },
  });
  const config = SAMPLE_CONFIG as PlainStoreConfig;
  const settingsOver = (backend: MemoryBackend) =>
    new StoreSettings({ metadata, control: backend, keychain: undefined, random: systemRandom, config });
  const changing = settingsOver(slow).change(({ features }) => ({ features, redundancy: '2+1' }));
  await begun;
  await settingsOver(control).change(({ features }) => ({ features, redundancy: '3+2' }));
  goOn();
  await changing;
  const bytes = await control.get(STORE_CONFIG_KEY);
  expect(decodeStoreConfig(bytes as Uint8Array)).toMatchObject({ redundancy: '3+2' });
});
