/**
 * Where the shards of a stripe go. Distinct failure domains first; among them every one gets its share by weight, in
 * the long run and whichever process writes: each pack draws a lot for each domain, and the lots decide (weighted
 * rendezvous hashing: Thaler and Ravishankar 1998; Schindelhauer and Schomaker 2005, logarithmic method).
 */
import { concatBytes, utf8Encode } from '../bytes/bytes.ts';
import { blake3 } from '../hash/index.ts';
import type { BackendFacts } from './backend-link.ts';

/** A backend that may be chosen; `weight` is not 0. */
export type Candidate = Pick<BackendFacts, 'number' | 'name' | 'domain' | 'weight'>;

/** What is to be placed, and what stands already. */
export interface PlacesWanted {
  /** 16 bytes; draws the lots. */
  readonly packId: Uint8Array;
  /** Shards of the whole stripe. */
  readonly shards: number;
  /** How many of them are to be placed now. */
  readonly count: number;
  /** Backends that hold the others, one for each. */
  readonly taken: readonly Candidate[];
  /** Every backend that takes shards, at hand just now or not: how thinly the shards could be spread. */
  readonly all: readonly Candidate[];
}

/**
 * Chooses a backend for each shard that is to be placed, without ever putting more of them into one domain, or on one
 * backend, than an even spread over all would.
 * @param candidates that are at hand
 * @returns numbers of backends, as many as were asked for; 0 at the end for those that have to wait for another backend
 */
export function choosePlaces(candidates: readonly Candidate[], wanted: PlacesWanted): readonly number[] {
  const { packId, count, taken } = wanted;
  const spread = new Spread(wanted);
  for (const one of taken) spread.hold(one);
  const ranked = rank(candidates, packId);
  return Array.from({ length: count }, () => {
    const open = ranked.filter((one) => spread.hasRoom(one));
    const [first, ...others] = open;
    if (first === undefined) return 0;
    const best = others.reduce((a, b) => (spread.prefers(b, a) ? b : a), first);
    spread.hold(best);
    return best.number;
  });
}

/** How many shards of a stripe each domain and backend holds, and how many each may. */
class Spread {
  readonly #domains = new Map<string, number>();
  readonly #backends = new Map<number, number>();
  readonly #perDomain: number;
  readonly #perBackend: number;

  constructor({ shards, all }: PlacesWanted) {
    const domains = new Set(all.map(({ domain }) => domain)).size;
    this.#perDomain = Math.ceil(shards / Math.max(1, domains));
    this.#perBackend = Math.ceil(shards / Math.max(1, all.length));
  }

  hold({ domain, number }: Candidate): void {
    this.#domains.set(domain, this.#inDomain(domain) + 1);
    this.#backends.set(number, this.#onBackend(number) + 1);
  }

  /** A domain of few backends holds more on each: it is the domains that are to be lost one by one. */
  hasRoom({ domain, number }: Candidate): boolean {
    const perBackend = Math.max(this.#perBackend, this.#perDomain);
    return this.#inDomain(domain) < this.#perDomain && this.#onBackend(number) < perBackend;
  }

  /** Fewer shards in its domain first, then fewer on itself. */
  prefers(a: Candidate, b: Candidate): boolean {
    const domains = this.#inDomain(a.domain) - this.#inDomain(b.domain);
    return domains < 0 || (domains === 0 && this.#onBackend(a.number) < this.#onBackend(b.number));
  }

  #inDomain(domain: string): number {
    return this.#domains.get(domain) ?? 0;
  }

  #onBackend(number: number): number {
    return this.#backends.get(number) ?? 0;
  }
}

/** Candidates by lot: domains by their whole weight, and the backends of each by their own. */
function rank(candidates: readonly Candidate[], packId: Uint8Array): readonly Candidate[] {
  const domains = [...Map.groupBy(candidates, ({ domain }) => domain)].map(([domain, backends]) => {
    const weight = backends.reduce((sum, one) => sum + one.weight, 0);
    return { backends: byLot(backends, (one) => lot(packId, one)), drawn: lot(packId, { name: `:${domain}`, weight }) };
  });
  return byLot(domains, ({ drawn }) => drawn).flatMap(({ backends }) => backends);
}

function byLot<T>(items: readonly T[], lotOf: (item: T) => number): readonly T[] {
  return items
    .map((item) => ({ item, drawn: lotOf(item) }))
    .toSorted((a, b) => b.drawn - a.drawn)
    .map(({ item }) => item);
}

const LOT_BITS = 53;

/** Highest with a probability in proportion to the weight: `weight / -ln(u)` for a `u` between 0 and 1. */
function lot(packId: Uint8Array, { name, weight }: Pick<Candidate, 'name' | 'weight'>): number {
  const digest = blake3(concatBytes([packId, utf8Encode(name)]));
  const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
  const drawn = Number(view.getBigUint64(0, true) >> BigInt(64 - LOT_BITS));
  return weight / -Math.log((drawn + 0.5) / 2 ** LOT_BITS);
}
