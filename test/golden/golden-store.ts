import { createStore, type Store } from '../../src/index.ts';
import { generateIdentity } from '../../src/keys/index.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { seededRandom } from '../../src/testing/index.ts';

function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

const RANDOM_BYTES = 150_000;
const MANY_CHUNKS = 4200;

const random = seededRandom(1).bytes(RANDOM_BYTES);
const lines = text(Array.from({ length: 9000 }, (_, line) => `line ${line} of a long text\n`).join(''));
const pieces = Array.from({ length: MANY_CHUNKS }, (_, index) => text(`piece ${index % 3} of the whole `));

/** Every entry of the golden store. */
export const CONTENTS: Readonly<Record<string, Uint8Array>> = {
  ...Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`tiny/${index}`, text(`tiny content ${index}`)])),
  '..': text('a key is no path'),
  copied: random,
  described: text('second version'),
  empty: text(''),
  lines,
  'many/chunks': text(pieces.map((piece) => new TextDecoder().decode(piece)).join('')),
  random,
  renamed: text('first version'),
  'smile 🙂': text('first version'),
};

/**
 * Writes the store: chunks inline, in packs and moved by merges; manifests inline and as trees; overwritten, deleted,
 * renamed and copied entries; more than one session.
 */
export async function createGoldenStore(folder: string): Promise<void> {
  const put = async (store: Awaited<ReturnType<typeof createStore>>, key: string): Promise<void> => {
    await store.put(key, CONTENTS[key] ?? text(''));
  };
  const store = await createStore(folder, { keys: 'none', reserveBytes: 0 });
  for (const key of Object.keys(CONTENTS).filter((name) => name.startsWith('tiny/'))) await put(store, key);
  for (const key of ['..', 'empty', 'lines', 'random', 'smile 🙂']) await put(store, key);
  await store.put('many/chunks', pieces, { chunking: 'given' });
  const first = await store.put('moving', CONTENTS.renamed ?? text(''));
  await store.put('gone', 'deleted later');
  await store.put('described', 'overwritten');
  await store.batch((batch) => {
    batch.rename('moving', 'renamed');
    batch.copy('random', 'copied');
    batch.delete('gone');
  });
  await store.put('described', CONTENTS.described ?? text(''), {
    contentType: 'text/plain',
    attributes: { author: 'Ada', année: '1843' },
    parent: first.version,
  });
  await store.close();
}

const SECRET = seededRandom(2).bytes(90_000);

/** What the golden sealed store holds, by namespace; `default` is the store itself. */
export const SEALED_CONTENTS: Readonly<Record<string, Readonly<Record<string, Uint8Array>>>> = {
  default: {
    'alone, large': SECRET,
    'alone, small': text('of one'),
    empty: text(''),
    'in an old pack': SECRET.subarray(0, 70_000),
    'of the third epoch': text('newest'),
    'tiny 🙂': text('rides in the journal'),
  },
  tenant: { 'alone too': text('of one, of a tenant'), lines: lines.subarray(0, 40_000), tiny: text('of a tenant') },
  'without a quota': {},
};

/** Entries that have keys of their own, whatever their namespace. */
export const ISOLATED_KEYS: readonly string[] = ['alone, large', 'alone, small', 'alone too'];

/**
 * Writes the sealed store: three epochs of which one is forgotten, a slot that was removed, a namespace that was dropped,
 * isolated entries that were shredded, merged packs, a put-only writer.
 */
export async function createSealedGoldenStore(folder: string, key: Uint8Array): Promise<void> {
  const store = await createStore(folder, { keys: { key }, reserveBytes: 0 });
  await store.namespaces.create('tenant', { quotaBytes: 1_000_000 });
  await store.namespaces.create('dropped');
  await store.namespaces.create('without a quota');
  for (let turn = 0; turn < 9; turn += 1) await store.put('overwritten', text(`turn ${turn}`));
  await putSealed(store, 'default', ['alone, small', 'empty', 'tiny 🙂']);
  await putSealed(store, 'tenant', ['alone too', 'tiny']);
  await store.namespace('dropped').put('gone', SECRET.subarray(0, 5000));
  await store.put('shredded', 'gone', { isolation: 'entry' });
  await store.keys.rotate();
  await store.keys.rekey();
  await putSealed(store, 'default', ['alone, large', 'in an old pack']);
  await putSealed(store, 'tenant', ['lines']);
  const identity = generateIdentity('ml-kem-1024', systemRandom);
  const { id } = await store.keys.add({ identity, label: 'removed' });
  await store.keys.remove(id);
  await store.keys.add({ identity, label: 'friend' });
  await store.keys.exportWriter({ label: 'scanner', namespace: 'tenant' });
  await putSealed(store, 'default', ['of the third epoch']);
  await store.delete('shredded');
  await store.delete('overwritten');
  await store.namespaces.drop('dropped', { shred: true });
  await store.close();
}

async function putSealed(store: Store, namespace: string, keys: readonly string[]): Promise<void> {
  const entries = namespace === 'default' ? store : store.namespace(namespace);
  for (const key of keys) {
    const isolated = ISOLATED_KEYS.includes(key);
    const options = { attributes: { author: 'Ada' }, ...(isolated && { isolation: 'entry' as const }) };
    await entries.put(key, SEALED_CONTENTS[namespace]?.[key] ?? text(''), options);
  }
}
