import { toHex } from '../bytes/bytes.ts';
import type { PackDescriptor } from '../format/index.ts';
import type { Metadata } from '../metadata/contract.ts';
import type { PlacementListener } from '../placement/pack-store.ts';
import type { ShardLoss } from '../placement/shard-loss.ts';
import type { PlacedStripe } from '../placement/stripe-reader.ts';
import type { Telemetry } from './events.ts';
import type { Health } from './health.ts';

/** Losses of so many packs are told once; after that some may be told again. */
const TOLD_MAX = 10_000;

/**
 * What an open store does about shards that a read had to do without: tells of each once, and queues its pack for
 * repair. Shards on a backend that cannot be asked are not lost: that is told of the backend.
 */
export class ShardWatch implements PlacementListener {
  readonly #metadata: Metadata;
  readonly #telemetry: Telemetry;
  readonly #health: Health;
  readonly #writable: () => boolean;
  readonly #told = new Set<string>();

  constructor(parts: {
    readonly metadata: Metadata;
    readonly telemetry: Telemetry;
    readonly health: Health;
    readonly writable: () => boolean;
  }) {
    this.#metadata = parts.metadata;
    this.#telemetry = parts.telemetry;
    this.#health = parts.health;
    this.#writable = parts.writable;
  }

  readonly onLosses = (stripe: PlacedStripe, losses: readonly ShardLoss[]): void => {
    // A lone shard is what is read or not: whoever wanted it is told.
    if (stripe.places.length === 1) return;
    const lost = losses.filter(({ place, reason }) => place !== 0 && reason !== 'unreachable');
    const packId = toHex(stripe.id);
    const fresh = lost.filter(({ index, place }) => this.#isNew(`${packId}.${index}@${place}`));
    if (fresh.length > 0) this.#tell(packId, fresh);
    this.#queue(stripe, lost).catch((error: unknown) => {
      this.#health.judge(error);
      this.#telemetry.logger?.warn('lost shards could not be queued for repair', { error });
    });
  };

  onDegradedWrite({ id, places = [] }: PackDescriptor): void {
    const missing = places.filter((place) => place === 0).length;
    this.#telemetry.emit('degraded', { packId: toHex(id), shards: places.length, missing });
  }

  #isNew(name: string): boolean {
    if (this.#told.has(name)) return false;
    if (this.#told.size >= TOLD_MAX) this.#told.clear();
    this.#told.add(name);
    return true;
  }

  #tell(packId: string, losses: readonly ShardLoss[]): void {
    this.#telemetry.counts.shardsLost += losses.length;
    for (const { index, backend = '', reason, error } of losses) {
      const message = `shard ${index} of pack ${packId} on backend ${backend} is ${reason}; the others make up for it`;
      this.#telemetry.logger?.warn(message, { packId, backend, ...(error && { error: error.message }) });
      this.#telemetry.emit('loss', { packId, index, backend, reason });
    }
  }

  async #queue({ number, stripe }: PlacedStripe, lost: readonly ShardLoss[]): Promise<void> {
    if (number === undefined || lost.length === 0 || !this.#writable() || this.#health.poisoned) return;
    const pack = { packNumber: number, stripeId: stripe.id };
    await this.#metadata.placeShards(lost.map(({ index, place }) => ({ ...pack, index, from: place, to: 0 })));
  }
}
