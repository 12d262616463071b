import { expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/index.ts';
import type { Store } from '../../src/index.ts';
import type { Metadata } from '../../src/metadata/contract.ts';
import { metadataHome, startProcess } from '../support/living-store.ts';
import { SOUND } from '../support/stores.ts';

/** Metadata as a process has it that others overtake each time before it lists its journal. */
function slowToListJournal(metadata: Metadata, meanwhile: () => Promise<void>): Metadata {
  return new Proxy(metadata, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return async (...args: readonly unknown[]) => {
        const [query] = args as Parameters<Metadata['listPacks']>;
        if (name === 'listPacks' && query.class === 'journal' && query.after === undefined) await meanwhile();
        return await Reflect.apply(member, target, args);
      };
    },
  });
}

async function putAndShorten(store: Store, key: string): Promise<number> {
  await store.put(key, key);
  return (await store.maintenance.gc({ checkpoint: true, waitMs: 0 })).journalPacksRemoved;
}

it.each([
  ['the next commits', 1],
  ['all that it has looked for', 3],
])('a check beside a process that puts %s behind checkpoints finds no gap in the journal', async (_, times) => {
  const [backend, home] = [new MemoryBackend(), await metadataHome()];
  const { store } = await startProcess({ backend, metadata: home.open() });
  for (const key of ['a', 'b', 'c']) await putAndShorten(store, key);
  let removed = 0;
  let isChecking = false;
  const metadata = slowToListJournal(home.open(), async () => {
    if (!isChecking) return;
    for (let time = 0; time < times; time += 1) removed += await putAndShorten(store, `beside ${removed}`);
  });
  const other = await startProcess({ backend, metadata });
  isChecking = true;
  expect(await other.store.maintenance.check({ invariants: ['journal-chain'] })).toMatchObject(SOUND);
  isChecking = false;
  expect(removed).toBeGreaterThan(0);
  await store.close();
});
