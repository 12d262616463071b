/**
 * What a pack's own shards say of it, for packs of which nobody else knows more than the name: after a crash, in a
 * rebuild, in a check. Shards vouch for each other: every one tells the roots of all.
 */
import { listAll } from '../backend/list-all.ts';
import { equalBytes, toHex } from '../bytes/bytes.ts';
import { isStoreError, type StoreError } from '../errors/store-error.ts';
import {
  parseShardKey,
  SHARD_HEADER_BYTES,
  type Stripe,
  shardDataBytes,
  shardKey,
  shardTrailerBytes,
} from '../format/index.ts';
import { type BackendLink, isUnreachable } from './backend-link.ts';
import type { BackendSet } from './backend-set.ts';
import { type OpenedShard, openShard } from './shard-frame.ts';
import type { PlacedStripe } from './stripe-reader.ts';
import type { PackKeyParts } from './stripe-writer.ts';

/** A shard of a pack that lies somewhere, whatever it is worth. */
export interface ShardPlace {
  readonly index: number;
  readonly link: BackendLink;
}

/** A stripe as some of its shards describe it. */
export interface FoundStripe extends PlacedStripe {
  /** 16 bytes: the store that the shards name. */
  readonly store: Uint8Array;
  /** Shards that agree on it. */
  readonly votes: number;
  /**
   * The blob of the first shard, where that is the whole pack, and small, and was asked; its data was not held against its
   * digests.
   */
  readonly blob?: Uint8Array;
}

export interface FoundStripes {
  /** Those most shards agree on first. More than one where shards were forged, or are left of another encoding. */
  readonly stripes: readonly FoundStripe[];
  /** What is wrong with shards that say nothing. */
  readonly errors: readonly StoreError[];
  /** Why backends could not be asked. */
  readonly unreachable: readonly StoreError[];
}

/** What a caller knows of a pack that it looks for. */
export interface SoughtPack extends PackKeyParts {
  readonly packBytes?: number;
  readonly stripe?: Stripe;
  readonly places?: readonly number[];
}

/**
 * Asks the shards of a pack what they are.
 * @param pack where its places are known no backend is searched; where its stripe is known the first shard that agrees
 *   is enough
 * @throws what no backend should throw
 */
export async function findStripes(backends: BackendSet, pack: SoughtPack, signal?: AbortSignal): Promise<FoundStripes> {
  const search = new Search(backends, pack, signal);
  const known = pack.places ? placesOf(backends, pack.places) : await search.ofLoneBackend();
  const places = known ?? (await search.everywhere());
  const frames = await search.frames(places);
  return { stripes: byVotes(pack, frames, places), errors: search.errors, unreachable: search.unreachable };
}

type PlacedFrame = ShardPlace & { readonly frame: OpenedShard };

class Search {
  readonly #backends: BackendSet;
  readonly #pack: SoughtPack;
  readonly #signal: AbortSignal | undefined;
  /** Of the backend that is alone, once it was asked. */
  #first: PlacedFrame | undefined;
  readonly errors: StoreError[] = [];
  readonly unreachable: StoreError[] = [];

  constructor(backends: BackendSet, pack: SoughtPack, signal: AbortSignal | undefined) {
    this.#backends = backends;
    this.#pack = pack;
    this.#signal = signal;
  }

  /** A listing of a folder is dear, and here the first shard is enough to know of the others. */
  async ofLoneBackend(): Promise<readonly ShardPlace[] | undefined> {
    const [link, ...others] = this.#backends.links;
    if (link === undefined || others.length > 0) return undefined;
    const first = await this.#frame({ index: 0, link });
    this.#first = first;
    if (first === undefined) return this.errors.length + this.unreachable.length > 0 ? [] : undefined;
    const { k, m } = first.frame.header;
    return Array.from({ length: k + m }, (_, index) => ({ index, link }));
  }

  async everywhere(): Promise<readonly ShardPlace[]> {
    const { places, unreachable } = await findPlaces(this.#backends, this.#pack, this.#signal);
    this.unreachable.push(...unreachable);
    return places;
  }

  /** Frames of the shards; of a stripe that is known the first one that is of it. */
  async frames(places: readonly ShardPlace[]): Promise<readonly PlacedFrame[]> {
    const { stripe } = this.#pack;
    if (stripe === undefined) {
      const all = await Promise.all(places.map((place) => this.#frame(place)));
      return all.filter((frame) => frame !== undefined);
    }
    const found: PlacedFrame[] = [];
    const [avoided, eager] = [true, false].map((is) => places.filter(({ link }) => link.isAvoided === is));
    for (const place of [...(eager ?? []), ...(avoided ?? [])]) {
      const frame = await this.#frame(place);
      if (frame === undefined) continue;
      if (equalBytes(frame.frame.trailer.roots, stripe.roots)) return [frame];
      found.push(frame);
    }
    return found;
  }

  async #frame(place: ShardPlace): Promise<PlacedFrame | undefined> {
    if (this.#first?.index === place.index && this.#first.link === place.link) return this.#first;
    try {
      const shard = { pack: this.#pack, index: place.index, bytes: shardBytesOf(this.#pack) };
      const frame = await openShard(place.link, shard, this.#signal);
      return frame && { ...place, frame };
    } catch (error) {
      if (isStoreError(error) && error.kind === 'corrupt') this.errors.push(error);
      else if (isUnreachable(error)) this.unreachable.push(error);
      else throw error;
      return undefined;
    }
  }
}

/** Bytes of the blob of a shard, where enough is known of its pack. */
function shardBytesOf({ packBytes, stripe }: SoughtPack): number | undefined {
  if (packBytes === undefined || stripe === undefined) return undefined;
  const shardBytes = shardDataBytes(packBytes, stripe.k);
  return SHARD_HEADER_BYTES + shardBytes + shardTrailerBytes({ ...stripe, shardBytes });
}

/** Shards at places that are known; where a place is not a backend any more there is none. */
function placesOf(backends: BackendSet, places: readonly number[]): readonly ShardPlace[] {
  return places.flatMap((place, index) => {
    const link = backends.find(place);
    return link ? [{ index, link }] : [];
  });
}

/** Searches every backend for shards of a pack: one listing each. */
export async function findPlaces(
  backends: BackendSet,
  pack: PackKeyParts,
  signal?: AbortSignal,
): Promise<{ readonly places: readonly ShardPlace[]; readonly unreachable: readonly StoreError[] }> {
  const prefix = shardKey(pack, 0).slice(0, -1);
  const unreachable: StoreError[] = [];
  const places: ShardPlace[] = [];
  await Promise.all(
    backends.links.map(async (link) => {
      try {
        const indexes = await link.call('read', (backend) => indexesUnder(prefix, backend, signal), signal);
        places.push(...indexes.map((index) => ({ index, link })));
      } catch (error) {
        if (!isUnreachable(error)) throw error;
        unreachable.push(error);
      }
    }),
  );
  return { places: places.toSorted((a, b) => a.index - b.index), unreachable };
}

async function indexesUnder(
  prefix: string,
  backend: Parameters<typeof listAll>[0],
  signal: AbortSignal | undefined,
): Promise<readonly number[]> {
  const indexes: number[] = [];
  for await (const { key } of listAll(backend, { prefix, ...(signal && { signal }) })) {
    const name = parseShardKey(key);
    if (name) indexes.push(name.index);
  }
  return indexes;
}

function byVotes(
  pack: PackKeyParts,
  frames: readonly PlacedFrame[],
  places: readonly ShardPlace[],
): readonly FoundStripe[] {
  const groups = Map.groupBy(frames, ({ frame }) => toHex(frame.trailer.roots));
  // A shard that lies on two backends has one vote.
  const votesOf = (group: readonly PlacedFrame[]): number => new Set(group.map(({ index }) => index)).size;
  return [...groups.values()]
    .toSorted((a, b) => votesOf(b) - votesOf(a))
    .flatMap((group) => {
      const [first] = group;
      if (first === undefined) return [];
      const { store, stripeId, k, m, packBytes } = first.frame.header;
      const { roots } = first.frame.trailer;
      const numbers = Array.from({ length: k + m }, () => 0);
      // A shard that says nothing keeps its place unless a better one of its index is there: it may be reached later.
      for (const { index, link } of [...places, ...group]) if (index < k + m) numbers[index] = link.facts.number;
      const { id, class: packClass, journal } = pack;
      const stripe = { id: stripeId, k, m, roots };
      const { blob } = first.frame;
      return [
        {
          id,
          class: packClass,
          ...(journal && { journal }),
          packBytes,
          stripe,
          places: numbers,
          store,
          votes: votesOf(group),
          // Whoever finds the first one missing has a loss to tell of.
          ...(k === 1 && first.index === 0 && blob && { blob }),
        },
      ];
    });
}
