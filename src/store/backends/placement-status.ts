/** How the packs of a store lie on its backends, and what that bears. */
import { toHex } from '../../bytes/bytes.ts';
import { parseRedundancy, type Redundancy } from '../../erasure/index.ts';
import { BACKEND_MARKER_KEY, type StoreConfig } from '../../format/index.ts';
import { allPacks } from '../../maintenance/all-packs.ts';
import { PACKS_SEEN_AT_ONCE, seeShards } from '../../maintenance/find-places.ts';
import type { Metadata, PackRow } from '../../metadata/contract.ts';
import type { BackendLink } from '../../placement/backend-link.ts';
import type { BackendSet } from '../../placement/backend-set.ts';
import { type PlacePattern, tolerate } from '../../placement/tolerance.ts';
import type { CallOptions } from '../types.ts';
import type { BackendInfo, BackendStatus, LossStatus, PlacementStatus } from './backend-types.ts';
import { placementWarnings } from './placement-warnings.ts';

interface Held {
  shards: number;
  bytes: number;
}

/** Whether what lies there can be read: one that was there when the store was opened may be gone since. */
const isReached = (link: BackendLink | undefined): boolean => link?.health.state === 'up';

/** What is gathered over all packs. Packs that lie alike count as one: there are few ways in which they do. */
class PackSurvey {
  readonly #backends: BackendSet;
  readonly #redundancy: Redundancy;
  readonly #patterns = new Map<string, { k: number; places: readonly number[]; packs: number }>();
  readonly held = new Map<number, Held>();
  packs = 0;
  degraded = 0;
  weaker = 0;
  unreadable = 0;

  constructor(backends: BackendSet, redundancy: Redundancy) {
    this.#backends = backends;
    this.#redundancy = redundancy;
  }

  /** @param places where the shards lie as far as is known, 0 for a shard that lies nowhere or may lie anywhere */
  add({ stripe, storedBytes }: PackRow, places: readonly number[]): void {
    const { k, m } = stripe;
    this.packs += 1;
    if (m < this.#redundancy.m) this.weaker += 1;
    for (const place of places) this.#hold(place, storedBytes / places.length);
    const reached = places.filter((place) => isReached(this.#backends.find(place))).toSorted((a, b) => a - b);
    if (reached.length < k) this.unreadable += 1;
    const name = `${k}:${reached.join(',')}`;
    const pattern = this.#patterns.get(name) ?? { k, places: reached, packs: 0 };
    pattern.packs += 1;
    this.#patterns.set(name, pattern);
  }

  /** @param holderOf what is lost as one */
  survives(holderOf: (link: BackendLink) => string): LossStatus {
    const named = [...this.#patterns.values()].map(
      ({ k, places, packs }): PlacePattern => ({
        ...{ k, packs },
        holders: places.flatMap((place) => {
          const link = this.#backends.find(place);
          return link ? [holderOf(link)] : [];
        }),
      }),
    );
    const holders = new Set(this.#backends.links.filter(isReached).map(holderOf));
    return Object.freeze(tolerate(named, holders.size));
  }

  #hold(place: number, bytes: number): void {
    if (place === 0) return;
    const held = this.held.get(place) ?? { shards: 0, bytes: 0 };
    held.shards += 1;
    held.bytes += bytes;
    this.held.set(place, held);
  }
}

/** Where packs lie of which the metadata does not know it: on a sole backend, or where their shards are seen. */
async function surveyUnknown(
  survey: PackSurvey,
  { metadata, backends }: { readonly metadata: Metadata; readonly backends: BackendSet },
  signal: AbortSignal | undefined,
): Promise<void> {
  const [sole, ...others] = backends.links;
  for (let after: number | undefined; ; ) {
    const limit = PACKS_SEEN_AT_ONCE;
    const packs = await metadata.packsOfUnknownPlace({ limit, ...(after !== undefined && { after }) });
    after = packs.at(-1)?.number;
    if (after === undefined) return;
    const seen = others.length > 0 ? await seeShards(backends, packs, signal) : undefined;
    for (const pack of packs) {
      const shards = pack.stripe.k + pack.stripe.m;
      const places = seen?.places.get(toHex(pack.id)) ?? new Array<number>(shards).fill(sole?.facts.number ?? 0);
      survey.add(pack, places);
      if (seen?.areAllAsked && places.includes(0)) survey.degraded += 1;
    }
  }
}

export async function placementStatus(
  parts: {
    readonly metadata: Metadata;
    readonly backends: BackendSet;
    readonly config: StoreConfig;
    readonly infos: readonly BackendInfo[];
  },
  { signal }: CallOptions,
): Promise<PlacementStatus> {
  const { metadata, backends, config, infos } = parts;
  const redundancy = parseRedundancy(config.redundancy);
  // Asked first: one that turns out to be away must not be counted on by what is said of losses.
  const probed = await Promise.all(infos.map((info) => probe(info, backends)));
  const survey = new PackSurvey(backends, redundancy);
  for await (const pack of allPacks(metadata)) {
    signal?.throwIfAborted();
    if (pack.places === undefined) continue;
    survey.add(pack, pack.places);
    if (pack.places.includes(0)) survey.degraded += 1;
  }
  await surveyUnknown(survey, parts, signal);
  const { packs, degraded, weaker, unreadable } = survey;
  return Object.freeze({
    redundancy: config.redundancy,
    backends: Object.freeze(probed.map((one) => withHeld(one, survey.held))),
    map: Object.freeze(backends.map.flatMap((number) => backends.find(number)?.facts.name ?? [])),
    ...{ packs, degraded, weaker, unreadable },
    survives: Object.freeze({
      backends: survey.survives(({ facts }) => facts.name),
      domains: survey.survives(({ facts }) => facts.domain),
    }),
    warnings: Object.freeze(placementWarnings(backends, redundancy)),
  });
}

/** Asks a backend how it does. */
async function probe(info: BackendInfo, backends: BackendSet): Promise<Omit<BackendStatus, 'shards' | 'shardBytes'>> {
  const link = backends.find(info.number);
  const space = await link?.call('read', (backend) => backend.space()).catch(() => undefined);
  // Counting may take long; what tells how fast a backend answers is the last read before its health is told.
  await link?.call('read', (backend) => backend.head(BACKEND_MARKER_KEY)).catch(() => undefined);
  return {
    ...info,
    ...(link && { health: link.health }),
    ...(space && { usedBytes: space.usedBytes }),
    ...(space?.freeBytes !== undefined && { freeBytes: space.freeBytes }),
  };
}

function withHeld(probed: Awaited<ReturnType<typeof probe>>, held: ReadonlyMap<number, Held>): BackendStatus {
  const { shards, bytes } = held.get(probed.number) ?? { shards: 0, bytes: 0 };
  return Object.freeze({ ...probed, shards, shardBytes: Math.round(bytes) });
}
