/** Is every pack on the backend, and does it hold what the metadata finds in it? */

import { concatBytes, equalBytes, toHex } from '../bytes/bytes.ts';
import { isStoreError } from '../errors/store-error.ts';
import type { DirectoryItem, PackClass, PackSeal } from '../format/index.ts';
import type { ItemLocation, Metadata, PackRow } from '../metadata/contract.ts';
import type { OpenedPack } from '../placement/pack-store.ts';
import { allPacks, packNumbered } from './all-packs.ts';
import { LeakCheck } from './check-leaks.ts';
import { PlacesCheck, tellOnce } from './check-places.ts';
import type { CheckedStore, CheckOptions } from './checked-store.ts';
import type { Garbage } from './garbage.ts';
import type { CheckRun } from './invariants/check-run.ts';
import { type ProblemList, type ProblemPlace, placeIn } from './problems.ts';
import { listingPasses, ShardListing } from './shard-listing.ts';
import { fillInPlaces, patienceOf } from './shard-store.ts';

const LOOKUP_ITEMS = 4096;
const NEEDED: Readonly<Partial<Record<PackClass, string>>> = {
  journal: 'the journal records in it',
  checkpoint: 'its part of a checkpoint',
};

export interface PacksChecked {
  /** What no pack accounts for. */
  readonly garbage: Garbage;
  /** Numbers of packs whose blobs are gone. */
  readonly lostPacks: ReadonlySet<number>;
}

/**
 * Lost packs are flagged where the store is writable, so that the next put of their content stores it anew; shards that
 * are not where they should be are queued for repair.
 */
export async function checkPacks(store: CheckedStore, run: CheckRun, options: CheckOptions): Promise<PacksChecked> {
  const { metadata, shards } = store;
  const { signal, onProgress } = options;
  await fillInPlaces(shards, signal);
  const { packs: total } = await metadata.counters();
  const [present, problems] = [run.problemsOf('packs-present'), run.problemsOf('shards-placed')];
  const agree = run.problemsOf('directories-agree');
  const lost = new Set<number>();
  const garbage = { blobs: 0, bytes: 0 };
  const unreachable = new Set<string>();
  const patience = patienceOf(shards);
  let done = 0;
  for (const pass of listingPasses(total)) {
    const listing = await ShardListing.read(shards.backends, pass.prefixes, signal);
    for (const error of listing.unreachable) tellOnce(error, unreachable, problems);
    for await (const pack of allPacks(metadata)) {
      if (!pass.has(pack)) continue;
      signal?.throwIfAborted();
      const places = new PlacesCheck({ store, listing, problems, patience, unreachable }, signal);
      places.account(pack);
      run.looked('shards-placed', pack.stripe.k + pack.stripe.m);
      if (await checkPack(store, pack, { present, agree })) await places.tell(pack);
      else lost.add(pack.number);
      done += 1;
      onProgress?.({ phase: 'check packs', done, total, bytes: 0 });
    }
    for (const pack of await metadata.droppedPacks(Number.MAX_SAFE_INTEGER)) listing.takeAll(pack);
    const leaks = new LeakCheck(store, run);
    for await (const left of listing.left()) {
      garbage.blobs += 1;
      garbage.bytes += left.bytes;
      await leaks.add(left);
    }
    await leaks.finish();
  }
  for (const name of ['no-leaked-packs', 'no-stray-shards'] as const) {
    run.looked(name, done);
    if (unreachable.size > 0) run.skip(name, 'not every backend could be asked');
  }
  run.looked('packs-present', done);
  run.looked('directories-agree', done);
  if (store.writable && lost.size > 0) await metadata.markPacksSuspect([...lost]);
  return { garbage, lostPacks: lost };
}

/** Where problems with packs go. */
interface PackProblems {
  readonly present: ProblemList;
  /** What they hold is not what the metadata says. */
  readonly agree: ProblemList;
}

/** @returns false when the pack is lost: still found by the metadata, and too little of it left on the backends */
async function checkPack(store: CheckedStore, pack: PackRow, problems: PackProblems): Promise<boolean> {
  const { present } = problems;
  const packId = toHex(pack.id);
  const place = { packId, ...placeIn(store, pack.seal?.namespace) };
  try {
    const opened = await store.packs.open(pack);
    if (opened === undefined) {
      if (!(await packNumbered(store.metadata, pack.number))) return true;
      const needed = pack.journal ? NEEDED[pack.class] : `${pack.items} items`;
      present.add({ code: 'CHUNK_MISSING', message: `pack ${packId} is gone, and ${needed} with it`, ...place });
      return false;
    }
    const checked = { pack, opened, place };
    describeOpened(checked, problems.agree);
    await checkItems(store.metadata, checked, problems);
  } catch (error) {
    // A blob that a merge deletes while it is read looks damaged.
    if (!(await packNumbered(store.metadata, pack.number))) return true;
    present.addError(error, place);
    return !isStoreError(error, 'SHARDS_INSUFFICIENT');
  }
  return true;
}

interface CheckedPack {
  readonly pack: PackRow;
  readonly opened: OpenedPack;
  readonly place: ProblemPlace;
}

function describeOpened({ pack, opened, place }: CheckedPack, problems: ProblemList): void {
  const { descriptor } = opened;
  const same =
    descriptor.packBytes === pack.packBytes &&
    descriptor.storedBytes === pack.storedBytes &&
    equalBytes(descriptor.stripe.id, pack.stripe.id) &&
    equalBytes(descriptor.stripe.roots, pack.stripe.roots) &&
    isSameSeal(descriptor.seal, pack.seal);
  if (same) return;
  problems.add({ code: 'SHARD_CORRUPT', message: `pack ${place.packId} is not the one the metadata knows`, ...place });
}

function isSameSeal(a: PackSeal | undefined, b: PackSeal | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.namespace === b.namespace && a.epoch === b.epoch && equalBytes(a.salt, b.salt);
}

/** Compares where the metadata finds items with what the pack's own directory says, and their number with its count. */
async function checkItems(
  metadata: Metadata,
  { pack, opened, place }: CheckedPack,
  { present, agree }: PackProblems,
): Promise<void> {
  let found = 0;
  for (const kind of ['chunk', 'manifest'] as const) {
    const items = opened.items.filter((item) => item.kind === kind);
    const places = [...Map.groupBy(items, (item) => toHex(item.id))];
    for (let start = 0; start < places.length; start += LOOKUP_ITEMS) {
      const page = places.slice(start, start + LOOKUP_ITEMS);
      const locations = await metadata.locate(kind, concatBytes(page.flatMap(([, held]) => held[0]?.id ?? [])));
      for (const [index, [id, held]] of page.entries()) {
        const location = locations[index];
        if (location?.pack?.number !== pack.number) continue;
        found += 1;
        const digest = `blake3:${id}`;
        if (location.suspect) {
          const message = `${kind} ${digest} was found damaged by an earlier read`;
          present.add({ code: 'CHUNK_CORRUPT', message, digest, ...place });
        } else if (!held.some((item) => isSamePlace(item, location))) {
          const message = `the metadata finds ${kind} ${digest} where pack ${place.packId} does not hold it`;
          agree.add({ code: 'METADATA_CORRUPT', message, digest, ...place });
        }
      }
    }
  }
  if (found !== pack.items) await checkCount(metadata, { pack, found, place }, agree);
}

/** A count that has changed since is that of a store at work, and no problem. */
async function checkCount(
  metadata: Metadata,
  { pack, found, place }: Pick<CheckedPack, 'pack' | 'place'> & { readonly found: number },
  problems: ProblemList,
): Promise<void> {
  const now = await packNumbered(metadata, pack.number);
  if (now?.items !== pack.items) return;
  const message = `the metadata finds ${pack.items} items in pack ${place.packId}, which holds ${found} of them`;
  problems.add({ code: 'METADATA_CORRUPT', message, ...place });
}

function isSamePlace(item: DirectoryItem, location: ItemLocation): boolean {
  return (
    item.ordinal === location.ordinal &&
    item.offset === location.offset &&
    item.storedLength === location.storedLength &&
    item.plainLength === location.plainLength &&
    item.codec === location.codec &&
    item.inner === location.inner &&
    item.length === location.length
  );
}
