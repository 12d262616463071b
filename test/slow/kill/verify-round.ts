import type { Store } from '../../../src/index.ts';
import { blake3Text } from '../../support/contents.ts';
import { applyTo, bytesOf, type Content, type Model } from '../../support/operations.ts';
import type { LaneLog } from './killed-run.ts';
import { keysOfLane, laneOf } from './protocol.ts';

const digests = new Map<string, string>();

function digestOf(content: Content): string {
  const name = `${content.bytes}-${content.seed}-${content.noise}`;
  const known = digests.get(name) ?? blake3Text(bytesOf(content));
  digests.set(name, known);
  return known;
}

/** What the store holds, as `digest size` by key. Every entry is read, so every byte is proven. */
async function readAll(store: Store): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { key, digest, size } of store.list()) {
    let bytes = 0;
    for await (const piece of store.read(key)) bytes += piece.length;
    if (bytes !== size) throw new Error(`${key} has ${bytes} bytes instead of ${size}`);
    found.set(key, `${digest} ${size}`);
  }
  return found;
}

function isLane(found: ReadonlyMap<string, string>, lane: number, model: Model): boolean {
  return keysOfLane(lane).every((key) => {
    const content = model.get(key);
    return found.get(key) === (content && `${digestOf(content)} ${content.bytes}`);
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
  return { models, survived };
}

function difference(
  found: ReadonlyMap<string, string>,
  expected: { readonly lane: number; readonly without: Model; readonly inFlight: unknown },
): string {
  const lines = keysOfLane(expected.lane).flatMap((key) => {
    const content = expected.without.get(key);
    const wanted = content && `${digestOf(content)} ${content.bytes}`;
    return found.get(key) === wanted ? [] : [`${key}: found ${found.get(key)}, acknowledged ${wanted}`];
  });
  return [`lane ${expected.lane}, in flight ${JSON.stringify(expected.inFlight)}`, ...lines].join('\n');
}

/** Counts and everything else that can be proven without knowing what should be there. */
async function verifyCounts(store: Store, models: readonly Model[]): Promise<void> {
  const contents = models.flatMap((model) => [...model.values()]);
  const stats = await store.stats();
  const logicalBytes = contents.reduce((sum, { bytes }) => sum + bytes, 0);
  if (stats.entries !== contents.length || stats.logicalBytes !== logicalBytes)
    throw new Error(
      `${stats.entries} entries and ${stats.logicalBytes} bytes are counted, not ${contents.length} and ${logicalBytes}`,
    );
  const report = await store.maintenance.check();
  if (report.outcome !== 'ok') throw new Error(`check: ${JSON.stringify(report.problems.slice(0, 5))}`);
}

/** The entries of a store as they are told, for comparison with those after a rebuild. */
export async function listingOf(store: Store): Promise<readonly unknown[]> {
  return await Array.fromAsync(store.list());
}
