import { createStore } from '../../src/index.ts';
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
