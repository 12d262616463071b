/** The process of a sealed store ends before every change that an operation makes of backend and metadata. */
import { beforeAll, describe, expect, it } from 'vitest';
import { MemoryBackend } from '../../src/backend/index.ts';
import { listAll } from '../../src/backend/list-all.ts';
import { EMPTY_BYTES, toHex } from '../../src/bytes/bytes.ts';
import { isStoreError, type Store } from '../../src/index.ts';
import type { Metadata } from '../../src/metadata/contract.ts';
import { noise } from '../support/contents.ts';
import { Lifeline, ProcessEnded } from '../support/lifeline.ts';
import {
  LIVING_KEYS,
  type LivingStore,
  type MetadataHome,
  makeStore,
  metadataHome,
  rebuiltMetadata,
  startProcess,
} from '../support/living-store.ts';
import { pointsOf, SAMPLE, someOf } from '../support/points.ts';
import {
  expectSoundSealed,
  IDENTITY,
  imageBefore,
  imageOfSealed,
  SEALED_CASES,
  type SealedCase,
  type SealedImage,
  setUp,
} from './sealed-cases.ts';

/** Of one operation in one run. */
const POINTS = 1;

interface Machine extends LivingStore {
  readonly backend: MemoryBackend;
  readonly home: MetadataHome;
}

async function machine({ prepare, begin = setUp }: SealedCase): Promise<Machine> {
  const backend = new MemoryBackend();
  const home = await metadataHome(LIVING_KEYS);
  const living = await startProcess({ backend, metadata: home.open(), keys: LIVING_KEYS });
  await begin(living.store);
  await prepare?.(living.store);
  return { ...living, backend, home };
}

interface Rehearsal {
  readonly changes: readonly string[];
  readonly before: SealedImage;
  readonly after: SealedImage;
}

/** Runs an operation to its end. Nothing is asked of that store before: looking makes it write, too. */
async function rehearse(one: SealedCase): Promise<Rehearsal> {
  const before = await imageBefore(one);
  return { before, ...(await finished(one)) };
}

async function finished(one: SealedCase): Promise<Omit<Rehearsal, 'before'>> {
  const { store, life } = await machine(one);
  const from = life.changes.length;
  await one.run(store);
  const changes = life.changes.slice(from);
  const after = await imageOfSealed(store);
  await store.close();
  return { changes, after };
}

async function copyOf(backend: MemoryBackend): Promise<MemoryBackend> {
  const copy = new MemoryBackend();
  for await (const { key } of listAll(backend)) await copy.put(key, (await backend.get(key)) ?? EMPTY_BYTES);
  return copy;
}

/** A process that has lost the metadata. */
async function expectWholeWithoutMetadata(backend: MemoryBackend, images: readonly SealedImage[], what: string) {
  const { metadata } = await rebuiltMetadata(backend, LIVING_KEYS);
  const { store } = await startProcess({ backend, metadata, keys: LIVING_KEYS });
  expect(images, what).toContainEqual(await imageOfSealed(store));
  await expectSoundSealed(store, metadata);
  await store.close();
}

/** The next process, over what the last one left. */
async function expectWhole({ backend, home }: Machine, images: readonly SealedImage[], what: string) {
  const metadata = home.open();
  const { store } = await startProcess({ backend, metadata, keys: LIVING_KEYS });
  const image = await imageOfSealed(store);
  expect(images, what).toContainEqual(image);
  await expectSoundSealed(store, metadata);
  await store.put('later', 'x');
  await store.delete('later');
  return { store, metadata, image };
}

async function expectRebuilt(backend: MemoryBackend, metadata: Metadata): Promise<void> {
  const rebuilt = await rebuiltMetadata(backend, LIVING_KEYS);
  const live = (await rebuilt.metadata.listPacks({ limit: 1000 })).map(({ id }) => toHex(id));
  // Packs that a later record dropped are not missed.
  expect(rebuilt.report.unreadable.filter(({ packId }) => live.includes(packId))).toEqual([]);
  expect(await rebuilt.metadata.stateDigests()).toEqual(await metadata.stateDigests());
}

async function endsAt(point: number, one: SealedCase): Promise<Machine> {
  const found = await machine(one);
  found.life.endAfter(point);
  await expect(one.run(found.store)).rejects.toSatisfy((error) => isEnd(error));
  expect(found.life.alive).toBe(false);
  return found;
}

/** The end itself, or what a part that met it makes of it. */
function isEnd(error: unknown): boolean {
  if (error instanceof ProcessEnded) return true;
  return isStoreError(error) && error.cause !== undefined && isEnd(error.cause);
}

describe.each(someOf(SEALED_CASES))(`a process that ends in the midst of $title (${SAMPLE})`, (one) => {
  let rehearsal: Rehearsal;
  beforeAll(async () => {
    rehearsal = await rehearse(one);
  });

  it('leaves it done or not done, also where the metadata is lost, and the next process goes on', async () => {
    const { changes, before, after } = rehearsal;
    const images = [before, after, ...(one.between?.(before, after) ?? [])];
    expect(changes.length).toBeGreaterThanOrEqual(2);
    for (const point of pointsOf(changes.length, 0, POINTS)) {
      const found = await endsAt(point, one);
      const what = `before ${changes[point]} (${point} of ${changes.length})`;
      await expectWholeWithoutMetadata(await copyOf(found.backend), images, what);
      const { store, metadata, image } = await expectWhole(found, images, what);
      if (one.repeatable) {
        await one.run(store);
        expect(await imageOfSealed(store), what).toEqual(after);
        await expectSoundSealed(store, metadata);
        const { garbage } = await store.maintenance.check();
        if (one.leavesNothing) expect(garbage, what).toEqual({ blobs: 0, bytes: 0 });
      }
      await store.close();
      await expectRebuilt(found.backend, metadata);
      const pages = (await found.backend.list({ prefix: 'keys/' })).length;
      const isolated = Object.values((one.repeatable ? after : image).entries)
        .flatMap((entries) => Object.values(entries))
        .filter((entry) => entry.endsWith('isolated')).length;
      // A put that came to nothing may leave keys that nothing refers to; what was deleted leaves none.
      if (one.repeatable) expect(pages, what).toBe(isolated);
      else expect(pages, what).toBeGreaterThanOrEqual(isolated);
    }
  });
});

describe('a process that ends while a sealed store is opened for the first time', () => {
  async function fresh() {
    const backend = new MemoryBackend();
    await makeStore(backend, LIVING_KEYS);
    return { backend, home: await metadataHome(LIVING_KEYS) };
  }

  it('leaves a store that opens, and is empty', async () => {
    const { backend, home } = await fresh();
    const { life } = await startProcess({ backend, metadata: home.open(), keys: LIVING_KEYS });
    expect(life.changes.length).toBeGreaterThanOrEqual(3);
    for (const point of life.changes.keys()) {
      const parts = await fresh();
      const ending = new Lifeline();
      ending.endAfter(point);
      const opening = startProcess({ ...parts, metadata: parts.home.open(), keys: LIVING_KEYS, life: ending });
      await expect(opening, life.changes[point]).rejects.toBeInstanceOf(ProcessEnded);
      const metadata = parts.home.open();
      const { store } = await startProcess({ ...parts, metadata, keys: LIVING_KEYS });
      expect((await imageOfSealed(store)).entries).toEqual({ default: {} });
      await store.put('first', 'x', { isolation: 'entry' });
      await expectSoundSealed(store, metadata);
      await store.close();
    }
  });
});

describe('a process that ends while somebody is being shut out', () => {
  it('has shut them out as soon as the metadata knows, and lets everybody else in at any point', async () => {
    const removal = SEALED_CASES.find(({ title }) => title === 'a slot that is removed') as SealedCase;
    const { changes } = await rehearse(removal);
    for (const point of changes.keys()) {
      const { backend, home } = await endsAt(point, removal);
      const friend = startProcess({ backend, metadata: home.open(), keys: { identity: IDENTITY } });
      if (changes.slice(0, point).includes('setConfig')) {
        await expect(friend).rejects.toMatchObject({ code: 'WRONG_KEY' });
      } else {
        await (await friend).store.close();
      }
      await (await startProcess({ backend, metadata: home.open(), keys: LIVING_KEYS })).store.close();
    }
  });
});

describe('a process that ends while a store is sealed anew', () => {
  it('has the next one go on with it, whatever step was the last', async () => {
    const whole = SEALED_CASES.find(({ title }) => title === 're-sealing') as SealedCase;
    // Packs of each class, and no more than that: every step is tried in every run.
    const begin = async (store: Store): Promise<void> => {
      await store.put('large', noise(9000, 1));
      await store.put('alone', noise(3000, 2), { isolation: 'entry' });
    };
    const resealing = { ...whole, begin };
    const { changes, after } = await finished(resealing);
    expect(changes.length).toBeGreaterThan(20);
    for (const [point, change] of changes.entries()) {
      const { backend, home } = await endsAt(point, resealing);
      const { store } = await startProcess({ backend, metadata: home.open(), keys: LIVING_KEYS });
      await resealing.run(store);
      expect(await imageOfSealed(store), change).toEqual(after);
      await store.close();
    }
  });

  it('leaves a journal without a gap, with an old pack and its copy side by side', async () => {
    const resealing = SEALED_CASES.find(({ title }) => title === 're-sealing') as SealedCase;
    const { changes } = await rehearse(resealing);
    const deletes = [...changes.keys()].filter((point) => changes[point]?.startsWith('delete journal/'));
    expect(deletes.length).toBeGreaterThan(3);
    for (const point of deletes.slice(0, 3)) {
      const { backend } = await endsAt(point, resealing);
      const { metadata } = await rebuiltMetadata(backend, LIVING_KEYS);
      const { store } = await startProcess({ backend, metadata, keys: LIVING_KEYS });
      await expectSoundSealed(store, metadata);
      await store.close();
    }
  });
});
