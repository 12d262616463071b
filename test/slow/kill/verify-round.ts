import type { Entries, Store } from '../../../src/index.ts';
import { blake3Text } from '../../support/contents.ts';
import { applyTo, bytesOf, type Content, type Model } from '../../support/operations.ts';
import { afterChange, type KeysModel, keysModelOf } from './key-changes.ts';
import type { KeysLog, LaneLog } from './killed-run.ts';
import { entriesOfLane, keysOfLane, LANES, laneOf } from './protocol.ts';

const digests = new Map<string, string>();

function digestOf(content: Content): string {
  const name = `${content.bytes}-${content.seed}-${content.noise}`;
  const known = digests.get(name) ?? blake3Text(bytesOf(content));
  digests.set(name, known);
  return known;
}

function lineOf(content: Content): string {
  return `${digestOf(content)} ${content.bytes}${content.isolated ? ' isolated' : ''}`;
}

/** The entries of lanes that share a place: all, or in a sealed store those of a namespace. */
interface Place {
  readonly entries: Entries;
  readonly lanes: readonly number[];
}

function placesOf(store: Store): readonly Place[] {
  const lanes = Array.from({ length: LANES }, (_, lane) => ({ lane, entries: entriesOfLane(store, lane) }));
  const own = lanes.filter(({ entries }) => entries !== store);
  const shared = lanes.filter(({ entries }) => entries === store).map(({ lane }) => lane);
  return [{ entries: store, lanes: shared }, ...own.map(({ lane, entries }) => ({ entries, lanes: [lane] }))];
}

/** What the store holds, as `digest size` by key. Every entry is read, so every byte is proven. */
async function readAll(store: Store): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { entries } of placesOf(store)) {
    for await (const { key, digest, size, isolated = false } of entries.list()) {
      if (found.has(key)) throw new Error(`${key} is in two namespaces`);
      let bytes = 0;
      for await (const piece of entries.read(key)) bytes += piece.length;
      if (bytes !== size) throw new Error(`${key} has ${bytes} bytes instead of ${size}`);
      found.set(key, `${digest} ${size}${isolated ? ' isolated' : ''}`);
    }
  }
  return found;
}

function isLane(found: ReadonlyMap<string, string>, lane: number, model: Model): boolean {
  return keysOfLane(lane).every((key) => {
    const content = model.get(key);
    return found.get(key) === (content && lineOf(content));
  });
}

/**
 * Compares a store with what a killed process had told, lane by lane: every acknowledged operation must be there, and
 * the one in flight wholly or not at all.
 * @param before what each lane held before the run
 * @returns what each lane holds now, and how many operations in flight turned out to be there
 * @throws with the difference
 */
export async function verifyLanes(
  store: Store,
  before: readonly Model[],
  logs: readonly LaneLog[],
): Promise<{ readonly models: readonly Model[]; readonly survived: number }> {
  const found = await readAll(store);
  for (const key of found.keys()) if (!keysOfLane(laneOf(key)).includes(key)) throw new Error(`nobody put ${key}`);
  let survived = 0;
  const models = logs.map(({ acknowledged, inFlight }, lane) => {
    const without = new Map(before[lane]);
    for (const operation of acknowledged) applyTo(without, operation);
    if (inFlight === undefined) {
      if (isLane(found, lane, without)) return without;
    } else {
      const whole = new Map(without);
      applyTo(whole, inFlight);
      if (isLane(found, lane, whole)) {
        survived += 1;
        return whole;
      }
      if (isLane(found, lane, without)) return without;
    }
    throw new Error(difference(found, { lane, without, inFlight }));
  });
  await verifyCounts(store, models);
  const report = await store.maintenance.check();
  if (report.outcome !== 'ok') throw new Error(`check: ${JSON.stringify(report.problems.slice(0, 5))}`);
  return { models, survived };
}

/** Compares a store in which nothing was in flight with what its lanes hold, without a check. @throws with the difference */
export async function verifyHeld(store: Store, models: readonly Model[]): Promise<void> {
  const found = await readAll(store);
  for (const [lane, without] of models.entries())
    if (!isLane(found, lane, without)) throw new Error(difference(found, { lane, without, inFlight: undefined }));
  await verifyCounts(store, models);
}

function difference(
  found: ReadonlyMap<string, string>,
  expected: { readonly lane: number; readonly without: Model; readonly inFlight: unknown },
): string {
  const lines = keysOfLane(expected.lane).flatMap((key) => {
    const content = expected.without.get(key);
    const wanted = content && lineOf(content);
    return found.get(key) === wanted ? [] : [`${key}: found ${found.get(key)}, acknowledged ${wanted}`];
  });
  return [`lane ${expected.lane}, in flight ${JSON.stringify(expected.inFlight)}`, ...lines].join('\n');
}

/** What the store counts. */
async function verifyCounts(store: Store, models: readonly Model[]): Promise<void> {
  for (const { entries, lanes } of placesOf(store)) {
    const contents = lanes.flatMap((lane) => [...(models[lane]?.values() ?? [])]);
    // The figures of a store are those of all its namespaces: the default one is asked for by its name.
    const stats = store.sealed && entries === store ? await store.namespaces.stat('default') : await entries.stats();
    const logicalBytes = contents.reduce((sum, { bytes }) => sum + bytes, 0);
    if (stats.entries !== contents.length || stats.logicalBytes !== logicalBytes)
      throw new Error(
        `${stats.entries} entries and ${stats.logicalBytes} bytes are counted, not ${contents.length} and ${logicalBytes}`,
      );
  }
}

/**
 * Compares slots and namespaces with what a killed process had told: every acknowledged change must be there, and the one
 * in flight wholly or not at all. Nothing may be left to destroy.
 * @returns the names that there are now
 */
export async function verifyKeys(store: Store, before: KeysModel, log: KeysLog): Promise<KeysModel> {
  const found = await keysModelOf(store);
  const without = log.acknowledged.reduce(afterChange, before);
  const models = log.inFlight ? [without, afterChange(without, log.inFlight)] : [without];
  const text = (model: KeysModel): string => [...model].sort().join(', ');
  if (!models.some((model) => text(model) === text(found)))
    throw new Error(`names: found ${text(found)}, acknowledged ${text(without)}, ${JSON.stringify(log.inFlight)}`);
  const { done, pending } = await store.namespaces.shred();
  if (!done) throw new Error(`still to be destroyed: ${pending.join(', ')}`);
  return found;
}

/** The entries of a store as they are told, for comparison with those after a rebuild. */
export async function listingOf(store: Store): Promise<readonly unknown[]> {
  const listings = await Promise.all(placesOf(store).map(({ entries }) => Array.fromAsync(entries.list())));
  return listings.flat();
}
