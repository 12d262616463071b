import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { MemoryBackend, openFsBackend } from '../../src/backend/index.ts';
import { listAll } from '../../src/backend/list-all.ts';
import type { Store } from '../../src/index.ts';
import { MERGE_FAN_IN } from '../../src/limits.ts';
import type { Metadata } from '../../src/metadata/contract.ts';
import { yieldToEventLoop } from '../../src/runtime/timers.ts';
import { noise } from '../support/contents.ts';
import { newMetadata, startProcess } from '../support/living-store.ts';
import { folderStore, reopen, SOUND } from '../support/stores.ts';

/** Of three classes of packs, fewer than may be due of each power of the fan-in, and what the merges themselves commit. */
function packsMax(commits: number): number {
  return 3 * MERGE_FAN_IN * Math.ceil(Math.log(commits) / Math.log(MERGE_FAN_IN));
}

/** Commits until merging, which goes on in the background, has caught up. */
async function settle(store: Store, metadata: Metadata): Promise<number> {
  const before = await metadata.head();
  const max = packsMax(before.commit);
  for (let turn = 0; (await metadata.counters()).packs > max; turn += 1) {
    if (turn > 100) break;
    await store.put('nudge', `${turn}`);
    for (let wait = 0; wait < 50; wait += 1) await yieldToEventLoop();
  }
  return (await metadata.counters()).packs;
}

async function keepReading(store: Store, isOver: () => boolean): Promise<{ reads: number; wrong: string[] }> {
  const seen = { reads: 0, wrong: [] as string[] };
  for (let index = 0; !isOver(); index = (index * 7 + 3) % 697) {
    const key = `key ${index}`;
    if (await store.has(key)) {
      seen.reads += 1;
      if (Buffer.from(await store.get(key)).toString() !== `content ${index}`) seen.wrong.push(key);
    }
    await yieldToEventLoop();
  }
  return seen;
}

describe('merging', () => {
  it('leaves a logarithmic number of packs of 700 tiny puts, and disturbs no reader', async () => {
    const metadata = await newMetadata();
    const { store } = await startProcess({ backend: new MemoryBackend(), metadata });
    let over = false;
    const reading = keepReading(store, () => over);
    for (let index = 0; index < 700; index += 1) {
      await store.put(`key ${index}`, `content ${index}`);
      // Nothing here waits for a disk: without this no reader would ever have its turn.
      if (index % 2 === 0) await yieldToEventLoop();
    }
    over = true;
    const { reads, wrong } = await reading;
    expect(reads).toBeGreaterThan(100);
    expect(wrong).toEqual([]);
    expect(await settle(store, metadata)).toBeLessThanOrEqual(packsMax(700));
    expect(await store.maintenance.check()).toMatchObject({ ...SOUND, garbage: { blobs: 0, bytes: 0 } });
    await store.close();
  });

  it('leaves few packs of puts of all sizes: a large commit does not keep small ones apart', async () => {
    const metadata = await newMetadata();
    const { store } = await startProcess({ backend: new MemoryBackend(), metadata });
    const sizes = [40, 9000, 300, 60_000, 70_000];
    for (let index = 0; index < 200; index += 1) await store.put(`key ${index}`, noise(sizes[index % 5] ?? 0, index));
    expect(await settle(store, metadata)).toBeLessThanOrEqual(packsMax((await metadata.head()).commit));
    expect(await store.maintenance.check()).toMatchObject(SOUND);
    await store.close();
  });

  it('leaves in the folder what the metadata knows, and nothing else', async () => {
    const { path: folder, store } = await folderStore();
    for (let index = 0; index < 100; index += 1) await store.put(`key ${index}`, `content ${index}`);
    expect(store.metrics().packsMerged).toBeGreaterThan(0);
    await store.close();
    const again = await reopen(folder, { readOnly: true });
    const report = await again.maintenance.check();
    expect(report).toMatchObject({ ...SOUND, entries: 100, garbage: { blobs: 0, bytes: 0 } });
    const backend = await openFsBackend(folder, { readOnly: true });
    const blobs = await Array.fromAsync(listAll(backend));
    await backend.close();
    // A pack is one blob; the config is one more. Blobs of a merge that was under way are still to be deleted.
    expect(blobs.length - 1 - report.packs).toBeLessThan(3 * MERGE_FAN_IN);
    expect(await readdir(path.join(folder, '.tmp'))).toEqual([]);
  });
});
