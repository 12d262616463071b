import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { asyncOutcome, sealedBase } from '../../test/support/sealed.ts';
import { testFolder } from '../../test/support/stores.ts';
import { MemoryBackend } from '../backend/memory-backend.ts';
import { addSlot, generateIdentity, type Keyring, type KeyState, removeSlot } from '../keys/index.ts';
import { materialOf } from '../keys/keyring.ts';
import { openSqlMetadata } from '../metadata/open-sqlite.ts';
import { systemClock } from '../runtime/clock.ts';
import { systemRandom } from '../runtime/random.ts';
import { connectStore } from './connect-store.ts';
import type { Keychain } from './keychain.ts';
import { storeIdOf } from './location.ts';
import { createUnlocked, unlockConfig } from './unlock.ts';

const KEY = { key: new Uint8Array(32).fill(7) };
const CONTEXT = { random: systemRandom, clock: systemClock };

/**
 * The keys of a new store, opened as often as asked: each time by a process of its own.
 * @param beforeUnlock called before metadata is given keys
 */
async function keychains(count: number, beforeUnlock?: () => Promise<void>): Promise<readonly Keychain[]> {
  const backend = new MemoryBackend();
  const { opened } = await createUnlocked(sealedBase(), KEY, { random: systemRandom, clock: systemClock });
  const file = path.join(await testFolder(), 'metadata.sqlite');
  const opening = async (create: boolean): Promise<Keychain> => {
    const metadata = await openSqlMetadata({
      ...{ path: file, storeId: storeIdOf(opened.config), create, readOnly: false },
      ...{ busyTimeoutMs: 1000, sealed: true },
    });
    onTestFinished(() => metadata.close());
    const { unlock } = metadata;
    metadata.unlock = async (...keys) => {
      await beforeUnlock?.();
      await unlock.apply(metadata, keys);
    };
    const unlocking = await unlockConfig(opened.config, KEY);
    const store = { place: { kind: 'memory' }, backend, metadata, unlocking } as const;
    const { keychain } = await connectStore(store, { readOnly: false });
    if (keychain === undefined) throw new Error('a sealed store has a keychain');
    return keychain;
  };
  const made: Keychain[] = [];
  for (let index = 0; index < count; index += 1) made.push(await opening(index === 0));
  return made;
}

/** Lets somebody in and shuts him out: a new master key and a new epoch. */
async function renew(keychain: Keychain): Promise<void> {
  const { config } = await keychain.change((now) => addSlot(now, newcomer(), CONTEXT));
  const id = config.keys.slots.at(-1)?.id ?? '';
  await keychain.change((now) => removeSlot(now, id, CONTEXT));
}

function newcomer() {
  return { identity: generateIdentity('ml-kem-1024', systemRandom) };
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function isWiped(keyring: Keyring): boolean {
  const { masterKey, ring } = materialOf(keyring);
  const secrets = [masterKey, ring.store, ...[...ring.epochs, ...ring.namespaces].map(({ secret }) => secret)];
  return secrets.every(isZero);
}

describe('the keys of an open store', () => {
  it('are overwritten when others take their place, as far as those are not the same', async () => {
    const [keychain] = await keychains(1);
    if (keychain === undefined) return;
    await renew(keychain);
    const { keyring } = keychain;
    const [lookup, id] = [keychain.schedule.lookupKey(), keychain.schedule.idKey(0)];
    await renew(keychain);
    expect(keychain.keyring).not.toBe(keyring);
    expect(isZero(materialOf(keyring).masterKey)).toBe(true);
    expect(() => keyring.schedule.lookupKey()).toThrow('wiped');
    expect([keychain.schedule.lookupKey(), keychain.schedule.idKey(0)]).toEqual([lookup, id]);
    await renew(keychain);
  });

  it('stay whole for a change that works on them while another process changes them', async () => {
    const [slow, quick] = await keychains(2);
    if (slow === undefined || quick === undefined) return;
    await renew(slow);
    const tried: KeyState[] = [];
    const changed = await slow.change(async (now) => {
      if (tried.push(now) === 1) {
        await quick.reload();
        await renew(quick);
        await slow.reload();
      }
      return await addSlot(now, newcomer(), CONTEXT);
    });
    expect(tried.map(({ config }) => config.generation)).toEqual([3, 5]);
    expect(changed.config.keys.slots).toHaveLength(2);
    expect(isZero(materialOf(tried[0]?.keyring as Keyring).masterKey), 'now that it has ended').toBe(true);
    await renew(slow);
    await quick.reload();
    expect(quick.schedule.lookupKey()).toEqual(slow.schedule.lookupKey());
  });

  it('stay whole while they are taken over beside a change that fails', async () => {
    let beforeUnlock = async (): Promise<void> => undefined;
    const [slow, quick] = await keychains(2, () => beforeUnlock());
    if (slow === undefined || quick === undefined) return;
    await renew(quick);
    const [reached, passed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    beforeUnlock = () => {
      reached.resolve();
      return passed.promise;
    };
    const reloading = slow.reload();
    await reached.promise;
    const failing = slow.change(() => {
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    passed.resolve();
    expect(await reloading).toBe(true);
    expect(slow.schedule.lookupKey()).toEqual(quick.schedule.lookupKey());
  });

  it('are overwritten when it is closed, those it was opened with and those it has now', async () => {
    const [keychain] = await keychains(1);
    if (keychain === undefined) return;
    const first = keychain.keyring;
    await renew(keychain);
    const last = keychain.keyring;
    expect([isWiped(first), isWiped(last)]).toEqual([false, false]);
    keychain.close();
    expect([isWiped(first), isWiped(last)]).toEqual([true, true]);
    expect(await asyncOutcome(keychain.using(0, () => keychain.ids(0)))).toBe('closed/STORE_CLOSED');
  });
});
