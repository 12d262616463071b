import { describe, expect, it } from 'vitest';
import type { PutItem } from '../../src/index.ts';
import { keysOf, memoryStore } from '../support/stores.ts';

const forEver = (): Promise<never> => new Promise(() => undefined);

describe('putMany', () => {
  it('can be aborted while its items keep it waiting, and puts none', async () => {
    const store = await memoryStore();
    const abort = new AbortController();
    async function* items(): AsyncGenerator<PutItem> {
      yield { key: 'a', source: 'first' };
      abort.abort(new Error('enough'));
      await forEver();
    }
    await expect(store.putMany(items(), { signal: abort.signal })).rejects.toThrow('enough');
    expect(await keysOf(store)).toEqual([]);
  });

  it('ends its items when one of them cannot be put', async () => {
    const store = await memoryStore();
    let ended = false;
    async function* items(): AsyncGenerator<PutItem> {
      try {
        yield { key: '', source: 'nameless' };
        yield { key: 'never', source: 'asked for' };
      } finally {
        ended = true;
      }
    }
    await expect(store.putMany(items())).rejects.toMatchObject({ code: 'KEY_INVALID' });
    expect(ended).toBe(true);
  });
});

describe('text as content', () => {
  it('is stored as it is or refused: half of a surrogate pair has no UTF-8', async () => {
    const store = await memoryStore();
    await expect(store.put('key', 'half of \ud83d')).rejects.toMatchObject({ code: 'SOURCE_INVALID' });
    expect(await store.has('key')).toBe(false);
    await store.put('key', 'whole \u{1f600}');
    expect(new TextDecoder().decode(await store.get('key'))).toBe('whole \u{1f600}');
  });
});
