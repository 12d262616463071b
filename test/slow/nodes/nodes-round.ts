/**
 * A round of several processes on one store, with its bytes in a bucket and its metadata in PostgreSQL: they change, read,
 * list, snapshot and collect, are killed where they are and started again, and their connections are cut. After it nothing that
 * was acknowledged may be lost, and everything that can be proven is.
 */
import { deepStrictEqual } from 'node:assert/strict';
import path from 'node:path';
import pg from 'pg';
import { createStore, isStoreError, openStore, type Store } from '../../../src/index.ts';
import { connectionName } from '../../../src/metadata/postgres/postgres-database.ts';
import { sleep } from '../../../src/runtime/timers.ts';
import { type SeededRandom, seededRandom } from '../../../src/testing/index.ts';
import type { Relay } from '../../services/services.ts';
import { bytesOf, type Model } from '../../support/operations.ts';
import { LANES, ROUND_KEYS, TENANT } from '../kill/protocol.ts';
import { rebuiltAlike } from '../kill/rebuilt-alike.ts';
import { verifyHeld, verifyLanes } from '../kill/verify-round.ts';
import { type NodeLog, NodeProcess } from './node-process.ts';
import { COUNTER_KEY, parseShared, refOfLane, SHARED_KEYS, type SharedStore } from './protocol.ts';

/** What rounds came to. */
export interface NodesFigures {
  rounds: number;
  acknowledged: number;
  kills: number;
  cuts: number;
  /** Calls that were refused, and stores that were opened again. */
  refused: number;
  reopened: number;
  collections: number;
  rebuilds: number;
}

export interface NodesOptions {
  readonly seed: number;
  readonly sealed: boolean;
  /** Of each node. */
  readonly operations: number;
  /** Of each node, at most. */
  readonly kills: number;
  /** URL of a new bucket, by which nobody cuts anything; and another way to the object store, which is cut. */
  readonly bucket: string;
  readonly relay: Relay;
  /** URL of a schema that does not exist. */
  readonly metadata: string;
}

const HOUR_MS = 3_600_000;
const CUT_PAUSE_MS = { min: 500, max: 4000 };
/** Collections until nothing more is to be had: what the nodes had in flight is over. */
const COLLECTIONS_MAX = 10;

export function noNodesFigures(): NodesFigures {
  return { ...{ rounds: 0, acknowledged: 0, kills: 0, cuts: 0 }, refused: 0, reopened: 0, collections: 0, rebuilds: 0 };
}

/** @throws at the first thing that is wrong, with the seed */
export async function runNodesRound(options: NodesOptions, figures: NodesFigures): Promise<void> {
  try {
    await new NodesRound(options, figures).run();
  } catch (error) {
    const kind = options.sealed ? 'sealed' : 'plain';
    throw new Error(`round of seed ${options.seed}, ${kind} store in ${options.bucket}`, { cause: error });
  }
}

class NodesRound {
  readonly #options: NodesOptions;
  readonly #figures: NodesFigures;
  readonly #random: SeededRandom;
  /** By which nobody is cut. */
  readonly #store: SharedStore;

  constructor(options: NodesOptions, figures: NodesFigures) {
    this.#options = options;
    this.#figures = figures;
    this.#random = seededRandom(options.seed);
    const { bucket, metadata, sealed } = options;
    this.#store = { location: { backend: bucket, metadata }, sealed };
  }

  async run(): Promise<void> {
    const { sealed, bucket, relay, metadata, operations, kills } = this.#options;
    const store = await createStore(this.#store.location, { keys: sealed ? ROUND_KEYS : 'none' });
    if (sealed) await store.namespaces.create(TENANT);
    await store.put(COUNTER_KEY, '0');
    await store.close();
    const seen = { location: { backend: relay.over(bucket), metadata }, sealed };
    const nodes = Array.from({ length: LANES }, (_, lane) => {
      const orders = { lane, skewMs: lane < 2 ? 0 : HOUR_MS, collects: lane % 2 === 1 };
      return new NodeProcess(seen, orders, seededRandom(this.#random.integer(2 ** 30)));
    });
    const stop = new AbortController();
    const cutting = this.#cutConnections(stop.signal);
    try {
      await Promise.all(nodes.map((node) => node.run({ operations, kills })));
    } finally {
      for (const node of nodes) node.end();
      stop.abort();
      await cutting;
    }
    await this.#verify(nodes.map(({ log }) => log));
  }

  /** Ends connections to the database and to the object store, one or all, again and again. */
  async #cutConnections(signal: AbortSignal): Promise<void> {
    const { metadata, relay } = this.#options;
    const random = seededRandom(this.#random.integer(2 ** 30));
    const client = new pg.Client({ connectionString: metadata });
    await client.connect();
    const schema = new URL(metadata).searchParams.get('schema') ?? '';
    try {
      while (!signal.aborted) {
        await sleep(CUT_PAUSE_MS.min + random.integer(CUT_PAUSE_MS.max - CUT_PAUSE_MS.min), { signal }).catch(
          () => undefined,
        );
        if (signal.aborted) break;
        if (random.integer(3) === 0) relay.drop();
        else {
          const ended =
            'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 ORDER BY random() LIMIT $2';
          await client.query(ended, [connectionName(schema), 1 + random.integer(2)]);
        }
        this.#figures.cuts += 1;
      }
    } finally {
      await client.end();
    }
  }

  async #verify(logs: readonly NodeLog[]): Promise<void> {
    this.#count(logs);
    const options = this.#store.sealed ? { keys: ROUND_KEYS } : {};
    const store = await openStore(this.#store.location, { ...options, gc: 'manual', heal: 'manual' });
    try {
      await verifyShared(store, logs);
      for (const [lane, log] of logs.entries()) await verifySnapshots(store, lane, log);
      const none = { acknowledged: [], inFlight: undefined };
      const models = logs.map(({ model }) => model);
      await verifyLanes(
        store,
        models,
        models.map(() => none),
      );
      await collectAll(store);
      const report = await store.maintenance.check({ invariants: true });
      if (report.outcome !== 'ok') throw new Error(`check: ${JSON.stringify(report.problems.slice(0, 5))}`);
      await verifyHeld(store, models);
    } finally {
      await store.close();
    }
    await rebuiltAlike(this.#store.location, options);
    this.#figures.rebuilds += 1;
  }

  #count(logs: readonly NodeLog[]): void {
    const figures = this.#figures;
    figures.rounds += 1;
    for (const { acknowledged, kills, did } of logs) {
      figures.acknowledged += acknowledged;
      figures.kills += kills;
      for (const [name, count] of did) {
        if (name.startsWith('refused')) figures.refused += count;
        if (name.startsWith('reopened')) figures.reopened += count;
        if (name === 'gc') figures.collections += count;
      }
    }
  }
}

/** Who put what is there, and that the counter was raised as often as was acknowledged. They are deleted. */
async function verifyShared(store: Store, logs: readonly NodeLog[]): Promise<void> {
  for (const key of SHARED_KEYS) {
    if (await store.has(key)) {
      const { lane, number } = parseShared(await store.get(key));
      if (!logs[lane]?.shared.get(key)?.has(number))
        throw new Error(`${key} holds what node ${lane} never began to put`);
      await store.delete(key);
    } else if (logs.some(({ sharedPut }) => sharedPut.has(key))) throw new Error(`${key} was put and is not there`);
  }
  const value = Number(Buffer.from(await store.get(COUNTER_KEY)).toString());
  const counted = logs.reduce((sum, log) => sum + log.counted, 0);
  const unsure = logs.reduce((sum, log) => sum + log.countsUnsure, 0);
  if (value < counted || value > counted + unsure)
    throw new Error(`the counter is ${value}: raised ${counted} times, and ${unsure} times perhaps`);
  await store.delete(COUNTER_KEY);
}

/** The ref of a node names the last snapshot that it was told of, or one that it may have made since. */
async function verifySnapshots(store: Store, lane: number, { snapshots }: NodeLog): Promise<void> {
  const [last] = snapshots;
  if (last === undefined) return;
  const ref = await store.refs.get(refOfLane(lane)).catch((error: unknown) => {
    if (isStoreError(error, 'REF_NOT_FOUND') && last.id === undefined) return undefined;
    throw error;
  });
  if (ref === undefined) return;
  const prefix = `thawed-${lane}/`;
  await store.snapshots.thaw(refOfLane(lane), { toPrefix: prefix });
  const found = new Map<string, Uint8Array>();
  for await (const { key } of store.list({ prefix })) found.set(path.basename(key), await store.get(key));
  const named = snapshots.filter(({ id }) => id === undefined || id === ref.id);
  if (!named.some(({ model }) => isAlike(found, model)))
    throw new Error(`the snapshot ${ref.id} of node ${lane} holds ${[...found.keys()].join(', ')}`);
  for (const name of found.keys()) await store.delete(`${prefix}${name}`);
}

/** Whether what was found is what the model has, but for its isolated entries: a snapshot leaves them out. */
function isAlike(found: ReadonlyMap<string, Uint8Array>, model: Model): boolean {
  const frozen = [...model].filter(([, { isolated }]) => !isolated);
  if (found.size !== frozen.length) return false;
  return frozen.every(([key, content]) => {
    const bytes = found.get(path.basename(key));
    return bytes !== undefined && Buffer.compare(bytes, bytesOf(content)) === 0;
  });
}

async function collectAll(store: Store): Promise<void> {
  for (let round = 0; round < COLLECTIONS_MAX; round += 1) {
    const { outcome, problems, left } = await store.maintenance.gc({ graceMs: 0, deadShare: 0 });
    deepStrictEqual(problems, []);
    if (outcome === 'ok') return;
    if (round === COLLECTIONS_MAX - 1) throw new Error(`there is always something left to collect: ${left.join(', ')}`);
  }
}
