/**
 * A process that is killed: opens the store of a folder and changes it in several lanes at once, without end, telling
 * what it does before and after.
 *
 *     node worker.ts <folder> <seed> <lane> ...
 */
import { writeSync } from 'node:fs';
import path from 'node:path';
import { openFsBackend } from '../../../src/backend/index.ts';
import { openStore, type Store } from '../../../src/index.ts';
import { seededRandom } from '../../../src/testing/index.ts';
import { type Content, type Model, OperationSource } from '../../support/operations.ts';
import { runOperation } from '../../support/run-operation.ts';
import { AnnouncingBackend } from './announcing-backend.ts';
import { keysOfLane, LANES, REPORT_DESCRIPTOR, type Report } from './protocol.ts';

/** Written before it returns: what was reported is in the pipe, whatever becomes of this process. */
function report(what: Report): void {
  writeSync(REPORT_DESCRIPTOR, `${JSON.stringify(what)}\n`);
}

async function runLane(store: Store, lane: number, seed: number): Promise<void> {
  const keys = keysOfLane(lane);
  const model: Model = new Map();
  // What a lane finds is only used to know which keys are there; who verifies knows what they hold.
  const unknown: Content = { bytes: 0, seed: 0, noise: false };
  for (const key of keys) if (await store.has(key)) model.set(key, unknown);
  const source = new OperationSource(seededRandom(seed * LANES + lane), { keys, model, large: lane === 0 });
  for (;;) {
    const operation = source.next();
    report({ is: 'begin', lane, operation });
    await runOperation(store, operation);
    report({ is: 'end', lane });
  }
}

const [folder = '', seed = '0', ...lanes] = process.argv.slice(2);
try {
  const backend = new AnnouncingBackend(await openFsBackend(folder, { reserveBytes: 0 }), report);
  const store = await openStore({ backend, metadataPath: path.join(folder, '.metadata', 'store.sqlite') });
  report({ is: 'ready' });
  await Promise.all(lanes.map((lane) => runLane(store, Number(lane), Number(seed))));
} catch (error) {
  report({ is: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
