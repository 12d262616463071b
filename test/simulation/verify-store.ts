/** That a store which was recovered is as good as any other. */
import type { Store } from '../../src/index.ts';
import { openAt } from '../../src/store/open.ts';
import { rebuildAt } from '../../src/store/rebuild.ts';
import { openOptions, type StoreKind } from './kinds.ts';
import { placeOn, type SimulatedMachine } from './simulated-machine.ts';
import { differenceOf, imageOf, type StoreImage } from './store-image.ts';

const NEXT = 'next';

/** The next put works, and nothing is wrong with the store. */
export async function expectNext(store: Store): Promise<void> {
  await store.put(NEXT, 'the next put works');
  await expectSound(store);
}

const REPAIRABLE: ReadonlySet<string> = new Set(['SHARD_MISSING', 'SHARD_CORRUPT']);

/** Nothing is wrong with a store but shards that are missing or were found to be damaged, and those a repair brings back. */
async function expectSound(store: Store): Promise<void> {
  const found = await store.maintenance.check();
  if (found.outcome === 'ok') return;
  const isRepairable = found.problems.every(({ code }) => REPAIRABLE.has(code));
  if (isRepairable) await store.maintenance.repair();
  const { outcome, problems } = isRepairable ? await store.maintenance.check() : found;
  if (outcome !== 'ok') throw new Error(`check: ${outcome} ${JSON.stringify(problems)}`);
}

/** A rebuild of a store that was closed after `expectNext` comes to what it held. */
export async function expectRebuilt(
  machine: SimulatedMachine,
  { kind, image, seed }: { readonly kind: StoreKind; readonly image: StoreImage; readonly seed: number },
): Promise<void> {
  const { place } = placeOn(machine, { seed });
  await rebuildAt(place, openOptions(kind));
  const rebuilt = await openAt(place, openOptions(kind));
  const { [`entry default ${NEXT}`]: next, ...others } = await imageOf(rebuilt);
  await rebuilt.close();
  if (next === undefined) throw new Error('a rebuild has lost the last put');
  const differences = differenceOf(image, others);
  if (differences.length > 0) throw new Error(`after a rebuild ${differences.join('; ')}`);
}
