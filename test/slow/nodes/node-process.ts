import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { sleep } from '../../../src/runtime/timers.ts';
import type { SeededRandom } from '../../../src/testing/index.ts';
import { applyTo, type Content, type Model, type Operation } from '../../support/operations.ts';
import type { NodeOrders, NodeReport, SharedStore } from './protocol.ts';

/** What one node said of itself, through all its lives. */
export interface NodeLog {
  /** What its keys hold. */
  model: Model;
  inFlight: Operation | undefined;
  /** Numbers of what it began to put under shared keys, by key. */
  readonly shared: Map<string, Set<number>>;
  readonly sharedPut: Set<string>;
  /** How often it raised the counter, and how often nobody knows whether it did. */
  counted: number;
  countsUnsure: number;
  /** Snapshots of which the last may be the one that its ref names: what each held. */
  snapshots: { readonly id: string | undefined; readonly model: Model }[];
  acknowledged: number;
  kills: number;
  readonly did: Map<string, number>;
}

const KILL_DELAY_MS_MAX = 30;

const ACKNOWLEDGED: ReadonlySet<NodeReport['is']> = new Set(['shared put', 'counted', 'snapshot made']);

/** One of the nodes of a round: it is started, killed where it is, and started again, until its operations are done. */
export class NodeProcess {
  readonly log: NodeLog = {
    ...{
      model: new Map(),
      inFlight: undefined,
      shared: new Map(),
      sharedPut: new Set(),
      counted: 0,
      countsUnsure: 0,
      snapshots: [],
    },
    ...{ acknowledged: 0, kills: 0, did: new Map() },
  };
  readonly #store: SharedStore;
  readonly #orders: Pick<NodeOrders, 'lane' | 'skewMs' | 'collects'>;
  readonly #random: SeededRandom;
  #isCounting = false;
  #isDone = false;
  #failure: string | undefined;
  #isEnded = false;
  #child: ChildProcess | undefined;

  constructor(store: SharedStore, orders: Pick<NodeOrders, 'lane' | 'skewMs' | 'collects'>, random: SeededRandom) {
    this.#store = store;
    this.#orders = orders;
    this.#random = random;
  }

  /**
   * @param options `operations`: to be acknowledged in all; `kills`: how often it is killed before that, at most
   * @throws what a node failed with
   */
  async run({ operations, kills }: { readonly operations: number; readonly kills: number }): Promise<void> {
    while (!this.#isDone && !this.#isEnded) {
      const candidates = this.#candidates().map((model): [string, Content][] => [...model]);
      const left = Math.max(0, operations - this.log.acknowledged);
      const orders = {
        ...this.#store,
        ...this.#orders,
        seed: this.#random.integer(2 ** 30),
        operations: left,
        candidates,
      };
      const isToDie = this.log.kills < kills;
      await this.#live(
        orders,
        isToDie ? 1 + this.#random.integer(2 * Math.ceil(operations / kills)) : Number.POSITIVE_INFINITY,
      );
    }
  }

  /** Ends it where it is, for good. */
  end(): void {
    this.#isEnded = true;
    this.#child?.kill('SIGKILL');
  }

  #candidates(): readonly Model[] {
    const { model, inFlight } = this.log;
    if (inFlight === undefined) return [model];
    const whole = new Map(model);
    applyTo(whole, inFlight);
    return [model, whole];
  }

  async #live(orders: NodeOrders, killAfter: number): Promise<void> {
    const script = path.join(import.meta.dirname, 'worker.ts');
    const args = ['--disable-warning=ExperimentalWarning', script, JSON.stringify(orders)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
    this.#child = child;
    const lines = createInterface({ input: child.stdio[3] as Readable });
    const [ended, drained] = [once(child, 'exit'), once(lines, 'close')];
    let reports = 0;
    lines.on('line', (line) => {
      // The last line may be cut off by the end of the process: what it would have said was not said.
      if (!line.endsWith('}')) return;
      this.#take(JSON.parse(line) as NodeReport);
      reports += 1;
      if (reports === killAfter) void this.#kill(child);
    });
    await Promise.all([ended, drained]);
    const { lane } = this.#orders;
    if (this.#failure !== undefined) throw new Error(`node ${lane} failed: ${this.#failure}`);
    if (!this.#isDone && child.signalCode !== 'SIGKILL') throw new Error(`node ${lane} ended with ${child.exitCode}`);
    if (this.#isCounting) this.log.countsUnsure += 1;
    this.#isCounting = false;
  }

  async #kill(child: ChildProcess): Promise<void> {
    await sleep(this.#random.integer(KILL_DELAY_MS_MAX));
    if (child.exitCode !== null || this.#isDone) return;
    this.log.kills += 1;
    child.kill('SIGKILL');
  }

  #take(report: NodeReport): void {
    const { log } = this;
    this.#countDone(report);
    switch (report.is) {
      case 'ready':
        log.model = this.#candidates()[report.candidate] as Model;
        log.inFlight = undefined;
        break;
      case 'begin':
        log.inFlight = report.operation;
        break;
      case 'end':
        if (report.happened && log.inFlight) applyTo(log.model, log.inFlight);
        log.inFlight = undefined;
        break;
      case 'shared':
        log.shared.set(report.key, (log.shared.get(report.key) ?? new Set()).add(report.number));
        break;
      case 'shared put':
        log.sharedPut.add(report.key);
        break;
      case 'count':
        if (this.#isCounting) log.countsUnsure += 1;
        this.#isCounting = true;
        break;
      case 'counted':
      case 'not counted':
        this.#isCounting = false;
        if (report.is === 'counted') log.counted += 1;
        break;
      case 'snapshot':
        log.snapshots.push({ id: undefined, model: new Map(log.model) });
        break;
      case 'snapshot made':
        log.snapshots = log.snapshots.slice(-1).map(({ model }) => ({ id: report.id, model }));
        break;
      case 'done':
        this.#isDone = true;
        break;
      case 'failed':
        this.#failure = report.message;
        break;
    }
  }

  #countDone(report: NodeReport): void {
    const { log } = this;
    const name = report.is === 'did' ? report.what : 'code' in report ? `${report.is} ${report.code}` : report.is;
    log.did.set(name, (log.did.get(name) ?? 0) + 1);
    const isOwn = report.is === 'did' && !(report.what === 'gc' && this.#orders.collects);
    const isAcknowledged = report.is === 'end' ? report.happened : ACKNOWLEDGED.has(report.is);
    if (isOwn || isAcknowledged) log.acknowledged += 1;
  }
}
