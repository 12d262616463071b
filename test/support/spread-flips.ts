/** Single bits flipped on the disks of a store that is spread over several: who notices, and what it becomes again. */
import { isDeepStrictEqual } from 'node:util';
import type { Backend } from '../../src/backend/contract.ts';
import { equalBytes } from '../../src/bytes/bytes.ts';
import { BACKEND_MARKER_KEY, STORE_CONFIG_KEY, shardKey } from '../../src/format/index.ts';
import { isStoreError } from '../../src/index.ts';
import { allPacks } from '../../src/maintenance/all-packs.ts';
import { patienceOf, placedStripe } from '../../src/maintenance/shard-store.ts';
import type { PackRow } from '../../src/metadata/contract.ts';
import { healStripe } from '../../src/placement/heal-stripe.ts';
import { inspectStripe } from '../../src/placement/inspect-stripe.ts';
import type { PlacedStripe } from '../../src/placement/stripe-reader.ts';
import type { Engine } from '../../src/store/engine.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { type FlipFigures, type FlipRun, flipped } from './flips.ts';
import { type KnownEntry, readEverything, type StoreImage } from './sealed-store.ts';
import { PaperBooks } from './striped-packs.ts';

/** A pack of the store, and what must be read of it whatever is flipped. */
interface KnownPack {
  readonly row: PackRow;
  readonly stripe: PlacedStripe;
  readonly bytes: Uint8Array;
}

async function packsOf({ metadata }: StoreImage, engine: Engine): Promise<readonly KnownPack[]> {
  const packs: KnownPack[] = [];
  for await (const row of allPacks(metadata)) {
    const stripe = placedStripe(row);
    const pack = await engine.packs.openWhole(row);
    if (stripe === undefined || pack === undefined) throw new Error('every pack of the sample is there');
    packs.push({ row, stripe, bytes: pack.bytes });
  }
  return packs;
}

/**
 * Flips bits of shards, one at a time, of which each pack can lose one. Every flip is seen by whoever looks at the shards
 * of its pack, the pack reads as if nothing had happened, and healing brings back the very bytes that were there.
 * @throws at the first flip of which that is not so
 */
export async function flipShards({ image, known, count, seed, readEvery }: FlipRun): Promise<FlipFigures> {
  const random = seededRandom(seed);
  const figures: FlipFigures = new Map();
  const { engine } = await image.open();
  const { backends } = engine.connection;
  const packs = await packsOf(image, engine);
  for (let done = 0; done < count; done += 1) {
    const { row, stripe, bytes } = packs[done % packs.length] as KnownPack;
    const index = random.integer(stripe.places.length);
    const [key, disk] = [shardKey(row, index), backends.get(stripe.places[index] as number).backend as Backend];
    const blob = (await disk.get(key)) as Uint8Array;
    await disk.put(key, flipped(blob, random.integer(8 * blob.length)));
    const failed = (what: string): Error => new Error(`flip ${done} of seed ${seed}: a bit of ${key} ${what}`);

    const patience = patienceOf({});
    const inspection = await inspectStripe(backends, stripe, { patience, depth: 'whole' });
    const seen = inspection.losses.map((loss) => ({ index: loss.index, reason: loss.reason }));
    if (!isDeepStrictEqual(seen, [{ index, reason: 'corrupt' }])) throw failed(`is seen as ${JSON.stringify(seen)}`);
    const pack = await engine.packs.openWhole(row);
    if (pack === undefined || !equalBytes(pack.bytes, bytes)) throw failed('makes its pack another');
    if (done % readEvery === 0) await readsRight(image, known);
    await healStripe(backends, inspection, { patience, readBack: 'whole', books: new PaperBooks(stripe) });
    if (!equalBytes((await disk.get(key)) ?? new Uint8Array(0), blob)) throw failed('is not healed');
    const what = `shard ${stripe.stripe.k === 1 ? 'of copies' : 'of a stripe'}, seen and healed`;
    figures.set(what, (figures.get(what) ?? 0) + 1);
  }
  return figures;
}

/** A process that knows nothing yet reads everything, and has no excuse. */
async function readsRight(image: StoreImage, known: readonly KnownEntry[]): Promise<void> {
  const codes = await readEverything((await image.open()).store, known);
  if (codes.size > 0) throw new Error(`with one bad shard a read fails: ${[...codes].join(', ')}`);
}

/**
 * Flips bits of what every disk has of its own, config and mark, one at a time. At the place of the store the flip is
 * refused by whoever opens it; of another disk the store does without what is damaged, and reads everything.
 * @throws at the first flip of which that is not so
 */
export async function flipControls({ image, known, count, seed }: FlipRun): Promise<FlipFigures> {
  const random = seededRandom(seed);
  const figures: FlipFigures = new Map();
  const disks: readonly Backend[] = [image.backend, ...image.others];
  for (let done = 0; done < count; done += 1) {
    const disk = disks[done % disks.length] as Backend;
    const key = Math.floor(done / disks.length) % 2 === 0 ? STORE_CONFIG_KEY : BACKEND_MARKER_KEY;
    const blob = (await disk.get(key)) as Uint8Array;
    await disk.put(key, flipped(blob, random.integer(8 * blob.length)));
    const ended = await endOf(image, known);
    await disk.put(key, blob);
    if ((disk === image.backend) === (ended === READ))
      throw new Error(`flip ${done} of seed ${seed}: a bit of ${key} of disk ${done % disks.length} ends in ${ended}`);
    const what = `${key}, ${disk === image.backend ? 'at the place of the store' : 'of another disk'}: ${ended}`;
    figures.set(what, (figures.get(what) ?? 0) + 1);
  }
  return figures;
}

const READ = 'everything is read';

/** What becomes of a process that opens the store and reads everything. */
async function endOf(image: StoreImage, known: readonly KnownEntry[]): Promise<string> {
  try {
    await readsRight(image, known);
    return READ;
  } catch (error) {
    if (!isStoreError(error) || !REFUSALS.has(error.code)) throw error;
    return error.code;
  }
}

/** What says that the place of a store is not what it was. */
const REFUSALS: ReadonlySet<string> = new Set(['CONFIG_CORRUPT', 'FORMAT_UNSUPPORTED', 'BACKEND_MISMATCH']);
