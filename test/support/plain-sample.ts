/** Small plain stores with something of every kind in them, at one place or spread over several. */
import { utf8Encode } from '../../src/bytes/bytes.ts';
import { createStore } from '../../src/index.ts';
import { noise, pieces } from './contents.ts';
import type { KnownEntry } from './sealed-store.ts';

/** Largest of what rides in a commit in a spread store is a copy on two disks; this is a stripe of three shards. */
const STRIPED_BYTES = 66_000;

/** What a plain sample store holds. @param isSpread with an entry that is large enough to be cut into shards */
export function plainEntries(isSpread: boolean): readonly KnownEntry[] {
  return [
    { key: 'inline', bytes: utf8Encode('something small of a plain store') },
    { key: 'packed', bytes: noise(1800, 1) },
    { key: 'many', bytes: noise(8000, 2) },
    ...(isSpread ? [{ key: 'striped', bytes: noise(STRIPED_BYTES, 3) }] : []),
    { key: 'later', bytes: utf8Encode('something newer of a plain store') },
  ];
}

/**
 * Makes the plain sample store in a folder: packs of every class, a checkpoint among them, and one of everything that is
 * neither entry nor content.
 * @param disks other folders, three of them, over which its packs are spread as 2+1 shards; none: a store at one place
 */
export async function makePlainSample(folder: string, disks: readonly string[] = []): Promise<void> {
  const isSpread = disks.length > 0;
  const redundancy = isSpread ? '2+1' : 'none';
  await using store = await createStore(folder, {
    ...{ keys: 'none', reserveBytes: 0, chunking: 'fastcdc:256:1024:4096', redundancy },
    ...(isSpread && { backends: disks.map((location) => ({ location })) }),
  });
  const known = new Map(plainEntries(isSpread).map(({ key, bytes }) => [key, bytes]));
  const bytesOf = (key: string): Uint8Array => known.get(key) ?? new Uint8Array(0);
  await store.put('inline', bytesOf('inline'), { attributes: { colour: 'blue' } });
  // However small it is, a put that says how it is to be stored gets a pack of its own.
  await store.put('packed', bytesOf('packed'), { redundancy });
  // More chunks than a manifest in the metadata row holds.
  await store.put('many', pieces(bytesOf('many'), 16), { chunking: 'given', redundancy });
  if (isSpread) await store.put('striped', bytesOf('striped'));
  const { id } = await store.objects.putBundle({ of: 'the sample' });
  await store.refs.set('sample', id, { message: 'the first move' });
  await store.versions.setPolicy({ last: 3 });
  await store.relations.set('inline', 'packed');
  await store.maintenance.checkpoint();
  await store.put('later', bytesOf('later'));
}
