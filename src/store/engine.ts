import type { Backend } from '../backend/contract.ts';
import { equalBytes } from '../bytes/bytes.ts';
import { type ChunkingSpec, parseChunking } from '../chunking/index.ts';
import { invariant, isStoreError, storeError } from '../errors/store-error.ts';
import { decodeEntryRow, type EntryValue, namespaceOfKey, plainIds, type StoreConfig } from '../format/index.ts';
import type { KeyContext } from '../keys/index.ts';
import { MERGE_FAN_IN, RECORD_PLAIN_BYTES_TARGET, WRITE_BUDGET_BYTES } from '../limits.ts';
import { deleteDroppedPacks, mergeSmallPacks } from '../maintenance/merge.ts';
import { recoverFromJournal } from '../maintenance/recover.ts';
import type { RekeyContext } from '../maintenance/rekey.ts';
import type { ChangeOutcome, CommitRequest, EntryRow, Metadata } from '../metadata/contract.ts';
import { type DamagedItem, type ItemKind, ItemReader } from '../pipeline/item-reader.ts';
import { PackStore } from '../placement/pack-store.ts';
import { BufferPool } from '../runtime/buffer-pool.ts';
import type { Clock } from '../runtime/clock.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { Semaphore } from '../runtime/semaphore.ts';
import { Committer, type Space } from './committer.ts';
import { keyText, namingEntry, type OpenedEntry } from './entry-info.ts';
import type { Telemetry } from './events.ts';
import { Health } from './health.ts';
import { JournalWriter } from './journal-writer.ts';
import type { ShredReport } from './key-types.ts';
import { type Keychain, needKeychain } from './keychain.ts';
import { storeIdOf } from './location.ts';
import { OperationWriter } from './operation-writer.ts';
import { PackWriters } from './pack-writers.ts';
import { RollbackWatch } from './rollback-watch.ts';
import { Scope } from './scope.ts';
import { Session } from './session.ts';
import { needDone, shred } from './shredder.ts';
import type { OpenOptions } from './types.ts';

export interface EngineParts {
  readonly backend: Backend;
  readonly metadata: Metadata;
  readonly config: StoreConfig;
  /** Absent in a plain store. */
  readonly keychain?: Keychain | undefined;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

/** Everything that only a writable store has. */
interface WriteSide {
  readonly session: Session;
  readonly journal: JournalWriter;
  readonly committer: Committer;
  readonly packWriters: PackWriters;
}

const DEFAULT_NAMESPACE = 0;

/** The parts of one open store and how they are wired; the API in front of it validates and translates. */
export class Engine {
  readonly backend: Backend;
  readonly metadata: Metadata;
  readonly config: StoreConfig;
  readonly keychain: Keychain | undefined;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly health = new Health();
  readonly packs: PackStore;
  readonly #random: RandomBytes;
  readonly #storeId: Uint8Array;
  readonly #chunking: ChunkingSpec;
  readonly #budget = new Semaphore(WRITE_BUDGET_BYTES);
  readonly #buffers = new BufferPool({
    bytes: RECORD_PLAIN_BYTES_TARGET,
    keptMax: (2 * WRITE_BUDGET_BYTES) / RECORD_PLAIN_BYTES_TARGET,
  });
  readonly #stopMerging = new AbortController();
  #write: WriteSide | undefined;
  #merging: Promise<void> | undefined;
  #shredding: Promise<unknown> = Promise.resolve();
  #rollbackWatch: RollbackWatch | undefined;
  readonly #scopes = new Map<number, Scope>();
  #packsAtLastMerge = -MERGE_FAN_IN;

  constructor(parts: EngineParts) {
    this.backend = parts.backend;
    this.metadata = parts.metadata;
    this.config = parts.config;
    this.keychain = parts.keychain;
    this.telemetry = parts.telemetry;
    this.clock = parts.clock;
    this.#random = parts.random;
    this.#chunking = parseChunking(parts.config.chunking);
    this.#storeId = storeIdOf(parts.config);
    const { backend, random, keychain: keys } = parts;
    this.packs = new PackStore({ backend, storeId: this.#storeId, random, keys });
  }

  /** Makes the store writable: recovers what a crash left, reserves a session, flushes what nobody flushed. */
  async startWriting(space: Space): Promise<void> {
    const recovered = await recoverFromJournal(this);
    if (recovered.records > 0) this.telemetry.recovered({ records: recovered.records });
    for (const { message, details } of recovered.damaged) this.telemetry.logger?.warn(message, { ...details });
    const session = new Session({
      storeId: this.#storeId,
      sessionId: await this.metadata.openSession(),
      schedule: () => this.keychain?.schedule,
      random: this.#random,
    });
    const journal = new JournalWriter({
      metadata: this.metadata,
      packs: this.packs,
      session,
      head: await this.metadata.head(),
    });
    await journal.flush();
    const committer = new Committer({
      metadata: this.metadata,
      journal,
      health: this.health,
      space,
      afterCommit: () => this.#mergeWhenDue(),
    });
    const packWriters = new PackWriters({
      packs: this.packs,
      session,
      health: this.health,
      register: (pack, items) => committer.submit({ changes: [{ type: 'pack-add', pack, items }], inline: [] }),
    });
    this.#write = { session, journal, committer, packWriters };
    await this.#finishShredding();
  }

  /** What an earlier process could not destroy. */
  async #finishShredding(): Promise<void> {
    if (this.keychain === undefined || (await this.metadata.pendingShreds({ limit: 1 })).length === 0) return;
    const { pending } = await this.shred({ scrub: true });
    for (const what of pending) this.telemetry.logger?.warn(`still to be destroyed: ${what}`);
  }

  /** The default namespace, or the one of this name. @throws `not-found/NAMESPACE_NOT_FOUND` */
  async scope(name?: string): Promise<Scope> {
    if (name === undefined) return this.scopeOf(DEFAULT_NAMESPACE);
    const { number } = await needKeychain(this.keychain).namespace(name);
    return this.scopeOf(number);
  }

  /** Its key is gone, and nothing may be made with what is left of it. */
  forgetNamespace(namespace: number): void {
    this.#scopes.delete(namespace);
    this.keychain?.forget(namespace);
  }

  /** Keys of a namespace never change, so its scope is made once. @throws `denied/NAMESPACE_KEY_GONE` */
  scopeOf(namespace: number): Scope {
    const scope = this.#scopes.get(namespace) ?? this.#newScope(namespace);
    this.#scopes.set(namespace, scope);
    return scope;
  }

  /** Opens the value of an entry. @throws `corrupt/ENTRY_CORRUPT` naming the key; `denied/NAMESPACE_KEY_GONE` */
  async openEntry(row: EntryRow, scope = this.scopeOf(namespaceOfKey(row.key))): Promise<OpenedEntry> {
    try {
      const decoded = decodeEntryRow(row.entry);
      if ('value' in decoded) {
        const { reader, ids } = scope;
        return { row, value: decoded.value, reader, ids, isolated: false };
      }
      invariant(this.keychain, 'only a sealed store has isolated entries');
      const value = await this.keychain.openIsolated(decoded.isolated);
      const { reader, ids } = this.#newScope(decoded.isolated.namespace);
      return { row, value, reader, ids, isolated: true };
    } catch (error) {
      throw namingEntry(error, keyText(row));
    }
  }

  /** Opens an entry that was looked up a moment ago; `undefined` when it was shredded since. */
  async openCurrent(row: EntryRow, scope: Scope): Promise<OpenedEntry | undefined> {
    try {
      return await this.openEntry(row, scope);
    } catch (error) {
      if (!isStoreError(error, 'KEY_PAGE_MISSING')) throw error;
      const [now] = await this.metadata.getEntries([row.key]);
      if (now && equalBytes(now.version, row.version)) throw error;
      return now && (await this.openCurrent(now, scope));
    }
  }

  /** A scope for one entry, with a key that is durable when this resolves. @throws `denied/STORE_NOT_SEALED` */
  async isolate(): Promise<IsolatedPut> {
    const keychain = needKeychain(this.keychain);
    const namespace = await keychain.createIsolated();
    return {
      scope: this.#newScope(namespace),
      seal: (value) => keychain.sealIsolated(namespace, value),
      // Nothing refers to the key; if it cannot be destroyed it is garbage like the packs it sealed.
      giveUp: () => keychain.destroyIsolated(namespace).catch(() => undefined),
    };
  }

  /** What changes of keys take from outside. */
  get keyContext(): KeyContext {
    return { random: this.#random, clock: this.clock };
  }

  get namespaces(): readonly number[] {
    return this.keychain?.keyring.namespaces.map(({ number }) => number) ?? [DEFAULT_NAMESPACE];
  }

  /** Checks against what the caller's client remembers, and goes on remembering. */
  async watchRollback(options: Pick<OpenOptions, 'rollbackGuard' | 'acceptRollback'>): Promise<void> {
    const { rollbackGuard, acceptRollback = false } = options;
    if (rollbackGuard === undefined) return;
    this.#rollbackWatch = await RollbackWatch.begin(this, rollbackGuard, acceptRollback);
  }

  get committer(): Committer {
    return this.#writeSide.committer;
  }

  get packsWritten(): number {
    if (this.#write === undefined) return 0;
    return this.#write.journal.packsWritten + this.#write.packWriters.packsWritten;
  }

  get commits(): number {
    return this.#write?.committer.commits ?? 0;
  }

  createWriter(scope: Scope): OperationWriter {
    const { packWriters } = this.#writeSide;
    const { namespace, ids, reader } = scope;
    return new OperationWriter({
      ...packWriters.acquire(namespace),
      ids,
      ridesInline: namespace === DEFAULT_NAMESPACE,
      budget: this.#budget,
      buffers: this.#buffers,
      compressionLevel: this.config.compression.level,
      locate: (kind, wanted) => this.metadata.locate(kind, wanted),
      ended: () => packWriters.release(namespace),
      verify: (chunks) => verifyChunks(reader, chunks),
    });
  }

  /**
   * Commits the changes of one operation. Keys of isolated entries that it removed or replaced are destroyed.
   * @throws what `Committer.submit` throws; `unavailable/SHRED_PENDING` (committed, and a key is still there)
   */
  async commit({ namespace }: Scope, request: CommitRequest): Promise<readonly ChangeOutcome[]> {
    const logicalBytesMax = this.keychain?.quotaOf(namespace);
    const quotas = logicalBytesMax === undefined ? undefined : [{ namespace, logicalBytesMax }];
    const outcomes = await this.committer.submit({ ...request, ...(quotas && { quotas }) });
    if (outcomes.some(({ shredded }) => shredded !== undefined)) needDone(await this.shred({ scrub: false }));
    return outcomes;
  }

  /** Destroys keys and packs that the state has let go of. */
  shred({ scrub }: { readonly scrub: boolean }): Promise<ShredReport> {
    const { metadata, packs, committer, keychain } = this;
    const { signal } = this.#stopMerging;
    const shredding = this.#shredding.then(() =>
      shred({
        metadata,
        packs,
        keychain: needKeychain(keychain),
        flushJournal: () => committer.flush(),
        signal,
        scrub,
      }),
    );
    this.#shredding = shredding.catch(() => undefined);
    return shredding;
  }

  get writable(): boolean {
    return this.#write !== undefined;
  }

  /** @throws `denied/READ_ONLY`, `closed/STORE_POISONED` */
  assertWritable(): void {
    this.health.assertWritable();
    if (this.#write === undefined) throw storeError('READ_ONLY', 'the store was opened read-only');
  }

  /** Tells the metadata what the journal has written since it was last told. */
  async settle(): Promise<void> {
    await this.#write?.committer.settle();
  }

  /** Ends background work, flushes, and closes what it was given. Operations must have ended. */
  async close(): Promise<void> {
    this.#stopMerging.abort();
    try {
      await this.#merging;
      await this.#write?.committer.close();
      await this.#rollbackWatch?.end();
    } finally {
      this.keychain?.close();
      await this.metadata.close().finally(() => this.backend.close());
    }
  }

  get #writeSide(): WriteSide {
    invariant(this.#write, 'only a writable store writes');
    return this.#write;
  }

  #newScope(namespace: number): Scope {
    const ids = this.keychain?.ids(namespace) ?? plainIds;
    const reader = new ItemReader({
      storeId: this.#storeId,
      ids,
      keys: this.keychain,
      locate: (kind, wanted, signal) => this.metadata.locate(kind, wanted, signal && { signal }),
      readPack: (pack, range, signal) => this.packs.read(pack, range, signal && { signal }),
      onDamage: (kind, items) => this.#onDamage(kind, items),
    });
    const chunkerSeed = this.keychain?.schedule.chunkerSeed(namespace) ?? 0n;
    return new Scope({ namespace, ids, reader, chunking: this.#chunking, chunkerSeed });
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
    await this.#flag(items.flatMap(({ id, pack }) => (pack ? [{ kind, id, packNumber: pack.number }] : [])));
  }

  async #flag(items: Parameters<Metadata['markSuspect']>[0]): Promise<void> {
    if (items.length === 0 || this.#write === undefined || this.health.poisoned) return;
    try {
      await this.metadata.markSuspect(items);
    } catch (error) {
      // The reader is told of the damage, not of this: unflagged, whoever reads it next finds it again.
      this.health.judge(error);
      this.telemetry.logger?.warn('damage could not be flagged', { error });
    }
  }

  #mergeWhenDue(): void {
    if (
      this.#merging ||
      this.health.poisoned ||
      this.#stopMerging.signal.aborted ||
      this.packsWritten - this.#packsAtLastMerge < MERGE_FAN_IN
    )
      return;
    this.#packsAtLastMerge = this.packsWritten;
    this.#merging = this.#merge().finally(() => {
      this.#merging = undefined;
    });
  }

  async #merge(): Promise<void> {
    const context = this.mergeContext();
    try {
      await deleteDroppedPacks(context);
      await mergeSmallPacks(context, this.#writeSide.packWriters.takeTouched());
    } catch (error) {
      if (this.#stopMerging.signal.aborted) return;
      // Merging only tidies: a store that cannot merge now works as before and tries again after more commits.
      this.telemetry.logger?.warn('small packs could not be merged', { error });
    }
  }

  /** What moving records from pack to pack takes. */
  mergeContext(): RekeyContext {
    const { session, committer } = this.#writeSide;
    return {
      metadata: this.metadata,
      packs: this.packs,
      newPack: (packClass, namespace) => session.newPack(packClass, namespace),
      idsOf: (namespace) => this.keychain?.ids(namespace) ?? plainIds,
      submit: (changes) => committer.submit({ changes, inline: [] }),
      flushJournal: () => committer.flush(),
      resealKeyPages: async () => await this.keychain?.resealKeyPages(),
      onMerge: (report) => {
        this.telemetry.counts.packsMerged += report.dropped;
        this.telemetry.emit('merge', report);
      },
      signal: this.#stopMerging.signal,
    };
  }
}

/** A put under a key of its own, on its way. */
export interface IsolatedPut {
  readonly scope: Scope;
  /** The entry's value as the metadata keeps it, and the version it shows. */
  seal(value: EntryValue): { readonly entry: Uint8Array; readonly version: Uint8Array };
  /** Destroys the key of a put that failed. */
  giveUp(): Promise<void>;
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
