/** What only sealed stores do, one operation of each kind, and how the tests tell what became of it. */
import { expect } from 'vitest';
import { MemoryBackend } from '../../src/backend/index.ts';
import type { Store } from '../../src/index.ts';
import { generateIdentity } from '../../src/keys/index.ts';
import type { Metadata } from '../../src/metadata/contract.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { blake3Text, noise } from '../support/contents.ts';
import { LIVING_KEYS, newMetadata, startProcess } from '../support/living-store.ts';
import { SOUND } from '../support/stores.ts';

export const IDENTITY = generateIdentity('ml-kem-1024', seededRandom(1).bytes);
const ANOTHER = generateIdentity('ml-kem-1024', seededRandom(2).bytes);
export const TENANT = 'tenant';
const ISOLATED = { isolation: 'entry' } as const;

/** Everything of a sealed store that can be asked for and is the same in two stores with the same life. */
export interface SealedImage {
  /** By namespace: digest, size and kind of each entry. */
  readonly entries: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly namespaces: readonly string[];
  readonly slots: readonly string[];
  readonly epochs: readonly number[];
}

export interface SealedCase {
  readonly title: string;
  /** What the store holds at first; default: `setUp`. */
  readonly begin?: (store: Store) => Promise<unknown>;
  /** After that. */
  readonly prepare?: (store: Store) => Promise<unknown>;
  readonly run: (store: Store) => Promise<unknown>;
  /** What may be found when the process ended in the midst, beside before and after. */
  readonly between?: (before: SealedImage, after: SealedImage) => readonly SealedImage[];
  /** May be asked for again whatever became of it, and then leads to the same. */
  readonly repeatable?: true;
  /** What destroys leaves nothing behind; what writes may leave packs that came to nothing. */
  readonly leavesNothing?: true;
}

/** What is there before the operation of a case. */
export async function setUp(store: Store): Promise<void> {
  await store.put('small', 'rides in its commit');
  await store.put('large', noise(9000, 1));
  await store.put('alone', noise(3000, 2), ISOLATED);
  await store.namespaces.create(TENANT);
  await store.namespace(TENANT).put('large', noise(5000, 3));
  await store.namespace(TENANT).put('alone', 'of one', ISOLATED);
  await store.keys.add({ identity: IDENTITY, label: 'friend' });
}

async function slotId(store: Store, label: string): Promise<string> {
  const slot = (await store.keys.list()).find((one) => one.label === label);
  if (slot === undefined) throw new Error(`there is no slot ${label}`);
  return slot.id;
}

async function removeFriend(store: Store): Promise<void> {
  await store.keys.remove(await slotId(store, 'friend'));
}

async function dropTenant(store: Store): Promise<void> {
  const names = (await store.namespaces.list()).map(({ name }) => name);
  if (names.includes(TENANT)) await store.namespaces.drop(TENANT, { shred: true });
  expect(await store.namespaces.shred()).toEqual({ done: true, pending: [] });
}

async function rekey(store: Store): Promise<void> {
  if ((await store.keys.epochs()).length > 1) expect(await store.keys.rekey()).toMatchObject({ done: true });
}

async function rotateAndPut(store: Store): Promise<void> {
  await store.keys.rotate();
  await store.put('newer', 'of the second epoch');
}

export const SEALED_CASES: readonly SealedCase[] = [
  { title: 'a rotation', run: (store) => store.keys.rotate() },
  { title: 'a slot that is added', run: (store) => store.keys.add({ identity: ANOTHER, label: 'another' }) },
  { title: 'a slot that is removed', run: removeFriend },
  { title: 'a namespace that is made', run: (store) => store.namespaces.create('new', { quotaBytes: 1000 }) },
  {
    title: 'a namespace that is dropped',
    run: dropTenant,
    between: (before) => {
      const closed = before.namespaces.map((one) => (one.startsWith(`${TENANT}:`) ? `${TENANT}: 0 bytes` : one));
      const growingNoMore = { ...before, namespaces: closed };
      return [growingNoMore, { ...growingNoMore, entries: { ...before.entries, [TENANT]: {} } }];
    },
    repeatable: true,
    leavesNothing: true,
  },
  { title: 'a put in a namespace', run: (store) => store.namespace(TENANT).put('new', noise(4000, 4)) },
  { title: 'a put of an isolated entry', run: (store) => store.put('new', noise(4000, 5), ISOLATED) },
  { title: 'an isolated entry that replaces one', run: (store) => store.put('alone', noise(4000, 6), ISOLATED) },
  { title: 'a plain entry that replaces an isolated one', run: (store) => store.put('alone', 'shared again') },
  {
    title: 'a delete of an isolated entry',
    run: (store) => store.delete('alone'),
    repeatable: true,
    leavesNothing: true,
  },
  {
    title: 'a batch with isolated entries',
    run: (store) =>
      store.batch(async (batch) => {
        await batch.put('new', noise(2000, 7), ISOLATED);
        batch.rename('alone', 'small', { replace: true });
        await batch.put('alone', 'another one', ISOLATED);
        batch.delete('large');
      }),
  },
  // A commit on the way may be pending, and the rest not done yet.
  {
    title: 're-sealing',
    prepare: rotateAndPut,
    run: rekey,
    repeatable: true,
    between: (before) => [before],
  },
];

const imagesBefore = new Map<SealedCase['prepare'], Promise<SealedImage>>();

/** What a store is before the operation of a case. It is the same for most, and found once. */
export function imageBefore({ prepare }: SealedCase): Promise<SealedImage> {
  const known = imagesBefore.get(prepare);
  if (known) return known;
  const image = findImageBefore(prepare);
  imagesBefore.set(prepare, image);
  return image;
}

async function findImageBefore(prepare: SealedCase['prepare']): Promise<SealedImage> {
  const metadata = await newMetadata(LIVING_KEYS);
  const { store } = await startProcess({ backend: new MemoryBackend(), metadata, keys: LIVING_KEYS });
  await setUp(store);
  await prepare?.(store);
  const image = await imageOfSealed(store);
  await store.close();
  return image;
}

export async function imageOfSealed(store: Store): Promise<SealedImage> {
  const entries: Record<string, Record<string, string>> = {};
  const namespaces = await store.namespaces.list();
  for (const { name } of namespaces) {
    const found: Record<string, string> = {};
    const scope = name === 'default' ? store : store.namespace(name);
    for await (const { key, digest, size, isolated = false } of scope.list()) {
      expect(blake3Text(await scope.get(key)), `${name}: ${key}`).toBe(digest);
      found[key] = `${digest} ${size}${isolated ? ' isolated' : ''}`;
    }
    entries[name] = found;
  }
  return {
    entries,
    namespaces: namespaces.map(({ name, quotaBytes = 'any' }) => `${name}: ${quotaBytes} bytes`),
    slots: (await store.keys.list()).map(({ label, type }) => `${type} ${label}`),
    epochs: (await store.keys.epochs()).map(({ epoch }) => epoch),
  };
}

/** Asserts that the store counts right, stands up to a check, and has nothing left to destroy. */
export async function expectSoundSealed(store: Store, metadata: Metadata): Promise<void> {
  for (const { name, entries, logicalBytes } of await store.namespaces.list()) {
    const scope = name === 'default' ? store : store.namespace(name);
    const sizes = await Array.fromAsync(scope.list(), ({ size }) => size);
    const counted = { entries: sizes.length, logicalBytes: sizes.reduce((sum, size) => sum + size, 0) };
    expect({ entries, logicalBytes }, name).toEqual(counted);
  }
  expect(await store.maintenance.check()).toMatchObject(SOUND);
  expect(await metadata.pendingShreds()).toEqual([]);
}
