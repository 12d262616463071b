/** Entries of every kind of place there is: whatever holds of them must hold in each. */
import { createStore, type Entries, type Store } from '../../src/index.ts';
import { closedAfterTest } from './stores.ts';

interface OpenedEntries {
  readonly store: Store;
  readonly entries: Entries;
}

async function sealed(): Promise<Store> {
  const keys = { key: new Uint8Array(32).fill(0x1d) };
  return closedAfterTest(await createStore('memory:', { keys, reserveBytes: 0 }));
}

const KINDS = {
  plain: async () => {
    const store = closedAfterTest(await createStore('memory:', { keys: 'none', reserveBytes: 0 }));
    return { store, entries: store };
  },
  sealed: async () => {
    const store = await sealed();
    return { store, entries: store };
  },
  namespace: async () => {
    const store = await sealed();
    await store.namespaces.create('tenant');
    return { store, entries: store.namespace('tenant') };
  },
} as const satisfies Record<string, () => Promise<OpenedEntries>>;

export type KindOfEntries = keyof typeof KINDS;

export const KINDS_OF_ENTRIES = Object.keys(KINDS) as readonly KindOfEntries[];

/** Opens a store in memory that is closed when the test ends. */
export function openKind(kind: KindOfEntries): Promise<OpenedEntries> {
  return KINDS[kind]();
}

/** Spins until the clock shows another millisecond: what happens before and after has different times. */
export function nextMillisecond(): void {
  const start = Date.now();
  while (Date.now() === start);
}
