/** Is every shard on the backend that the metadata says it is on? */
import { toHex } from '../bytes/bytes.ts';
import { isStoreError, type StoreError } from '../errors/store-error.ts';
import { shardKey } from '../format/index.ts';
import type { PackRow } from '../metadata/contract.ts';
import type { BackendLink } from '../placement/backend-link.ts';
import type { Patience } from '../placement/patience.ts';
import type { ShardLoss } from '../placement/shard-loss.ts';
import type { CheckedStore } from './checked-store.ts';
import { learnPlaces } from './learn-places.ts';
import { type ProblemList, placeIn } from './problems.ts';
import type { ShardListing } from './shard-listing.ts';
import { currentRow, errorOf } from './shard-store.ts';

interface PlacesContext {
  readonly store: CheckedStore;
  readonly listing: ShardListing;
  readonly problems: ProblemList;
  readonly patience: Patience;
  /** Backends that were told of as unreachable. */
  readonly unreachable: Set<string>;
}

/** What could not be asked hides all that it has: it is told of once. */
export function tellOnce(error: StoreError, told: Set<string>, problems: ProblemList): void {
  const name = error.details.backend ?? error.message;
  if (told.has(name)) return;
  told.add(name);
  problems.addError(error);
}

/** The places of one pack. */
export class PlacesCheck {
  readonly #context: PlacesContext;
  readonly #signal: AbortSignal | undefined;
  #missing: readonly ShardLoss[] = [];

  constructor(context: PlacesContext, signal: AbortSignal | undefined) {
    this.#context = context;
    this.#signal = signal;
  }

  /**
   * Accounts for the shards of a pack in the listing. Places that are not known are looked for.
   * @returns the pack with its places as far as they are known by now
   */
  async account(listed: PackRow): Promise<PackRow> {
    const { listing } = this.#context;
    const pack = listed.places ? listed : await this.#learn(listed);
    const shards = Array.from({ length: pack.stripe.k + pack.stripe.m }, (_, index) => index);
    if (pack.places === undefined) listing.takeAll(pack);
    else this.#missing = shards.flatMap((index) => this.#lossOf(pack, index, pack.places?.[index] ?? 0) ?? []);
    return pack;
  }

  /** Tells of the shards that a pack lacks, and queues them for repair. */
  async tell(pack: PackRow): Promise<void> {
    const { store, problems } = this.#context;
    // A lone shard is the pack itself, which was opened.
    if (this.#missing.length === 0 || pack.stripe.k + pack.stripe.m === 1) return;
    const gone: ShardLoss[] = [];
    for (const loss of this.#missing) if (await this.#isGone(pack, loss)) gone.push(loss);
    const now = await currentRow(store.metadata, pack);
    const real = gone.filter(({ index, place }) => now?.places?.[index] === place);
    const place = { packId: toHex(pack.id), ...placeIn(store, pack.seal?.namespace) };
    for (const loss of real) problems.addError(errorOf(pack.id, loss), place);
    const changes = real.flatMap(({ index, place: from }) => (from === 0 ? [] : [{ index, from, to: 0 }]));
    if (!store.writable || changes.length === 0) return;
    const shard = { packNumber: pack.number, stripeId: pack.stripe.id };
    await store.metadata.placeShards(changes.map((change) => ({ ...shard, ...change })));
  }

  async #learn(pack: PackRow): Promise<PackRow> {
    const { store, patience } = this.#context;
    if (pack.stripe.k + pack.stripe.m === 1 && store.shards.backends.links.length === 1) return pack;
    const { row } = await learnPlaces(store.shards, pack, { patience, signal: this.#signal });
    return row ?? pack;
  }

  #lossOf(pack: PackRow, index: number, place: number): ShardLoss | undefined {
    const { store, listing, problems, unreachable } = this.#context;
    if (place === 0) return { index, place, reason: 'missing' };
    if (store.shards.backends.find(place) === undefined) {
      tellOnce(errorOf(pack.id, { index, place, reason: 'unreachable' }), unreachable, problems);
    }
    const link = listing.take(pack, index, place);
    return link && { index, place, backend: link.facts.name, reason: 'missing' };
  }

  /** Asks again: the shard may have come after the listing was made, and a listing may have lost it. */
  async #isGone(pack: PackRow, { index, place }: ShardLoss): Promise<boolean> {
    const { store, problems, unreachable } = this.#context;
    const link = store.shards.backends.find(place);
    if (link === undefined) return true;
    try {
      return (await this.#head(link, shardKey(pack, index))) === undefined;
    } catch (error) {
      if (!isStoreError(error) || error.kind !== 'unavailable') throw error;
      tellOnce(error, unreachable, problems);
      return false;
    }
  }

  #head(link: BackendLink, key: string): Promise<unknown> {
    return this.#context.patience.ask(
      link,
      (signal) => link.call('read', (backend) => backend.head(key, { signal }), signal),
      { signal: this.#signal },
    );
  }
}
