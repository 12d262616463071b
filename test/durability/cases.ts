/** What the tests of failures and power cuts do to a store, and how they tell what became of it. */
import { expect } from 'vitest';
import type { Store } from '../../src/index.ts';
import { blake3Text } from '../support/contents.ts';
import { applyTo, bytesOf, type Change, type Content, type Model, type Operation } from '../support/operations.ts';
import { SOUND } from '../support/stores.ts';

const KIB = 1024;

function text(bytes: number, seed: number): Content {
  return { bytes, seed, noise: false };
}

/** Incompressible, and of so many chunks that its manifest has several nodes where it has more than 400 KiB. */
function noise(bytes: number, seed: number): Content {
  return { bytes, seed, noise: true };
}

function put(key: string, content: Content): Change {
  return { type: 'put', key, content };
}

function single(change: Change): Operation {
  return { changes: [change], batch: false };
}

/** What is there before the operation of a case. */
export const SETUP: readonly Operation[] = [
  single(put('small', text(100, 1))),
  single(put('large', noise(30 * KIB, 2))),
  single(put('other', noise(5 * KIB, 3))),
];

/** One operation of each kind. */
export const CASES: readonly { readonly title: string; readonly operation: Operation }[] = [
  { title: 'a put that rides in its commit', operation: single(put('new', text(700, 4))) },
  { title: 'a put with packs of chunks and of manifest nodes', operation: single(put('new', noise(480 * KIB, 5))) },
  { title: 'an overwrite', operation: single(put('small', noise(75 * KIB, 6))) },
  { title: 'a put of what is known', operation: single(put('twin', noise(30 * KIB, 2))) },
  { title: 'a delete', operation: single({ type: 'delete', key: 'large' }) },
  { title: 'a rename onto another entry', operation: single({ type: 'rename', from: 'large', to: 'small' }) },
  { title: 'a copy', operation: single({ type: 'copy', from: 'large', to: 'again' }) },
  {
    title: 'a batch',
    operation: {
      batch: true,
      changes: [
        put('new', noise(66 * KIB, 7)),
        { type: 'delete', key: 'other' },
        { type: 'rename', from: 'small', to: 'moved' },
        put('small', text(50, 8)),
      ],
    },
  },
];

export function modelOf(operations: readonly Operation[]): Model {
  const model: Model = new Map();
  for (const operation of operations) applyTo(model, operation);
  return model;
}

/** Key, digest and size of every entry, each read to its end. */
export async function imageOfStore(store: Store): Promise<Readonly<Record<string, string>>> {
  const image: Record<string, string> = {};
  for await (const { key, digest, size } of store.list()) {
    expect(blake3Text(await store.get(key)), key).toBe(digest);
    image[key] = `${digest} ${size}`;
  }
  return image;
}

export function imageOfModel(model: Model): Readonly<Record<string, string>> {
  const entries = [...model].map(([key, content]) => [key, `${blake3Text(bytesOf(content))} ${content.bytes}`]);
  return Object.fromEntries(entries);
}

/** Asserts that the store holds one of the models, counts it right and stands up to a check. */
export async function expectOneOf(store: Store, models: readonly Model[]): Promise<void> {
  const image = await imageOfStore(store);
  expect(models.map(imageOfModel)).toContainEqual(image);
  const sizes = Object.values(image).map((value) => Number(value.split(' ')[1]));
  const { entries, logicalBytes } = await store.stats();
  expect({ entries, logicalBytes }).toEqual({
    entries: sizes.length,
    logicalBytes: sizes.reduce((sum, size) => sum + size, 0),
  });
  expect(await store.maintenance.check()).toMatchObject(SOUND);
}
