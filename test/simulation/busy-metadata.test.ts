import { expect, it } from 'vitest';
import { storeError } from '../../src/errors/store-error.ts';
import { isStoreError } from '../../src/index.ts';
import { openAt } from '../../src/store/open.ts';
import { KINDS, newMachine, openOptions, type StoreKind } from './kinds.ts';
import { placeOn } from './simulated-machine.ts';

const PLAIN = KINDS.find(({ name }) => name === 'plain') as StoreKind;

/** More than setting a ref takes. */
const TRANSACTIONS = 12;

it('a ref stays where it is when setting it finds the metadata busy, whichever transaction does', async () => {
  const machine = await newMachine(PLAIN);
  const { place, process } = placeOn(machine, { seed: 5 });
  const store = await openAt(place, openOptions(PLAIN));
  const ids = [(await store.refs.get('head'))?.id, (await store.objects.putBundle({ text: 'second' })).id];
  let failures = 0;
  for (let nth = 1; nth <= TRANSACTIONS; nth += 1) {
    const before = (await store.refs.get('head'))?.id;
    const target = ids.find((id) => id !== before) as string;
    process.transactionFaults.add({ nth, when: 'before', error: storeError('METADATA_BUSY', 'injected') });
    const failure = await store.refs.set('head', target).then(
      () => undefined,
      (error: unknown) => error,
    );
    process.transactionFaults.clear();
    const isRefused = isStoreError(failure, 'METADATA_BUSY');
    if (isRefused) failures += 1;
    else if (failure !== undefined) expect(isStoreError(failure, 'COMMIT_PENDING')).toBe(true);
    // Writes the journal that may have been left behind.
    await store.put('between', `${nth}`);
    expect((await store.refs.get('head'))?.id, `transaction ${nth}`).toBe(isRefused ? before : target);
  }
  expect(failures).toBeGreaterThan(0);
  await store.close();
  machine.databases.close();
});
