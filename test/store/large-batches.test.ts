import { describe, expect, it } from 'vitest';
import type { PutItem } from '../../src/index.ts';
import { COMMIT_RECORD_BYTES_MAX } from '../../src/limits.ts';
import { keysOf, memoryStore } from '../support/stores.ts';

/** Attributes as large as they may be, so that few puts fill a commit. */
const ATTRIBUTES = { filling: 'x'.repeat(16_000) };
const PUTS_MAX = Math.ceil(COMMIT_RECORD_BYTES_MAX / 16_000);

describe('a batch of more than one commit holds', () => {
  it('is refused as soon as that shows, not when everything was stored', async () => {
    const store = await memoryStore();
    let asked = 0;
    function* items(): Generator<PutItem> {
      for (; asked < 2 * PUTS_MAX; asked += 1) yield { key: `${asked}`, source: '', attributes: ATTRIBUTES };
    }
    await expect(store.putMany(items())).rejects.toMatchObject({ code: 'BATCH_TOO_LARGE', kind: 'invalid' });
    expect(asked).toBeLessThanOrEqual(PUTS_MAX);
    expect(await keysOf(store, { limit: 1 })).toEqual([]);
  });

  it('is refused to who deletes too, at the call', async () => {
    const store = await memoryStore();
    const key = 'x'.repeat(1000);
    const deleting = store.batch((batch) => {
      for (let number = 0; ; number += 1) batch.delete(`${key}${number}`);
    });
    await expect(deleting).rejects.toMatchObject({ code: 'BATCH_TOO_LARGE' });
  });
});

describe('arguments of many', () => {
  it.each([null, 5, undefined, {}])('that are no iterable are a TypeError: %j', async (items) => {
    const store = await memoryStore();
    await expect(store.putMany(items as never)).rejects.toMatchObject({ name: 'TypeError', parameter: 'items' });
    await expect(store.getMany(items as never)).rejects.toMatchObject({ name: 'TypeError', parameter: 'keys' });
  });
});
