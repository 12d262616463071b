import type { Entries, Store } from '../../src/index.ts';
import { blake3Text } from '../support/contents.ts';

/** Everything that can be asked of a store, by what it is about; the same in two stores that hold the same. */
export type StoreImage = Readonly<Record<string, string>>;

/** Of a store that was not created. */
export const ABSENT: StoreImage = { store: 'absent' };

/** Reads all of a store; what is read is compared with its digest. */
export async function imageOf(store: Store): Promise<StoreImage> {
  const image: Record<string, string> = {};
  const namespaces = store.sealed ? await store.namespaces.list() : [{ name: 'default' }];
  for (const { name, ...facts } of namespaces) {
    if (store.sealed) image[`namespace ${name}`] = 'quotaBytes' in facts ? `${facts.quotaBytes}` : 'any';
    await addEntries(image, name, name === 'default' ? store : store.namespace(name));
  }
  if (store.sealed) {
    for (const { label, type } of await store.keys.list()) image[`slot ${label}`] = type;
    image.writers = (await store.keys.writers()).map(({ label }) => label).join();
  }
  for (const { name, mode, weight } of await store.backends.list()) image[`backend ${name}`] = `${mode} ${weight}`;
  return image;
}

async function addEntries(image: Record<string, string>, namespace: string, entries: Entries): Promise<void> {
  for await (const { key, digest, size, isolated = false } of entries.list()) {
    const read = blake3Text(await entries.get(key));
    if (read !== digest) throw new Error(`${key} is ${digest}, and what is read is ${read}`);
    image[`entry ${namespace} ${key}`] = `${digest} ${size}${isolated ? ' isolated' : ''}`;
    const parent = await entries.relations.parent(key);
    if (parent !== undefined) image[`relation ${namespace} ${key}`] = parent;
    for await (const { number } of entries.versions.list(key)) {
      if (number !== undefined)
        image[`version ${namespace} ${key} ${number}`] = blake3Text(await entries.versions.get(key, { number }));
    }
  }
  image[`policy ${namespace}`] = JSON.stringify(await entries.versions.policy());
  for await (const { name, id, type } of entries.refs.list()) {
    image[`ref ${namespace} ${name}`] = id;
    if (type === 'snapshot') for await (const one of entries.snapshots.names(name, { recursive: true })) void one;
    else await entries.objects.get(id);
  }
  for await (const { id } of entries.objects.list({ types: ['bundle'] })) image[`bundle ${namespace} ${id}`] = 'there';
}

/** What is other than expected, in words. */
export function differenceOf(expected: StoreImage, found: StoreImage): readonly string[] {
  const names = new Set([...Object.keys(expected), ...Object.keys(found)]);
  return [...names]
    .filter((name) => expected[name] !== found[name])
    .map((name) => `${name}: ${found[name] ?? 'absent'} instead of ${expected[name] ?? 'absent'}`);
}
