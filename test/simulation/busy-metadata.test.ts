import { describe, expect, it } from 'vitest';
import { storeError } from '../../src/errors/store-error.ts';
import { isStoreError, type Store } from '../../src/index.ts';
import { openAt } from '../../src/store/open.ts';
import { KINDS, newMachine, openOptions, type StoreKind, TENANT } from './kinds.ts';
import { placeOn } from './simulated-machine.ts';

/** More than any of these changes takes. */
const TRANSACTIONS = 14;

interface Change {
  readonly what: string;
  readonly of: StoreKind['name'];
  make(store: Store, nth: number): Promise<unknown>;
  isThere(store: Store, nth: number): Promise<boolean>;
}

const CHANGES: readonly Change[] = [
  {
    what: 'a ref',
    of: 'plain',
    make: async (store, nth) => store.refs.set('head', await bundleOf(store, nth)),
    isThere: async (store, nth) => (await store.refs.get('head'))?.id === (await bundleOf(store, nth)),
  },
  {
    what: 'a slot',
    of: 'sealed',
    make: (store, nth) => store.keys.add({ key: new Uint8Array(32).fill(0x40 + nth), label: `friend ${nth}` }),
    isThere: async (store, nth) => (await store.keys.list()).some(({ label }) => label === `friend ${nth}`),
  },
  {
    what: 'a namespace',
    of: 'sealed',
    make: (store, nth) => store.namespaces.create(`new ${nth}`),
    isThere: async (store, nth) => (await store.namespaces.list()).some(({ name }) => name === `new ${nth}`),
  },
  {
    what: 'a quota',
    of: 'sealed',
    make: (store, nth) => store.namespaces.setQuota(TENANT, 10_000 + nth),
    isThere: async (store, nth) => (await store.namespaces.stat(TENANT)).quotaBytes === 10_000 + nth,
  },
  {
    what: 'a setting',
    of: 'spread',
    make: (store, nth) => store.backends.change('disk1', { weight: 10 + nth }),
    isThere: async (store, nth) => (await store.backends.list()).some(({ weight }) => weight === 10 + nth),
  },
];

/** Known since it was put before the first change. */
async function bundleOf(store: Store, nth: number): Promise<string> {
  const ids: string[] = [];
  for await (const { id } of store.objects.list({ types: ['bundle'] })) ids.push(id);
  return ids[nth % ids.length] as string;
}

describe('a change that finds the metadata busy', () => {
  it.each(CHANGES)('has not happened, whichever transaction it was: $what', async ({ of, make, isThere }) => {
    const kind = KINDS.find(({ name }) => name === of) as StoreKind;
    const machine = await newMachine(kind);
    const { place, process } = placeOn(machine, { seed: 5 });
    const store = await openAt(place, openOptions(kind));
    await store.objects.putBundle({ text: 'second' });
    let refused = 0;
    for (let nth = 1; nth <= TRANSACTIONS; nth += 1) {
      const before = await isThere(store, nth);
      process.transactionFaults.add({ nth, when: 'before', error: storeError('METADATA_BUSY', 'injected') });
      const failure = await make(store, nth).then(
        () => undefined,
        (error: unknown) => error,
      );
      process.transactionFaults.clear();
      const isRefused = isStoreError(failure, 'METADATA_BUSY');
      if (isRefused) refused += 1;
      else if (!isStoreError(failure, 'COMMIT_PENDING', 'CONFIG_PENDING')) expect(failure).toBeUndefined();
      // Writes the journal that may have been left behind.
      await store.put('between', `${nth}`);
      expect(await isThere(store, nth), `transaction ${nth}`).toBe(isRefused ? before : true);
    }
    expect(refused).toBeGreaterThan(0);
    await store.close();
    machine.databases.close();
  });
});
