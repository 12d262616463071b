import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/index.ts';
import type { Store } from '../../src/index.ts';
import { MERGE_FAN_IN } from '../../src/limits.ts';
import type { Metadata } from '../../src/metadata/contract.ts';
import { metadataHome, startProcess } from '../support/living-store.ts';
import { SOUND } from '../support/stores.ts';

/** Metadata as a process has it that others overtake before it makes its first replay. */
function slowToReplay(metadata: Metadata, meanwhile: () => Promise<void>): Metadata {
  let work: Promise<void> | undefined;
  return new Proxy(metadata, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return async (...args: readonly unknown[]) => {
        if (name === 'replay') {
          work ??= meanwhile();
          await work;
        }
        return await Reflect.apply(member, target, args);
      };
    },
  });
}

/** Puts as many small entries as make a merge of the journal due, and waits for it. */
async function putUntilMerged(store: Store): Promise<void> {
  const merged = new Promise((resolve) => store.on('merge', resolve));
  for (let number = 0; number < 2 * MERGE_FAN_IN; number += 1) await store.put(`small ${number}`, `${number}`);
  await merged;
}

describe('a process that opens a store while another one merges its journal', () => {
  it('does not count on a journal pack that it has read, and that is gone by then', async () => {
    const [backend, home] = [new MemoryBackend(), await metadataHome()];
    const dead = await startProcess({ backend, metadata: home.open() });
    await dead.store.put('a', 'content of a');
    dead.end();
    let isMerged = false;
    const metadata = slowToReplay(home.open(), async () => {
      const { store } = await startProcess({ backend, metadata: home.open() });
      await putUntilMerged(store);
      await store.close();
      isMerged = true;
    });
    const { store } = await startProcess({ backend, metadata });
    expect(isMerged).toBe(true);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
    await store.close();
  });
});

describe('a process that tells late of a journal pack', () => {
  it('does not have it counted on where it was merged, and its records went behind checkpoints', async () => {
    const [backend, home] = [new MemoryBackend(), await metadataHome()];
    const idle = await startProcess({ backend, metadata: home.open() });
    await idle.store.put('a', 'content of a');
    const { store } = await startProcess({ backend, metadata: home.open() });
    await putUntilMerged(store);
    for (const key of ['b', 'c']) {
      await store.put(key, key);
      const { journalPacksRemoved } = await store.maintenance.gc({ checkpoint: true, waitMs: 0 });
      expect(journalPacksRemoved > 0, key).toBe(key === 'c');
    }
    await idle.store.put('d', 'd');
    expect(await store.maintenance.check()).toMatchObject(SOUND);
    await store.close();
  });
});
