/**
 * Reads every shard of a store and hashes it anew, block by block, where it lies: the only way to know that bytes which
 * nobody asked for in years are still what they were. Keyless: shards are checked, never opened.
 *
 * What was not verified for longest comes first, and each shard that is good is marked with the time. So a verification
 * that was stopped, or had no budget for more, goes on where it was.
 */
import { toHex } from '../bytes/bytes.ts';
import { argumentRangeError, checkInteger } from '../errors/argument-error.ts';
import { VERIFIED_BATCH_SHARDS } from '../limits.ts';
import type { Metadata, PackRow } from '../metadata/contract.ts';
import type { DegradedPack, VerifiedPack, VerifiedShard } from '../metadata/shard-contract.ts';
import { type FoundPlaces, locateShards } from '../placement/find-shards.ts';
import { inspectStripe, type StripeInspection } from '../placement/inspect-stripe.ts';
import type { Patience } from '../placement/patience.ts';
import type { ShardLoss } from '../placement/shard-loss.ts';
import type { CheckOptions } from './checked-store.ts';
import { currentLosses, isLost, queueLosses } from './heal-pack.ts';
import { Pace, type PaceOptions } from './pace.ts';
import { checkPace } from './repair.ts';
import { createSample } from './sample.ts';
import { BoundedList, findingOf, type JobOutcome, type ShardFinding } from './shard-reports.ts';
import { errorOf, fillInPlaces, patienceOf, type ShardStore, sleepOf } from './shard-store.ts';

/** What to verify, and how fast. */
export interface VerifyOptions extends CheckOptions, PaceOptions {
  /** Verify a sample of so many packs in a hundred, above 0 up to 100. Default 100. */
  readonly percent?: number;
  /** Draws the sample; the same text draws the same packs. Default: drawn, and told in the report. */
  readonly seed?: string;
  /** Pass over shards that were verified since then, milliseconds ago. Default 0: over none. */
  readonly maxAgeMs?: number;
  /** Mark nothing as verified and queue nothing for repair. Default false; true for a store that is open read-only. */
  readonly dryRun?: boolean;
}

/** What a verification read, and what it found. */
export interface VerifyReport {
  /**
   * `damaged`: shards are missing or corrupt. `partial`: backends could not be asked, or the budget was spent before all
   * that was due was verified; what was asked to be passed over is not left out.
   */
  readonly outcome: JobOutcome;
  readonly dryRun: boolean;
  /** Packs that were verified, and packs that the store has. */
  readonly packs: number;
  readonly packsTotal: number;
  /** Shards of the verified packs, by what they are. */
  readonly shardsGood: number;
  readonly shardsMissing: number;
  readonly shardsCorrupt: number;
  readonly shardsUnreachable: number;
  /** Packs with fewer than k shards left: their content is lost unless shards come back. */
  readonly packsLost: number;
  readonly bytesRead: number;
  /** Whether the budget ended it. */
  readonly budgetSpent: boolean;
  readonly percent: number;
  /** What drew the sample; absent where there was none. */
  readonly seed?: string;
  /** The first thousand shards that are not good. */
  readonly findings: readonly ShardFinding[];
  readonly findingCount: number;
}

const PAGE_PACKS = 100;
const SEED_BYTES = 8;

/**
 * Verifies the shards of a store.
 * @throws what is neither damage nor an unreachable backend; the signal's reason: what was marked stays marked;
 *   `RangeError`, `TypeError` for options
 */
export async function verifyStore(store: ShardStore, options: VerifyOptions = {}): Promise<VerifyReport> {
  checkVerifyOptions(options);
  return await new Verification(store, options).run();
}

/** @throws `RangeError`, `TypeError` */
export function checkVerifyOptions({ percent = 100, maxAgeMs = 0, ...pace }: VerifyOptions): void {
  checkPace(pace);
  checkInteger('maxAgeMs', maxAgeMs, { min: 0 });
  if (!(percent > 0 && percent <= 100)) throw argumentRangeError('percent', 'above 0 and at most 100', percent);
}

class Verification {
  readonly #store: ShardStore;
  readonly #options: VerifyOptions;
  readonly #patience: Patience;
  readonly #pace: Pace;
  readonly #percent: number;
  readonly #seed: string;
  readonly #findings = new BoundedList<ShardFinding>();
  readonly #shards = { good: 0, missing: 0, corrupt: 0, unreachable: 0 };
  readonly #marks: VerifiedShard[] = [];
  /** What was verified since then, and not in the future, is not due. */
  #before: number;
  #packs = 0;
  #packsLost = 0;
  #budgetSpent = false;

  constructor(store: ShardStore, options: VerifyOptions) {
    this.#store = { ...store, writable: store.writable && options.dryRun !== true };
    this.#options = options;
    this.#patience = patienceOf(store);
    this.#pace = new Pace({ clock: store.clock, sleep: sleepOf(store) }, options);
    this.#percent = options.percent ?? 100;
    this.#before = Math.max(0, store.clock.now() - (options.maxAgeMs ?? 0));
    this.#seed = options.seed ?? toHex(store.random(SEED_BYTES));
  }

  async run(): Promise<VerifyReport> {
    const { signal, onProgress } = this.#options;
    await fillInPlaces(this.#store, signal);
    if ((this.#options.maxAgeMs ?? 0) === 0) await this.#meetAll();
    const { packs: total } = await this.#store.metadata.counters();
    try {
      for await (const pack of this.#due()) {
        signal?.throwIfAborted();
        if (this.#pace.isSpent) {
          this.#budgetSpent = true;
          break;
        }
        await this.#verify(pack);
        onProgress?.({ phase: 'verify', done: this.#packs, total, bytes: this.#pace.bytes });
      }
    } finally {
      await this.#mark();
    }
    return this.#report(total);
  }

  /** Whatever was verified or stored until now is due: this run marks by a time that nothing is marked with yet. */
  async #meetAll(): Promise<void> {
    const { metadata } = this.#store;
    const isTaken = async (time: number): Promise<boolean> => {
      const after = { verifiedAt: time - 1, number: Number.MAX_SAFE_INTEGER };
      return (await metadata.packsVerifiedBefore({ before: time + 1, after, limit: 1 })).length > 0;
    };
    while (await isTaken(this.#before)) this.#before += 1;
  }

  /** Packs with a shard that is old enough, and those that have no shard left, of the sample. */
  async *#due(): AsyncGenerator<PackRow> {
    const { metadata, clock } = this.#store;
    const isDrawn = createSample(this.#percent, this.#seed);
    for await (const pack of packsWithoutShards(metadata)) if (isDrawn(pack.id)) yield pack;
    for await (const pack of verifiedPacks(metadata, 0, this.#before)) if (isDrawn(pack.id)) yield pack;
    // The clock has been set back since, and when these were verified nobody knows.
    const future = Math.max(this.#before, clock.now()) + 1;
    for await (const pack of verifiedPacks(metadata, future, Number.MAX_SAFE_INTEGER)) if (isDrawn(pack.id)) yield pack;
  }

  async #verify(row: PackRow): Promise<void> {
    const { signal } = this.#options;
    const options = { patience: this.#patience, signal };
    const { backends } = this.#store;
    const found =
      row.places === undefined ? await locateShards(backends, row, { ...options, depth: 'frame' }) : undefined;
    const stripe = { ...row, places: row.places ?? found?.places ?? [] };
    const onBytes = (bytes: number): Promise<void> => this.#pace.take(bytes, signal);
    const inspection = await inspectStripe(backends, stripe, { ...options, depth: 'whole', onBytes });
    const losses = found ? unfound(inspection.losses, found) : await currentLosses(this.#store, row, inspection.losses);
    this.#packs += 1;
    this.#count(row, { inspection: { ...inspection, losses }, losses });
    await (found ? this.#learn(row, found) : queueLosses(this.#store, row, { inspection, losses }));
    await this.#note(row, inspection);
  }

  /** Where all shards of a pack were found, they can be marked. */
  async #learn({ number: packNumber, stripe }: PackRow, { places }: FoundPlaces): Promise<void> {
    if (!this.#store.writable || places.includes(0)) return;
    const changes = places.map((to, index) => ({ index, from: index === 0 ? undefined : 0, to }));
    await this.#store.metadata.placeShards(changes.map((change) => ({ packNumber, stripeId: stripe.id, ...change })));
  }

  #count(row: PackRow, found: { readonly inspection: StripeInspection; readonly losses: readonly ShardLoss[] }): void {
    const { inspection, losses } = found;
    this.#shards.good += inspection.good.length;
    for (const loss of losses) {
      this.#shards[loss.reason] += 1;
      this.#findings.add(findingOf(row.id, loss, errorOf(row.id, loss)));
    }
    if (losses.length > 0 && isLost(inspection)) this.#packsLost += 1;
  }

  async #note({ number: packNumber }: PackRow, { stripe, good }: StripeInspection): Promise<void> {
    // A clock that was set back must not make a pack due again in the same run.
    const time = Math.max(this.#before, this.#store.clock.now());
    for (const { index, link } of good) {
      this.#marks.push({ packNumber, stripeId: stripe.stripe.id, index, time, place: link.facts.number });
    }
    if (this.#marks.length >= VERIFIED_BATCH_SHARDS) await this.#mark();
  }

  async #mark(): Promise<void> {
    const marks = this.#marks.splice(0);
    if (this.#store.writable && marks.length > 0) await this.#store.metadata.markVerified(marks);
  }

  #report(packsTotal: number): VerifyReport {
    const { good, missing, corrupt, unreachable } = this.#shards;
    const isPartial = unreachable > 0 || this.#budgetSpent;
    return Object.freeze({
      outcome: missing + corrupt > 0 ? 'damaged' : isPartial ? 'partial' : 'ok',
      dryRun: !this.#store.writable,
      packs: this.#packs,
      packsTotal,
      shardsGood: good,
      shardsMissing: missing,
      shardsCorrupt: corrupt,
      shardsUnreachable: unreachable,
      packsLost: this.#packsLost,
      bytesRead: this.#pace.bytes,
      budgetSpent: this.#budgetSpent,
      percent: this.#percent,
      ...(this.#percent < 100 && { seed: this.#seed }),
      findings: this.#findings.listed,
      findingCount: this.#findings.count,
    });
  }
}

/** Shards that were not found of a pack of unknown places: a backend that could not be asked may have them. */
function unfound(losses: readonly ShardLoss[], { isComplete }: FoundPlaces): readonly ShardLoss[] {
  if (isComplete) return losses;
  return losses.map((loss) => (loss.place === 0 ? { ...loss, reason: 'unreachable' } : loss));
}

/** Packs that were verified at `from` or later, and before `before`: the oldest first. */
export async function* verifiedPacks(metadata: Metadata, from: number, before: number): AsyncGenerator<VerifiedPack> {
  let after = { verifiedAt: from - 1, number: Number.MAX_SAFE_INTEGER };
  for (;;) {
    const page = await metadata.packsVerifiedBefore({ before, after, limit: PAGE_PACKS });
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last;
  }
}

/** Packs of which every shard is known to lie nowhere: they stand in no order of verification. */
async function* packsWithoutShards(metadata: Metadata): AsyncGenerator<PackRow> {
  for (let after: DegradedPack | undefined; ; ) {
    const page = await metadata.packsToRepair({ limit: PAGE_PACKS, ...(after && { after }) });
    // The smallest margin comes first: that of a pack without shards is -k.
    for (const pack of page) if (pack.places.every((place) => place === 0)) yield pack;
    after = page.at(-1);
    if (after === undefined || after.margin >= 0) return;
  }
}
