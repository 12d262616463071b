import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { noise, pieces, sameBytes } from '../support/contents.ts';
import { all, folderStore, memoryStore, reopen } from '../support/stores.ts';

const CALLS: readonly [string, (store: Store) => Promise<unknown>][] = [
  ['put', (store) => store.put('k', 'x')],
  ['putMany', (store) => store.putMany([])],
  ['batch', (store) => store.batch(() => undefined)],
  ['get', (store) => store.get('k')],
  ['getMany', (store) => store.getMany([])],
  ['has', (store) => store.has('k')],
  ['stat', (store) => store.stat('k')],
  ['delete', (store) => store.delete('k')],
  ['rename', (store) => store.rename('k', 'l')],
  ['copy', (store) => store.copy('k', 'l')],
  ['readChunk', (store) => store.readChunk(`blake3:${'0'.repeat(64)}`)],
  ['stats', (store) => store.stats()],
  ['check', (store) => store.maintenance.check()],
  ['read', (store) => all(store.read('k'))],
  ['list', (store) => all(store.list())],
  ['chunks', (store) => all(store.chunks('k'))],
  ['inspect', (store) => store.inspect('k')],
  ['validate', (store) => store.validate('k')],
  ['validateAll', (store) => all(store.validateAll())],
];

describe('a closed store', () => {
  it('refuses every call, even with arguments that are wrong', async () => {
    const store = await memoryStore();
    await store.close();
    const closed = expect.objectContaining({ code: 'STORE_CLOSED', kind: 'closed' });
    for (const [, call] of CALLS) await expect(call(store)).rejects.toEqual(closed);
    await expect(store.put('', 5 as unknown as string)).rejects.toEqual(closed);
  });

  it('may be closed again, and by `await using`', async () => {
    const store = await memoryStore();
    await Promise.all([store.close(), store.close()]);
    await store.close();
    let kept: Store;
    {
      await using scoped = await memoryStore();
      kept = scoped;
      await scoped.put('k', 'x');
    }
    await expect(kept.has('k')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  it('still tells its metrics and its name', async () => {
    const store = await memoryStore();
    await store.put('k', 'x');
    await store.close();
    expect(store.metrics()).toMatchObject({ puts: 1 });
    expect(store.id).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('close', () => {
  it('waits for what is running: every put that was begun is there afterwards', async () => {
    const { path, store } = await folderStore();
    const content = noise(3 * MIB, 51);
    const puts = Array.from({ length: 5 }, (_, index) => store.put(`k${index}`, pieces(content, 100_000)));
    const closing = store.close();
    await expect(store.put('late', 'x')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await closing;
    await Promise.all(puts);
    const again = await reopen(path);
    for (let index = 0; index < 5; index += 1) expect(sameBytes(await again.get(`k${index}`), content)).toBe(true);
    expect(await again.has('late')).toBe(false);
  });

  it('does not wait for an iteration that nobody goes on with, which ends at its next step', async () => {
    const { store } = await folderStore();
    await store.put('k', noise(9 * MIB, 52));
    const reading = store.read('k')[Symbol.asyncIterator]();
    await reading.next();
    await store.close();
    await expect(reading.next()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  it('leaves a read that is under way its bytes', async () => {
    const { store } = await folderStore();
    const content = noise(9 * MIB, 53);
    await store.put('k', content);
    const getting = store.get('k');
    await store.close();
    expect(sameBytes(await getting, content)).toBe(true);
  });
});
