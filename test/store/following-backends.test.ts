import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createStore, type OpenOptions, openStore, type Store } from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { CHEAP_ARGON2 } from '../support/sealed.ts';
import { closedAfterTest, testFolder } from '../support/stores.ts';

const KEYS = { passphrase: 'correct horse', argon2: CHEAP_ARGON2 };

/** A store that two processes have open, and folders for its backends. */
async function openedTwice(
  options: OpenOptions = {},
): Promise<{ store: Store; other: Store; disk(at: number): string }> {
  const root = await testFolder();
  const home = path.join(root, 'home');
  const store = closedAfterTest(await createStore(home, { keys: 'none', reserveBytes: 0, ...options }));
  await store.put('before', noise(300_000, 1));
  const other = closedAfterTest(await openStore(home, { reserveBytes: 0, ...options }));
  return { store, other, disk: (at) => path.join(root, `disk${at}`) };
}

async function spread(store: Store, disk: (at: number) => string): Promise<void> {
  for (const at of [1, 2, 3]) await store.backends.add({ location: disk(at) });
  await store.backends.change('main', { weight: 0 });
  await store.backends.rebalance({ redundancy: '2+1' });
}

describe('a process that opened a store when it had one backend', () => {
  it('writes with the redundancy that the store has got since', async () => {
    const { store, other, disk } = await openedTwice();
    await spread(store, disk);
    await other.put('key', noise(300_000, 2));
    expect((await store.stat('key', { placement: true })).weakest).toMatchObject({ redundancy: '2+1' });
  });

  it('reads what has moved to backends that came later', async () => {
    const { store, other, disk } = await openedTwice({ heal: 'manual' });
    await spread(store, disk);
    expect(await other.get('before')).toEqual(noise(300_000, 1));
  });
});

describe('a process that took over a change of keys', () => {
  it('takes over the backends that came with it', async () => {
    const { store, other, disk } = await openedTwice({ keys: KEYS });
    await store.backends.add({ location: disk(1) });
    await expect(other.namespace('none').get('key')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
    expect((await other.backends.list()).map(({ name }) => name)).toEqual(['main', 'disk1']);
  });
});
