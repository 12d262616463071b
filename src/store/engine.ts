import type { Backend } from '../backend/contract.ts';
import { parseChunking } from '../chunking/index.ts';
import { parseRedundancy, type Redundancy } from '../erasure/index.ts';
import { invariant, isStoreError, storeError } from '../errors/store-error.ts';
import type { StoreConfig } from '../format/index.ts';
import { guardedKeys, type KeyContext } from '../keys/index.ts';
import { RECORD_PLAIN_BYTES_TARGET, WRITE_BUDGET_BYTES } from '../limits.ts';
import type { CheckedStore } from '../maintenance/checked-store.ts';
import { findUnknownPlaces } from '../maintenance/find-places.ts';
import { SettledPacks } from '../maintenance/gc/gc.ts';
import { Leases } from '../maintenance/leases.ts';
import { recoverFromJournal } from '../maintenance/recover.ts';
import type { ShardStore } from '../maintenance/shard-store.ts';
import type { ChangeOutcome, CommitRequest, Metadata, PackRow } from '../metadata/contract.ts';
import { ContentThread } from '../pipeline/content-thread.ts';
import { FileCutter } from '../pipeline/file-cutter.ts';
import type { DamagedItem, ItemKind, ItemReader } from '../pipeline/item-reader.ts';
import { PackStore } from '../placement/pack-store.ts';
import { BufferPool } from '../runtime/buffer-pool.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ProcessLife } from '../runtime/process-life.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { Semaphore } from '../runtime/semaphore.ts';
import { sleep } from '../runtime/timers.ts';
import { BackendProbe } from './backends/backend-probe.ts';
import type { Connection } from './backends/connect.ts';
import { Collector } from './collector.ts';
import { Committer, type Space } from './committer.ts';
import type { Telemetry } from './events.ts';
import { Healer } from './healer.ts';
import { Health } from './health.ts';
import { JournalWriter } from './journal-writer.ts';
import type { Keychain } from './keychain.ts';
import { storeIdOf } from './location.ts';
import { ObjectReader } from './objects/object-reader.ts';
import { OperationWriter } from './operation-writer.ts';
import { Operations } from './operations.ts';
import { PackWriters } from './pack-writers.ts';
import { RollbackWatch, type WatchPlace } from './rollback-watch.ts';
import type { Scope } from './scope.ts';
import { Scopes } from './scopes.ts';
import { Session } from './session.ts';
import { StoreSettings } from './settings.ts';
import { ShardWatch } from './shard-watch.ts';
import { needDone } from './shredder.ts';
import type { PlacementPolicy } from './types.ts';
import { Upkeep } from './upkeep.ts';

export interface EngineParts {
  readonly connection: Connection;
  readonly metadata: Metadata;
  /** The newest there is. */
  readonly config: StoreConfig;
  /** Absent in a plain store. */
  readonly keychain: Keychain | undefined;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly policy?: PlacementPolicy | undefined;
  /** Whether a writable store repairs itself. Default `auto`. */
  readonly heal?: 'auto' | 'manual' | undefined;
  /** Whether a writable store collects garbage by itself. Default `auto`. */
  readonly gc?: 'auto' | 'manual' | undefined;
  /** Of this process among others. */
  readonly life: ProcessLife;
}

/** Everything that only a writable store has. */
interface WriteSide {
  readonly journal: JournalWriter;
  readonly committer: Committer;
  readonly packWriters: PackWriters;
  readonly upkeep: Upkeep;
  readonly healer: Healer;
  readonly operations: Operations;
  readonly collector: Collector;
  readonly leases: Leases;
}

const DEFAULT_NAMESPACE = 0;

/** The parts of one open store and how they are wired; the API in front of it validates and translates. */
export class Engine {
  /** What every backend holds alike. */
  readonly backend: Backend;
  readonly connection: Connection;
  readonly metadata: Metadata;
  readonly settings: StoreSettings;
  readonly keychain: Keychain | undefined;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly health = new Health();
  readonly packs: PackStore;
  readonly scopes: Scopes;
  readonly contentThread = new ContentThread();
  /** Reads large files. */
  readonly files = new FileCutter(this.contentThread);
  readonly #random: RandomBytes;
  readonly #heal: 'auto' | 'manual';
  readonly #gc: 'auto' | 'manual';
  readonly #life: ProcessLife;
  readonly #storeId: Uint8Array;
  readonly #budget = new Semaphore(WRITE_BUDGET_BYTES);
  readonly #buffers = new BufferPool({
    bytes: RECORD_PLAIN_BYTES_TARGET,
    keptMax: (2 * WRITE_BUDGET_BYTES) / RECORD_PLAIN_BYTES_TARGET,
  });
  /** What the backends were last brought to. */
  #placement: string | undefined;
  #following: Promise<unknown> = Promise.resolve();
  #probe: BackendProbe | undefined;
  /** Found when the store was recovered. */
  #goneJournal: readonly PackRow[] = [];
  #write: WriteSide | undefined;
  #rollbackWatch: RollbackWatch | undefined;

  constructor(parts: EngineParts) {
    const { connection, random, keychain, metadata, config } = parts;
    this.backend = connection.control;
    this.connection = connection;
    this.metadata = metadata;
    this.settings = new StoreSettings({ control: connection.control, metadata, keychain, random, config });
    this.keychain = parts.keychain;
    this.telemetry = parts.telemetry;
    this.clock = parts.clock;
    this.#random = parts.random;
    this.#heal = parts.heal ?? 'auto';
    this.#gc = parts.gc ?? 'auto';
    this.#life = parts.life;
    this.#placement = placementOf(config);
    this.#storeId = storeIdOf(parts.config);
    this.packs = new PackStore({
      backends: connection.backends,
      storeId: this.#storeId,
      random,
      keys: keychain,
      redundancy: () => parseRedundancy(this.config.redundancy),
      ...(parts.policy && { policy: parts.policy }),
      follow: () => this.followBackends(),
      listener: new ShardWatch({
        metadata,
        telemetry: parts.telemetry,
        health: this.health,
        writable: () => this.writable,
      }),
    });
    this.scopes = new Scopes({
      keychain,
      metadata: this.metadata,
      chunking: parseChunking(parts.config.chunking),
      source: {
        storeId: this.#storeId,
        locate: (kind, wanted, signal) => this.metadata.locate(kind, wanted, signal && { signal }),
        readPack: (pack, range, how) => this.packs.read(pack, range, how),
        onDamage: (kind, items) => this.#onDamage(kind, items),
        onProven: (kind, items) => this.#flag(false, kind, items),
      },
    });
  }

  /** As it is now: other processes may change it. */
  get config(): StoreConfig {
    return this.settings.config;
  }

  /** Takes over what a crash left: from here on the store shows all that was committed to it. */
  async recover(): Promise<void> {
    const recovered = await recoverFromJournal(this);
    this.#goneJournal = recovered.gone;
    if (recovered.records > 0) this.telemetry.recovered({ records: recovered.records });
    for (const { message, details } of recovered.damaged) this.telemetry.logger?.warn(message, { ...details });
  }

  /** Makes a recovered store writable: reserves a session, flushes what nobody flushed. */
  async startWriting(space: Space): Promise<void> {
    const sessionId = await this.metadata.openSession(this.#life.self);
    const session = new Session({
      storeId: this.#storeId,
      sessionId,
      schedule: () => this.keychain?.schedule,
      random: this.#random,
    });
    const journal = new JournalWriter({
      metadata: this.metadata,
      packs: this.packs,
      session,
      head: await this.metadata.head(),
      settleKeys: () => this.keychain?.settle() ?? Promise.resolve(),
    });
    await journal.flush();
    const committer = new Committer({
      metadata: this.metadata,
      journal,
      health: this.health,
      space,
      afterCommit: () => this.#write?.upkeep.mergeWhenDue(this.packsWritten),
    });
    const packWriters = new PackWriters({
      packs: this.packs,
      session,
      health: this.health,
      register: (pack, items) => committer.submit({ changes: [{ type: 'pack-add', pack, items }], inline: [] }),
    });
    const { metadata, packs, keychain, telemetry, health } = this;
    const operations = new Operations(metadata, this.clock);
    await operations.start((error) => {
      health.judge(error);
      telemetry.logger?.warn('this process could not show that it lives', { error });
    });
    const upkeep = new Upkeep({ metadata, packs, keychain, telemetry, health, session, committer, packWriters });
    const healer = new Healer({
      ...{ telemetry, health, shards: () => this.shards },
      follow: () => this.followBackends(),
      isRedundant: () => this.packs.isSpread || this.packs.redundancy.m > 0,
    });
    const life = { metadata, life: this.#life, session: sessionId };
    const leases = new Leases(life);
    const settled = new SettledPacks();
    const collector = new Collector({
      ...{ telemetry, health, upkeep },
      context: () => ({
        ...upkeep.context(),
        ...{ ...life, clock: this.clock, leases, sleep, settled },
        ...{ backends: this.connection.backends, control: this.backend },
        publish: () => operations.publish(),
        adoptInbox: () => this.adoptInbox(),
        contentOf: (namespace) => this.scopes.of(namespace),
        compressionLevel: () => this.config.compression.level,
      }),
    });
    this.#write = { journal, committer, packWriters, upkeep, healer, operations, collector, leases };
    if (this.packs.isSpread) await findUnknownPlaces(metadata, this.connection.backends);
    await upkeep.dropGone(this.#goneJournal);
    await upkeep.finishShredding();
    if (this.#heal === 'auto') healer.start();
    if (this.#gc === 'auto') collector.start();
  }

  /** Takes over what has changed of the backends, whoever took over the config: keys are reloaded for other reasons, too. */
  followBackends(): Promise<void> {
    return this.#follow(() => this.settings.reload());
  }

  /**
   * Takes over a change that was made here. It has happened, and so the metadata is not asked again: it could be busy.
   * @param opened backends by id that need not be opened again
   */
  followChange(opened: ReadonlyMap<string, Backend> | undefined): Promise<void> {
    return this.#follow(async () => undefined, opened);
  }

  /** One after the other, so that nobody goes on with the backends of before while the new ones are being opened. */
  #follow(reload: () => Promise<unknown>, opened?: ReadonlyMap<string, Backend>): Promise<void> {
    const following = this.#following.then(async () => {
      await reload();
      const { config } = this.settings;
      const placement = placementOf(config);
      if (placement === this.#placement && opened === undefined) return;
      await this.connection.follow(config, opened);
      this.#placement = placement;
    });
    this.#following = following.catch(() => undefined);
    return following;
  }

  /** What changes of keys take from outside. */
  get keyContext(): KeyContext {
    return { random: this.#random, clock: this.clock };
  }

  /** From here on the caller's client remembers, in a folder outside the store, how far it is. */
  async watchRollback(place: WatchPlace): Promise<void> {
    const { metadata, packs, keychain, config, telemetry } = this;
    const watched = {
      storeId: config.storeId,
      keys: () => guardedKeys(keychain?.config ?? config, keychain?.schedule),
      ...{ metadata, packs, logger: telemetry.logger },
    };
    this.#rollbackWatch = await RollbackWatch.begin(watched, place);
  }

  /** From here on it is told when a backend goes away, or is back, also while nobody needs it. */
  watchBackends(): void {
    this.#probe = new BackendProbe(this.connection.backends);
  }

  get committer(): Committer {
    return this.#writeSide.committer;
  }

  get upkeep(): Upkeep {
    return this.#writeSide.upkeep;
  }

  get healer(): Healer {
    return this.#writeSide.healer;
  }

  /** What the store does with its inbox before it deletes anything. */
  adoptInbox: () => Promise<void> = async () => undefined;

  get collector(): Collector {
    return this.#writeSide.collector;
  }

  /** Absent in a store that is only read: it holds nothing back. */
  get operations(): Operations | undefined {
    return this.#write?.operations;
  }

  get packsWritten(): number {
    if (this.#write === undefined) return 0;
    return this.#write.journal.packsWritten + this.#write.packWriters.packsWritten;
  }

  get commits(): number {
    return this.#write?.committer.commits ?? 0;
  }

  /**
   * @param redundancy of what is written; default: the store's, which also what rides in the journal has
   * @param recordBytes of chunks compressed together: less where single chunks will be read
   */
  createWriter(scope: Scope, redundancy?: Redundancy, recordBytes = RECORD_PLAIN_BYTES_TARGET): OperationWriter {
    const { packWriters } = this.#writeSide;
    const { namespace, ids, reader } = scope;
    const group = { namespace, ...(redundancy && { redundancy }) };
    return new OperationWriter({
      ...packWriters.acquire(group),
      ids,
      ridesInline: namespace === DEFAULT_NAMESPACE && redundancy === undefined,
      bears: { now: this.packs.redundancy.m, wanted: (redundancy ?? this.packs.redundancy).m },
      budget: this.#budget,
      recordBytes,
      buffers: this.#buffers,
      compressionLevel: this.config.compression.level,
      locate: (kind, wanted) => this.metadata.locate(kind, wanted),
      ended: () => packWriters.release(group),
      verify: (chunks) => verifyChunks(reader, chunks),
    });
  }

  /**
   * Commits the changes of one operation. Keys of isolated entries that it removed or replaced are destroyed.
   * @param onCommitted told as soon as the changes would survive any crash
   * @throws what `Committer.submit` throws; `unavailable/SHRED_PENDING` (committed, and a key is still there)
   */
  async commit(
    { namespace }: Scope,
    request: CommitRequest,
    onCommitted?: () => void,
  ): Promise<readonly ChangeOutcome[]> {
    const logicalBytesMax = this.keychain?.quotaOf(namespace);
    const quotas = logicalBytesMax === undefined ? undefined : [{ namespace, logicalBytesMax }];
    const outcomes = await this.committer.submit({ ...request, ...(quotas && { quotas }) });
    onCommitted?.();
    if (outcomes.some(({ shredded }) => shredded !== undefined)) needDone(await this.upkeep.shred({ scrub: false }));
    return outcomes;
  }

  /** Destroys what was put under a key that nothing refers to: packs that are there already, and the key itself. */
  async dropIsolated(namespace: number): Promise<void> {
    await this.committer.submit({ changes: [{ type: 'namespace-drop', namespace }], inline: [] });
    await this.upkeep.shred({ scrub: false });
  }

  get writable(): boolean {
    return this.#write !== undefined;
  }

  /** @throws `denied/READ_ONLY`, `closed/STORE_POISONED` */
  assertWritable(): void {
    this.health.assertWritable();
    if (this.#write === undefined) throw storeError('READ_ONLY', 'the store was opened read-only');
  }

  /** What verification and repair work on. */
  get shards(): ShardStore {
    const { metadata, clock, writable, telemetry } = this;
    return {
      ...{ backends: this.connection.backends, metadata, clock, writable },
      random: this.#random,
      ...(this.#write && { leases: this.#write.leases }),
      onRepair: (repair) => telemetry.emit('repair', repair),
    };
  }

  /** What a check looks at. */
  checked(): CheckedStore {
    const { backend, metadata, packs, config, writable, scopes } = this;
    return {
      ...{ backend, metadata, packs, config, writable },
      shards: this.shards,
      namespaces: scopes.namespaces,
      openEntry: (row) => scopes.openEntry(row),
      contentOf: (namespace) => scopes.of(namespace),
      objectLoader: (namespace, signal) => new ObjectReader(this, scopes.of(namespace), signal).load,
      settle: () => this.settle(),
    };
  }

  /** Tells the metadata what the journal has written since it was last told. */
  async settle(): Promise<void> {
    await this.#write?.committer.settle();
  }

  /** Ends background work, flushes, and closes what it was given. Operations must have ended. */
  async close(): Promise<void> {
    this.#probe?.stop();
    try {
      this.#write?.operations.stop();
      await this.#write?.collector.end();
      await this.#write?.healer.end();
      await this.#write?.upkeep.end();
      await this.#write?.committer.close();
      if (this.#write && !this.health.poisoned) await this.metadata.endSession(this.#write.packWriters.leftBehind);
      await this.#rollbackWatch?.end();
    } finally {
      this.keychain?.close();
      const closed = this.contentThread.close().finally(() => this.metadata.close());
      await closed.finally(() => this.backend.close());
    }
  }

  get #writeSide(): WriteSide {
    invariant(this.#write, 'only a writable store writes');
    return this.#write;
  }

  async #onDamage(kind: ItemKind, items: readonly DamagedItem[]): Promise<void> {
    this.telemetry.counts.damageFound += items.length;
    for (const { error } of items) {
      const { digest, packId } = error.details;
      this.telemetry.logger?.error(error.message, { ...error.details });
      this.telemetry.emit('damage', {
        code: error.code,
        message: error.message,
        ...(digest && { digest }),
        ...(packId && { packId }),
      });
    }
    await this.#flag(true, kind, items);
  }

  async #flag(
    isSuspect: boolean,
    kind: ItemKind,
    items: readonly { readonly id: Uint8Array; readonly pack: PackRow | undefined }[],
  ): Promise<void> {
    const found = items.flatMap(({ id, pack }) => (pack ? [{ kind, id, packNumber: pack.number }] : []));
    if (found.length === 0 || this.#write === undefined || this.health.poisoned) return;
    try {
      await this.metadata.markSuspect(found, isSuspect);
    } catch (error) {
      // The reader is told of the damage, not of this: whoever reads the item next finds out again.
      this.health.judge(error);
      this.telemetry.logger?.warn('what a read found could not be noted', { error });
    }
  }
}

/** What the backends follow of a config. */
function placementOf({ placement, redundancy }: StoreConfig): string {
  return JSON.stringify([placement, redundancy]);
}

/** Reads known chunks one by one: which of them can still be counted on? What fails is flagged by the reader. */
async function verifyChunks(
  reader: ItemReader,
  chunks: readonly { readonly digest: Uint8Array; readonly length: number }[],
): Promise<readonly boolean[]> {
  const good: boolean[] = [];
  for (const chunk of chunks) {
    try {
      await reader.read('chunk', [chunk]);
      good.push(true);
    } catch (error) {
      if (!isStoreError(error) || error.kind !== 'corrupt') throw error;
      good.push(false);
    }
  }
  return good;
}
