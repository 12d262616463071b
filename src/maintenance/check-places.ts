/** Is every shard on the backend that the metadata says it is on? */
import { toHex } from '../bytes/bytes.ts';
import { isStoreError, type StoreError } from '../errors/store-error.ts';
import { shardKey } from '../format/index.ts';
import type { PackRow } from '../metadata/contract.ts';
import type { BackendLink } from '../placement/backend-link.ts';
import type { Patience } from '../placement/patience.ts';
import type { ShardLoss } from '../placement/shard-loss.ts';
import type { CheckedStore } from './checked-store.ts';
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

  /** Accounts for the shards of a pack in the listing: where places are not known, for all there are. */
  account(pack: PackRow): void {
    if (pack.places) this.#missing = pack.places.flatMap((place, index) => this.#lossOf(pack, index, place) ?? []);
    else this.#context.listing.takeAll(pack);
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

  #lossOf(pack: PackRow, index: number, place: number): ShardLoss | undefined {
    const { store, listing, problems, unreachable } = this.#context;
    if (place === 0 || store.shards.backends.hasLeft(place)) return { index, place, reason: 'missing' };
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
