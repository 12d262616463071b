/**
 * Repairs packs from what lies on the backends alone: without keys, and without metadata, which in a sealed store nobody
 * reads without keys. What a stripe is, its shards decide among themselves: each tells the roots of all.
 *
 * Not known here is which packs anybody needs: what an interrupted put or a deletion left looks like a pack that has lost
 * shards. And a pack of copies of which one shard is left has nobody to vouch for it, so it is left alone.
 */
import type { BlobInfo } from '../backend/contract.ts';
import { listAll } from '../backend/list-all.ts';
import type { StoreError } from '../errors/store-error.ts';
import { JOURNAL_PREFIX, PACKS_PREFIX, parseShardKey } from '../format/index.ts';
import { type BackendLink, isUnreachable } from '../placement/backend-link.ts';
import type { BackendSet } from '../placement/backend-set.ts';
import { type FoundStripes, findStripes, type SoughtPack } from '../placement/find-stripe.ts';
import { healStripe, type PlaceBooks } from '../placement/heal-stripe.ts';
import { inspectStripe, type StripeInspection } from '../placement/inspect-stripe.ts';
import type { Patience } from '../placement/patience.ts';
import type { CheckOptions } from './checked-store.ts';
import { isHopeless, isLost } from './heal-pack.ts';
import { BoundedList, findingOf, type JobOutcome, type ShardFinding } from './shard-reports.ts';
import { errorOf, patienceOf } from './shard-store.ts';

/** How to repair backends. */
export interface BackendRepairOptions extends CheckOptions {
  /** Look what is to be done and whether it can be, and do nothing. Default false. */
  readonly dryRun?: boolean;
}

/** What was repaired from the backends alone. */
export interface BackendRepairReport {
  /** `damaged`: some packs have too few shards, or shards that disagree. `partial`: some shards have to wait. */
  readonly outcome: JobOutcome;
  readonly dryRun: boolean;
  /** Packs that were found. */
  readonly packs: number;
  /** Packs whose shards agree too little for anybody to say which of them are right. */
  readonly packsUndecided: number;
  /** Shards that were made anew, or would be. */
  readonly shardsMade: number;
  readonly bytesWritten: number;
  /** The first thousand shards that are still not there; in a dry run, that are not there. */
  readonly findings: readonly ShardFinding[];
  readonly findingCount: number;
}

/** Nobody keeps books: a shard is where it is found. */
const NO_BOOKS: PlaceBooks = { isCurrent: async () => true, place: async () => 'placed' };

/** Shards that must agree before anything is made from them. */
const VOTES_MIN = 2;

/**
 * Repairs every pack that the backends hold shards of. No store may be writing to them.
 * @throws what is neither damage nor an unreachable backend; the signal's reason
 */
export async function repairFromShards(
  backends: BackendSet,
  options: BackendRepairOptions = {},
): Promise<BackendRepairReport> {
  return await new BackendRepair(backends, options).run();
}

class BackendRepair {
  readonly #backends: BackendSet;
  readonly #options: BackendRepairOptions;
  readonly #patience: Patience;
  readonly #findings = new BoundedList<ShardFinding>();
  #packs = 0;
  #undecided = 0;
  #made = 0;
  #bytesWritten = 0;
  #isHopeless = false;
  #isPartial = false;

  constructor(backends: BackendSet, options: BackendRepairOptions) {
    this.#backends = backends;
    this.#options = options;
    this.#patience = patienceOf({});
  }

  async run(): Promise<BackendRepairReport> {
    const { signal, onProgress, dryRun = false } = this.#options;
    for await (const pack of this.#everyPack()) {
      signal?.throwIfAborted();
      await this.#repair(pack);
      this.#packs += 1;
      onProgress?.({ phase: 'repair', done: this.#packs, bytes: this.#bytesWritten });
    }
    return Object.freeze({
      outcome: this.#isHopeless ? 'damaged' : this.#isPartial ? 'partial' : 'ok',
      dryRun,
      packs: this.#packs,
      packsUndecided: this.#undecided,
      shardsMade: this.#made,
      bytesWritten: this.#bytesWritten,
      findings: this.#findings.listed,
      findingCount: this.#findings.count,
    });
  }

  async #repair(pack: SoughtPack): Promise<void> {
    const { signal, dryRun } = this.#options;
    const found = await findStripes(this.#backends, pack, signal);
    const stripe = decided(found);
    if (stripe === undefined) return this.#leaveUndecided(found);
    const options = { patience: this.#patience, signal };
    const looked = await inspectStripe(this.#backends, stripe, { ...options, depth: 'whole' });
    // What lies where nobody could look is not to be made twice.
    const isAway = found.unreachable.length > 0;
    const losses = looked.losses.map((loss) =>
      isAway && loss.place === 0 ? ({ ...loss, reason: 'unreachable' } as const) : loss,
    );
    const inspection = { ...looked, losses };
    if (dryRun) return this.#look(inspection);
    const healing = await healStripe(this.#backends, inspection, { ...options, books: NO_BOOKS, readBack: 'frame' });
    this.#made += healing.healed.filter(({ made }) => made).length;
    this.#bytesWritten += healing.bytesWritten;
    for (const { loss, error } of healing.unhealed) this.#leave(findingOf(stripe.id, loss, error), error);
  }

  #look(inspection: StripeInspection): void {
    const { stripe, losses } = inspection;
    const hopeless = isLost(inspection);
    for (const loss of losses) {
      this.#findings.add(findingOf(stripe.id, loss, errorOf(stripe.id, loss)));
      if (loss.reason === 'unreachable') this.#isPartial = true;
      else if (!hopeless) this.#made += 1;
    }
    if (hopeless) this.#isHopeless = true;
  }

  #leave(finding: ShardFinding, error: StoreError): void {
    this.#findings.add(finding);
    if (isHopeless({ error })) this.#isHopeless = true;
    else this.#isPartial = true;
  }

  /** A pack that is one shard has nothing that it could be made from, and is left as it is. */
  #leaveUndecided({ stripes, errors, unreachable }: FoundStripes): void {
    const [first, ...others] = stripes;
    if (first?.places.length === 1 && others.length === 0 && errors.length === 0) return;
    this.#undecided += 1;
    if (unreachable.length > 0) this.#isPartial = true;
    else this.#isHopeless = true;
  }

  /** Packs by name, each once: the listings of all backends, merged as they go on. */
  async *#everyPack(): AsyncGenerator<SoughtPack> {
    for (const prefix of [PACKS_PREFIX, JOURNAL_PREFIX]) {
      const listings = this.#backends.links.map((link) => this.#keys(link, prefix));
      let heads = await Promise.all(listings.map((listing) => listing.next()));
      for (;;) {
        const names = heads.flatMap(({ value }) => (value === undefined ? [] : [packPart(value)]));
        const [least] = names.toSorted();
        if (least === undefined) break;
        const key = heads.find(({ value }) => value !== undefined && packPart(value) === least)?.value;
        const name = key === undefined ? undefined : parseShardKey(key);
        if (name) yield name.pack.journal ? name.pack : { id: name.pack.id, class: 'data' };
        heads = await Promise.all(
          heads.map((head, at) => pastPack(listings[at] as AsyncGenerator<string>, head, least)),
        );
      }
    }
  }

  /** Keys on one backend; none of one that cannot be asked. */
  async *#keys(link: BackendLink, prefix: string): AsyncGenerator<string> {
    const { signal } = this.#options;
    const paged = {
      list: (page: object) => this.#patience.ask(link, (stop) => listOn(link, { ...page, signal: stop }), { signal }),
    };
    try {
      for await (const { key } of listAll(paged, { prefix })) yield key;
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      this.#isPartial = true;
    }
  }
}

function listOn(link: BackendLink, page: { readonly signal: AbortSignal }): Promise<readonly BlobInfo[]> {
  return link.call('read', (backend) => backend.list(page), page.signal);
}

/** A key without the index of its shard. */
function packPart(key: string): string {
  return key.slice(0, key.lastIndexOf('.') + 1);
}

async function pastPack(
  listing: AsyncGenerator<string>,
  head: IteratorResult<string, unknown>,
  pack: string,
): Promise<IteratorResult<string, unknown>> {
  let next = head;
  while (!next.done && packPart(next.value) === pack) next = await listing.next();
  return next;
}

/** The stripe that more shards agree on than on any other, and enough of them to be believed. */
function decided({ stripes }: FoundStripes): FoundStripes['stripes'][number] | undefined {
  const [first, second] = stripes;
  if (first === undefined || first.votes < VOTES_MIN || second?.votes === first.votes) return undefined;
  return first;
}
