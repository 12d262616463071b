import type { Backend } from '../backend/contract.ts';
import { type ChunkingSpec, parseChunking } from '../chunking/index.ts';
import { invariant, isStoreError, storeError } from '../errors/store-error.ts';
import type { StoreConfig } from '../format/index.ts';
import { MERGE_FAN_IN, RECORD_PLAIN_BYTES_TARGET, WRITE_BUDGET_BYTES } from '../limits.ts';
import { deleteDroppedPacks, type MergeContext, mergeSmallPacks } from '../maintenance/merge.ts';
import { recoverFromJournal } from '../maintenance/recover.ts';
import type { Metadata } from '../metadata/contract.ts';
import { type DamagedItem, type ItemKind, ItemReader } from '../pipeline/item-reader.ts';
import { PackStore } from '../placement/pack-store.ts';
import { BufferPool } from '../runtime/buffer-pool.ts';
import type { Clock } from '../runtime/clock.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { Semaphore } from '../runtime/semaphore.ts';
import { Committer, type Space } from './committer.ts';
import type { Telemetry } from './events.ts';
import { Health } from './health.ts';
import { JournalWriter } from './journal-writer.ts';
import { storeIdOf } from './location.ts';
import { OperationWriter } from './operation-writer.ts';
import { PackWriter } from './pack-writer.ts';
import { Session } from './session.ts';

export interface EngineParts {
  readonly backend: Backend;
  readonly metadata: Metadata;
  readonly config: StoreConfig;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

/** Everything that only a writable store has. */
interface WriteSide {
  readonly session: Session;
  readonly journal: JournalWriter;
  readonly committer: Committer;
  readonly chunkPacks: PackWriter;
  readonly nodePacks: PackWriter;
}

/** The parts of one open store and how they are wired; the API in front of it validates and translates. */
export class Engine {
  readonly backend: Backend;
  readonly metadata: Metadata;
  readonly config: StoreConfig;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly health = new Health();
  readonly packs: PackStore;
  readonly reader: ItemReader;
  readonly chunking: ChunkingSpec;
  readonly #storeId: Uint8Array;
  readonly #budget = new Semaphore(WRITE_BUDGET_BYTES);
  readonly #buffers = new BufferPool({
    bytes: RECORD_PLAIN_BYTES_TARGET,
    keptMax: (2 * WRITE_BUDGET_BYTES) / RECORD_PLAIN_BYTES_TARGET,
  });
  readonly #stopMerging = new AbortController();
  #write: WriteSide | undefined;
  #merging: Promise<void> | undefined;
  #packsAtLastMerge = -MERGE_FAN_IN;

  constructor(parts: EngineParts) {
    this.backend = parts.backend;
    this.metadata = parts.metadata;
    this.config = parts.config;
    this.telemetry = parts.telemetry;
    this.clock = parts.clock;
    this.chunking = parseChunking(parts.config.chunking);
    const storeId = storeIdOf(parts.config);
    this.#storeId = storeId;
    this.packs = new PackStore({ backend: parts.backend, storeId, random: parts.random });
    this.reader = new ItemReader({
      storeId,
      locate: (kind, ids, signal) => this.metadata.locate(kind, ids, signal && { signal }),
      readPack: (pack, range, signal) => this.packs.read(pack, range, signal && { signal }),
      onDamage: (kind, items) => this.#onDamage(kind, items),
    });
  }

  /** Makes the store writable: recovers what a crash left, reserves a session, flushes what nobody flushed. */
  async startWriting(space: Space): Promise<void> {
    const recovered = await recoverFromJournal(this);
    if (recovered.records > 0) this.telemetry.recovered({ records: recovered.records });
    for (const { message, details } of recovered.damaged) this.telemetry.logger?.warn(message, { ...details });
    const session = new Session(this.#storeId, await this.metadata.openSession());
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
    const packWriter = (packClass: 'data' | 'meta'): PackWriter =>
      new PackWriter({
        class: packClass,
        packs: this.packs,
        session,
        health: this.health,
        register: (pack, items) => committer.submit({ changes: [{ type: 'pack-add', pack, items }], inline: [] }),
      });
    this.#write = { session, journal, committer, chunkPacks: packWriter('data'), nodePacks: packWriter('meta') };
  }

  get committer(): Committer {
    return this.#writeSide.committer;
  }

  get packsWritten(): number {
    if (this.#write === undefined) return 0;
    const { journal, chunkPacks, nodePacks } = this.#write;
    return journal.packsWritten + chunkPacks.packsWritten + nodePacks.packsWritten;
  }

  get commits(): number {
    return this.#write?.committer.commits ?? 0;
  }

  createWriter(): OperationWriter {
    const { chunkPacks, nodePacks } = this.#writeSide;
    return new OperationWriter({
      chunkPacks,
      nodePacks,
      budget: this.#budget,
      buffers: this.#buffers,
      compressionLevel: this.config.compression.level,
      locate: (kind, ids) => this.metadata.locate(kind, ids),
      verify: (chunks) => this.#verify(chunks),
    });
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
    } finally {
      await this.metadata.close().finally(() => this.backend.close());
    }
  }

  get #writeSide(): WriteSide {
    invariant(this.#write, 'only a writable store writes');
    return this.#write;
  }

  /** Reads known chunks one by one: which of them can still be counted on? What fails is flagged by the reader. */
  async #verify(chunks: readonly { readonly id: Uint8Array; readonly length: number }[]): Promise<readonly boolean[]> {
    const good: boolean[] = [];
    for (const chunk of chunks) {
      try {
        await this.reader.read('chunk', [chunk]);
        good.push(true);
      } catch (error) {
        if (!isStoreError(error) || error.kind !== 'corrupt') throw error;
        good.push(false);
      }
    }
    return good;
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
    const { session, committer } = this.#writeSide;
    const context: MergeContext = {
      metadata: this.metadata,
      packs: this.packs,
      nextPackHeader: (packClass) => session.nextPackHeader(packClass),
      submit: (changes) => committer.submit({ changes, inline: [] }),
      flushJournal: () => committer.flush(),
      onMerge: (report) => {
        this.telemetry.counts.packsMerged += report.dropped;
        this.telemetry.emit('merge', report);
      },
      signal: this.#stopMerging.signal,
    };
    try {
      await deleteDroppedPacks(context);
      await mergeSmallPacks(context);
    } catch (error) {
      if (this.#stopMerging.signal.aborted) return;
      // Merging only tidies: a store that cannot merge now works as before and tries again after more commits.
      this.telemetry.logger?.warn('small packs could not be merged', { error });
    }
  }
}
