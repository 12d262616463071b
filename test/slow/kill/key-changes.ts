/** Changes of keys and namespaces as plain data, drawn from a seed, beside the lanes of a sealed store. */
import type { Store } from '../../../src/index.ts';
import { generateIdentity } from '../../../src/keys/index.ts';
import type { SeededRandom } from '../../../src/testing/index.ts';
import { noise } from '../../support/contents.ts';

export type KeyChange =
  | { readonly type: 'rotate' | 'rekey' }
  /** Slots by their label, namespaces by their name. */
  | { readonly type: 'add' | 'remove' | 'create' | 'drop'; readonly name: string };

/** Labels of slots and names of namespaces. */
export type KeysModel = ReadonlySet<string>;

const NAMES = ['one', 'two'];
const SLOT = 'slot ';
const NAMESPACE = 'namespace-';

/** What a change makes of the names. */
export function afterChange(model: KeysModel, change: KeyChange): KeysModel {
  if (!('name' in change)) return model;
  const next = new Set(model);
  if (change.type === 'add' || change.type === 'create') next.add(change.name);
  else next.delete(change.name);
  return next;
}

/** Draws a change that is possible. */
export function drawKeyChange(random: SeededRandom, model: KeysModel): KeyChange {
  const draw = random.integer(12);
  if (draw === 0) return { type: 'rekey' };
  if (draw < 4) return { type: 'rotate' };
  const [prefix, made, gone] = draw < 8 ? ([SLOT, 'add', 'remove'] as const) : ([NAMESPACE, 'create', 'drop'] as const);
  const name = prefix + NAMES[random.integer(NAMES.length)];
  return { type: model.has(name) ? gone : made, name };
}

/** Makes a change in a store; resolves when it is acknowledged. */
export async function runKeyChange(store: Store, change: KeyChange, random: SeededRandom): Promise<void> {
  switch (change.type) {
    case 'rotate':
      await store.keys.rotate();
      return;
    case 'rekey':
      if ((await store.keys.epochs()).length > 1) await store.keys.rekey();
      return;
    case 'add':
      await store.keys.add({ recipient: generateIdentity('ml-kem-1024', random.bytes), label: change.name });
      return;
    case 'remove':
      await store.keys.remove(await slotId(store, change.name));
      return;
    case 'create':
      await store.namespaces.create(change.name);
      // Something that a drop has to destroy; nobody asks for it.
      await store.namespace(change.name).put('a', noise(random.integer(100_000), 1));
      await store.namespace(change.name).put('b', 'alone', { isolation: 'entry' });
      return;
    case 'drop': {
      const report = await store.namespaces.drop(change.name, { shred: true });
      if (!report.done) throw new Error(`not everything was destroyed: ${report.pending.join(', ')}`);
    }
  }
}

async function slotId(store: Store, label: string): Promise<string> {
  const slot = (await store.keys.list()).find((one) => one.label === label);
  if (slot === undefined) throw new Error(`there is no slot ${label}`);
  return slot.id;
}

/** The names that a store has now, of those that are changed here. */
export async function keysModelOf(store: Store): Promise<KeysModel> {
  const slots = (await store.keys.list()).map(({ label }) => label);
  const namespaces = (await store.namespaces.list()).map(({ name }) => name);
  return new Set([...slots, ...namespaces].filter((name) => name.startsWith(SLOT) || name.startsWith(NAMESPACE)));
}
