/** Everything that can be asked of a store, beside what its model says. */
import assert from 'node:assert/strict';
import type { Entries } from '../../src/index.ts';
import { blake3Text } from '../support/contents.ts';
import { bytesOf } from '../support/operations.ts';
import { labelOf, type NamespaceModel, type StoreModel, valueIn } from './store-model.ts';
import type { StoreWorld } from './store-world.ts';

const digests = new Map<string, string>();

/** The digest of the bytes of a value, made once. */
function digestOf(label: string): string {
  const key = labelOf({ ...valueIn(label), isolated: false, note: '' });
  const digest = digests.get(key) ?? blake3Text(bytesOf(valueIn(label)));
  digests.set(key, digest);
  return digest;
}

/** What a store is to say of a value. */
function shapeOf(label: string) {
  const { bytes, note, isolated = false } = valueIn(label);
  return { digest: digestOf(label), size: bytes, isolated, note };
}

type Told = Pick<Awaited<ReturnType<Entries['stat']>>, 'digest' | 'size' | 'isolated' | 'attributes'>;

/** What a store says of a value. */
function shapeTold({ digest, size, isolated, attributes }: Told) {
  return { digest, size, isolated: isolated === true, note: attributes.note ?? '' };
}

/** @throws when the store and its model differ, or when the store says that something is wrong with it */
export async function compareStore(world: StoreWorld): Promise<void> {
  await world.heal();
  for (const [name, namespace] of world.model.namespaces) {
    const entries = world.entries(name);
    await compareEntries(entries, namespace);
    await compareVersions(entries, namespace);
    await compareObjects(entries, namespace, world.ids);
    await compareSnapshots(entries, namespace, world.ids);
  }
  await compareWhole(world);
}

/** Everything that a namespace says of its entries, in an order of its own. */
export async function toldOf(entries: Entries): Promise<unknown> {
  const told: unknown[] = [];
  for await (const info of entries.list())
    told.push([info.key, shapeTold(info), (await entries.relations.parent(info.key)) ?? null]);
  const { entries: histories, versions } = await countVersions(entries);
  return [told, histories, versions];
}

/** What a namespace is to say of its entries. */
export function meantOf({ state }: NamespaceModel): unknown {
  const meant = [...state.entries].map(
    ([key, label]) => [key, shapeOf(label), state.parents.get(key) ?? null] as const,
  );
  const histories = [...state.histories.version.values()].filter(({ steps }) => steps.size > 0);
  const versions = histories.reduce((sum, { steps }) => sum + steps.size, 0);
  return [meant.sort(([one], [two]) => (one < two ? -1 : 1)), histories.length, versions];
}

function countVersions({ versions }: Entries) {
  return versions.forgetAll({ prefix: '', last: 0, dryRun: true });
}

async function compareEntries(entries: Entries, namespace: NamespaceModel): Promise<void> {
  assert.deepEqual(await toldOf(entries), meantOf(namespace));
  const infos = await Array.fromAsync(entries.list());
  const contents = await entries.getMany(infos.map(({ key }) => key));
  assert.deepEqual(
    contents.map(blake3Text),
    infos.map(({ digest }) => digest),
  );
  assert.deepEqual((await entries.versions.policy()).keep, namespace.policy ?? 'none');
}

async function compareVersions({ versions }: Entries, { state }: NamespaceModel): Promise<void> {
  const histories = [...state.histories.version].filter(([, { steps }]) => steps.size > 0);
  for (const [key, { steps }] of histories) {
    const found = (await Array.fromAsync(versions.list(key))).filter(({ current }) => !current).reverse();
    assert.deepEqual(
      found.map((info) => [info.number, shapeTold(info)]),
      [...steps].map(([number, label]) => [number, shapeOf(label)]),
    );
    for (const { number = 0, digest } of found) assert.equal(blake3Text(await versions.get(key, { number })), digest);
  }
}

async function compareObjects(
  { objects, refs }: Entries,
  { state }: NamespaceModel,
  ids: ReadonlyMap<string, string>,
): Promise<void> {
  const idOf = (label: string): string | null => ids.get(label) ?? null;
  const listed = new Set((await Array.fromAsync(objects.list())).map(({ id }) => id));
  for (const [label, id] of ids) assert.equal(listed.has(id), state.objects.has(label), label);
  assert.equal((await objects.verify({ all: true })).outcome, 'ok');
  assert.deepEqual(
    (await Array.fromAsync(refs.list())).map(({ name, id }) => [name, id]),
    [...state.refs].map(([name, label]) => [name, idOf(label)]).sort(),
  );
  const named = await Array.fromAsync(refs.named());
  const histories = [...state.histories.move].filter(([, { steps }]) => steps.size > 0);
  assert.deepEqual(named.sort(), histories.map(([name]) => name).sort());
  for (const [name, { steps }] of histories) {
    const moves = await Array.fromAsync(refs.history(name));
    assert.deepEqual(
      moves.map(({ number, from, to }) => [number, from?.id ?? null, to?.id ?? null]).reverse(),
      [...steps].map(([number, move]) => [number, ...move.split('>').map(idOf)]),
    );
  }
}

async function compareSnapshots(
  { snapshots }: Entries,
  { state, frozen }: NamespaceModel,
  ids: ReadonlyMap<string, string>,
): Promise<void> {
  for (const [label, entries] of frozen) {
    if (!state.objects.has(label)) continue;
    const names = await Array.fromAsync(snapshots.names(ids.get(label) ?? ''));
    const found = names.map(({ path, child }) =>
      child.type === 'entry' ? [path, child.id, child.size, child.parent] : [path, child.type],
    );
    const wanted = [...entries].map(([key, one]) => {
      return [key, digestOf(one.label).slice('blake3:'.length), valueIn(one.label).bytes, one.parent];
    });
    assert.deepEqual(found.sort(), wanted.sort());
  }
}

async function compareWhole({ store, model }: StoreWorld): Promise<void> {
  const namespaces = [...model.namespaces.values()];
  const { entries, logicalBytes } = await store.stats();
  assert.deepEqual({ entries, logicalBytes }, totalsOf(namespaces));
  if (store.sealed) await compareKeys(store, model);
  const { outcome, problems } = await store.maintenance.check();
  assert.deepEqual({ outcome, problems: [...problems] }, { outcome: 'ok', problems: [] });
}

function totalsOf(namespaces: readonly NamespaceModel[]) {
  return {
    entries: namespaces.reduce((sum, { state }) => sum + state.entries.size, 0),
    logicalBytes: namespaces.reduce((sum, { logicalBytes }) => sum + logicalBytes, 0),
  };
}

async function compareKeys({ namespaces, keys }: StoreWorld['store'], model: StoreModel): Promise<void> {
  assert.deepEqual(
    (await namespaces.list()).map(({ name, quotaBytes }) => [name, quotaBytes]).sort(),
    [...model.namespaces].map(([name, { quotaBytes }]) => [name, quotaBytes]).sort(),
  );
  assert.equal((await keys.list()).filter(({ type }) => type === 'recipient').length, model.slots);
  assert.deepEqual([...(await namespaces.shred()).pending], []);
}
