import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { sleep } from '../../../src/runtime/timers.ts';
import type { Operation } from '../../support/operations.ts';
import type { KeyChange } from './key-changes.ts';
import { type BlobKind, type KilledStore, LANES, type Report, type WorkerOrders } from './protocol.ts';

/** When a worker is killed: `afterMs` after the `nth` report that `at` describes. */
export interface Aim {
  readonly at:
    | 'ready'
    | 'begin'
    | 'begin keys'
    | 'begin upkeep'
    | `${'call' | 'answer'} ${'put' | 'delete'} ${BlobKind}`;
  readonly nth: number;
  readonly afterMs: number;
}

/** What one lane had told when its process died. */
export interface LaneLog {
  readonly acknowledged: readonly Operation[];
  readonly inFlight: Operation | undefined;
}

export interface KeysLog {
  readonly acknowledged: readonly KeyChange[];
  readonly inFlight: KeyChange | undefined;
}

export interface KilledRun {
  readonly lanes: readonly LaneLog[];
  /** Changes of keys in the same way; none in a plain store. */
  readonly keys: KeysLog;
  /** Processes that were writing a journal pack when they died. */
  readonly inJournalPut: number;
}

/** A process that does not come to its work is no subject of a test of kills. */
const START_MS_MAX = 120_000;

class Listener {
  readonly lanes = Array.from({ length: LANES }, () => ({
    acknowledged: [] as Operation[],
    inFlight: undefined as Operation | undefined,
  }));
  readonly keys = { acknowledged: [] as KeyChange[], inFlight: undefined as KeyChange | undefined };
  journalPuts = 0;
  failure: string | undefined;
  readonly #aim: Aim;
  readonly #hit = Promise.withResolvers<void>();
  readonly #ready = Promise.withResolvers<void>();
  #seen = 0;

  constructor(aim: Aim) {
    this.#aim = aim;
  }

  /** Resolves when the aim is met. */
  get hit(): Promise<void> {
    return this.#hit.promise;
  }

  /** Resolves when the store is open. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  take(report: Report): void {
    if (report.is === 'failed') {
      this.failure = report.message;
      this.#ready.resolve();
      this.#hit.resolve();
    } else if (report.is === 'ready') {
      this.#ready.resolve();
    } else if (report.is === 'begin' || report.is === 'end') {
      this.#takeOperation(report);
    } else if (report.is === 'begin keys') {
      this.keys.inFlight = report.change;
    } else if (report.is === 'end keys') {
      if (this.keys.inFlight) this.keys.acknowledged.push(this.keys.inFlight);
      this.keys.inFlight = undefined;
    } else if ('call' in report && report.call === 'put' && report.kind === 'journal') {
      this.journalPuts += report.is === 'call' ? 1 : -1;
    }
    if (nameOf(report) !== this.#aim.at) return;
    this.#seen += 1;
    if (this.#seen === this.#aim.nth) this.#hit.resolve();
  }

  #takeOperation(report: Extract<Report, { is: 'begin' | 'end' }>): void {
    const lane = this.lanes[report.lane];
    if (lane === undefined) throw new Error(`there is no lane ${report.lane}`);
    if (report.is === 'begin') lane.inFlight = report.operation;
    else {
      if (lane.inFlight) lane.acknowledged.push(lane.inFlight);
      lane.inFlight = undefined;
    }
  }
}

function nameOf(report: Report): string {
  return 'call' in report ? `${report.is} ${report.call} ${report.kind}` : report.is;
}

/** One worker of a run, and when it is killed. */
export interface KilledWorker extends Pick<WorkerOrders, 'lanes' | 'upkeep'> {
  readonly aim: Aim;
}

/**
 * Starts workers, kills each as aimed with a signal it cannot catch, and tells what they had told.
 * @param options `patienceMs`: a worker whose aim is not met so long after it was ready is killed where it is then;
 *   `cut`: called right before a worker is killed, which may be told of it by failures
 * @throws when a worker ended by itself or reported a failure
 */
export async function runAndKill(
  store: KilledStore,
  workers: readonly KilledWorker[],
  options: Pick<WorkerOrders, 'seed' | 'large'> & HowToKill,
): Promise<KilledRun> {
  const { seed, large, ...how } = options;
  const { location, form, sealed } = store;
  const listeners = await Promise.all(
    workers.map(({ aim, ...work }) => runOne({ location, form, sealed, seed, large, ...work }, { aim, ...how })),
  );
  const ofLane = (lane: number) => listeners.find((_, worker) => workers[worker]?.lanes.includes(lane));
  const none = { acknowledged: [], inFlight: undefined };
  return {
    lanes: Array.from({ length: LANES }, (_, lane) => ofLane(lane)?.lanes[lane] ?? none),
    keys: ofLane(0)?.keys ?? none,
    inJournalPut: listeners.filter(({ journalPuts }) => journalPuts > 0).length,
  };
}

interface HowToKill {
  readonly patienceMs: number;
  readonly cut?: (() => Promise<void>) | undefined;
}

async function runOne(
  orders: WorkerOrders,
  { aim, patienceMs, cut }: HowToKill & { readonly aim: Aim },
): Promise<Listener> {
  const worker = path.join(import.meta.dirname, 'worker.ts');
  const args = ['--disable-warning=ExperimentalWarning', worker, JSON.stringify(orders)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  const listener = new Listener(aim);
  const lines = createInterface({ input: child.stdio[3] as Readable });
  lines.on('line', (line) => {
    // The last line may be cut off by the end of the process: what it would have said was not said.
    if (line.endsWith('}')) listener.take(JSON.parse(line) as Report);
  });
  const ended = once(child, 'exit').then(() => 'ended' as const);
  const drained = once(lines, 'close');
  const isReady = await within(Promise.race([listener.ready, ended]), START_MS_MAX);
  const first = await within(Promise.race([listener.hit, ended]), patienceMs);
  if (first !== 'ended' && aim.afterMs > 0) await sleep(aim.afterMs);
  const { failure } = listener;
  try {
    if (failure === undefined) await cut?.();
  } finally {
    child.kill('SIGKILL');
    await Promise.all([ended, drained]);
  }
  const failed = cut ? failure : listener.failure;
  if (failed !== undefined) throw new Error(`the worker failed: ${failed}`);
  if (first === 'ended') throw new Error('the worker ended by itself');
  if (isReady === 'late') throw new Error(`the worker was not ready within ${START_MS_MAX} ms`);
  return listener;
}

/** What comes of a promise, or `late`. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | 'late'> {
  const stop = new AbortController();
  const late = sleep(ms, { signal: stop.signal }).then(
    () => 'late' as const,
    () => 'late' as const,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop.abort();
  }
}
