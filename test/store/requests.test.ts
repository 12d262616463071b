import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/index.ts';
import { createStore, type StoreRequests } from '../../src/index.ts';
import { FaultyBackend } from '../../src/testing/index.ts';
import { noise } from '../support/contents.ts';
import { all, closedAfterTest, folderStore, reopen, testFolder } from '../support/stores.ts';

/** Calls of the backend that was named first. */
function callsOf({ backends }: StoreRequests) {
  const [first] = backends;
  if (first === undefined) throw new Error('there is no backend');
  return first.calls;
}

describe('requests', () => {
  it('are counted by what was asked of the backend, with the bytes that went over', async () => {
    const { path, store } = await folderStore({ gc: 'manual' });
    const before = callsOf((await store.stats()).requests);
    await store.put('a', noise(300_000));
    const after = callsOf((await store.stats()).requests);
    // A pack of chunks, one with the manifest, and the journal.
    expect(after.put.calls - before.put.calls).toBe(3);
    expect(after.put.bytes - before.put.bytes).toBeGreaterThan(300_000);
    expect(after.put.bytes - before.put.bytes).toBeLessThan(310_000);
    expect(after.getRange).toEqual(before.getRange);
    await all(store.read('a', { offset: 200_000, length: 10 }));
    const { getRange, get } = callsOf((await store.stats()).requests);
    expect(get).toEqual(after.get);
    expect(getRange.calls).toBeGreaterThan(after.getRange.calls);
    expect(getRange.bytes).toBeGreaterThan(after.getRange.bytes);
    expect((await store.stats()).requests.metadata).toBeUndefined();
    await store.close();
    const again = await reopen(path, { readOnly: true });
    expect(callsOf((await again.stats()).requests).put).toEqual({ calls: 0, failures: 0, bytes: 0 });
  });

  it('that failed are counted as such, and bring no bytes', async () => {
    const backend = new FaultyBackend(new MemoryBackend());
    const store = closedAfterTest(await createStore({ backend, metadata: ':memory:' }, { keys: 'none' }));
    const { put } = callsOf((await store.stats()).requests);
    backend.fail({ call: 'put', how: 'before', times: 1 });
    await expect(store.put('a', noise(100_000))).rejects.toMatchObject({ code: 'BACKEND_IO' });
    const after = callsOf((await store.stats()).requests).put;
    expect(after.failures).toBe(1);
    expect(after.bytes - put.bytes).toBeLessThan(10_000);
  });

  it('are those of each backend, also once it has another name', async () => {
    const folder = await testFolder();
    const backends = ['one', 'two'].map((name) => ({ location: `${folder}/${name}`, name }));
    const how = { keys: 'none', redundancy: '1+1', backends, reserveBytes: 0 } as const;
    const store = closedAfterTest(await createStore(`${folder}/home`, how));
    await store.put('a', noise(100_000));
    const before = (await store.stats()).requests.backends;
    expect(before.map(({ backend }) => backend)).toEqual(['main', 'one', 'two']);
    expect(before.slice(1).every(({ calls }) => calls.put.bytes > 100_000)).toBe(true);
    await store.backends.change('two', { name: 'other' });
    const after = (await store.stats()).requests.backends.find(({ backend }) => backend === 'other');
    expect(after?.calls.put.calls).toBeGreaterThanOrEqual(before[2]?.calls.put.calls ?? 0);
  });

  it('are told to the logger at the end', async () => {
    const told: unknown[][] = [];
    const none = () => undefined;
    const debug = (...said: unknown[]) => told.push(said);
    const { store } = await folderStore({ logger: { debug, info: none, warn: none, error: none } });
    await store.put('a', 'b');
    await store.close();
    expect(told.at(-1)).toEqual([
      expect.stringMatching(/since the store was opened/),
      expect.objectContaining({ backends: [expect.objectContaining({ backend: 'main' })] }),
    ]);
  });
});
