import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { sleep } from '../../../src/runtime/timers.ts';
import type { Operation } from '../../support/operations.ts';
import type { KeyChange } from './key-changes.ts';
import { type BlobKind, LANES, type Report } from './protocol.ts';

/** When a worker is killed: `afterMs` after the `nth` report that `at` describes. */
export interface Aim {
  readonly at: 'ready' | 'begin' | 'begin keys' | `${'call' | 'answer'} ${'put' | 'delete'} ${BlobKind}`;
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

/** An aim that is never met: the machine was too slow, or the operations drawn make no such call. */
const PATIENCE_MS = 4000;

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
  #seen = 0;

  constructor(aim: Aim) {
    this.#aim = aim;
  }

  /** Resolves when the aim is met. */
  get hit(): Promise<void> {
    return this.#hit.promise;
  }

  take(report: Report): void {
    if (report.is === 'failed') {
      this.failure = report.message;
      this.#hit.resolve();
    } else if (report.is === 'begin' || report.is === 'end') {
      this.#takeOperation(report);
    } else if (report.is === 'begin keys') {
      this.keys.inFlight = report.change;
    } else if (report.is === 'end keys') {
      if (this.keys.inFlight) this.keys.acknowledged.push(this.keys.inFlight);
      this.keys.inFlight = undefined;
    } else if (report.is !== 'ready' && report.call === 'put' && report.kind === 'journal') {
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

/** The store that a run changes. */
export interface RunStore {
  /** A folder, or a file. */
  readonly location: string;
  readonly sealed: boolean;
}

/**
 * Starts one worker for each aim, which share the lanes, kills each as aimed with a signal it cannot catch, and tells
 * what they had told.
 * @throws when a worker ended by itself or reported a failure
 */
export async function runAndKill(store: RunStore, seed: number, aims: readonly Aim[]): Promise<KilledRun> {
  const { location, sealed } = store;
  const lanes = Array.from({ length: LANES }, (_, lane) => lane);
  const runs = await Promise.all(
    aims.map((aim, worker) =>
      runOne(aim, [
        location,
        String(seed),
        sealed ? 'sealed' : 'plain',
        ...lanes.filter((lane) => lane % aims.length === worker).map(String),
      ]),
    ),
  );
  return {
    lanes: lanes.map((lane) => (runs[lane % aims.length] as Listener).lanes[lane] as LaneLog),
    keys: (runs[0] as Listener).keys,
    inJournalPut: runs.filter(({ journalPuts }) => journalPuts > 0).length,
  };
}

async function runOne(aim: Aim, workerArgs: readonly string[]): Promise<Listener> {
  const worker = path.join(import.meta.dirname, 'worker.ts');
  const args = ['--disable-warning=ExperimentalWarning', worker, ...workerArgs];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  const listener = new Listener(aim);
  const lines = createInterface({ input: child.stdio[3] as Readable });
  lines.on('line', (line) => {
    // The last line may be cut off by the end of the process: what it would have said was not said.
    if (line.endsWith('}')) listener.take(JSON.parse(line) as Report);
  });
  const ended = once(child, 'exit').then(() => 'ended' as const);
  const drained = once(lines, 'close');
  const stop = new AbortController();
  const impatient = sleep(PATIENCE_MS, { signal: stop.signal }).catch(() => undefined);
  const first = await Promise.race([listener.hit, impatient, ended]);
  stop.abort();
  if (first !== 'ended' && aim.afterMs > 0) await sleep(aim.afterMs);
  child.kill('SIGKILL');
  await Promise.all([ended, drained]);
  if (listener.failure !== undefined) throw new Error(`the worker failed: ${listener.failure}`);
  if (first === 'ended') throw new Error('the worker ended by itself');
  return listener;
}
