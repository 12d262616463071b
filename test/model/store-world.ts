/** A store that a model stands beside: the processes that have it open, and what outlives them. */
import { listAll } from '../../src/backend/list-all.ts';
import { toHex } from '../../src/bytes/bytes.ts';
import { type Entries, isStoreError, type Store } from '../../src/index.ts';
import type { KeySecret } from '../../src/keys/index.ts';
import { FaultyBackend } from '../../src/testing/index.ts';
import { Lifeline } from '../support/lifeline.ts';
import { LIVING_KEYS, type LivingStore, makeStore, rebuiltMetadata, startProcess } from '../support/living-store.ts';
import { ReusedHome, type Rows } from './model-home.ts';
import { modelParts } from './model-parts.ts';
import { DEFAULT_NAMESPACE, StoreModel } from './store-model.ts';

/** Kinds of stores; a spread one keeps stripes of 2+1 on three backends beside its home. */
export const KINDS = ['plain', 'sealed', 'spread'] as const;
export type Kind = (typeof KINDS)[number];

const SPREAD_BACKENDS = 3;
const CHUNKING = 'fastcdc:4096:16384:65536';

/** What outlives every process: blobs and rows, with the model of what they mean. */
export interface World {
  readonly kind: Kind;
  readonly blobs: readonly ReadonlyMap<string, Uint8Array>[];
  readonly rows: Rows;
  readonly model: StoreModel;
  readonly ids: ReadonlyMap<string, string>;
}

/** The metadata of the running store and of the rebuilt one, by kind of store: they change places at a rebuild. */
const homes = new Map<Kind, [ReusedHome, ReusedHome]>();

async function homesOf(kind: Kind): Promise<[ReusedHome, ReusedHome]> {
  const keys = keysOf(kind);
  const found = homes.get(kind) ?? [await ReusedHome.make(keys), await ReusedHome.make(keys)];
  homes.set(kind, found);
  return found;
}

function keysOf(kind: Kind): KeySecret | undefined {
  return kind === 'sealed' ? LIVING_KEYS : undefined;
}

/** One store of a kind lives at a time. */
export class StoreWorld {
  readonly kind: Kind;
  readonly model: StoreModel;
  /** That of the home first. */
  readonly backends: readonly FaultyBackend[];
  /** Ids of objects by the labels that the model has for them. */
  readonly ids: Map<string, string>;
  /** Whether something of it was harmed that has not been repaired. */
  harmed = false;
  /** Whether everything was sealed anew, and the keys of before are gone. */
  forgotEpochs = false;
  /** Since the metadata was as old as it is put back: with two the journal before them may go. */
  checkpoints = 0;
  /** Metadata as it was in the beginning. */
  readonly #older: Rows;
  readonly #homes: [ReusedHome, ReusedHome];
  readonly #processes: (LivingStore | undefined)[] = [undefined, undefined];
  /** Which of two processes is used now. */
  #current = 0;

  private constructor(world: World, homes: [ReusedHome, ReusedHome], backends: readonly FaultyBackend[]) {
    this.kind = world.kind;
    this.model = world.model;
    this.ids = new Map(world.ids);
    this.backends = backends;
    this.#homes = homes;
    this.#older = world.rows;
  }

  /** A new store, with nothing in it. */
  static async create(kind: Kind): Promise<StoreWorld> {
    const rows = (await homesOf(kind))[0].bare;
    const world = await StoreWorld.#over({ kind, rows, blobs: [], model: new StoreModel(), ids: new Map() });
    const [home, ...others] = world.backends;
    if (home === undefined) throw new Error('a store has a home');
    const redundancy = kind === 'spread' ? '2+1' : 'none';
    await makeStore(home, keysOf(kind), { chunking: CHUNKING, redundancy });
    await world.start();
    for (const [index, backend] of others.entries())
      await world.store.backends.add({ location: new Lifeline().backend(backend), name: `b${index}` });
    if (others.length > 0) await world.store.backends.change('main', { weight: 0 });
    return world;
  }

  /** A store that goes on from where another one was. */
  static async from(world: World): Promise<StoreWorld> {
    const made = await StoreWorld.#over({ ...world, model: world.model.fork() });
    await made.start();
    return made;
  }

  static async #over(world: World): Promise<StoreWorld> {
    const homes = await homesOf(world.kind);
    await homes[0].load(world.rows);
    const count = world.kind === 'spread' ? 1 + SPREAD_BACKENDS : 1;
    const made = Array.from({ length: count }, async () => new FaultyBackend(await modelParts().newBackend()));
    const backends = await Promise.all(made);
    for (const [index, backend] of backends.entries())
      for (const [key, bytes] of world.blobs[index] ?? []) await backend.put(key, bytes);
    return new StoreWorld(world, homes, backends);
  }

  get store(): Store {
    return this.#living.store;
  }

  get #living(): LivingStore {
    const process = this.#processes[this.#current];
    if (process === undefined) throw new Error('no process has the store open');
    return process;
  }

  entries(namespace: string): Entries {
    return namespace === DEFAULT_NAMESPACE ? this.store : this.store.namespace(namespace);
  }

  /** Whether two processes have the store open. */
  get isShared(): boolean {
    return this.#processes.every((process) => process !== undefined);
  }

  /** Closes the store and opens it again. */
  async reopen(): Promise<void> {
    await this.store.close();
    await this.start();
  }

  /** The process is gone, and another one opens the store. */
  async abandon(): Promise<void> {
    await this.#kill();
    await this.start();
  }

  /** Another process goes on; it opens the store if it has not got it open. */
  async switch(): Promise<void> {
    this.#current = 1 - this.#current;
    if (this.#processes[this.#current] === undefined) await this.start();
    // Names of namespaces that the other one dropped and made anew mean the new ones.
    else if (this.store.sealed) await this.store.keys.list();
  }

  /** Lets the process end before one of the next changes that it makes of what outlives it. @returns whether it did */
  async endingAfter(changes: number, work: () => Promise<unknown>): Promise<'ended' | 'done'> {
    const { life } = this.#living;
    life.endAfter(changes);
    try {
      await work();
    } catch (error) {
      if (life.alive) throw error;
    } finally {
      life.endAfter(Number.POSITIVE_INFINITY);
    }
    if (life.alive) return 'done';
    // It may have been about to put the last shards of a stripe.
    this.harmed ||= this.kind === 'spread';
    await this.abandon();
    return 'ended';
  }

  /** Makes good what was harmed: stripes get their shards back; what reads found wrong elsewhere is looked at anew. */
  async heal(): Promise<void> {
    if (!this.harmed) return;
    this.harmed = false;
    if (this.kind === 'spread') await this.store.maintenance.scrub();
    else {
      // That an item was found damaged is remembered until it is stored again, or the metadata is.
      await this.rebuild();
      await this.start();
    }
  }

  /** The other process is taken for gone, which it is not. @returns how its next change ends */
  async fence(): Promise<string> {
    if (!this.isShared) await this.switch();
    const other = this.#processes[1 - this.#current];
    other?.life.seemGone();
    await this.store.maintenance.gc({ waitMs: 0 });
    const outcome = await other?.store.put('fenced', 'nobody sees this').then(
      () => 'ok',
      (error: { readonly code?: string }) => error.code ?? String(error),
    );
    other?.end();
    await other?.store.close().catch(() => undefined);
    this.#processes[1 - this.#current] = undefined;
    return outcome ?? 'nobody was fenced';
  }

  /** Ends every process: what is left is what all agree on. */
  async end(): Promise<void> {
    for (const [index, process] of this.#processes.entries()) {
      await process?.store.close();
      this.#processes[index] = undefined;
    }
  }

  /**
   * Every process ends, and the next finds the metadata that this store began with. What was sealed under an epoch that has
   * been forgotten since cannot be read any more, and what the journal does not reach back to cannot go on: they are made
   * anew.
   */
  async restoreMetadata(): Promise<void> {
    await this.end();
    await this.#homes[0].load(this.#older);
    try {
      await this.start();
    } catch (error) {
      const isUnreadable = this.forgotEpochs && isStoreError(error, 'METADATA_CORRUPT');
      const isTooOld = this.checkpoints >= 2 && isStoreError(error, 'JOURNAL_GAP');
      if (!isUnreadable && !isTooOld) throw error;
      await this.#remake();
      await this.start();
    }
  }

  /** Every process ends, and the next finds metadata that was made anew from the backends. @returns what differs */
  async rebuild(): Promise<readonly string[]> {
    const { metadata } = this.#living;
    await this.end();
    const { metadata: rebuilt, report } = await this.#remake();
    const live = new Set((await rebuilt.listPacks({ limit: 10_000 })).map(({ id }) => toHex(id)));
    const [made, known] = [await rebuilt.stateDigests(), await metadata.stateDigests()];
    return [
      ...Object.keys(made).filter((table) => made[table as keyof typeof made] !== known[table as keyof typeof known]),
      ...report.unreadable.filter(({ packId }) => live.has(packId)).map(({ packId }) => `pack ${packId}`),
    ];
  }

  async #remake() {
    const [running, spare] = this.#homes;
    await spare.load(spare.bare);
    const [home, ...backends] = this.backends as readonly [FaultyBackend, ...FaultyBackend[]];
    const rebuilt = await rebuiltMetadata(home, keysOf(this.kind), { backends, into: spare.home });
    this.#homes.splice(0, 2, spare, running);
    return rebuilt;
  }

  /** What outlives the processes, to go on from. They have ended. */
  async save(): Promise<World> {
    const blobs: Map<string, Uint8Array>[] = [];
    for (const backend of this.backends) {
      const found = new Map<string, Uint8Array>();
      for await (const { key } of listAll(backend)) found.set(key, (await backend.get(key)) ?? new Uint8Array());
      blobs.push(found);
    }
    const { kind, model, ids } = this;
    return { kind, model, ids, blobs, rows: await this.#homes[0].dump() };
  }

  async start(): Promise<void> {
    const [backend, ...backends] = this.backends as readonly [FaultyBackend, ...FaultyBackend[]];
    const metadata = this.#homes[0].home.open();
    this.#processes[this.#current] = await startProcess({ backend, backends, metadata, keys: keysOf(this.kind) });
  }

  async #kill(): Promise<void> {
    const { store, end } = this.#living;
    end();
    // Its timers end, and nothing else of it reaches anything.
    await store.close().catch(() => undefined);
  }
}
