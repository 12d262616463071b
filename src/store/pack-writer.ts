import { toHex } from '../bytes/bytes.ts';
import type { Redundancy } from '../erasure/index.ts';
import { isStoreError } from '../errors/store-error.ts';
import {
  type DirectoryItem,
  type FinishedPack,
  PackBuilder,
  type PackDescriptor,
  type RecordItem,
  type RecordKind,
} from '../format/index.ts';
import type { PackStore } from '../placement/pack-store.ts';
import type { BufferPool } from '../runtime/buffer-pool.ts';
import { Semaphore } from '../runtime/semaphore.ts';
import type { Health } from './health.ts';
import type { NewPack } from './session.ts';

export interface SealedRecord {
  readonly kind: RecordKind;
  readonly codec: number;
  readonly plainLength: number;
  readonly stored: Uint8Array;
  readonly items: readonly RecordItem[];
}

/** A pack that is being filled or written. `registered` settles when its items are findable, or when that failed. */
export interface PendingPack {
  readonly registered: Promise<void>;
}

interface OpenPack {
  readonly builder: PackBuilder;
  /** Of the pool: what the pack is built in. */
  readonly buffer: Uint8Array | undefined;
  /** Apart from the builder, so that who waits does not keep the bytes alive. */
  readonly pending: PendingPack;
  readonly settle: PromiseWithResolvers<void>;
}

/** Registers a durable pack in the metadata; resolves when the change is committed. */
export type RegisterPack = (pack: PackDescriptor, items: readonly DirectoryItem[]) => Promise<unknown>;

/** One pack is written while the next one fills. */
export const PACK_WRITES_AT_ONCE = 1;

/**
 * Gathers records of all concurrent operations of a namespace into packs of one class, writes full packs and registers
 * them. What was appended belongs to the store from then on: an operation that gives up leaves its records to the
 * others.
 */
export class PackWriter {
  readonly #newPack: () => NewPack;
  readonly #epoch: () => number;
  readonly #packs: PackStore;
  readonly #redundancy: Redundancy | undefined;
  readonly #register: RegisterPack;
  readonly #health: Health;
  readonly #slots = new Semaphore(PACK_WRITES_AT_ONCE);
  /** What packs are built in, where they get full. */
  readonly #buffers: BufferPool | undefined;
  /** Items appended and not yet registered, by id. */
  readonly #pendingItems = new Map<string, PendingPack>();
  #open: OpenPack | undefined;
  #lastClose: Promise<void> = Promise.resolve();
  #written = 0;
  #leftBehind = false;

  constructor(parts: {
    readonly newPack: () => NewPack;
    /** The key epoch that a pack would begin under now. */
    readonly epoch: () => number;
    readonly packs: PackStore;
    readonly register: RegisterPack;
    readonly health: Health;
    /** Of the packs; default: that of the store. */
    readonly redundancy?: Redundancy | undefined;
    /** Of `PACK_BUFFER_BYTES` each; shared by the writers of a store. */
    readonly buffers?: BufferPool | undefined;
  }) {
    this.#newPack = parts.newPack;
    this.#epoch = parts.epoch;
    this.#buffers = parts.buffers;
    this.#redundancy = parts.redundancy;
    this.#packs = parts.packs;
    this.#register = parts.register;
    this.#health = parts.health;
  }

  /** Packs written since the store was opened. */
  get packsWritten(): number {
    return this.#written;
  }

  /** Whether a pack was written, perhaps only in part, that no commit knows. */
  get leftBehind(): boolean {
    return this.#leftBehind;
  }

  /** Lets go of a pack that nobody waits for: what is in it belongs to operations that were given up. */
  abandon(): void {
    if (this.#open?.buffer) this.#buffers?.give(this.#open.buffer);
    this.#open = undefined;
  }

  /** The pack that will hold an item which was appended but is not findable yet. */
  pendingOf(id: string): PendingPack | undefined {
    return this.#pendingItems.get(id);
  }

  /** Adds a record to the open pack; waits while full packs are being written. @returns the pack to wait for */
  async append(record: SealedRecord): Promise<PendingPack> {
    while (this.#open && this.#isComplete(this.#open)) await this.#closeOnce(this.#open);
    this.#health.assertWritable();
    this.#open ??= this.#begin();
    this.#open.builder.add(record);
    const { pending } = this.#open;
    for (const item of record.items) this.#pendingItems.set(toHex(item.id), pending);
    return pending;
  }

  /**
   * Makes sure the pack gets written even if nobody fills it, and waits until it is registered. While a pack is on its
   * way the open one keeps gathering: operations that end together share it.
   * @throws what writing or registering threw
   */
  async flush(pending: PendingPack): Promise<void> {
    if (this.#open?.pending === pending) await this.#lastClose;
    const open = this.#open;
    if (open?.pending === pending) await this.#closeOnce(open);
    await pending.registered;
  }

  /** Full, or begun before the keys changed: who was shut out since must not open what comes now. */
  #isComplete({ builder }: OpenPack): boolean {
    return builder.isFull || builder.header.epoch !== this.#epoch();
  }

  #begin(): OpenPack {
    const settle = Promise.withResolvers<void>();
    // Whoever waits for the pack sees the failure; without a waiter it must not end the process.
    settle.promise.catch(() => undefined);
    const { header, key } = this.#newPack();
    const buffer = this.#buffers?.take();
    return {
      builder: new PackBuilder(header, { ...(buffer && { buffer }), ...(key && { key }) }),
      buffer,
      settle,
      pending: { registered: settle.promise },
    };
  }

  /**
   * Takes a pack out of filling and starts writing it, once a write slot is free and unless somebody else did
   * meanwhile.
   */
  async #closeOnce(open: OpenPack): Promise<void> {
    await this.#slots.acquire();
    if (this.#open !== open) {
      this.#slots.release();
      return;
    }
    this.#open = undefined;
    const closing = this.#write(open).then(open.settle.resolve, open.settle.reject);
    this.#lastClose = closing.finally(() => this.#slots.release());
  }

  async #write(open: OpenPack): Promise<void> {
    const finished = open.builder.finish();
    try {
      this.#health.assertWritable();
      const pack = await this.#writeBlob(open, finished);
      this.#written += 1;
      await this.#registerPack(pack, finished.items);
    } catch (error) {
      this.#leftBehind = true;
      throw this.#health.judge(error);
    } finally {
      for (const item of finished.items) {
        const id = toHex(item.id);
        if (this.#pendingItems.get(id) === open.pending) this.#pendingItems.delete(id);
      }
    }
  }

  async #registerPack(pack: PackDescriptor, items: readonly DirectoryItem[]): Promise<void> {
    try {
      await this.#register(pack, items);
    } catch (error) {
      // It is registered, and its journal record goes out before that of any commit that refers to the pack: what is
      // pending there is told to the one whose commit it is.
      if (!isStoreError(error, 'COMMIT_PENDING')) throw error;
    }
  }

  async #writeBlob({ builder, buffer }: OpenPack, finished: FinishedPack): Promise<PackDescriptor> {
    try {
      const redundancy = this.#redundancy;
      return await this.#packs.write({ header: builder.header, ...finished, ...(redundancy && { redundancy }) });
    } finally {
      if (buffer) this.#buffers?.give(buffer);
    }
  }
}
