import { toHex } from '../bytes/bytes.ts';
import { invariant, type StoreError } from '../errors/store-error.ts';
import type { PackRow } from '../metadata/contract.ts';
import { healStripe, type PlaceBooks, type Replacement, type UnhealedShard } from '../placement/heal-stripe.ts';
import type { InspectionDepth } from '../placement/inspect-shard.ts';
import { inspectStripe, type StripeInspection } from '../placement/inspect-stripe.ts';
import type { Patience } from '../placement/patience.ts';
import type { ShardLoss } from '../placement/shard-loss.ts';
import type { PackRepair, RepairedShard } from './shard-reports.ts';
import { currentRow, placedStripe, type ShardStore } from './shard-store.ts';

export interface HealPackOptions {
  readonly patience: Patience;
  /** How closely what was put is read back. */
  readonly readBack: InspectionDepth;
  readonly onBytes?: (bytes: number) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

export interface PackHealing {
  /** Absent where nothing was to be given back, or could be. */
  readonly repair?: PackRepair;
  /** How many shards were made; the others of `repair` were found. */
  readonly made: number;
  readonly unhealed: readonly UnhealedShard[];
  /** Another process heals this pack just now: nothing was done. */
  readonly isElsewhere?: true;
}

const NOTHING: PackHealing = { made: 0, unhealed: [] };

/**
 * Looks which shards a pack lacks, by their frames, and gives them back as far as it can. What it lacks and cannot be
 * given back now is queued.
 * @param row its places are known
 * @throws what metadata and backends should not throw; the signal's reason
 */
export async function healPack(store: ShardStore, row: PackRow, options: HealPackOptions): Promise<PackHealing> {
  const stripe = placedStripe(row);
  invariant(stripe, 'a pack is healed whose places are known');
  const inspection = await inspectStripe(store.backends, stripe, { ...options, depth: 'frame' });
  if (inspection.losses.length === 0) return NOTHING;
  const lease = `repair/${row.number}`;
  if (await store.leases?.take(lease)) return { ...NOTHING, isElsewhere: true };
  try {
    return await healInspected(store, inspection, { ...options, row });
  } finally {
    await store.leases?.leave(lease);
  }
}

async function healInspected(
  store: ShardStore,
  inspection: StripeInspection,
  { row, ...options }: HealPackOptions & { readonly row: PackRow },
): Promise<PackHealing> {
  const books = new MetadataBooks(store, row);
  const { healed, unhealed, bytesWritten } = await healStripe(store.backends, inspection, { ...options, books });
  const real = await stillThere(store, row, unhealed);
  await queueLosses(store, row, { inspection, losses: real.map(({ loss }) => loss) });
  const made = healed.filter((shard) => shard.made).length;
  if (healed.length === 0) return { made, unhealed: real };
  const shards = healed.toSorted((a, b) => a.index - b.index).map((shard) => describe(store, shard));
  const repair = Object.freeze({ packId: toHex(row.id), shards: Object.freeze(shards), bytes: bytesWritten });
  store.onRepair?.(repair);
  return { repair, made, unhealed: real };
}

/** Losses that still are some: a pack that was dropped meanwhile lacks nothing, and others heal too. */
async function stillThere<T extends { readonly loss: ShardLoss }>(
  { metadata }: ShardStore,
  row: PackRow,
  found: readonly T[],
): Promise<readonly T[]> {
  if (found.length === 0) return found;
  const now = await currentRow(metadata, row);
  return found.filter(({ loss }) => now?.places?.[loss.index] === loss.place);
}

/** Losses of a pack that still are some, with what a reader would be told. */
export async function currentLosses(
  store: ShardStore,
  row: PackRow,
  losses: readonly ShardLoss[],
): Promise<readonly ShardLoss[]> {
  const found = await stillThere(
    store,
    row,
    losses.map((loss) => ({ loss })),
  );
  return found.map(({ loss }) => loss);
}

/**
 * Puts what is missing or corrupt into the queue of repair. Where fewer than k shards can be left, everything in the pack
 * is flagged: the next put of that content stores it anew.
 * @param found `losses`: those that still are some
 */
export async function queueLosses(
  { metadata, writable }: ShardStore,
  row: PackRow,
  found: { readonly inspection: StripeInspection; readonly losses: readonly ShardLoss[] },
): Promise<void> {
  const lost = found.losses.filter(({ reason }) => reason !== 'unreachable');
  if (!writable || lost.length === 0) return;
  // Nothing makes a lone shard anew: where it should be is all there is to know of it, in case it comes back.
  const isLone = row.stripe.k + row.stripe.m === 1;
  const changes = lost.flatMap(({ index, place: from }) => (from === 0 || isLone ? [] : [{ index, from, to: 0 }]));
  const shard = { packNumber: row.number, stripeId: row.stripe.id };
  if (changes.length > 0) await metadata.placeShards(changes.map((change) => ({ ...shard, ...change })));
  if (isLost(found.inspection)) await metadata.markPacksSuspect([row.number]);
}

/** Whether fewer than k shards can be left, those that could not be asked counted as good. */
export function isLost({ stripe: { stripe }, good, losses }: StripeInspection): boolean {
  return good.length + losses.filter(({ reason }) => reason === 'unreachable').length < stripe.k;
}

/** Errors of a healing that no later one can do better about. */
export function isHopeless({ error }: { readonly error: StoreError }): boolean {
  return error.kind === 'corrupt';
}

function describe({ backends }: ShardStore, { index, from, to }: Replacement): RepairedShard {
  const name = (number: number): string => backends.find(number)?.facts.name ?? String(number);
  return Object.freeze({ index, ...(from !== 0 && { from: name(from) }), to: name(to) });
}

/** The metadata as the books of one pack. */
class MetadataBooks implements PlaceBooks {
  readonly #store: ShardStore;
  readonly #row: PackRow;

  constructor(store: ShardStore, row: PackRow) {
    this.#store = store;
    this.#row = row;
  }

  async isCurrent({ index, from }: Pick<Replacement, 'index' | 'from'>): Promise<boolean> {
    const now = await currentRow(this.#store.metadata, this.#row);
    return now?.places?.[index] === from;
  }

  async place(change: Replacement): Promise<'placed' | 'changed' | 'gone'> {
    const { metadata } = this.#store;
    const { number: packNumber, stripe } = this.#row;
    const [isPlaced] = await metadata.placeShards([{ packNumber, stripeId: stripe.id, ...change }]);
    if (isPlaced) return 'placed';
    return (await currentRow(metadata, this.#row)) ? 'changed' : 'gone';
  }
}
