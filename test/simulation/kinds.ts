/** The kinds of stores that are simulated, and what every one of them holds at first. */
import type { CreateOptions, OpenOptions, Store } from '../../src/index.ts';
import type { Place } from '../../src/store/location.ts';
import { createAt, openAt } from '../../src/store/open.ts';
import { noise } from '../support/contents.ts';
import { emptyMachine, placeOn, type SimulatedMachine } from './simulated-machine.ts';

export interface StoreKind {
  readonly name: 'plain' | 'sealed' | 'spread' | 'sealed spread';
  readonly sealed: boolean;
  /** Whether its packs are of 2+1 shards, on three backends. */
  readonly spread: boolean;
}

export const KINDS: readonly StoreKind[] = [
  { name: 'plain', sealed: false, spread: false },
  { name: 'sealed', sealed: true, spread: false },
  { name: 'spread', sealed: false, spread: true },
  { name: 'sealed spread', sealed: true, spread: true },
];

const KEYS = { key: new Uint8Array(32).fill(0x11) };
/** Small chunks, so that content of some hundred KiB has a manifest of several nodes. */
const CHUNKING = 'fastcdc:256:1024:4096';
export const DISKS = ['/disk1', '/disk2', '/disk3'] as const;
export const TENANT = 'tenant';
export const ISOLATED = { isolation: 'entry' } as const;

/** How a process opens a store of the kind: nothing happens in it by itself. */
export function openOptions({ sealed }: Pick<StoreKind, 'sealed'>): OpenOptions {
  return { reserveBytes: 0, gc: 'manual', heal: 'manual', ...(sealed && { keys: KEYS }) };
}

export function createOptions({ sealed, spread }: StoreKind): CreateOptions {
  return {
    ...openOptions({ sealed }),
    ...{ keys: sealed ? KEYS : 'none', chunking: CHUNKING },
    ...(spread && { redundancy: '2+1', backends: DISKS.map((location) => ({ location })) }),
  };
}

/** Lets a put write packs of its own, however small it is. */
export function packed({ spread }: Pick<StoreKind, 'spread'>): { readonly redundancy: string } {
  return { redundancy: spread ? '2+1' : 'none' };
}

async function fill(store: Store, kind: StoreKind): Promise<void> {
  await store.put('small', 'rides in its commit');
  await store.put('packed', noise(3000, 2), packed(kind));
  await store.put('other', noise(1500, 3));
  await store.relations.set('small', 'other');
  await store.versions.setPolicy({ last: 2 });
  await store.put('other', noise(1600, 4));
  const { id } = await store.objects.putBundle({ kind: 'note', text: 'first' });
  await store.refs.set('head', id);
  if (!kind.sealed) return;
  await store.put('alone', noise(900, 5), ISOLATED);
  await store.namespaces.create(TENANT);
  await store.namespace(TENANT).put('theirs', noise(1200, 6));
}

/** A machine with a store that was filled and closed. */
export async function newMachine(kind: StoreKind): Promise<SimulatedMachine> {
  const machine = emptyMachine();
  const { place } = placeOn(machine, { seed: 1 });
  const store = await createAt(place, createOptions(kind));
  await fill(store, kind);
  const credential = kind.sealed ? await store.keys.exportWriter({ label: 'writer' }) : undefined;
  await store.close();
  return { ...machine, credential };
}

/** Opens a store; what put-only writers have put is adopted. */
export async function openAdopted(place: Place, { sealed }: StoreKind): Promise<Store> {
  const store = await openAt(place, openOptions({ sealed }));
  if (!sealed) return store;
  const { refused } = await store.inbox.adopt();
  if (refused.length > 0) throw new Error(`refused: ${JSON.stringify(refused)}`);
  return store;
}
