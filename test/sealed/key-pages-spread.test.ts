import { readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createStore, openStore } from '../../src/index.ts';
import { noise } from '../support/contents.ts';
import { testFolder } from '../support/stores.ts';

const OPTIONS = { keys: { key: new Uint8Array(32).fill(3) }, reserveBytes: 0 } as const;

async function pagesIn(folder: string): Promise<number> {
  return (await readdir(path.join(folder, 'keys')).catch(() => [])).length;
}

describe('key pages of isolated entries', () => {
  it('come to backends that join, and to those that were away, and leave all of them', async () => {
    const root = await testFolder();
    const at = (name: string): string => path.join(root, name);
    const backends = ['one', 'two', 'three'].map((name) => ({ location: at(name) }));
    const store = await createStore(at('home'), { ...OPTIONS, redundancy: '1+2', backends });
    await store.put('before', noise(1000), { isolation: 'entry' });
    await store.backends.add({ location: at('four') });
    expect(await pagesIn(at('four'))).toBe(1);
    await store.close();

    await rename(at('two'), at('away'));
    const without = await openStore(at('home'), OPTIONS);
    await without.put('meanwhile', noise(1000, 2), { isolation: 'entry' });
    await without.close();
    await rename(at('away'), at('two'));
    const again = await openStore(at('home'), OPTIONS);
    expect(await pagesIn(at('two'))).toBe(1);
    await again.maintenance.repair();
    expect(await pagesIn(at('two'))).toBe(2);
    await again.delete('meanwhile');
    for (const name of ['home', 'one', 'two', 'three', 'four']) expect(await pagesIn(at(name)), name).toBe(1);
    await again.maintenance.repair();
    for (const name of ['one', 'two', 'three', 'four']) expect(await pagesIn(at(name)), name).toBe(1);

    // What a backend that left still holds must not come back with it.
    await again.backends.drain('four');
    await again.backends.remove('four');
    await expect(again.backends.add({ location: at('four') })).rejects.toMatchObject({ code: 'BACKEND_MISMATCH' });
    await again.close();
    await rm(at('four'), { recursive: true });
  });
});
