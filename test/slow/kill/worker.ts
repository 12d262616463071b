/**
 * A process that is killed: opens the store of a folder or file and changes it without end, telling what it does before
 * and after.
 *
 *     node worker.ts <orders as JSON>
 */
import { writeSync } from 'node:fs';
import path from 'node:path';
import { openFsBackend } from '../../../src/backend/index.ts';
import { type OpenOptions, openStore, rebuildStore, type Store, type StoreLocation } from '../../../src/index.ts';
import { sleep } from '../../../src/runtime/timers.ts';
import { seededRandom } from '../../../src/testing/index.ts';
import { type Content, type Model, OperationSource } from '../../support/operations.ts';
import { runOperation } from '../../support/run-operation.ts';
import { AnnouncingBackend } from './announcing-backend.ts';
import { drawKeyChange, keysModelOf, runKeyChange } from './key-changes.ts';
import {
  entriesOfLane,
  keysOfLane,
  LANES,
  REPORT_DESCRIPTOR,
  type Report,
  ROUND_KEYS,
  type WorkerOrders,
} from './protocol.ts';

/** Between two changes of keys: there are fewer of them than of entries, and more than anywhere else. */
const KEYS_PAUSE_MS_MAX = 120;

/** Others have operations under way all the time: what waits for them goes on with the next collection. */
const GC_WAIT_MS = 100;

/** Written before it returns: what was reported is in the pipe, whatever becomes of this process. */
function report(what: Report): void {
  writeSync(REPORT_DESCRIPTOR, `${JSON.stringify(what)}\n`);
}

async function runLane(store: Store, lane: number, { seed, large }: WorkerOrders): Promise<void> {
  const keys = keysOfLane(lane);
  const entries = entriesOfLane(store, lane);
  const model: Model = new Map();
  // What a lane finds is only used to know what can be done with it; who verifies knows what its entries hold.
  for (const key of keys) {
    if (!(await entries.has(key))) continue;
    const { isolated = false } = await entries.stat(key);
    model.set(key, { bytes: 0, seed: 0, noise: false, isolated } satisfies Content);
  }
  const random = seededRandom(seed * LANES + lane);
  const source = new OperationSource(random, { keys, model, large: large && lane === 0, isolates: store.sealed });
  for (;;) {
    const operation = source.next();
    report({ is: 'begin', lane, operation });
    await runOperation(entries, operation);
    report({ is: 'end', lane });
  }
}

async function changeKeys(store: Store, seed: number): Promise<void> {
  const random = seededRandom(seed);
  for (;;) {
    await sleep(random.integer(KEYS_PAUSE_MS_MAX));
    const change = drawKeyChange(random, await keysModelOf(store));
    report({ is: 'begin keys', change });
    await runKeyChange(store, change, random);
    report({ is: 'end keys' });
  }
}

/** Everything that works on a store as a whole, in turn. */
async function keepUp(store: Store): Promise<void> {
  const { maintenance } = store;
  const jobs: readonly (() => Promise<unknown>)[] = [
    () => maintenance.gc({ deadShare: 0, waitMs: GC_WAIT_MS }),
    () => maintenance.scrub(),
    () => maintenance.checkpoint(),
    () => maintenance.repair({ all: true }),
  ];
  for (;;) {
    for (const job of jobs) {
      report({ is: 'begin upkeep' });
      await job();
    }
  }
}

async function rebuildAgain({ location, sealed }: WorkerOrders): Promise<void> {
  report({ is: 'ready' });
  for (;;) {
    report({ is: 'begin upkeep' });
    await rebuildStore(location, openOptions(sealed));
  }
}

function openOptions(sealed: boolean): OpenOptions {
  return { reserveBytes: 0, ...(sealed && { keys: ROUND_KEYS }) };
}

/** A folder whose blobs tell what is done to them. */
async function locationOf({ location, form }: WorkerOrders): Promise<StoreLocation> {
  if (form !== 'folder') return location;
  const backend = new AnnouncingBackend(await openFsBackend(location, { reserveBytes: 0 }), report);
  return { backend, metadata: path.join(location, '.metadata', 'store.sqlite') };
}

async function work(orders: WorkerOrders): Promise<void> {
  const { sealed, seed, lanes, upkeep } = orders;
  if (upkeep === 'rebuild') return await rebuildAgain(orders);
  const store = await openStore(await locationOf(orders), openOptions(sealed));
  report({ is: 'ready' });
  const jobs = lanes.map((lane) => runLane(store, lane, orders));
  if (sealed && lanes.includes(0)) jobs.push(changeKeys(store, seed));
  if (upkeep === 'upkeep') jobs.push(keepUp(store));
  await Promise.all(jobs);
}

try {
  await work(JSON.parse(process.argv[2] ?? '') as WorkerOrders);
} catch (error) {
  report({ is: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
