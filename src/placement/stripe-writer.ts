/**
 * Puts the shards of a stripe on backends. Who fails is replaced by another while there is one; a stripe that ends with
 * k+w shards or more is good enough to be acknowledged, and those that it lacks are for repair.
 */
import { toHex } from '../bytes/bytes.ts';
import { isStoreError, type StoreError, storeError } from '../errors/store-error.ts';
import { type PackDescriptor, shardKey } from '../format/index.ts';
import { unlessAborted } from '../runtime/abort.ts';
import { sleep } from '../runtime/timers.ts';
import type { BackendLink } from './backend-link.ts';
import type { BackendSet } from './backend-set.ts';
import { chooseHomes, type Home } from './choose-homes.ts';
import type { EncodedStripe } from './encode-stripe.ts';

/** What names a pack on its backends. */
export type PackKeyParts = Pick<PackDescriptor, 'id' | 'class' | 'journal'>;

export interface WriteOptions {
  readonly signal?: AbortSignal;
  readonly spendReserve?: boolean;
}

/** How patient writing is. */
export interface WritePolicy {
  /** Parity shards that must be durable before a pack counts as written; at most m. Default `max(1, m - 1)`. */
  readonly parityMin?: number;
  /** How long a shard may take once enough others are there, milliseconds. */
  readonly graceMs: number;
  /** How long a shard may take at all where another backend could take it, milliseconds. */
  readonly timeoutMs: number;
}

export const WRITE_POLICY: WritePolicy = { graceMs: 5000, timeoutMs: 120_000 };

type Outcome = Home & { readonly error?: unknown };

/** Parity shards without which a stripe is not written. */
export function parityNeeded(m: number, parityMin?: number): number {
  return Math.min(m, parityMin ?? Math.max(1, m - 1));
}

/** One stripe on its way to the backends. */
export class StripeWriter {
  readonly #backends: BackendSet;
  readonly #policy: WritePolicy;
  readonly #pack: PackKeyParts;
  readonly #encoded: EncodedStripe;
  readonly #options: WriteOptions;
  readonly #stop = new AbortController();
  readonly #places: number[];
  readonly #failed = new Map<BackendLink, unknown>();

  constructor(
    parts: { readonly backends: BackendSet; readonly policy: WritePolicy },
    what: { readonly pack: PackKeyParts; readonly encoded: EncodedStripe },
    options: WriteOptions,
  ) {
    this.#backends = parts.backends;
    this.#policy = parts.policy;
    this.#pack = what.pack;
    this.#encoded = what.encoded;
    this.#options = options;
    this.#places = what.encoded.shards.map(() => 0);
  }

  /**
   * @returns the number of the backend of each shard, 0 for one that is on none
   * @throws `unavailable/REDUNDANCY_UNMET` when fewer than k+w shards could be written; what the backend threw where
   *   there is no choice of backends, or where all are full; the signal's reason
   */
  async write(): Promise<readonly number[]> {
    try {
      for (let attempts = this.#choose(); attempts.length > 0; attempts = this.#choose()) await this.#round(attempts);
      if (this.#written < this.#needed) throw this.#error();
      return this.#places;
    } catch (error) {
      await this.#takeBack();
      throw error;
    } finally {
      this.#stop.abort();
    }
  }

  get #needed(): number {
    const { k, m } = this.#encoded.stripe;
    return k + parityNeeded(m, this.#policy.parityMin);
  }

  get #written(): number {
    return this.#places.filter((place) => place !== 0).length;
  }

  /** Backends for the shards that have none yet. */
  #choose(): readonly Home[] {
    this.#options.signal?.throwIfAborted();
    const all = this.#backends.links.filter((link) => link.takesShards);
    const open = all.filter((link) => !this.#failed.has(link));
    const eager = open.filter((link) => !link.isAvoided);
    const chosen = this.#chooseFrom(eager);
    // Without those that failed lately it cannot be done, so they are asked all the same.
    return this.#written + chosen.length < this.#needed ? this.#chooseFrom(open) : chosen;
  }

  #chooseFrom(links: readonly BackendLink[]): readonly Home[] {
    return chooseHomes(this.#backends, {
      packId: this.#pack.id,
      shards: this.#places.length,
      indexes: this.#places.flatMap((place, index) => (place === 0 ? [index] : [])),
      links,
      taken: this.#places.flatMap((place) => this.#backends.find(place) ?? []),
    });
  }

  /** Puts shards side by side; ends when each has ended, or enough are there and the others had their time. */
  async #round(attempts: readonly Home[]): Promise<void> {
    const open = new Set(attempts);
    const { promise: enough, resolve: tellEnough } = Promise.withResolvers<void>();
    const ends = attempts.map(async (attempt) => {
      const outcome = await this.#put(attempt);
      if (!open.delete(attempt)) return;
      this.#take(outcome);
      if (this.#written >= this.#needed) tellEnough();
    });
    // Where there is nobody else, nobody is waited for less.
    const isLone = this.#places.length === 1;
    const patience = isLone ? [] : [this.#lateAfter(enough)];
    await unlessAborted(Promise.race([Promise.all(ends), ...patience]), isLone ? undefined : this.#options.signal);
    for (const attempt of [...open]) {
      open.delete(attempt);
      attempt.link.noteFailure('a shard took too long to be written');
      const message = `backend ${attempt.link.facts.name} took too long`;
      this.#take({
        ...attempt,
        error: storeError('BACKEND_IO', message, { details: { backend: attempt.link.facts.name } }),
      });
    }
    this.#options.signal?.throwIfAborted();
  }

  async #lateAfter(enough: Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    const wait = (ms: number): Promise<void> => sleep(ms, { signal }).catch(() => undefined);
    await Promise.race([enough.then(() => wait(this.#policy.graceMs)), wait(this.#policy.timeoutMs)]);
  }

  async #put(attempt: Home): Promise<Outcome> {
    const { index, link } = attempt;
    const { signal, spendReserve } = this.#options;
    // A lone shard lies in a buffer of the caller's, to be used again: its put is waited for, whatever happens.
    const isLone = this.#places.length === 1;
    const stop = isLone ? signal : AbortSignal.any([this.#stop.signal, ...(signal ? [signal] : [])]);
    const options = { ...(stop && { signal: stop }), ...(spendReserve && { spendReserve }) };
    const bytes = this.#encoded.shards[index] as Uint8Array;
    try {
      await link.call('write', (backend) => backend.put(shardKey(this.#pack, index), bytes, options), stop);
      return attempt;
    } catch (error) {
      return { ...attempt, error };
    }
  }

  #take({ index, link, error }: Outcome): void {
    if (error === undefined) this.#places[index] = link.facts.number;
    else this.#failed.set(link, error);
  }

  /** What was written of a stripe that failed is nobody's. */
  async #takeBack(): Promise<void> {
    const deletes = this.#places.map(async (place, index) => {
      const link = place === 0 ? undefined : this.#backends.find(place);
      await link?.call('write', (backend) => backend.delete(shardKey(this.#pack, index), { spendReserve: true }));
    });
    await Promise.allSettled(deletes);
  }

  #error(): unknown {
    const errors = [...this.#failed.values()];
    const [first] = errors;
    const hasChoice = this.#backends.links.length > 1;
    const unforeseen = errors.find((error) => !isStoreError(error));
    if (unforeseen !== undefined) return unforeseen;
    const areFull = errors.length > 0 && errors.every((error) => isStoreError(error) && error.kind === 'exhausted');
    if (first !== undefined && (!hasChoice || areFull)) return first;
    const why = [...this.#failed].map(([{ facts }, error]) => `${facts.name}: ${(error as StoreError).message}`).sort();
    const reasons = why.length > 0 ? `: ${why.join('; ')}` : ', and no backend takes more of them';
    const message = `of ${this.#places.length} shards ${this.#written} could be written, where ${this.#needed} must${reasons}`;
    return storeError('REDUNDANCY_UNMET', message, {
      details: { packId: toHex(this.#pack.id), expected: this.#needed, actual: this.#written },
      ...(first !== undefined && { cause: first }),
    });
  }
}
