import { describe, expect, it } from 'vitest';
import {
  coveredRange,
  createRangeDataCheck,
  createStore,
  type Entries,
  type RangeProof,
  type Store,
  verifyRangeProof,
} from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { closedAfterTest } from '../support/stores.ts';

const KEY = { key: new Uint8Array(32).fill(1) };
const CHUNKING = 'fastcdc:256:1024:4096';
/** So many small chunks that the manifest is a tree of nodes. */
const CONTENT = noise(6_000_000);

async function storeOf(keys: typeof KEY | 'none'): Promise<Store> {
  return closedAfterTest(await createStore('memory:', { keys, chunking: CHUNKING }));
}

async function rootOf(entries: Entries, key: string): Promise<string> {
  return (await entries.stat(key)).root;
}

/** A proof as it arrives somewhere else: nothing of the store but its text and the root. */
function sent(proof: RangeProof): string {
  return JSON.stringify(proof);
}

describe('a proof of a range', () => {
  it.each([
    ['a plain store', 'none' as const],
    ['a sealed store', KEY],
  ])('of %s is verified with the root alone, and with the bytes', async (_, keys) => {
    const store = await storeOf(keys);
    const { chunks } = await store.put('a', CONTENT);
    expect(chunks).toBeGreaterThan(4096);
    const root = await rootOf(store, 'a');
    for (const range of [
      { offset: 0, length: 1 },
      { offset: 1_234_567, length: 50_000 },
      { offset: CONTENT.length - 1, length: 1 },
      { offset: CONTENT.length, length: 0 },
    ]) {
      const proof = await store.prove('a', range);
      expect(verifyRangeProof(sent(proof), root, range)).toBe(true);
      const { offset, length } = coveredRange(proof);
      const bytes = CONTENT.slice(offset, offset + length);
      expect(createRangeDataCheck(sent(proof), root).update(bytes).finish()).toBe(true);
      if (length === 0) continue;
      const elsewhere = { ...range, offset: Math.abs(range.offset - 9000) };
      expect(verifyRangeProof(sent(proof), root, elsewhere)).toBe(false);
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      expect(createRangeDataCheck(sent(proof), root).update(bytes).finish()).toBe(false);
    }
    const one = await store.prove('a', { offset: 3_000_000, length: 1 });
    expect(one.chunks).toHaveLength(1);
    expect(sent(one).length).toBeLessThan(2500);
  });

  it('is of the whole entry when nothing else is asked for', async () => {
    const store = await storeOf('none');
    await store.put('small', CONTENT.subarray(0, 9000));
    await store.put('empty', new Uint8Array(0));
    const proof = await store.prove('small');
    expect(coveredRange(proof)).toEqual({ offset: 0, length: 9000 });
    expect(verifyRangeProof(proof, await rootOf(store, 'small'), { offset: 0, length: 9000 })).toBe(true);
    expect(verifyRangeProof(await store.prove('empty'), await rootOf(store, 'empty'))).toBe(true);
    expect(verifyRangeProof(proof, await rootOf(store, 'empty'))).toBe(false);
  });

  it('is made of entries in namespaces and of isolated ones', async () => {
    const store = await storeOf(KEY);
    await store.namespaces.create('tenant');
    const tenant = store.namespace('tenant');
    await tenant.put('theirs', CONTENT.subarray(0, 50_000));
    await store.put('alone', CONTENT.subarray(0, 50_000), { isolation: 'entry' });
    const range = { offset: 20_000, length: 100 };
    for (const [entries, key] of [
      [tenant, 'theirs'],
      [store, 'alone'],
    ] as const)
      expect(verifyRangeProof(await entries.prove(key, range), await rootOf(entries, key), range)).toBe(true);
  });

  it('is refused for what is not there', async () => {
    const store = await storeOf('none');
    await store.put('a', 'ten bytes!');
    await expect(store.prove('b')).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND' });
    await expect(store.prove('a', { offset: 5, length: 6 })).rejects.toMatchObject({ code: 'RANGE_INVALID' });
    await expect(store.prove('a', { offset: -1 })).rejects.toThrow(RangeError);
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(store.prove('a', { signal: aborted })).rejects.toThrow('enough');
  });
});
