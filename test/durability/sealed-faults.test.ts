/** A sealed store whose backend does not do what it is asked: what is said to be done is, and the rest is told. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { MemoryBackend } from '../../src/backend/index.ts';
import { storeError } from '../../src/errors/store-error.ts';
import { isStoreError, type Store } from '../../src/index.ts';
import { FaultyBackend } from '../../src/testing/index.ts';
import { noise } from '../support/contents.ts';
import { LIVING_KEYS, metadataHome, rebuiltMetadata, startProcess } from '../support/living-store.ts';
import { pointsOf, SAMPLE, someOf } from '../support/points.ts';
import { SOUND } from '../support/stores.ts';
import {
  expectSoundSealed,
  imageBefore,
  imageOfSealed,
  SEALED_CASES,
  type SealedCase,
  type SealedImage,
  setUp,
  TENANT,
} from './sealed-cases.ts';

/** Calls of one kind that one run has fail in one way. */
const POINTS = 1;
const ISOLATED = { isolation: 'entry' } as const;
const DENIED = storeError('PERMISSION_DENIED', 'injected');

async function machine({ prepare }: Partial<SealedCase> = {}) {
  const memory = new MemoryBackend();
  const backend = new FaultyBackend(memory);
  const home = await metadataHome(LIVING_KEYS);
  const start = () => startProcess({ backend, metadata: home.open(), keys: LIVING_KEYS });
  const living = await start();
  await setUp(living.store);
  await prepare?.(living.store);
  return { ...living, backend, memory, start };
}

/** The code of the error of a call, or `done`. */
async function outcomeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (isStoreError(error)) return error.code;
    throw error;
  }
}

/** What a call says of itself when the backend fails: that it is done, though not everything around it; or unknown. */
const COMMITTED = ['done', 'COMMIT_PENDING', 'CONFIG_PENDING', 'SHRED_PENDING'];

interface Reference {
  readonly before: SealedImage;
  readonly after: SealedImage;
  /** Of the backend, as `put packs/0a`. */
  readonly calls: readonly string[];
}

async function referenceOf(one: SealedCase): Promise<Reference> {
  const before = await imageBefore(one);
  const { store, backend } = await machine(one);
  const from = backend.trace.length;
  await one.run(store);
  const calls = backend.trace.slice(from);
  const after = await imageOfSealed(store);
  await store.close();
  return { before, after, calls };
}

describe.each(someOf(SEALED_CASES))(`a backend that fails in the midst of $title (${SAMPLE})`, (one) => {
  let reference: Reference;
  beforeAll(async () => {
    reference = await referenceOf(one);
  });

  it.each([
    { call: 'put', how: 'before', variant: 0 },
    { call: 'put', how: 'after', variant: 1 },
    { call: 'delete', how: 'before', variant: 0 },
    { call: 'delete', how: 'after', variant: 1 },
  ] as const)('in a $call, $how it is done, loses nothing', async ({ call, how, variant }) => {
    const { before, after, calls } = reference;
    const between = one.between?.(before, after) ?? [];
    const count = calls.filter((line) => line.startsWith(`${call} `)).length;
    for (const point of pointsOf(count, variant, POINTS)) {
      const nth = point + 1;
      const { store, end, backend, start } = await machine(one);
      backend.fail({ call, how, nth });
      const outcome = await outcomeOf(Promise.resolve(one.run(store)));
      backend.heal();
      end();
      const next = await start();
      const image = await imageOfSealed(next.store);
      const what = `${call} ${nth} of ${count}: ${outcome}`;
      const images = COMMITTED.includes(outcome) ? [after, ...between] : [before, after, ...between];
      expect(images, what).toContainEqual(image);
      await expectSoundSealed(next.store, next.metadata);
      await next.store.put('later', 'x');
      await next.store.close();
      const rebuilt = await rebuiltMetadata(backend, LIVING_KEYS);
      expect(await rebuilt.metadata.stateDigests(), what).toEqual(await next.metadata.stateDigests());
    }
  });
});

describe('metadata on a full disk', () => {
  it.each([
    'pendingShreds',
    'forgetShreds',
  ] as const)('do not make a delete look as if it was not (%s)', async (call) => {
    const { store, metadata } = await machine();
    vi.spyOn(metadata, call).mockRejectedValueOnce(storeError('DISK_FULL', 'injected'));
    await expect(store.delete('alone')).rejects.toMatchObject({ code: 'SHRED_PENDING' });
    expect(await store.has('alone')).toBe(false);
    expect(await store.namespaces.shred()).toEqual({ done: true, pending: [] });
    await expectSoundSealed(store, metadata);
    await store.close();
  });
});

describe('a backend that refuses to delete', () => {
  const refusal = { call: 'delete', how: 'before', times: Number.POSITIVE_INFINITY, error: DENIED } as const;

  async function pages(memory: MemoryBackend): Promise<number> {
    return (await memory.list({ prefix: 'keys/' })).length;
  }

  it.each([
    { what: 'a delete', change: (store: Store) => store.delete('alone') },
    { what: 'an overwrite', change: (store: Store) => store.put('alone', 'shared') },
    { what: 'an overwrite by another', change: (store: Store) => store.put('alone', 'x', ISOLATED) },
    { what: 'a rename onto it', change: (store: Store) => store.rename('small', 'alone', { replace: true }) },
    { what: 'a batch', change: (store: Store) => store.batch((batch) => batch.delete('alone')) },
  ])('$what of an isolated entry is committed, and not said to be done', async ({ change }) => {
    const { store, backend, memory, start } = await machine();
    const before = await pages(memory);
    backend.fail(refusal);
    await expect(change(store)).rejects.toMatchObject({ code: 'SHRED_PENDING', kind: 'unavailable' });
    const { done, pending } = await store.namespaces.shred();
    expect({ done, some: pending.length > 0 }).toEqual({ done: false, some: true });
    await store.put('others', 'go on');
    await store.close();
    const refused = await start();
    expect(await refused.metadata.pendingShreds()).toHaveLength(1);
    await refused.store.close();
    backend.heal();
    const next = await start();
    expect(await next.store.namespaces.shred()).toEqual({ done: true, pending: [] });
    expect(await pages(memory)).toBeLessThanOrEqual(before);
    await expectSoundSealed(next.store, next.metadata);
    await next.store.close();
  });

  it('keeps a namespace from being dropped for good, though nobody finds it any more', async () => {
    const { store, backend, memory, start } = await machine();
    backend.fail(refusal);
    const report = await store.namespaces.drop(TENANT, { shred: true });
    expect(report.done).toBe(false);
    expect(report.pending.length).toBeGreaterThan(0);
    await expect(store.namespace(TENANT).get('large')).rejects.toMatchObject({ code: 'NAMESPACE_NOT_FOUND' });
    await store.close();
    backend.heal();
    const next = await start();
    expect(await next.store.namespaces.shred()).toEqual({ done: true, pending: [] });
    expect(await next.store.maintenance.check()).toMatchObject({ ...SOUND, garbage: { blobs: 0 } });
    // That of the default namespace is left.
    expect(await pages(memory)).toBe(1);
    await next.store.close();
  });
});

describe('a put of an isolated entry that fails', () => {
  /** Several packs, and then no more. */
  async function* failing(): AsyncGenerator<Uint8Array> {
    for (let piece = 0; piece < 5; piece += 1) yield noise(4 * 1024 * 1024, piece % 2);
    throw new Error('the source fails');
  }

  it.each([
    { what: 'its source', put: (store: Store) => store.put('new', failing(), ISOLATED) },
    {
      what: 'a batch around it',
      put: (store: Store) =>
        store.batch(async (batch) => {
          await batch.put('new', noise(100_000), ISOLATED);
          throw new Error('changed my mind');
        }),
    },
    {
      what: 'its condition',
      put: (store: Store) => store.put('small', 'x', { ...ISOLATED, ifMatch: '00'.repeat(32) }),
    },
  ])('through $what leaves neither its key nor packs that nobody can read', async ({ put }) => {
    const { store, memory, metadata } = await machine();
    const before = await memory.list();
    await expect(put(store)).rejects.toThrow();
    const found = (await memory.list()).map(({ key }) => key).filter((key) => !key.startsWith('journal/'));
    expect(found).toEqual(before.map(({ key }) => key).filter((key) => !key.startsWith('journal/')));
    await expectSoundSealed(store, metadata);
    await store.close();
  });
});
