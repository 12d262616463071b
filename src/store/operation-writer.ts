import { concatBytes, copyBytes, toHex } from '../bytes/bytes.ts';
import { compress } from '../compress/index.ts';
import type { ItemIds, RecordItem } from '../format/index.ts';
import { INLINE_BYTES_MAX, LOOKUP_BATCH_CHUNKS, RECORD_ITEMS_MAX, RECORD_PLAIN_BYTES_TARGET } from '../limits.ts';
import type { InlineRecord, ItemLocation } from '../metadata/contract.ts';
import type { BufferPool } from '../runtime/buffer-pool.ts';
import type { Semaphore } from '../runtime/semaphore.ts';
import { type HeldBytes, SlabCopier } from '../runtime/slabs.ts';
import type { PackWriter, PendingPack, SealedRecord } from './pack-writer.ts';

/** What the writing of one entry added to the store. */
export interface Tally {
  newBytes: number;
  storedBytes: number;
  chunksNew: number;
  chunksKnown: number;
}

/** A chunk in the memory of the writer, which lets go of it. */
export interface HeldChunk extends HeldBytes {
  /** BLAKE3 of its bytes. */
  readonly digest: Uint8Array;
  readonly tally: Tally;
  /** Re-read the chunk before counting on one that is stored already. */
  readonly verifyExisting: boolean;
}

interface ChunkToStore extends HeldChunk {
  readonly id: Uint8Array;
  /** The id as text, which maps go by. */
  readonly name: string;
}

interface Group {
  readonly chunks: ChunkToStore[];
  plainBytes: number;
}

/** A group on its way into a record. */
interface GatheredGroup {
  readonly items: readonly RecordItem[];
  /** Whose chunks they are, and their ids as text: one for each item. */
  readonly tallies: readonly Tally[];
  readonly names: readonly string[];
  readonly plain: Uint8Array;
  /** Lets go of the memory of `plain`. */
  release(): void;
}

/** A record, whose chunks it holds and what they are named: one of each for each item. */
interface CountedRecord {
  readonly record: SealedRecord;
  readonly tallies: readonly Tally[];
  readonly names: readonly string[];
}

/** What the writer needs of the engine around it. */
export interface WriterContext {
  readonly chunkPacks: PackWriter;
  readonly nodePacks: PackWriter;
  readonly ids: ItemIds;
  /** Whether little content may ride in the commit: in the journal, which outlives the keys of other namespaces. */
  readonly ridesInline: boolean;
  /** Shards that may be lost: of what the journal holds, and that content must bear to count as stored. */
  readonly bears: { readonly now: number; readonly wanted: number };
  /** Plain bytes that are compressed together, at most `RECORD_PLAIN_BYTES_TARGET`. */
  readonly recordBytes: number;
  /** Plain bytes being compressed or waiting for a pack, over all operations of the store. */
  readonly budget: Semaphore;
  /** Of `RECORD_PLAIN_BYTES_TARGET` each: chunks that wait, and records being compressed. */
  readonly buffers: BufferPool;
  readonly compressionLevel: number;
  locate(kind: 'chunk' | 'manifest', ids: Uint8Array): Promise<readonly (ItemLocation | undefined)[]>;
  /** Called once, when the operation needs its packs no more. */
  ended(): void;
  /** Re-reads known chunks and tells which are good. */
  verify(chunks: readonly { readonly digest: Uint8Array; readonly length: number }[]): Promise<readonly boolean[]>;
}

/**
 * Stores the chunks of one operation (a put, or all puts of a batch): looks them up in batches, compresses what is new
 * in records of up to 1 MiB, and appends those to the shared packs of its namespace. An operation with little new
 * content in the default namespace never touches a pack: its records ride in the commit.
 */
export class OperationWriter {
  readonly #context: WriterContext;
  readonly #slabs: SlabCopier;
  #lookup: ChunkToStore[] = [];
  #lookupBytes = 0;
  #resolving: Promise<void> = Promise.resolve();
  #group: Group = { chunks: [], plainBytes: 0 };
  #placing: Promise<void> = Promise.resolve();
  /** New chunks that are in no pack yet: in the open group, being compressed, or held inline. */
  readonly #unplaced = new Set<string>();
  #inline: CountedRecord[] = [];
  #inlineBytes = 0;
  #spilled: boolean;
  /** Packs that hold something of this operation and are not registered yet. */
  readonly #waits = new Map<PendingPack, PackWriter>();
  #failure: unknown;
  #ended = false;

  constructor(context: WriterContext) {
    this.#context = context;
    this.#slabs = new SlabCopier(context.buffers);
    this.#spilled = !context.ridesInline;
  }

  /** Copies a chunk into the memory of the writer. What is hashed must be this copy: the caller's array may change. */
  hold(bytes: Uint8Array): HeldBytes {
    return this.#slabs.copy(bytes);
  }

  /** Takes a chunk that was held. Whoever adds chunks calls `drain` once the writer is full. */
  add(chunk: HeldChunk): void {
    const id = this.#context.ids.idOf('chunk', chunk.digest);
    this.#lookup.push({ ...chunk, id, name: toHex(id) });
    this.#lookupBytes += chunk.bytes.length;
  }

  /** Whether so much has gathered that it should be looked up before more is added. */
  get isFull(): boolean {
    return this.#lookupBytes >= RECORD_PLAIN_BYTES_TARGET || this.#lookup.length >= LOOKUP_BATCH_CHUNKS;
  }

  /**
   * Has what has gathered looked up and stored; waits while too much is in flight.
   * @throws what failed in the background
   */
  async drain(): Promise<void> {
    const batch = this.#lookup;
    this.#lookup = [];
    this.#lookupBytes = 0;
    this.#throwFailure();
    // One lookup runs while the next batch gathers.
    const previous = this.#resolving;
    this.#resolving = previous.then(() => this.#resolve(batch));
    this.#resolving.catch(() => undefined);
    await previous;
  }

  /** Stores a manifest node, named by its digest, unless it is known. */
  async addNode(digest: Uint8Array, bytes: Uint8Array): Promise<void> {
    const { nodePacks, ids } = this.#context;
    const id = ids.idOf('manifest', digest);
    const pending = nodePacks.pendingOf(toHex(id));
    if (pending) {
      this.#waitFor(pending, nodePacks);
      return;
    }
    const [known] = await this.#context.locate('manifest', id);
    if (known && isKept(known) && this.#isStrong(known)) return;
    const compressed = await compress(bytes, { level: this.#context.compressionLevel });
    const items = [{ id, length: bytes.length }];
    const record = {
      kind: 'manifest',
      codec: compressed.codec,
      plainLength: bytes.length,
      stored: compressed.bytes,
      items,
    } as const;
    this.#waitFor(await nodePacks.append(record), nodePacks);
  }

  /**
   * Ends the operation: everything it added is findable or rides in the returned records.
   * @throws what compressing, writing or registering threw; the operation must not be committed then
   */
  async finish(): Promise<readonly InlineRecord[]> {
    await this.drain();
    await this.#resolving;
    await this.#sealGroup();
    await this.#placing;
    await Promise.allSettled([...this.#waits].map(([pending, writer]) => writer.flush(pending)));
    this.#throwFailure();
    this.#end();
    return this.#inline.map(({ record }) => record);
  }

  /** Waits for what runs in the background of an operation that is given up. Never throws. */
  async abandon(): Promise<void> {
    await Promise.allSettled([this.#resolving, this.#placing]);
    this.#end();
  }

  #end(): void {
    if (!this.#ended) this.#context.ended();
    this.#ended = true;
  }

  #waitFor(pending: PendingPack, writer: PackWriter): void {
    if (this.#waits.has(pending)) return;
    this.#waits.set(pending, writer);
    pending.registered.catch((error: unknown) => this.#failWith(error)).finally(() => this.#waits.delete(pending));
  }

  #failWith(error: unknown): void {
    this.#failure ??= error;
  }

  /** What could not be placed or written ends the operation at its next step, not after the rest of its input. */
  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #resolve(batch: readonly ChunkToStore[]): Promise<void> {
    const unknown: ChunkToStore[] = [];
    for (const chunk of batch) {
      if (this.#isOnItsWay(chunk)) countKnown(chunk);
      else unknown.push(chunk);
    }
    if (unknown.length === 0) return;
    const known = await this.#lookUp(unknown);
    for (const [index, chunk] of unknown.entries()) {
      if (known[index] || this.#isOnItsWay(chunk)) countKnown(chunk);
      else {
        if (this.#isGroupFull(chunk)) await this.#sealGroup();
        this.#addToGroup(chunk);
      }
    }
  }

  /** Whether this operation holds the chunk already, or a pack is being written with it. */
  #isOnItsWay({ name }: ChunkToStore): boolean {
    if (this.#unplaced.has(name)) return true;
    const pending = this.#context.chunkPacks.pendingOf(name);
    if (pending === undefined) return false;
    this.#waitFor(pending, this.#context.chunkPacks);
    return true;
  }

  async #lookUp(chunks: readonly ChunkToStore[]): Promise<readonly boolean[]> {
    const locations = await this.#context.locate('chunk', concatBytes(chunks.map((chunk) => chunk.id)));
    const known = chunks.map((chunk, index) => {
      const location = locations[index];
      if (location === undefined || !isKept(location) || !this.#isStrong(location)) return false;
      return location.length === chunk.bytes.length;
    });
    const doubted = [...chunks.keys()].filter((index) => known[index] && chunks[index]?.verifyExisting);
    if (doubted.length === 0) return known;
    const good = await this.#context.verify(
      doubted
        .map((index) => chunks[index] as ChunkToStore)
        .map((chunk) => ({ digest: chunk.digest, length: chunk.bytes.length })),
    );
    for (const [position, index] of doubted.entries()) known[index] = good[position] === true;
    return known;
  }

  /** Whether what is stored there bears as many losses as it should. */
  #isStrong(location: ItemLocation): boolean {
    const { now, wanted } = this.#context.bears;
    return (location.pack?.stripe.m ?? now) >= wanted;
  }

  /** Whether there is no room for another chunk. */
  #isGroupFull({ bytes }: ChunkToStore): boolean {
    const { chunks, plainBytes } = this.#group;
    if (chunks.length === 0) return false;
    return plainBytes + bytes.length > this.#context.recordBytes || chunks.length === RECORD_ITEMS_MAX;
  }

  #addToGroup(chunk: ChunkToStore): void {
    this.#group.chunks.push(chunk);
    this.#group.plainBytes += chunk.bytes.length;
    this.#unplaced.add(chunk.name);
    countNew(chunk.tally, chunk.bytes.length, 1);
  }

  /** Starts compressing the open group. Groups are compressed side by side and placed in their order. */
  async #sealGroup(): Promise<void> {
    const { chunks, plainBytes } = this.#group;
    if (chunks.length === 0) return;
    this.#group = { chunks: [], plainBytes: 0 };
    await this.#context.budget.acquire(plainBytes);
    const group = this.#gather(chunks, plainBytes);
    const record = this.#compress(group);
    record.catch(() => undefined);
    this.#placing = this.#place(this.#placing, group, record);
    this.#placing.catch((error: unknown) => this.#failWith(error));
  }

  /** Brings the chunks together; their own memory is let go of. */
  #gather(chunks: readonly ChunkToStore[], plainBytes: number): GatheredGroup {
    const items = chunks.map((chunk) => ({ id: chunk.id, length: chunk.bytes.length }));
    const tallies = chunks.map((chunk) => chunk.tally);
    const names = chunks.map((chunk) => chunk.name);
    const [only] = chunks;
    if (chunks.length === 1 && only) return { items, tallies, names, plain: only.bytes, release: () => only.release() };
    const { buffers } = this.#context;
    const buffer = buffers.take();
    let end = 0;
    for (const { bytes, release } of chunks) {
      buffer.set(bytes, end);
      end += bytes.length;
      release();
    }
    return { items, tallies, names, plain: buffer.subarray(0, plainBytes), release: () => buffers.give(buffer) };
  }

  async #compress({ items, plain }: GatheredGroup): Promise<SealedRecord> {
    const { codec, bytes } = await compress(plain, { level: this.#context.compressionLevel });
    return { kind: 'chunk', codec, plainLength: plain.length, stored: bytes, items };
  }

  async #place(before: Promise<void>, group: GatheredGroup, compressing: Promise<SealedRecord>): Promise<void> {
    const { tallies, names, plain } = group;
    try {
      await before;
      const record = await compressing;
      countStored({ record, tallies }, 1);
      if (!this.#spilled && this.#inlineBytes + record.stored.length <= INLINE_BYTES_MAX) {
        this.#inline.push({ record: { ...record, stored: copyBytes(record.stored) }, tallies, names });
        this.#inlineBytes += record.stored.length;
        return;
      }
      this.#spilled = true;
      const held = this.#inline;
      this.#inline = [];
      for (const next of [...held, { record, tallies, names }]) await this.#append(next);
    } finally {
      // On a failure of an earlier group this one may still be compressing; its memory is in use till then.
      await compressing.catch(() => undefined);
      this.#context.budget.release(plain.length);
      group.release();
    }
  }

  async #append({ record, tallies, names }: CountedRecord): Promise<void> {
    const { chunkPacks } = this.#context;
    const written = names.map((name) => chunkPacks.pendingOf(name));
    // Operations that put the same content at the same time look it up before either has placed it. The first one
    // writes.
    if (written.every((pending) => pending !== undefined)) {
      for (const pending of written) this.#waitFor(pending, chunkPacks);
      countStored({ record, tallies }, -1);
      for (const [index, tally] of tallies.entries()) countNew(tally, record.items[index]?.length ?? 0, -1);
      for (const tally of tallies) tally.chunksKnown += 1;
    } else {
      this.#waitFor(await chunkPacks.append(record), chunkPacks);
    }
    for (const name of names) this.#unplaced.delete(name);
  }
}

/** Neither known to be damaged nor about to go. */
function isKept({ suspect, condemned }: ItemLocation): boolean {
  return !suspect && !condemned;
}

/** @param sign 1, or -1 for what turned out to be known */
function countNew(tally: Tally, length: number, sign: 1 | -1): void {
  tally.chunksNew += sign;
  tally.newBytes += sign * length;
}

/** Shares the bytes of a record out among those whose chunks it holds. */
function countStored({ record, tallies }: Pick<CountedRecord, 'record' | 'tallies'>, sign: 1 | -1): void {
  const share = record.stored.length / record.plainLength;
  for (const [index, tally] of tallies.entries())
    tally.storedBytes += sign * share * (record.items[index]?.length ?? 0);
}

/** A chunk that need not be stored: its memory is let go of. */
function countKnown(chunk: ChunkToStore): void {
  chunk.tally.chunksKnown += 1;
  chunk.release();
}
