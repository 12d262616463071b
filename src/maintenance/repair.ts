/**
 * Gives packs the shards back that they lack: those closest to loss first. Keyless, as all work on shards is. It goes on
 * past what fails, and says at the end what is left.
 */
import { checkInteger } from '../errors/argument-error.ts';
import type { PackRow } from '../metadata/contract.ts';
import type { DegradedPack } from '../metadata/shard-contract.ts';
import { inspectStripe } from '../placement/inspect-stripe.ts';
import type { Patience } from '../placement/patience.ts';
import type { PlacedStripe } from '../placement/stripe-reader.ts';
import { allPacks } from './all-packs.ts';
import type { CheckOptions } from './checked-store.ts';
import { currentLosses, healPack, isHopeless, isLost, type PackHealing } from './heal-pack.ts';
import { Pace, type PaceOptions } from './pace.ts';
import { BoundedList, findingOf, type JobOutcome, type PackRepair, type ShardFinding } from './shard-reports.ts';
import { errorOf, fillInPlaces, patienceOf, type ShardStore, sleepOf } from './shard-store.ts';

/** How to repair. */
export interface RepairOptions extends CheckOptions, PaceOptions {
  /**
   * After the queue look at every other pack too: at the presence of its shards and what frames them, not at all their
   * bytes, which is what a verification does. Default false.
   */
  readonly all?: boolean;
  /** Look what is to be done and whether it can be, and do nothing. Default false. */
  readonly dryRun?: boolean;
  /** What is read back of every shard that was put: header and trailer, or all of it. Default `frame`. */
  readonly readBack?: 'frame' | 'whole';
}

/** What a repair did, and what is left to do. */
export interface RepairReport {
  /**
   * `damaged`: some packs have too few shards left. `partial`: something has to wait, for a backend, for the budget, or for
   * another process.
   */
  readonly outcome: JobOutcome;
  readonly dryRun: boolean;
  /** Packs that were looked at: those of the queue, with `all` every one. */
  readonly packs: number;
  /** Of them, those that have all of theirs again; in a dry run, those that would have. */
  readonly packsRepaired: number;
  /** Shards that were made anew, or would be. */
  readonly shardsMade: number;
  /** Shards that lay elsewhere than they should. */
  readonly shardsFound: number;
  readonly bytesWritten: number;
  /** Packs whose shards nobody could look for everywhere: a backend could not be asked. */
  readonly packsUnknown: number;
  /** Packs to which another process gives shards back just now: left to it. */
  readonly packsElsewhere: number;
  /** The first thousand packs that got shards back. */
  readonly repairs: readonly PackRepair[];
  /** The first thousand shards that are still not there; in a dry run, that are not there. */
  readonly findings: readonly ShardFinding[];
  readonly findingCount: number;
}

const PAGE_PACKS = 32;
const UNKNOWN_PAGE_PACKS = 1000;

/**
 * Repairs every pack of the queue, once.
 * @throws what is neither damage nor an unreachable backend; the signal's reason: what was done stays done
 */
export async function repairStore(store: ShardStore, options: RepairOptions = {}): Promise<RepairReport> {
  checkPace(options);
  return await new Repair(store, options).run();
}

/** @throws `RangeError`, `TypeError` for numbers that are none */
export function checkPace({ bytesPerSecond, budgetBytes }: PaceOptions): void {
  if (bytesPerSecond !== undefined) checkInteger('bytesPerSecond', bytesPerSecond, { min: 1 });
  if (budgetBytes !== undefined) checkInteger('budgetBytes', budgetBytes, { min: 1 });
}

class Repair {
  readonly #store: ShardStore;
  readonly #options: RepairOptions;
  readonly #patience: Patience;
  readonly #pace: Pace;
  readonly #repairs = new BoundedList<PackRepair>();
  readonly #findings = new BoundedList<ShardFinding>();
  #packs = 0;
  #packsRepaired = 0;
  #made = 0;
  #found = 0;
  #bytesWritten = 0;
  #elsewhere = 0;
  #isHopeless = false;
  #isPartial = false;

  constructor(store: ShardStore, options: RepairOptions) {
    this.#store = { ...store, writable: store.writable && options.dryRun !== true };
    this.#options = options;
    this.#patience = patienceOf(store);
    this.#pace = new Pace({ clock: store.clock, sleep: sleepOf(store) }, options);
  }

  async run(): Promise<RepairReport> {
    const { signal, onProgress, dryRun = false } = this.#options;
    const unknown = await this.#findPlaces();
    for await (const pack of this.#due()) {
      signal?.throwIfAborted();
      if (this.#pace.isSpent) {
        this.#isPartial = true;
        break;
      }
      await (dryRun ? this.#look(pack) : this.#heal(pack));
      this.#packs += 1;
      onProgress?.({ phase: 'repair', done: this.#packs, bytes: this.#pace.bytes });
    }
    const isPartial = this.#isPartial || unknown > 0 || this.#elsewhere > 0;
    return Object.freeze({
      outcome: this.#isHopeless ? 'damaged' : isPartial ? 'partial' : 'ok',
      dryRun,
      packs: this.#packs,
      packsRepaired: this.#packsRepaired,
      shardsMade: this.#made,
      shardsFound: this.#found,
      bytesWritten: this.#bytesWritten,
      packsUnknown: unknown,
      packsElsewhere: this.#elsewhere,
      repairs: this.#repairs.listed,
      findings: this.#findings.listed,
      findingCount: this.#findings.count,
    });
  }

  /** @returns how many packs there are whose places are not known, after all */
  async #findPlaces(): Promise<number> {
    const { metadata, backends } = this.#store;
    await fillInPlaces(this.#store, this.#options.signal);
    if (backends.links.length === 1) return 0;
    let count = 0;
    for (let after = 0; ; ) {
      const page = await metadata.packsOfUnknownPlace({ after, limit: UNKNOWN_PAGE_PACKS });
      count += page.length;
      const last = page.at(-1);
      if (last === undefined) return count;
      after = last.number;
    }
  }

  /** The queue, and then every other pack where that was asked for. */
  async *#due(): AsyncGenerator<PackRow & PlacedStripe> {
    const met = new Set<number>();
    for await (const pack of degradedPacks(this.#store, met)) yield pack;
    if (this.#options.all !== true) return;
    for await (const { places, ...pack } of allPacks(this.#store.metadata)) {
      if (places && !met.has(pack.number)) yield { ...pack, places };
    }
  }

  async #heal(pack: PackRow): Promise<void> {
    const { signal, readBack = 'frame' } = this.#options;
    const options = { patience: this.#patience, signal, readBack, onBytes: this.#onBytes };
    const healing = await healPack(this.#store, pack, options);
    this.#count(healing);
    for (const { loss, error } of healing.unhealed) this.#findings.add(findingOf(pack.id, loss, error));
    await this.#onBytes(healing.repair?.bytes ?? 0);
  }

  #count({ repair, made, unhealed, isElsewhere }: PackHealing): void {
    if (isElsewhere) {
      this.#elsewhere += 1;
      return;
    }
    if (repair) this.#repairs.add(repair);
    this.#made += made;
    this.#found += (repair?.shards.length ?? 0) - made;
    this.#bytesWritten += repair?.bytes ?? 0;
    if (unhealed.length === 0) this.#packsRepaired += 1;
    else if (unhealed.some(isHopeless)) this.#isHopeless = true;
    else this.#isPartial = true;
  }

  /** What `#heal` would meet. */
  async #look(pack: PackRow & PlacedStripe): Promise<void> {
    const { signal } = this.#options;
    const options = { depth: 'frame', patience: this.#patience, signal, onBytes: this.#onBytes } as const;
    const inspection = await inspectStripe(this.#store.backends, pack, options);
    const losses = await currentLosses(this.#store, pack, inspection.losses);
    for (const loss of losses) this.#findings.add(findingOf(pack.id, loss, errorOf(pack.id, loss)));
    const away = losses.filter(({ reason }) => reason === 'unreachable').length;
    if (isLost(inspection)) this.#isHopeless = true;
    else if (away > 0) this.#isPartial = true;
    else this.#packsRepaired += 1;
    if (inspection.good.length >= pack.stripe.k) this.#made += losses.length - away;
  }

  readonly #onBytes = (bytes: number): Promise<void> => this.#pace.take(bytes, this.#options.signal);
}

/**
 * The queue, each pack of it once: one that could not be repaired is not met again, however its margin changes.
 * @param met numbers of packs, which grow
 */
async function* degradedPacks({ metadata }: ShardStore, met: Set<number>): AsyncGenerator<DegradedPack> {
  for (let after: DegradedPack | undefined; ; ) {
    const page = await metadata.packsToRepair({ limit: PAGE_PACKS, ...(after && { after }) });
    for (const pack of page) {
      if (met.has(pack.number)) continue;
      met.add(pack.number);
      yield pack;
    }
    after = page.at(-1);
    if (after === undefined) return;
  }
}
