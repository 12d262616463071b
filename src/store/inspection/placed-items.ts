/** What items take, by what the metadata says of the records and packs that they lie in. */
import { toHex } from '../../bytes/bytes.ts';
import { CODEC_STORED } from '../../compress/index.ts';
import { formatRedundancy } from '../../erasure/index.ts';
import { RECORD_TRAILER_BYTES } from '../../format/index.ts';
import type { ItemLocation, PackRow } from '../../metadata/contract.ts';
import type { BackendSet } from '../../placement/backend-set.ts';
import type { ChunkPlacement, PackInfo, PackShard } from './report-types.ts';

/** What one item takes; not whole bytes, so that shares add up. */
export interface ItemShare {
  readonly recordBytes: number;
  readonly storedBytes: number;
}

/**
 * The share of an item: of its record by plain bytes, of the shards as much as that is of the pack. A record that is
 * still in the metadata has neither trailer nor shards.
 */
export function shareOf({ storedLength, plainLength, length, pack }: ItemLocation): ItemShare {
  const share = length / plainLength;
  if (pack === undefined) return { recordBytes: storedLength * share, storedBytes: storedLength * share };
  const recordBytes = (storedLength + RECORD_TRAILER_BYTES) * share;
  return { recordBytes, storedBytes: recordBytes * (pack.storedBytes / pack.packBytes) };
}

/** A pack as reports tell of it. */
export function describePack(pack: PackRow, backends: BackendSet): PackInfo {
  const { k, m } = pack.stripe;
  const bytes = Math.round(pack.storedBytes / (k + m));
  const shards = Array.from({ length: k + m }, (_, index): PackShard => {
    const name = backends.find(pack.places?.[index] ?? 0)?.facts.name;
    const kind = index < k ? 'data' : 'parity';
    return Object.freeze({ index, kind, bytes, ...(name !== undefined && { backend: name }) });
  });
  return Object.freeze({
    packId: toHex(pack.id),
    class: pack.class,
    redundancy: formatRedundancy({ k, m }),
    packBytes: pack.packBytes,
    storedBytes: pack.storedBytes,
    shards: Object.freeze(shards),
  });
}

/** Describes where items are; items of one pack that follow each other share what is said of the pack. */
export class PlacementDescriber {
  readonly #backends: BackendSet;
  #last: { readonly row: PackRow; readonly info: PackInfo } | undefined;

  constructor(backends: BackendSet) {
    this.#backends = backends;
  }

  describe(location: ItemLocation | undefined): ChunkPlacement {
    if (location === undefined) return Object.freeze({ state: 'missing' });
    const { recordBytes, storedBytes } = shareOf(location);
    const { pack, suspect, codec } = location;
    return Object.freeze({
      state: suspect ? 'suspect' : pack ? 'stored' : 'pending',
      compressed: codec !== CODEC_STORED,
      recordBytes: Math.round(recordBytes),
      storedBytes: Math.round(storedBytes),
      ...(pack && { pack: this.#infoOf(pack) }),
    });
  }

  #infoOf(row: PackRow): PackInfo {
    if (this.#last?.row.number !== row.number) this.#last = { row, info: describePack(row, this.#backends) };
    return this.#last.info;
  }
}
