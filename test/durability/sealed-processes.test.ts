/** Several processes on one sealed store, of which one changes the keys of all; each knows only what it has looked at. */
import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/index.ts';
import { generateIdentity, type Store } from '../../src/index.ts';
import type { KeySecret } from '../../src/keys/index.ts';
import { noise, text } from '../support/contents.ts';
import { LIVING_KEYS, type LivingStore, metadataHome, rebuiltMetadata, startProcess } from '../support/living-store.ts';
import { keysOf, SOUND } from '../support/stores.ts';
import { expectSoundSealed, IDENTITY } from './sealed-cases.ts';

const ISOLATED = { isolation: 'entry' } as const;

/** A store that processes may be started on. */
async function sharedStore() {
  const backend = new MemoryBackend();
  const home = await metadataHome(LIVING_KEYS);
  const start = (keys: KeySecret = LIVING_KEYS): Promise<LivingStore> =>
    startProcess({ backend, metadata: home.open(), keys });
  return { backend, home, start };
}

async function slotOfFriend(store: Store): Promise<string> {
  const friend = (await store.keys.list()).find(({ type }) => type === 'recipient');
  return friend?.id ?? '';
}

describe('a process that was there before the keys changed', () => {
  it('reads on and writes on, under the new keys as soon as it writes', async () => {
    const { start, backend } = await sharedStore();
    const [one, other] = [await start(), await start()];
    const content = noise(100_000);
    await one.store.put('before', content);
    await one.store.put('alone', content, ISOLATED);
    await one.store.keys.rotate();
    // Read by one who has not heard of it, what was written before and after.
    expect(await other.store.get('before')).toEqual(content);
    await one.store.put('after', content.subarray(0, 90_000));
    await one.store.put('alone too', content, ISOLATED);
    expect(await other.store.get('after')).toEqual(content.subarray(0, 90_000));
    expect(await other.store.get('alone too')).toEqual(content);
    await other.store.put('its own', noise(80_000, 2));
    await one.store.keys.rotate();
    expect(await one.store.keys.rekey()).toMatchObject({ done: true });
    expect(await other.store.get('before')).toEqual(content);
    expect(await other.store.get('alone')).toEqual(content);
    await other.store.put('last', 'x', ISOLATED);
    expect(await keysOf(other.store)).toEqual(await keysOf(one.store));
    await expectSoundSealed(one.store, one.metadata);
    for (const { store } of [one, other]) await store.close();
    const rebuilt = await rebuiltMetadata(backend, LIVING_KEYS);
    expect(await rebuilt.metadata.stateDigests()).toEqual(await one.metadata.stateDigests());
  });

  it('is told once when it was shut out, and what it was acknowledged stays', async () => {
    const { start } = await sharedStore();
    const owner = await start();
    await owner.store.keys.add({ identity: IDENTITY });
    const friend = await start({ identity: IDENTITY });
    await friend.store.put('from a friend', noise(70_000));
    await friend.store.put('alone', 'from a friend', ISOLATED);
    await owner.store.keys.remove(await slotOfFriend(owner.store));
    for (const change of [
      () => friend.store.put('later', noise(70_000, 2)),
      () => friend.store.put('later', 'alone', ISOLATED),
      () => friend.store.delete('from a friend'),
      () => friend.store.keys.rotate(),
      () => friend.store.keys.list(),
      () => friend.store.namespaces.create('new'),
    ])
      await expect(change()).rejects.toMatchObject({ code: 'WRONG_KEY', kind: 'denied' });
    await owner.store.put('under the new epoch', 'x');
    await expect(friend.store.get('under the new epoch')).rejects.toMatchObject({ kind: 'denied' });
    friend.end();
    expect(await owner.store.get('from a friend')).toEqual(noise(70_000));
    expect(await owner.store.get('alone')).toEqual(text('from a friend'));
    expect(await keysOf(owner.store)).toEqual(['alone', 'from a friend', 'under the new epoch']);
    await expectSoundSealed(owner.store, owner.metadata);
    await owner.store.close();
  });

  it('has its change of keys made after that of others, whoever is first', async () => {
    const { start } = await sharedStore();
    const processes = [await start(), await start(), await start()];
    await Promise.all(
      processes.flatMap(({ store }, index) => [
        store.keys.rotate(),
        store.namespaces.create(`namespace ${index}`),
        store.keys.add({ recipient: generateIdentity('ml-kem-1024'), label: `slot ${index}` }),
      ]),
    );
    for (const { store } of processes) {
      expect((await store.keys.epochs()).map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
      expect(await store.namespaces.list()).toHaveLength(4);
      expect(await store.keys.list()).toHaveLength(4);
      await store.close();
    }
  });

  it('learns of namespaces that others make and drop', async () => {
    const { start } = await sharedStore();
    const [one, other] = [await start(), await start()];
    await one.store.namespaces.create('tenant');
    await other.store.namespace('tenant').put('a', 'x');
    await one.store.namespaces.drop('tenant', { shred: true });
    await expect(other.store.namespace('tenant').put('b', 'y')).rejects.toMatchObject({
      code: expect.stringMatching(/^NAMESPACE_(NOT_FOUND|KEY_GONE)$/),
    });
    await expect(other.store.namespace('tenant').get('a')).rejects.toMatchObject({ kind: 'not-found' });
    await one.store.namespaces.create('tenant');
    await one.store.namespace('tenant').put('c', 'of another life');
    expect(await keysOf(other.store.namespace('tenant'))).toEqual(['c']);
    await expectSoundSealed(other.store, other.metadata);
  });
});

describe('a journal pack of which nobody was told', () => {
  it('under an epoch that is forgotten is not needed by anybody', async () => {
    const { start, backend } = await sharedStore();
    const [one, other] = [await start(), await start()];
    await one.store.put('of the one', 'x');
    await other.store.put('of the other', 'y');
    other.end();
    await one.store.keys.rotate();
    expect(await one.store.keys.rekey()).toMatchObject({ done: true, forgotten: [1] });
    await one.store.put('later', 'z');
    await one.store.close();
    const next = await start();
    expect(await keysOf(next.store)).toEqual(['later', 'of the one', 'of the other']);
    expect(await next.store.get('of the other')).toEqual(text('y'));
    await expectSoundSealed(next.store, next.metadata);
    const { metadata } = await rebuiltMetadata(backend, LIVING_KEYS);
    expect(await metadata.stateDigests()).toEqual(await next.metadata.stateDigests());
  });

  it('until its epoch is forgotten is told of then, and not counted on', async () => {
    const { start } = await sharedStore();
    const [one, other] = [await start(), await start()];
    await other.store.put('of the other', 'y');
    await one.store.keys.rotate();
    expect(await one.store.keys.rekey()).toMatchObject({ done: true, forgotten: [1] });
    await other.store.put('later', 'z');
    for (const { store, metadata } of [one, other]) {
      await expectSoundSealed(store, metadata);
      await store.close();
    }
  });
});

describe('what is under way while the keys change', () => {
  /** Content whose second half comes when `meanwhile` is done. */
  async function* interrupted(content: Uint8Array, meanwhile: () => Promise<unknown>): AsyncGenerator<Uint8Array> {
    yield content.subarray(0, content.length / 2);
    await meanwhile();
    yield content.subarray(content.length / 2);
  }

  it.each([
    { how: 'a put', options: {} },
    { how: 'a put of an isolated entry', options: ISOLATED },
  ])('$how ends well, whoever rotates, and its content lies under keys that the store has', async ({ options }) => {
    const { start, backend } = await sharedStore();
    const [one, other] = [await start(), await start()];
    const content = noise(400_000);
    await one.store.put(
      'by itself',
      interrupted(content, () => one.store.keys.rotate()),
      options,
    );
    await one.store.put(
      'by another',
      interrupted(content, () => other.store.keys.rotate()),
      options,
    );
    for (const { store } of [one, other]) {
      expect(await store.get('by itself')).toEqual(content);
      expect(await store.get('by another')).toEqual(content);
    }
    await expectSoundSealed(other.store, other.metadata);
    for (const { store } of [one, other]) await store.close();
    const { metadata } = await rebuiltMetadata(backend, LIVING_KEYS);
    const { store } = await startProcess({ backend, metadata, keys: LIVING_KEYS });
    expect(await store.get('by another')).toEqual(content);
    await store.close();
  });

  it.each([
    { how: 'a put', bytes: 400_000, options: {} },
    { how: 'a put of an isolated entry', bytes: 400_000, options: ISOLATED },
    { how: 'a put of an isolated entry without content', bytes: 0, options: ISOLATED },
  ])('$how is readable or refused where the epoch it began in is forgotten meanwhile', async ({ bytes, options }) => {
    const { start } = await sharedStore();
    const [one, other] = [await start(), await start()];
    const content = noise(bytes);
    const forget = async (): Promise<void> => {
      await other.store.keys.rotate();
      expect(await other.store.keys.rekey()).toMatchObject({ done: true });
    };
    const outcome = await one.store.put('a', interrupted(content, forget), options).then(
      () => 'acknowledged',
      (error: { readonly kind?: string }) => error.kind,
    );
    if (outcome === 'acknowledged') expect(await other.store.get('a')).toEqual(content);
    else expect(outcome).toBe('denied');
    await one.store.put('a', content, options);
    expect(await other.store.get('a')).toEqual(content);
    await expectSoundSealed(other.store, other.metadata);
  });

  it.each([
    { how: 'a put', options: {} },
    { how: 'a put of an isolated entry', options: ISOLATED },
  ])('$how into a namespace that another process drops is refused, and leaves a sound store', async ({ options }) => {
    const { start, backend } = await sharedStore();
    const [one, other] = [await start(), await start()];
    await one.store.namespaces.create('tenant');
    await one.store.namespace('tenant').put('before', noise(50_000), options);
    const drop = (): Promise<unknown> => other.store.namespaces.drop('tenant', { shred: true });
    const put = one.store.namespace('tenant').put('a', interrupted(noise(400_000), drop), options);
    await expect(put).rejects.toMatchObject({ code: 'NAMESPACE_KEY_GONE', kind: 'denied' });
    expect((await other.store.namespaces.list()).map(({ name }) => name)).toEqual(['default']);
    await one.store.put('after', 'x');
    expect(await other.store.maintenance.check()).toMatchObject(SOUND);
    for (const { store } of [one, other]) await store.close();
    const rebuilt = await rebuiltMetadata(backend, LIVING_KEYS);
    expect(await rebuilt.metadata.stateDigests()).toEqual(await other.metadata.stateDigests());
  });
});
