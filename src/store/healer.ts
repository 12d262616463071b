import { isStoreError } from '../errors/store-error.ts';
import { HEAL_STEP_BYTES, HEAL_STEP_MS, HEAL_STEP_PACKS, HEAL_WAIT_MS_MAX } from '../limits.ts';
import { healPack, type PackHealing } from '../maintenance/heal-pack.ts';
import { patienceOf, type ShardStore } from '../maintenance/shard-store.ts';
import type { DegradedPack } from '../metadata/shard-contract.ts';
import type { Patience } from '../placement/patience.ts';
import { every } from '../runtime/timers.ts';
import type { Telemetry } from './events.ts';
import type { Health } from './health.ts';

/** Packs that could not be healed are told of once; after so many some may be told of again. */
const TOLD_MAX = 1000;

interface HealerParts {
  readonly shards: () => ShardStore;
  readonly telemetry: Telemetry;
  readonly health: Health;
  /** Takes over what other processes have changed of the backends. */
  readonly follow: () => Promise<void>;
  /** Whether the store may have anything to heal: with one backend and no redundancy there is nothing to heal from. */
  readonly isRedundant: () => boolean;
}

/**
 * Heals an open store by itself: takes packs from the queue of repair, those closest to loss first, a bounded number of
 * bytes at a time. What cannot be healed now is tried again later and later; new losses, and a backend that is back, are
 * taken up at once.
 */
export class Healer {
  readonly #parts: HealerParts;
  readonly #stop = new AbortController();
  readonly #told = new Set<string>();
  #ticking: { stop(): void } | undefined;
  #working: Promise<unknown> = Promise.resolve();
  #isWorking = false;
  #after: DegradedPack | undefined;
  /** In the round through the queue that is under way. */
  #round = { healed: 0, failed: 0 };
  #waitMs = 0;
  #dueMs = 0;

  constructor(parts: HealerParts) {
    this.#parts = parts;
  }

  /** Steps from time to time until ended. */
  start(): void {
    const { telemetry } = this.#parts;
    telemetry.on('loss', () => this.#wake());
    telemetry.on('degraded', () => this.#wake());
    telemetry.on('backend', ({ state }) => state === 'up' && this.#wake());
    this.#ticking = every(HEAL_STEP_MS, () => void this.#tick());
  }

  /** Does work that must not meet a step of healing: a repair of the same packs would do everything twice. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const working = this.#working.then(work);
    this.#working = working.catch(() => undefined);
    return working;
  }

  /** Heals some packs. @returns how many got shards back */
  step(): Promise<number> {
    return this.exclusively(() => this.#step());
  }

  /** Stops at the next pack, and waits for it. */
  async end(): Promise<void> {
    this.#ticking?.stop();
    this.#stop.abort();
    await this.#working;
  }

  /** There may be something new to do: at the next tick, and not in the midst of a round. */
  #wake(): void {
    this.#waitMs = 0;
    this.#dueMs = 0;
  }

  async #tick(): Promise<void> {
    const { shards, health, isRedundant } = this.#parts;
    const nowMs = shards().clock.monotonicMs();
    if (this.#isWorking || health.poisoned || nowMs < this.#dueMs || !isRedundant()) return;
    this.#isWorking = true;
    try {
      await this.step();
    } catch (error) {
      this.#tellFailure(error);
    } finally {
      this.#isWorking = false;
    }
  }

  async #step(): Promise<number> {
    const { follow } = this.#parts;
    await follow();
    const store = this.#parts.shards();
    const patience = patienceOf(store);
    let [bytes, healed] = [0, 0];
    const onBytes = async (read: number): Promise<void> => {
      bytes += read;
    };
    for (let packs = 0; packs < HEAL_STEP_PACKS && bytes < HEAL_STEP_BYTES; packs += 1) {
      if (this.#stop.signal.aborted) break;
      const [pack] = await store.metadata.packsToRepair({ limit: 1, ...(this.#after && { after: this.#after }) });
      if (pack === undefined) {
        this.#endRound(store);
        break;
      }
      this.#after = pack;
      const healing = await this.#heal(store, pack, { patience, onBytes });
      if (healing.repair) healed += 1;
      bytes += healing.repair?.bytes ?? 0;
    }
    return healed;
  }

  async #heal(
    store: ShardStore,
    pack: DegradedPack,
    options: { readonly patience: Patience; readonly onBytes: (bytes: number) => Promise<void> },
  ): Promise<PackHealing> {
    const healing = await healPack(store, pack, { ...options, readBack: 'frame', signal: this.#stop.signal });
    if (healing.repair) this.#round.healed += 1;
    const [failure] = healing.unhealed;
    if (failure === undefined) return healing;
    this.#round.failed += 1;
    const { code, message, details } = failure.error;
    this.#tellOnce(`${pack.number} ${code}`, message, details);
    return healing;
  }

  /** The whole queue was gone through: what is left in it is left for later. */
  #endRound({ clock }: ShardStore): void {
    const { healed, failed } = this.#round;
    const isStuck = failed > 0 && healed === 0;
    this.#waitMs = isStuck ? Math.min(HEAL_WAIT_MS_MAX, Math.max(HEAL_STEP_MS, this.#waitMs * 2)) : 0;
    this.#dueMs = clock.monotonicMs() + this.#waitMs;
    this.#after = undefined;
    this.#round = { healed: 0, failed: 0 };
  }

  #tellFailure(error: unknown): void {
    const { health, shards } = this.#parts;
    if (this.#stop.signal.aborted) return;
    health.judge(error);
    this.#waitMs = Math.min(HEAL_WAIT_MS_MAX, Math.max(HEAL_STEP_MS, this.#waitMs * 2));
    this.#dueMs = shards().clock.monotonicMs() + this.#waitMs;
    const message = error instanceof Error ? error.message : String(error);
    this.#tellOnce(message, message, isStoreError(error) ? error.details : { error });
  }

  #tellOnce(failure: string, message: string, details: object): void {
    if (this.#told.has(failure)) return;
    if (this.#told.size >= TOLD_MAX) this.#told.clear();
    this.#told.add(failure);
    this.#parts.telemetry.logger?.warn(`not repaired yet: ${message}`, { ...details });
  }
}
