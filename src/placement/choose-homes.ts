import type { BackendLink } from './backend-link.ts';
import type { BackendSet } from './backend-set.ts';
import { choosePlaces } from './choose-places.ts';

/** A shard and the backend that it should be put on. */
export interface Home {
  readonly index: number;
  readonly link: BackendLink;
}

/** Shards that need a backend, and what is known of the others of their stripe. */
export interface HomesWanted {
  /** 16 bytes. */
  readonly packId: Uint8Array;
  /** Shards of the whole stripe. */
  readonly shards: number;
  /** Indexes of those that are to be placed. */
  readonly indexes: readonly number[];
  /** Backends that may be chosen. */
  readonly links: readonly BackendLink[];
  /** Backends that hold the other shards, one for each. */
  readonly taken: readonly BackendLink[];
}

/**
 * Chooses backends for shards: by the map of the store where that names one that may be chosen, else by `choosePlaces`.
 * @returns fewer than were wanted where some have to wait for another backend
 */
export function chooseHomes(backends: BackendSet, wanted: HomesWanted): readonly Home[] {
  const { packId, shards, indexes, links, taken } = wanted;
  const { map } = backends;
  const mapped = indexes.flatMap((index): Home[] => {
    const link = links.find(({ facts }) => facts.number === map[index % Math.max(1, map.length)]);
    return link ? [{ index, link }] : [];
  });
  const rest = indexes.filter((index) => !mapped.some((one) => one.index === index));
  const factsOf = (some: readonly BackendLink[]): readonly BackendLink['facts'][] => some.map(({ facts }) => facts);
  const numbers = choosePlaces(factsOf(links), {
    packId,
    shards,
    count: rest.length,
    taken: factsOf([...taken, ...mapped.map(({ link }) => link)]),
    all: factsOf(backends.links.filter((link) => link.takesShards)),
  });
  const drawn = rest.flatMap((index, at): Home[] => {
    const link = links.find(({ facts }) => facts.number === numbers[at]);
    return link ? [{ index, link }] : [];
  });
  return [...mapped, ...drawn];
}
