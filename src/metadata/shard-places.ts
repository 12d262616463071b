/**
 * Changes of where shards lie. Only local columns are written, which no digest and no seal covers: no sum changes, and
 * in a sealed store no row is sealed anew.
 */
import { equalBytes } from '../bytes/bytes.ts';
import { checkInteger } from '../errors/argument-error.ts';
import type { PackDescriptor } from '../format/types.ts';
import { BACKEND_NUMBER_MAX, VERIFIED_TIME_MS_MAX } from '../limits.ts';
import type { Transaction, Writer } from './database.ts';
import type { StoredPack } from './rows.ts';
import { encodeLocalColumns, LOCAL_COLUMNS, shardCountOf, shardsOf } from './shard-columns.ts';
import type { PlaceChange, ShardName, VerifiedShard } from './shard-contract.ts';
import type { Tables } from './tables.ts';

const UPDATE = `UPDATE packs SET ${LOCAL_COLUMNS.map((column) => `${column} = ?`).join(', ')} WHERE number = ?`;

/** Packs of one transaction whose local columns change. */
class PlacedPacks {
  readonly #packs: Map<number, StoredPack>;
  readonly #changed = new Set<number>();

  private constructor(packs: Map<number, StoredPack>) {
    this.#packs = packs;
  }

  static async load(transaction: Transaction, tables: Tables, names: readonly ShardName[]): Promise<PlacedPacks> {
    const numbers = [...new Set(names.map(({ packNumber }) => packNumber))];
    const rows = await tables.packs.load(
      transaction,
      numbers.map((number) => [number]),
    );
    return new PlacedPacks(new Map(rows.flatMap((found) => (found ? [[found.row.number, found.row]] : []))));
  }

  /**
   * The pack that has this shard, while it is live.
   * @throws `RangeError` when its stripe has no such shard
   */
  find({ packNumber, stripeId, index }: ShardName): StoredPack | undefined {
    const pack = this.#packs.get(packNumber);
    if (!pack || pack.dropped || !equalBytes(pack.descriptor.stripe.id, stripeId)) return undefined;
    checkInteger('index', index, { min: 0, max: shardCountOf(pack.descriptor) - 1 });
    return pack;
  }

  put(pack: StoredPack): void {
    this.#packs.set(pack.number, pack);
    this.#changed.add(pack.number);
  }

  async save(transaction: Transaction): Promise<void> {
    const changed = [...this.#packs.values()].filter(({ number }) => this.#changed.has(number));
    if (changed.length === 0) return;
    await transaction.run(
      UPDATE,
      changed.map((pack) => [...encodeLocalColumns(pack), pack.number]),
    );
  }
}

function placeOne(packs: PlacedPacks, change: PlaceChange): boolean {
  const pack = packs.find(change);
  if (!pack) return false;
  const { index, from, to } = change;
  const { descriptor } = pack;
  if (descriptor.places?.[index] !== from) return false;
  if (from === to) return true;
  const nowhere = Array.from({ length: shardCountOf(descriptor) }, () => 0);
  const { places, verified } = shardsOf(pack) ?? { places: nowhere, verified: nowhere };
  packs.put({
    ...pack,
    descriptor: { ...descriptor, places: places.with(index, to) },
    verified: verified.with(index, 0),
  });
  return true;
}

/** See `ShardPlaces.placeShards`. */
export async function placeShards(
  writer: Writer,
  tables: Tables,
  changes: readonly PlaceChange[],
): Promise<readonly boolean[]> {
  for (const { to } of changes) checkInteger('to', to, { min: 0, max: BACKEND_NUMBER_MAX });
  return writer.write(async (transaction) => {
    const packs = await PlacedPacks.load(transaction, tables, changes);
    const placed = changes.map((change) => placeOne(packs, change));
    await packs.save(transaction);
    return placed;
  });
}

/** See `ShardPlaces.markVerified`. */
export async function markVerified(writer: Writer, tables: Tables, found: readonly VerifiedShard[]): Promise<void> {
  for (const { time } of found) checkInteger('time', time, { min: 0, max: VERIFIED_TIME_MS_MAX });
  await writer.write(async (transaction) => {
    const packs = await PlacedPacks.load(transaction, tables, found);
    for (const shard of found) {
      const pack = packs.find(shard);
      const shards = pack && shardsOf(pack);
      const place = shards?.places[shard.index];
      if (!shards || place === 0 || (shard.place !== undefined && shard.place !== place)) continue;
      packs.put({ ...pack, verified: shards.verified.with(shard.index, shard.time) });
    }
    await packs.save(transaction);
  });
}

/**
 * A known pack with the places that a descriptor of it names, where none are known yet. Those that are known were
 * changed since, one by one, by who found a shard or missed it.
 */
export function learnPlaces(pack: StoredPack, { stripe, places }: PackDescriptor): StoredPack {
  const { descriptor } = pack;
  if (!places || descriptor.places || !equalBytes(stripe.id, descriptor.stripe.id)) return pack;
  return { ...pack, descriptor: { ...descriptor, places } };
}
