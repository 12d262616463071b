/**
 * A process that is killed: opens the store of a folder or file and changes it in several lanes at once, without end, telling
 * what it does before and after.
 *
 *     node worker.ts <folder or file> <seed> plain|sealed <lane> ...
 *
 * Who works in the first lane of a sealed store changes its keys, too.
 */
import { writeSync } from 'node:fs';
import path from 'node:path';
import { openFsBackend } from '../../../src/backend/index.ts';
import { openStore, type Store, type StoreLocation } from '../../../src/index.ts';
import { sleep } from '../../../src/runtime/timers.ts';
import { seededRandom } from '../../../src/testing/index.ts';
import { type Content, type Model, OperationSource } from '../../support/operations.ts';
import { runOperation } from '../../support/run-operation.ts';
import { AnnouncingBackend } from './announcing-backend.ts';
import { drawKeyChange, keysModelOf, runKeyChange } from './key-changes.ts';
import { entriesOfLane, keysOfLane, LANES, REPORT_DESCRIPTOR, type Report, ROUND_KEYS } from './protocol.ts';

/** Between two changes of keys: there are fewer of them than of entries, and more than anywhere else. */
const KEYS_PAUSE_MS_MAX = 120;

/** Written before it returns: what was reported is in the pipe, whatever becomes of this process. */
function report(what: Report): void {
  writeSync(REPORT_DESCRIPTOR, `${JSON.stringify(what)}\n`);
}

async function runLane(store: Store, lane: number, seed: number): Promise<void> {
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
  const source = new OperationSource(random, { keys, model, large: lane === 0, isolates: store.sealed });
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

/** A folder whose blobs tell what is done to them; of a file the blobs are where the metadata is. */
async function locationOf(place: string): Promise<StoreLocation> {
  if (place.endsWith('.hold')) return place;
  const backend = new AnnouncingBackend(await openFsBackend(place, { reserveBytes: 0 }), report);
  return { backend, metadataPath: path.join(place, '.metadata', 'store.sqlite') };
}

const [place = '', seed = '0', kind = '', ...lanes] = process.argv.slice(2);
try {
  const store = await openStore(await locationOf(place), kind === 'sealed' ? { keys: ROUND_KEYS } : {});
  report({ is: 'ready' });
  const work = lanes.map((lane) => runLane(store, Number(lane), Number(seed)));
  if (kind === 'sealed' && lanes.includes('0')) work.push(changeKeys(store, Number(seed)));
  await Promise.all(work);
} catch (error) {
  report({ is: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
