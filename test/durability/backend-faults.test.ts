import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/contract.ts';
import { MemoryBackend } from '../../src/backend/index.ts';
import { storeError } from '../../src/errors/store-error.ts';
import type { Logger, Store } from '../../src/index.ts';
import type { Metadata } from '../../src/metadata/contract.ts';
import { yieldToEventLoop } from '../../src/runtime/timers.ts';
import { type BackendCall, FaultyBackend } from '../../src/testing/index.ts';
import { newMetadata, rebuiltMetadata, startProcess } from '../support/living-store.ts';
import { pointsOf, SAMPLE } from '../support/points.ts';
import { SOUND } from '../support/stores.ts';

const PUTS = 9;
/** Calls of one kind that one run has fail. */
const POINTS = 2;

function contentOf(index: number): string {
  return `content ${index} ${'x'.repeat(index * 50)}`;
}

/** Resolves when a merge has been made or given up. */
function mergeEnds(): { readonly logger: Logger; readonly watch: (store: Store) => Promise<'merged' | 'given up'> } {
  const ended = Promise.withResolvers<'merged' | 'given up'>();
  const silent = (): void => undefined;
  return {
    logger: { debug: silent, info: silent, error: silent, warn: () => ended.resolve('given up') },
    watch: (store) => {
      store.on('merge', () => ended.resolve('merged'));
      return ended.promise;
    },
  };
}

/** A store on whose backend exactly the calls of one merge are still to come. */
async function beforeMerge(): Promise<{ readonly backend: FaultyBackend; readonly metadata: Metadata }> {
  const backend = new FaultyBackend(new MemoryBackend());
  const metadata = await newMetadata();
  // Two processes: the first merge of one comes before there is anything to merge, the next after eight packs.
  for (const half of [0, 1]) {
    const { store } = await startProcess({ backend, metadata });
    for (let index = half; index < PUTS; index += 2) await store.put(`key ${index}`, contentOf(index));
    await store.close();
  }
  return { backend, metadata };
}

async function expectAll(store: Store): Promise<void> {
  for (let index = 0; index < PUTS; index += 1)
    expect(Buffer.from(await store.get(`key ${index}`)).toString()).toBe(contentOf(index));
  expect(await store.maintenance.check()).toMatchObject(SOUND);
}

async function mergeIsDue(metadata: Metadata): Promise<boolean> {
  const packs = await metadata.listPacks({ class: 'journal', limit: 100 });
  return packs.length >= PUTS || (await metadata.droppedPacks(1)).length > 0;
}

/** One put makes the merge due; tells how it ended. */
async function mergeOnce(parts: { readonly backend: Backend; readonly metadata: Metadata }) {
  const { logger, watch } = mergeEnds();
  const living = await startProcess({ ...parts, logger });
  const ended = watch(living.store);
  await living.store.put('trigger', 'x');
  return { ...living, outcome: await ended };
}

/** The calls that a merge makes on the backend, as the first, second, ... of their name after the put that sets it off. */
async function callsOfMerge(): Promise<readonly { call: BackendCall; nth: number }[]> {
  const parts = await beforeMerge();
  const before = parts.backend.trace.length;
  const { outcome, store } = await mergeOnce(parts);
  expect(outcome).toBe('merged');
  await store.close();
  const seen = new Map<string, number>();
  const calls = parts.backend.trace.slice(before).map((line) => {
    const call = line.split(' ')[0] as BackendCall;
    seen.set(call, (seen.get(call) ?? 0) + 1);
    return { call, nth: seen.get(call) ?? 0 };
  });
  // The config, the listing of the recovery and the journal pack of the put come first.
  return calls.filter(({ call, nth }) => call !== 'list' && !((call === 'put' || call === 'get') && nth === 1));
}

describe.each([
  { fault: 'BACKEND_IO', how: 'before', kinds: ['put', 'get', 'delete'], variant: 0 },
  { fault: 'BACKEND_IO', how: 'after', kinds: ['put', 'get', 'delete'], variant: 1 },
  { fault: 'DISK_FULL', how: 'before', kinds: ['put'], variant: 2 },
] as const)(`a merge that meets $fault $how (${SAMPLE})`, ({ fault, how, kinds, variant }) => {
  it.each(kinds)('any call of %s loses nothing, and is made later', async (kind) => {
    const calls = (await callsOfMerge()).filter(({ call }) => call === kind);
    expect(calls.length).toBeGreaterThanOrEqual(3);
    for (const point of pointsOf(calls.length, variant, POINTS)) {
      const { call, nth } = calls[point] as (typeof calls)[number];
      const { backend, metadata } = await beforeMerge();
      backend.fail({ call, nth, how, error: storeError(fault, 'injected') });
      const { store, end } = await mergeOnce({ backend, metadata });
      backend.heal();
      await expectAll(store);
      end();
      const what = `${how} ${call} ${nth}`;
      const early = await rebuiltMetadata(backend);
      expect((await early.metadata.stateDigests()).entries, what).toBe((await metadata.stateDigests()).entries);
      const next = await startProcess({ backend, metadata });
      await next.store.put('trigger', 'y');
      while (await mergeIsDue(metadata)) await yieldToEventLoop();
      await expectAll(next.store);
      await next.store.close();
      const rebuilt = await rebuiltMetadata(backend);
      expect(await rebuilt.metadata.stateDigests(), what).toEqual(await metadata.stateDigests());
    }
  });
});

describe('a journal pack that cannot be written', () => {
  async function pending() {
    const backend = new FaultyBackend(new MemoryBackend());
    const metadata = await newMetadata();
    const { store, end } = await startProcess({ backend, metadata });
    backend.fail({
      call: 'put',
      prefix: 'journal/',
      how: 'before',
      times: Number.POSITIVE_INFINITY,
      error: storeError('DISK_FULL', 'injected'),
    });
    await expect(store.put('key', 'value')).rejects.toMatchObject({
      code: 'COMMIT_PENDING',
      kind: 'unavailable',
      retry: false,
    });
    return { backend, metadata, store, end };
  }

  it('leaves its commit pending: the change is seen, and is written in the background as soon as it can be', async () => {
    const { backend, metadata, store } = await pending();
    expect(Buffer.from(await store.get('key')).toString()).toBe('value');
    backend.heal();
    const written = (line: string): boolean => line.startsWith('put journal/');
    const before = backend.trace.filter(written).length;
    while (backend.trace.filter(written).length === before) await yieldToEventLoop();
    await store.put('next', 'x');
    expect((await metadata.head()).flushed).toBe(1);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('is written with the next commit, and neither is there twice', async () => {
    const { backend, metadata, store } = await pending();
    backend.heal();
    await store.put('next', 'x');
    await store.close();
    expect(await metadata.listPacks({ limit: 10 })).toMatchObject([{ journal: { firstCommit: 1, lastCommit: 2 } }]);
  });

  it('is written when the store closes, or by the process that comes next', async () => {
    for (const way of ['close', 'end'] as const) {
      const { backend, metadata, store, end } = await pending();
      backend.heal();
      if (way === 'close') await store.close();
      else end();
      const next = await startProcess({ backend, metadata });
      expect((await rebuiltMetadata(backend)).report.records).toBe(1);
      expect(Buffer.from(await next.store.get('key')).toString()).toBe('value');
      await next.store.close();
    }
  });
});

describe('a write whose outcome is unknown', () => {
  it('poisons the handle for changes, not for reads, until the store is opened again', async () => {
    const backend = new FaultyBackend(new MemoryBackend());
    const metadata = await newMetadata();
    const { store } = await startProcess({ backend, metadata });
    await store.put('before', 'x');
    backend.fail({ call: 'put', prefix: 'journal/', how: 'after' });
    await expect(store.put('key', 'value')).rejects.toMatchObject({ code: 'COMMIT_PENDING' });
    for (const change of [
      () => store.put('later', 'x'),
      () => store.delete('before'),
      () => store.rename('before', 'after'),
      () => store.batch((batch) => batch.delete('before')),
    ])
      await expect(change()).rejects.toMatchObject({ code: 'STORE_POISONED', kind: 'closed' });
    expect(Buffer.from(await store.get('before')).toString()).toBe('x');
    expect(Buffer.from(await store.get('key')).toString()).toBe('value');
    await store.close();
    const next = await startProcess({ backend, metadata });
    expect(Buffer.from(await next.store.get('key')).toString()).toBe('value');
    await next.store.put('later', 'x');
    expect(await next.store.maintenance.check()).toMatchObject(SOUND);
  });
});

describe('a pack whose registration is pending', () => {
  it('does not make its put claim that it was committed', async () => {
    const backend = new FaultyBackend(new MemoryBackend());
    const metadata = await newMetadata();
    const { store } = await startProcess({ backend, metadata });
    const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7919 * (index >> 4)) >> 5);
    backend.fail({ call: 'put', prefix: 'journal/', how: 'before', error: storeError('DISK_FULL', 'injected') });
    await store.put('key', bytes);
    expect(await store.get('key')).toEqual(bytes);
    expect((await rebuiltMetadata(backend)).report.records).toBe(2);
  });
});
