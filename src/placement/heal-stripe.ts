/**
 * Gives a stripe back the shards that it lacks: those that lie elsewhere are found, the others made from k good ones.
 *
 * A good shard is never written over: before one is put every backend within reach was asked whether it has it, and the
 * books whether the stripe is still that one. What was made is compared with the roots of the stripe before it is put,
 * and what was put is read back before the books learn of it. So a process may end anywhere in between: what it leaves
 * is a shard that nobody knows of yet, at the very place where the next repair puts, or finds, it.
 */
import { toHex } from '../bytes/bytes.ts';
import { isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import { shardKey } from '../format/index.ts';
import { SHARD_WRITE_TIMEOUT_MS, SHARDS_MADE_BYTES_MAX } from '../limits.ts';
import { settleAll } from '../runtime/settle-all.ts';
import type { BackendLink } from './backend-link.ts';
import type { BackendSet } from './backend-set.ts';
import { findShards, type ShardSearch } from './find-shards.ts';
import { HomeChooser } from './home-chooser.ts';
import type { InspectionDepth, InspectOptions } from './inspect-shard.ts';
import { type GoodShard, lossesOf, type StripeInspection, tryShard } from './inspect-stripe.ts';
import { type MadeShard, makeShards, SourcesLost } from './make-shards.ts';
import { type ShardLoss, tooFewShards } from './shard-loss.ts';
import type { PlacedStripe } from './stripe-reader.ts';

/** The place of one shard as it was, and as it should be. */
export interface Replacement {
  readonly index: number;
  /** Numbers of backends, `from` 0 for a shard that lay nowhere. */
  readonly from: number;
  readonly to: number;
}

/** Whoever keeps the books of where shards lie. */
export interface PlaceBooks {
  /** Whether the stripe is still the one that is being healed, and the shard where it was. */
  isCurrent(shard: Pick<Replacement, 'index' | 'from'>): Promise<boolean>;
  /**
   * Compare-and-set.
   * @returns `changed`: the shard is no longer at `from`; `gone`: nobody will ever need this stripe again
   */
  place(change: Replacement): Promise<'placed' | 'changed' | 'gone'>;
}

export interface HealOptions extends Omit<InspectOptions, 'depth'> {
  readonly books: PlaceBooks;
  /** How closely a shard is read back after it was put. */
  readonly readBack: InspectionDepth;
}

/** A shard that is good again. */
export interface HealedShard extends Replacement {
  /** False: it was found, and nothing written. */
  readonly made: boolean;
}

/** A shard that is not, and why: `corrupt` errors for what cannot be healed, others for what may be later. */
export interface UnhealedShard {
  readonly loss: ShardLoss;
  readonly error: StoreError;
}

export interface StripeHealing {
  readonly healed: readonly HealedShard[];
  readonly unhealed: readonly UnhealedShard[];
  /** Put on backends. */
  readonly bytesWritten: number;
}

/**
 * Heals a stripe as far as it can be healed just now. A shard whose backend cannot be reached is left alone: it may be
 * as good as ever.
 * @throws what no backend should throw, and what the books throw; the signal's reason
 */
export async function healStripe(
  backends: BackendSet,
  inspection: StripeInspection,
  options: HealOptions,
): Promise<StripeHealing> {
  return await new StripeHealer(backends, inspection, options).heal();
}

class StripeHealer {
  readonly #backends: BackendSet;
  readonly #inspection: StripeInspection;
  readonly #options: HealOptions;
  readonly #stripe: PlacedStripe;
  readonly #homes: HomeChooser;
  readonly #sources: GoodShard[];
  readonly #healed: HealedShard[] = [];
  readonly #unhealed: UnhealedShard[] = [];
  #bytesWritten = 0;

  constructor(backends: BackendSet, inspection: StripeInspection, options: HealOptions) {
    this.#backends = backends;
    this.#inspection = inspection;
    this.#options = options;
    this.#stripe = inspection.stripe;
    this.#sources = [...inspection.good];
    this.#homes = new HomeChooser(backends, inspection, options.patience);
  }

  async heal(): Promise<StripeHealing> {
    for (const loss of lossesOf(this.#inspection, 'unreachable')) this.#leave(loss, loss.error ?? unknownPlace(loss));
    const losses = lossesOf(this.#inspection, 'missing', 'corrupt');
    const searches = await findShards(this.#backends, { stripe: this.#stripe, losses }, this.#options);
    const lost: Lost[] = [];
    for (const [at, loss] of losses.entries()) {
      const search = searches[at] as ShardSearch;
      if (search.found) await this.#adopt(loss, search.found);
      else lost.push({ loss, impostors: search.impostors });
    }
    await this.#makeAll(lost);
    return { healed: this.#healed, unhealed: this.#unhealed, bytesWritten: this.#bytesWritten };
  }

  async #adopt({ index, place: from }: ShardLoss, found: GoodShard): Promise<void> {
    this.#sources.push(found);
    this.#homes.take(found.link);
    const to = found.link.facts.number;
    if ((await this.#options.books.place({ index, from, to })) === 'placed') {
      this.#healed.push({ index, from, to, made: false });
    }
  }

  /** As many side by side as memory is meant for. */
  async #makeAll(lost: readonly Lost[]): Promise<void> {
    const [source] = this.#sources;
    const count = source ? Math.max(1, Math.floor(SHARDS_MADE_BYTES_MAX / source.frame.bytes)) : lost.length;
    for (let start = 0; start < lost.length; start += count) {
      this.#options.signal?.throwIfAborted();
      await this.#makeSome(lost.slice(start, start + count));
    }
  }

  async #makeSome(lost: readonly Lost[]): Promise<void> {
    const housed = lost.flatMap((one): Housed[] => {
      const link = this.#homes.choose(one.loss, one.impostors);
      if (link === undefined) this.#leave(one.loss, this.#homeless(one.loss));
      return link ? [{ ...one, link }] : [];
    });
    try {
      const targets = housed.map(({ loss }) => loss.index);
      const made = housed.length > 0 ? await this.#make(targets) : [];
      const puts = made.map((shard, at) => this.#house(shard, housed[at] as Housed));
      await settleAll(puts);
    } catch (error) {
      if (!isStoreError(error, 'SHARD_CORRUPT', 'SHARDS_INSUFFICIENT', 'BACKEND_UNREACHABLE', 'FORMAT_UNSUPPORTED'))
        throw error;
      for (const { loss } of housed) this.#leave(loss, error);
    }
  }

  async #make(targets: readonly number[]): Promise<readonly MadeShard[]> {
    const { id, stripe, places } = this.#stripe;
    const tooFew = (more: readonly ShardLoss[]): StoreError => {
      const found = new Set(this.#sources.map(({ index }) => index));
      const losses = this.#inspection.losses.filter(({ index }) => !found.has(index));
      return tooFewShards({ id, k: stripe.k, shards: places.length }, [...losses, ...more]);
    };
    if (this.#sources.length < stripe.k) throw tooFew([]);
    try {
      return await makeShards({ stripe: this.#stripe, sources: this.#sources, targets }, this.#options);
    } catch (error) {
      if (!(error instanceof SourcesLost)) throw error;
      throw tooFew(error.losses);
    }
  }

  /** Puts a shard on its backend; where that fails, on another. */
  async #house({ index, blob }: MadeShard, { loss, impostors, link: first }: Housed): Promise<void> {
    const { books } = this.#options;
    const { place: from } = loss;
    let error: StoreError = this.#homeless(loss);
    for (let link: BackendLink | undefined = first; link; link = this.#homes.choose(loss, impostors)) {
      if (!(await books.isCurrent({ index, from }))) return;
      const failure = await this.#put(index, link, blob);
      if (failure === undefined) {
        const to = link.facts.number;
        const outcome = await books.place({ index, from, to });
        if (outcome === 'placed') this.#healed.push({ index, from, to, made: true });
        if (outcome === 'gone') await this.#takeBack(index, link);
        return;
      }
      error = failure;
      this.#homes.giveUp(link);
    }
    this.#leave(loss, error);
  }

  /** @returns why the shard does not lie there, after all */
  async #put(index: number, link: BackendLink, blob: Uint8Array): Promise<StoreError | undefined> {
    const { patience, readBack, signal } = this.#options;
    const key = shardKey(this.#stripe, index);
    try {
      const put = (stop: AbortSignal): Promise<void> =>
        link.call('write', (backend) => backend.put(key, blob, { signal: stop }), stop);
      await patience.ask(link, put, { signal, timeoutMs: SHARD_WRITE_TIMEOUT_MS });
    } catch (error) {
      if (!isStoreError(error) || !REFUSALS.has(error.kind)) throw error;
      return error;
    }
    this.#bytesWritten += blob.length;
    const found = await tryShard({ stripe: this.#stripe, index, link }, { patience, signal, depth: readBack });
    if ('frame' in found) return undefined;
    const message = `backend ${link.facts.name} took shard ${index} of pack ${toHex(this.#stripe.id)} and does not have it`;
    const details = { backend: link.facts.name, packId: toHex(this.#stripe.id) };
    return storeError('BACKEND_IO', message, { details, ...(found.error && { cause: found.error }) });
  }

  /** Names are never used again, so what is deleted here is nobody's. A shard that stays is garbage, and harmless. */
  async #takeBack(index: number, link: BackendLink): Promise<void> {
    const key = shardKey(this.#stripe, index);
    try {
      await link.call('write', (backend) => backend.delete(key, { spendReserve: true }));
    } catch (error) {
      if (!isStoreError(error) || !REFUSALS.has(error.kind)) throw error;
    }
  }

  #leave(loss: ShardLoss, error: StoreError): void {
    this.#unhealed.push({ loss, error });
  }

  #homeless({ index }: ShardLoss): StoreError {
    const packId = toHex(this.#stripe.id);
    const { k, m } = this.#stripe.stripe;
    const message = `no backend takes shard ${index} of pack ${packId}: the others hold as many as they should`;
    return storeError('REDUNDANCY_UNMET', message, {
      details: { packId, expected: k + m, actual: this.#sources.length },
    });
  }
}

interface Lost {
  readonly loss: ShardLoss;
  readonly impostors: readonly BackendLink[];
}

type Housed = Lost & { readonly link: BackendLink };

/** A backend that refuses a shard, for whatever reason of its own: another one may take it. */
const REFUSALS: ReadonlySet<StoreError['kind']> = new Set(['unavailable', 'exhausted', 'denied']);

function unknownPlace({ place }: ShardLoss): StoreError {
  const message = `backend number ${place} is not among the backends of the store`;
  return storeError('BACKEND_UNREACHABLE', message, { details: { backend: String(place) } });
}
