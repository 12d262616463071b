import { readdir, readlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Progress, Store } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { noise, pieces, sameBytes, text } from '../support/contents.ts';
import { all, folderStore, keysOf, SOUND, sharedStore, testFolder } from '../support/stores.ts';

const shared = sharedStore();
const REASON = new Error('enough');
const CONTENT = noise(6 * MIB, 31);

/** What this process has open. */
async function openFiles(): Promise<string[]> {
  const handles = await readdir('/proc/self/fd');
  return await Promise.all(handles.map((handle) => readlink(`/proc/self/fd/${handle}`).catch(() => 'closed by now')));
}

describe('a signal that aborted before', () => {
  const aborted = { signal: AbortSignal.abort(REASON) };

  it.each<[string, (store: Store) => Promise<unknown>]>([
    ['put', (store) => store.put('k', 'new', aborted)],
    ['get', (store) => store.get('k', aborted)],
    ['has', (store) => store.has('k', aborted)],
    ['stat', (store) => store.stat('k', aborted)],
    ['delete', (store) => store.delete('k', aborted)],
    ['rename', (store) => store.rename('k', 'l', aborted)],
    ['copy', (store) => store.copy('k', 'l', aborted)],
    ['batch', (store) => store.batch((batch) => batch.delete('k'), aborted)],
    ['putMany', (store) => store.putMany([{ key: 'k', source: 'x' }], aborted)],
    ['getMany', (store) => store.getMany(['k'], aborted)],
    ['stats', (store) => store.stats(aborted)],
    ['readChunk', (store) => store.readChunk(`blake3:${'0'.repeat(64)}`, aborted)],
    ['check', (store) => store.maintenance.check(aborted)],
    ['read', (store) => all(store.read('k', aborted))],
    ['list', (store) => all(store.list(aborted))],
    ['chunks', (store) => all(store.chunks('k', aborted))],
    ['inspect', (store) => store.inspect('k', aborted)],
    ['validate', (store) => store.validate('k', aborted)],
    ['validateAll', (store) => all(store.validateAll(aborted))],
  ])('ends %s with its own reason, and nothing was done', async (_, call) => {
    const { store } = shared;
    await store.put('k', 'old');
    const { commit } = await store.stats();
    await expect(call(store)).rejects.toBe(REASON);
    expect((await store.stats()).commit).toBe(commit);
    expect(await store.get('k')).toEqual(text('old'));
  });
});

describe('a signal that aborts in the middle', () => {
  it('of a put leaves the old entry, and the same put works afterwards', async () => {
    const { store } = await folderStore();
    await store.put('k', 'old');
    const controller = new AbortController();
    async function* slowly(): AsyncGenerator<Uint8Array> {
      for await (const piece of pieces(CONTENT, MIB)) {
        yield piece;
        if (piece.byteOffset >= 3 * MIB) controller.abort(REASON);
      }
    }
    await expect(store.put('k', slowly(), { signal: controller.signal })).rejects.toBe(REASON);
    expect(await store.get('k')).toEqual(text('old'));
    expect(await keysOf(store)).toEqual(['k']);
    await store.put('k', CONTENT);
    expect(sameBytes(await store.get('k'), CONTENT)).toBe(true);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('of a put ends its source, once', async () => {
    const controller = new AbortController();
    let ended = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          yield noise(1000);
          controller.abort(REASON);
        }
      } finally {
        ended += 1;
      }
    }
    await expect(shared.store.put('k', source(), { signal: controller.signal })).rejects.toBe(REASON);
    expect(ended).toBe(1);
  });

  it('of a put whose source never answers does not wait for it', async () => {
    const { store } = await folderStore();
    const controller = new AbortController();
    const asked = Promise.withResolvers<void>();
    const silent: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          asked.resolve();
          return new Promise<never>(() => undefined);
        },
      }),
    };
    const put = store.put('k', silent, { signal: controller.signal });
    put.catch(() => undefined);
    await asked.promise;
    controller.abort(REASON);
    await expect(put).rejects.toBe(REASON);
    await store.close();
  });

  it('of a put of a file leaves nothing open and nothing done', async () => {
    const file = path.join(await testFolder(), 'file');
    await writeFile(file, CONTENT);
    const controller = new AbortController();
    const onProgress = (): void => controller.abort(REASON);
    const put = shared.store.put('file', { path: file }, { signal: controller.signal, onProgress });
    await expect(put).rejects.toBe(REASON);
    expect(await shared.store.has('file')).toBe(false);
    if (process.platform === 'linux') expect(await openFiles()).not.toContain(file);
  });

  it('of a batch or of putMany gives everything up', async () => {
    const { store } = shared;
    const controller = new AbortController();
    const { signal } = controller;
    const batch = store.batch(
      async (writer) => {
        await writer.put('b1', 'x');
        controller.abort(REASON);
        await writer.put('b2', 'x');
      },
      { signal },
    );
    await expect(batch).rejects.toBe(REASON);
    const second = new AbortController();
    const onProgress = (): void => second.abort(REASON);
    const items = [
      { key: 'b3', source: 'x' },
      { key: 'b4', source: 'x' },
    ];
    await expect(store.putMany(items, { signal: second.signal, onProgress })).rejects.toBe(REASON);
    expect(await keysOf(store, { prefix: 'b' })).toEqual([]);
  });

  it('of a read ends it between two pieces', async () => {
    const { store } = shared;
    await store.put('large', CONTENT);
    const controller = new AbortController();
    let bytes = 0;
    const reading = async (): Promise<void> => {
      for await (const piece of store.read('large', { signal: controller.signal })) {
        bytes += piece.length;
        controller.abort(REASON);
      }
    };
    await expect(reading()).rejects.toBe(REASON);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(CONTENT.length);
    expect(sameBytes(await store.get('large'), CONTENT)).toBe(true);
  });

  it('of a check ends it', async () => {
    const controller = new AbortController();
    const onProgress = ({ phase }: Progress): void => {
      if (phase === 'check packs') controller.abort(REASON);
    };
    await shared.store.put('large', CONTENT);
    await expect(shared.store.maintenance.check({ signal: controller.signal, onProgress })).rejects.toBe(REASON);
  });
});

describe('progress', () => {
  it('of a put counts up to its size, with the total where it is known', async () => {
    const seen: Progress[] = [];
    await shared.store.put('p', CONTENT, { onProgress: (progress) => seen.push(progress) });
    expect(seen.at(-1)).toEqual({ phase: 'put', done: CONTENT.length, bytes: CONTENT.length, total: CONTENT.length });
    expect(seen.length).toBeGreaterThan(20);
    const streamed: Progress[] = [];
    await shared.store.put('p', pieces(CONTENT, MIB), { onProgress: (progress) => streamed.push(progress) });
    expect(streamed.at(-1)).toEqual({ phase: 'put', done: CONTENT.length, bytes: CONTENT.length });
  });

  it('of a check tells its phases and counts', async () => {
    const phases = new Map<string, Progress>();
    await shared.store.maintenance.check({ onProgress: (progress) => phases.set(progress.phase, progress) });
    const names = ['check metadata', 'check packs', 'check journal', 'check entries', 'check refs'];
    expect([...phases.keys()]).toEqual(names);
    for (const { done, total } of phases.values()) expect(done).toBeLessThanOrEqual(total ?? 0);
  });

  it('that throws ends the operation with what it threw, and nothing is done', async () => {
    const { store } = shared;
    const failure = new Error('broken bar');
    const onProgress = (): void => {
      throw failure;
    };
    await expect(store.put('broken', CONTENT, { onProgress })).rejects.toBe(failure);
    expect(await store.has('broken')).toBe(false);
  });
});
