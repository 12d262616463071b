/**
 * One of several processes that work on a shared store while any of them is killed and connections are cut. It knows what
 * its own keys must hold, and looks.
 *
 *     node worker.ts <orders as JSON>
 */
import { writeSync } from 'node:fs';
import { isStoreError, type OpenOptions, openStore, type Store } from '../../../src/index.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { sleep } from '../../../src/runtime/timers.ts';
import { type SeededRandom, seededRandom } from '../../../src/testing/index.ts';
import {
  bytesOf,
  type Content,
  isContent,
  type Model,
  type Operation,
  OperationSource,
} from '../../support/operations.ts';
import { runOperation } from '../../support/run-operation.ts';
import { entriesOfLane, keysOfLane, LANES, REPORT_DESCRIPTOR, ROUND_KEYS } from '../kill/protocol.ts';
import {
  COUNTER_KEY,
  type NodeOrders,
  type NodeReport,
  parseShared,
  refOfLane,
  SHARED_KEYS,
  sharedContent,
} from './protocol.ts';

const REOPEN_PAUSE_MS = 100;
const REOPEN_MS_MAX = 90_000;
/** As long as a collection takes: while one goes on its process merges nothing. */
const GC_PAUSE_MS = 1000;
/** Everything that may go goes: nothing but epochs protects what others are at. */
const GC = { graceMs: 0, deadShare: 0, waitMs: 100, timeMs: 1000 };

/** Written before it returns: what was reported is in the pipe, whatever becomes of this process. */
function report(what: NodeReport): void {
  writeSync(REPORT_DESCRIPTOR, `${JSON.stringify(what)}\n`);
}

/** What became of a call: refused for sure, or the store must be asked. */
function judge(error: unknown): 'refused' | 'unsure' {
  if (isStoreError(error, 'METADATA_BUSY', 'BACKEND_UNREACHABLE', 'REDUNDANCY_UNMET', 'JOB_HELD')) return 'refused';
  if (isStoreError(error) && (error.kind === 'unavailable' || error.kind === 'closed')) return 'unsure';
  throw error;
}

function codeOf(error: unknown): string {
  return isStoreError(error) ? error.code : String(error);
}

class Node {
  readonly #orders: NodeOrders;
  readonly #random: SeededRandom;
  #store: Store;
  #model: Model;
  #number = 0;
  #done = 0;

  private constructor(orders: NodeOrders, store: Store) {
    this.#orders = orders;
    this.#random = seededRandom(orders.seed);
    this.#store = store;
    this.#model = new Map();
    this.#number = orders.seed * 10_000;
  }

  static async start(orders: NodeOrders): Promise<Node> {
    const node = new Node(orders, await opened(orders));
    const candidates = orders.candidates.map((entries): Model => new Map(entries));
    const candidate = await node.#whichHolds(candidates);
    node.#model = candidates[candidate] as Model;
    report({ is: 'ready', candidate });
    return node;
  }

  async run(): Promise<void> {
    const collecting = this.#orders.collects ? this.#collectOn() : undefined;
    while (this.#done < this.#orders.operations) {
      await this.#step();
      this.#done += 1;
    }
    await collecting;
    // Its connection may be cut just then: all that it was told of is stored.
    await closed(this.#store);
    report({ is: 'done' });
  }

  get #entries() {
    return entriesOfLane(this.#store, this.#orders.lane);
  }

  async #step(): Promise<void> {
    const draw = this.#random.integer(100);
    if (draw < 45) await this.#change();
    else if (draw < 60) await this.#asking('read', () => this.#read());
    else if (draw < 67) await this.#asking('list', () => this.#list());
    else if (draw < 74) await this.#asking('read others', () => this.#readOthers());
    else if (draw < 80) await this.#asking('read shared', () => this.#readShared());
    else if (draw < 88) await this.#putShared();
    else if (draw < 94) await this.#count();
    else if (draw < 97) await this.#snapshot();
    else await this.#asking('gc', () => this.#store.maintenance.gc(GC));
  }

  /** A change of own keys, until it is acknowledged. */
  async #change(): Promise<void> {
    const model = new Map(this.#model);
    const keys = keysOfLane(this.#orders.lane);
    const source = new OperationSource(this.#random, { keys, model, large: false, isolates: this.#store.sealed });
    const operation = source.next();
    for (let happened = false; !happened; ) {
      report({ is: 'begin', operation });
      happened = await this.#attempt(operation, model);
      report({ is: 'end', happened });
    }
    this.#model = model;
  }

  /** @returns whether it happened */
  async #attempt(operation: Operation, whole: Model): Promise<boolean> {
    try {
      await runOperation(this.#entries, operation);
      return true;
    } catch (error) {
      if (isStoreError(error, 'COMMIT_PENDING')) return true;
      if ((await this.#afterFailure(error)) === 'refused') return false;
      return (await this.#whichHolds([this.#model, whole])) === 1;
    }
  }

  /** @returns which of some models the own keys hold, to the last byte */
  async #whichHolds(candidates: readonly Model[]): Promise<number> {
    for (;;) {
      try {
        return await whichHolds(this.#store, this.#orders.lane, candidates);
      } catch (error) {
        await this.#afterFailure(error);
      }
    }
  }

  async #afterFailure(error: unknown): Promise<'refused' | 'unsure'> {
    const outcome = judge(error);
    report({ is: outcome === 'refused' ? 'refused' : 'reopened', code: codeOf(error) });
    if (outcome === 'unsure') await this.#reopen();
    return outcome;
  }

  async #reopen(): Promise<void> {
    await closed(this.#store);
    this.#store = await opened(this.#orders);
  }

  /** Something that can be asked again and again. */
  async #asking(what: Extract<NodeReport, { is: 'did' }>['what'], ask: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await ask();
        return report({ is: 'did', what });
      } catch (error) {
        await this.#afterFailure(error);
      }
    }
  }

  async #read(): Promise<void> {
    const keys = [...this.#model.keys()];
    const key = keys[this.#random.integer(Math.max(1, keys.length))];
    if (key === undefined) return;
    const expected = bytesOf(this.#model.get(key) as Content);
    const offset = this.#random.integer(expected.length + 1);
    const length = this.#random.integer(expected.length - offset + 1);
    const isWhole = this.#random.integer(2) === 0;
    const found = isWhole
      ? await this.#entries.get(key)
      : Buffer.concat(await Array.fromAsync(this.#entries.read(key, { offset, length })));
    const wanted = isWhole ? expected : expected.subarray(offset, offset + length);
    if (Buffer.compare(found, wanted) !== 0) throw new Error(`wrong read of ${key}, from ${isWhole ? 0 : offset}`);
  }

  async #list(): Promise<void> {
    const prefix = `${refOfLane(this.#orders.lane)}/`;
    const found = (await Array.fromAsync(this.#entries.list({ prefix }))).map(({ key, size }) => `${key} ${size}`);
    const wanted = [...this.#model].map(([key, { bytes }]) => `${key} ${bytes}`).sort();
    if (found.join() !== wanted.join()) throw new Error(`wrong list: ${found.join()} instead of ${wanted.join()}`);
  }

  /** Of another node: whatever it has put there by now, but something that is put. */
  async #readOthers(): Promise<void> {
    const lane = this.#random.integer(LANES);
    const key = keysOfLane(lane)[this.#random.integer(10)] as string;
    try {
      const found = await entriesOfLane(this.#store, lane).get(key);
      if (!isContent(found)) throw new Error(`wrong read of ${key}: ${found.length} bytes that nobody puts`);
    } catch (error) {
      if (!isStoreError(error, 'ENTRY_NOT_FOUND')) throw error;
    }
  }

  #sharedKey(): string {
    return SHARED_KEYS[this.#random.integer(SHARED_KEYS.length)] as string;
  }

  async #readShared(): Promise<void> {
    try {
      parseShared(await this.#store.get(this.#sharedKey()));
    } catch (error) {
      if (!isStoreError(error, 'ENTRY_NOT_FOUND')) throw error;
    }
  }

  async #putShared(): Promise<void> {
    const key = this.#sharedKey();
    this.#number += 1;
    report({ is: 'shared', key, number: this.#number });
    await this.#trying(async () => {
      await this.#store.put(key, sharedContent(this.#orders.lane, this.#number));
      report({ is: 'shared put', key });
    });
  }

  /** Whatever becomes of it: it may have happened. */
  async #trying(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      await this.#afterFailure(error);
    }
  }

  async #count(): Promise<void> {
    await this.#trying(async () => {
      const { version } = await this.#store.stat(COUNTER_KEY);
      const value = Number(Buffer.from(await this.#store.get(COUNTER_KEY)).toString());
      report({ is: 'count' });
      try {
        await this.#store.put(COUNTER_KEY, `${value + 1}`, { ifMatch: version });
      } catch (error) {
        if (isStoreError(error, 'COMMIT_PENDING')) return report({ is: 'counted' });
        if (isStoreError(error, 'PRECONDITION_FAILED')) return report({ is: 'not counted' });
        throw error;
      }
      report({ is: 'counted' });
    });
  }

  async #snapshot(): Promise<void> {
    const { lane } = this.#orders;
    // Of a namespace of its own there is nothing to see among the others.
    if (this.#entries !== this.#store) return;
    report({ is: 'snapshot' });
    await this.#trying(async () => {
      const source = { prefix: `${refOfLane(lane)}/` };
      const { id } = await this.#store.snapshots.create(source, { ref: refOfLane(lane) });
      report({ is: 'snapshot made', id });
    });
  }

  async #collectOn(): Promise<void> {
    while (this.#done < this.#orders.operations) {
      try {
        await this.#store.maintenance.gc(GC);
        report({ is: 'did', what: 'gc' });
      } catch (error) {
        // The operations open the store again when they meet the same.
        report({ is: 'refused', code: `${judge(error)} gc ${codeOf(error)}` });
      }
      await sleep(GC_PAUSE_MS);
    }
  }
}

function openOptions({ sealed }: NodeOrders): OpenOptions {
  return sealed ? { keys: ROUND_KEYS } : {};
}

/** Opens the store, whatever is cut meanwhile. */
async function opened(orders: NodeOrders): Promise<Store> {
  for (let waitedMs = 0; ; waitedMs += REOPEN_PAUSE_MS) {
    try {
      return await openStore(orders.location, openOptions(orders));
    } catch (error) {
      if (waitedMs > REOPEN_MS_MAX || !isStoreError(error) || error.kind !== 'unavailable') throw error;
      await sleep(REOPEN_PAUSE_MS);
    }
  }
}

async function closed(store: Store): Promise<void> {
  try {
    await store.close();
  } catch (error) {
    judge(error);
  }
}

/** @returns which of some models the keys of a lane hold, to the last byte */
async function whichHolds(store: Store, lane: number, candidates: readonly Model[]): Promise<number> {
  const entries = entriesOfLane(store, lane);
  const found = new Map<string, Uint8Array>();
  for (const key of keysOfLane(lane)) if (await entries.has(key)) found.set(key, await entries.get(key));
  const holds = (model: Model): boolean =>
    keysOfLane(lane).every((key) => {
      const [content, bytes] = [model.get(key), found.get(key)];
      return content === undefined || bytes === undefined
        ? content === bytes
        : Buffer.compare(bytesOf(content), bytes) === 0;
    });
  const candidate = candidates.findIndex(holds);
  if (candidate >= 0) return candidate;
  const sizes = [...found].map(([key, { length }]) => `${key}: ${length}`).join(', ');
  throw new Error(`lane ${lane} holds ${sizes} instead of ${JSON.stringify(candidates.map((model) => [...model]))}`);
}

try {
  const orders = JSON.parse(process.argv[2] ?? '') as NodeOrders;
  // That of Holdfast alone: an object store refuses whoever dates requests by another time than its own.
  systemClock.now = () => Date.now() + orders.skewMs;
  const node = await Node.start(orders);
  await node.run();
} catch (error) {
  report({ is: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
