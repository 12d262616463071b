import { concatBytes, toHex } from '../bytes/bytes.ts';
import { formatRedundancy } from '../erasure/index.ts';
import { LOOKUP_BATCH_CHUNKS } from '../limits.ts';
import type { ItemLocation, Metadata, PackRow } from '../metadata/contract.ts';
import { entryChunks } from '../pipeline/content-reader.ts';
import type { BackendSet } from '../placement/backend-set.ts';
import type { OpenedEntry } from './entry-info.ts';
import type { WeakestStripe } from './types.ts';

/** Finds the pack of an entry's chunks and manifest of which fewest shards may be lost. */
class WeakestSearch {
  readonly #backends: BackendSet;
  found: WeakestStripe | undefined;

  constructor(backends: BackendSet) {
    this.#backends = backends;
  }

  look(locations: readonly (ItemLocation | undefined)[]): void {
    for (const location of locations) if (location?.pack) this.#lookAt(location.pack);
  }

  #lookAt(pack: PackRow): void {
    const { k, m } = pack.stripe;
    const lossesMax = Math.max(-1, (pack.places?.filter((place) => this.#isThere(place)).length ?? k + m) - k);
    if (this.found && this.found.lossesMax <= lossesMax) return;
    this.found = Object.freeze({ redundancy: formatRedundancy({ k, m }), lossesMax, packId: toHex(pack.id) });
  }

  #isThere(place: number): boolean {
    return this.#backends.find(place)?.backend !== undefined;
  }
}

/**
 * The weakest stripe that an entry stands on, as its shards lie and with the backends that can be reached.
 * @returns `undefined` for an entry that lies in the metadata and the journal alone
 */
export async function weakestStripe(
  { metadata, backends }: { readonly metadata: Metadata; readonly backends: BackendSet },
  entry: OpenedEntry,
  signal?: AbortSignal,
): Promise<WeakestStripe | undefined> {
  const search = new WeakestSearch(backends);
  const { manifest } = entry.value;
  if ('id' in manifest) search.look(await metadata.locate('manifest', entry.ids.idOf('manifest', manifest.id)));
  let ids: Uint8Array[] = [];
  const lookUp = async (): Promise<void> => {
    if (ids.length > 0) search.look(await metadata.locate('chunk', concatBytes(ids)));
    ids = [];
  };
  for await (const { digest } of entryChunks(entry.reader, entry.value, signal && { signal })) {
    ids.push(entry.ids.idOf('chunk', digest));
    if (ids.length === LOOKUP_BATCH_CHUNKS) await lookUp();
  }
  await lookUp();
  return search.found;
}
