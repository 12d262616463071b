/** A store with something of everything, and all that it holds: equal before and after a move. */
import { expect } from 'vitest';
import type { Entries, Store } from '../../src/index.ts';
import { noise } from './contents.ts';
import { all, SOUND } from './stores.ts';

async function fillEntries(entries: Entries): Promise<void> {
  await entries.put('large', noise(900_000, 11), { contentType: 'application/x-noise', attributes: { from: 'here' } });
  await entries.put('twice', noise(900_000, 11));
  await entries.put('tiny', 'a', { keepVersions: { last: 5 } });
  for (const text of ['b', 'c']) await entries.put('tiny', text, { keepVersions: { last: 5 } });
  await entries.put('child', noise(70_000, 12));
  await entries.relations.set('child', 'large');
  await entries.snapshots.create({ prefix: '' }, { ref: 'all' });
  await entries.put('gone', noise(120_000, 13));
  await entries.delete('gone');
  await entries.refs.set('again', (await entries.refs.get('all'))?.id ?? '');
}

/** Entries with versions, relations, refs and snapshots; in a sealed store, a namespace of them as well. */
export async function fillStore(store: Store): Promise<void> {
  await fillEntries(store);
  if (!store.sealed) return;
  await store.namespaces.create('tenant');
  await fillEntries(store.namespace('tenant'));
}

async function heldIn(entries: Entries): Promise<unknown> {
  const infos = await all(entries.list());
  const contents = await Promise.all(
    infos.map(async ({ key }) => [
      Buffer.from(await entries.get(key)).toString('base64'),
      await entries.stat(key),
      await all(entries.versions.list(key)),
      (await entries.relations.parent(key)) ?? null,
    ]),
  );
  const refs = await all(entries.refs.list());
  const histories = await Promise.all(refs.map(({ name }) => all(entries.refs.history(name))));
  const objects = await all(entries.objects.list());
  return { infos, contents, refs, histories, objects: objects.map(({ id }) => id).sort() };
}

/** All that the users of a store see of it. @throws when it is not sound */
export async function heldBy(store: Store): Promise<unknown> {
  expect(await store.maintenance.check({ invariants: true })).toMatchObject(SOUND);
  const tenant = store.sealed ? await heldIn(store.namespace('tenant')) : undefined;
  return { id: store.id, own: await heldIn(store), tenant };
}
