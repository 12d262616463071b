/** Is every pack on the backend, and does it hold what the metadata finds in it? */

import { listAll } from '../backend/list-all.ts';
import { concatBytes, equalBytes, toHex } from '../bytes/bytes.ts';
import { type DirectoryItem, JOURNAL_PREFIX, PACKS_PREFIX, type PackSeal, shardKey } from '../format/index.ts';
import type { ItemLocation, Metadata, PackRow } from '../metadata/contract.ts';
import type { OpenedPack } from '../placement/pack-store.ts';
import { allPacks } from './all-packs.ts';
import type { CheckedStore, CheckOptions } from './checked-store.ts';
import { countGarbage, type Garbage } from './garbage.ts';
import { type ProblemList, type ProblemPlace, placeIn } from './problems.ts';

const LOOKUP_ITEMS = 4096;

export interface PacksChecked {
  /** What no pack accounts for. */
  readonly garbage: Garbage;
  /** Numbers of packs whose blobs are gone. */
  readonly lostPacks: ReadonlySet<number>;
}

/** Lost packs are flagged where the store is writable, so that the next put of their content stores it anew. */
export async function checkPacks(
  store: CheckedStore,
  problems: ProblemList,
  options: CheckOptions,
): Promise<PacksChecked> {
  const { signal, onProgress } = options;
  const blobs = await listBlobs(store, signal);
  const lost = new Set<number>();
  const { packs: total } = await store.metadata.counters();
  let done = 0;
  for await (const pack of allPacks(store.metadata)) {
    signal?.throwIfAborted();
    blobs.delete(shardKey(pack, 0));
    if (!(await checkPack(store, pack, problems))) lost.add(pack.number);
    done += 1;
    onProgress?.({ phase: 'check packs', done, total, bytes: 0 });
  }
  for (const pack of await store.metadata.droppedPacks(Number.MAX_SAFE_INTEGER)) blobs.delete(shardKey(pack, 0));
  if (store.writable && lost.size > 0) await store.metadata.markPacksSuspect([...lost]);
  return { garbage: await countGarbage(store.backend, blobs), lostPacks: lost };
}

async function listBlobs(store: CheckedStore, signal: AbortSignal | undefined): Promise<Map<string, number>> {
  const blobs = new Map<string, number>();
  for (const prefix of [PACKS_PREFIX, JOURNAL_PREFIX]) {
    for await (const blob of listAll(store.backend, { prefix, ...(signal && { signal }) }))
      blobs.set(blob.key, blob.bytes);
  }
  return blobs;
}

/** @returns false when the pack is lost: still found by the metadata, and gone from the backend */
async function checkPack(store: CheckedStore, pack: PackRow, problems: ProblemList): Promise<boolean> {
  const packId = toHex(pack.id);
  const place = { packId, ...placeIn(store, pack.seal?.namespace) };
  try {
    const opened = await store.packs.open(pack);
    if (opened === undefined) {
      if (!(await isLive(store.metadata, pack))) return true;
      const needed = pack.class === 'journal' ? 'the journal records in it' : `${pack.items} items`;
      problems.add({ code: 'CHUNK_MISSING', message: `pack ${packId} is gone, and ${needed} with it`, ...place });
      return false;
    }
    const checked = { pack, opened, place };
    describeOpened(checked, problems);
    await checkItems(store.metadata, checked, problems);
  } catch (error) {
    // A blob that a merge deletes while it is read looks damaged.
    if (await isLive(store.metadata, pack)) problems.addError(error, place);
  }
  return true;
}

/** Whether the metadata still counts on a pack: a merge may have dropped it since it was listed. */
export async function isLive(metadata: Metadata, pack: PackRow): Promise<boolean> {
  const [row] = await metadata.listPacks({ after: pack.number - 1, limit: 1 });
  return row?.number === pack.number;
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
  problems: ProblemList,
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
          problems.add({ code: 'CHUNK_CORRUPT', message, digest, ...place });
        } else if (!held.some((item) => isSamePlace(item, location))) {
          const message = `the metadata finds ${kind} ${digest} where pack ${place.packId} does not hold it`;
          problems.add({ code: 'METADATA_CORRUPT', message, digest, ...place });
        }
      }
    }
  }
  if (found !== pack.items) await checkCount(metadata, { pack, found, place }, problems);
}

/** A count that has changed since is that of a store at work, and no problem. */
async function checkCount(
  metadata: Metadata,
  { pack, found, place }: Pick<CheckedPack, 'pack' | 'place'> & { readonly found: number },
  problems: ProblemList,
): Promise<void> {
  const [now] = await metadata.listPacks({ after: pack.number - 1, limit: 1 });
  if (now?.number !== pack.number || now.items !== pack.items) return;
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
