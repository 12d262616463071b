import { concatBytes } from '../bytes/bytes.ts';
import { argumentTypeError } from '../errors/argument-error.ts';
import { invariant, isStoreError, storeError } from '../errors/store-error.ts';
import type { EntryValue } from '../format/index.ts';
import { parseDigest } from '../hash/index.ts';
import { type CheckReport, checkStore } from '../maintenance/check.ts';
import type { Change, ChangeOutcome, CommitRequest, EntryRow } from '../metadata/contract.ts';
import { entryChunks, readContent } from '../pipeline/content-reader.ts';
import { contentBatches, readBatch } from '../pipeline/small-contents.ts';
import type { Source } from '../pipeline/source.ts';
import { abortableItems } from '../runtime/abort.ts';
import { ActiveCalls } from './active-calls.ts';
import { checkItems, encodeKey, parseVersion, resolveRange } from './arguments.ts';
import { Batch } from './batch.ts';
import type { Engine } from './engine.ts';
import { digestText, entryValue, namingEntry, toEntryInfo } from './entry-info.ts';
import { listEntries } from './list-entries.ts';
import type { OperationWriter } from './operation-writer.ts';
import { checkCondition, checkPut, storeContent, toPutResult } from './staged-put.ts';
import type {
  BatchWriter,
  CallOptions,
  ChunkInfo,
  DeleteOptions,
  EntryInfo,
  ListOptions,
  Maintenance,
  MoveOptions,
  ProgressOptions,
  PutItem,
  PutOptions,
  PutResult,
  ReadOptions,
  Store,
  StoreEvents,
  StoreMetrics,
  StoreStats,
} from './types.ts';

/** The public face of an engine: checks what callers pass, translates, and knows which calls are still running. */
export class HoldfastStore implements Store {
  readonly id: string;
  readonly maintenance: Maintenance;
  readonly #engine: Engine;
  readonly #calls = new ActiveCalls();
  #closing: Promise<void> | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.id = engine.config.storeId;
    this.maintenance = Object.freeze({ check: (options?: ProgressOptions) => this.#check(options) });
  }

  put(key: string | null, source: Source, options: PutOptions = {}): Promise<PutResult> {
    return this.#change(options, async (writer) => {
      const request = checkPut(this.#engine, { key, source, options });
      await checkCondition(this.#engine, request);
      const put = await storeContent(this.#engine, request, { writer, ...options });
      return { changes: [put.change], result: () => toPutResult(this.#engine, put) };
    });
  }

  putMany(
    items: Iterable<PutItem> | AsyncIterable<PutItem>,
    options: ProgressOptions = {},
  ): Promise<readonly PutResult[]> {
    return this.#change(options, async (writer) => {
      checkItems(items);
      const batch = new Batch(this.#engine, writer, options.signal);
      let bytes = 0;
      let done = 0;
      for await (const { key, source, ...putOptions } of abortableItems(items, options.signal)) {
        const { size } = await batch.put(key, source, putOptions);
        bytes += size;
        done += 1;
        options.onProgress?.({ phase: 'put', done, bytes });
      }
      const { changes, puts } = await batch.end();
      return { changes, result: () => puts.map((put) => toPutResult(this.#engine, put)) };
    });
  }

  batch<T>(work: (batch: BatchWriter) => Promise<T> | T, options: CallOptions = {}): Promise<T> {
    return this.#change(options, async (writer) => {
      if (typeof work !== 'function') throw argumentTypeError('work', 'a function', work);
      const batch = new Batch(this.#engine, writer, options.signal);
      const ending = async () => {
        try {
          return await work(batch);
        } catch (error) {
          await batch.end().catch(() => undefined);
          throw error;
        }
      };
      const value = await ending();
      const { changes, puts } = await batch.end();
      const result = (): T => {
        for (const put of puts) toPutResult(this.#engine, put);
        return value;
      };
      return { changes, result };
    });
  }

  get(key: string, options: CallOptions = {}): Promise<Uint8Array> {
    return this.#call(options, async () => await this.#readAll(await this.#entry(key), options.signal));
  }

  getMany(keys: readonly string[], options: CallOptions = {}): Promise<readonly Uint8Array[]> {
    return this.#call(options, async () => {
      if (!Array.isArray(keys)) throw argumentTypeError('keys', 'an array of keys', keys);
      const rows = await this.#engine.metadata.getEntries(keys.map((key) => encodeKey(key)));
      const found = rows.map((row, index) => row ?? this.#notFound(keys[index] ?? ''));
      const contents: Uint8Array[] = [];
      for (const batch of contentBatches(found.map(entryValue))) {
        const start = contents.length;
        contents.push(...(await this.#readTogether(batch, found.slice(start, start + batch.length), options.signal)));
      }
      return contents;
    });
  }

  read(key: string, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    return this.#stream(options, this.#readPieces(key, options));
  }

  async has(key: string, options: CallOptions = {}): Promise<boolean> {
    return await this.#call(options, async () => {
      const [row] = await this.#engine.metadata.getEntries([encodeKey(key)]);
      return row !== undefined;
    });
  }

  stat(key: string, options: CallOptions = {}): Promise<EntryInfo> {
    return this.#call(options, async () => toEntryInfo(await this.#entry(key)));
  }

  list(options: ListOptions = {}): AsyncIterable<EntryInfo> {
    return this.#stream(options, listEntries(this.#engine.metadata, options));
  }

  delete(key: string, options: DeleteOptions = {}): Promise<boolean> {
    return this.#call(options, async () => {
      const version = options.ifMatch === undefined ? undefined : parseVersion(options.ifMatch, 'ifMatch');
      const outcome = await this.#commitOne({
        type: 'delete',
        key: encodeKey(key),
        ...(version && { condition: { version } }),
      });
      return outcome.existed;
    });
  }

  rename(from: string, to: string, options: MoveOptions = {}): Promise<EntryInfo> {
    return this.#call(options, () =>
      this.#commitEntry({
        type: 'rename',
        from: encodeKey(from, 'from'),
        to: encodeKey(to, 'to'),
        replace: options.replace === true,
      }),
    );
  }

  copy(from: string, to: string, options: MoveOptions = {}): Promise<EntryInfo> {
    const modified = this.#engine.clock.now();
    return this.#call(options, () =>
      this.#commitEntry({
        type: 'copy',
        from: encodeKey(from, 'from'),
        to: encodeKey(to, 'to'),
        replace: options.replace === true,
        modified,
      }),
    );
  }

  chunks(key: string, options: CallOptions = {}): AsyncIterable<ChunkInfo> {
    return this.#stream(options, this.#listChunks(key, options));
  }

  readChunk(digest: string, options: CallOptions = {}): Promise<Uint8Array> {
    return this.#call(options, async () => {
      const { algorithm, digest: id } = parseDigest(digest);
      const [location] = algorithm === 'blake3' ? await this.#engine.metadata.locate('chunk', id, options) : [];
      if (location === undefined)
        throw storeError('CHUNK_NOT_FOUND', `there is no chunk ${digest}`, { details: { digest } });
      const [bytes] = await this.#engine.reader.read('chunk', [{ id, length: location.length }], options.signal);
      invariant(bytes, 'one item was asked for');
      this.#engine.telemetry.counts.bytesOut += bytes.length;
      return bytes;
    });
  }

  stats(options: CallOptions = {}): Promise<StoreStats> {
    return this.#call(options, async () => {
      const [counters, head] = await Promise.all([this.#engine.metadata.counters(), this.#engine.metadata.head()]);
      const { entries, chunks, logicalBytes, uniqueBytes, storedBytes, packs } = counters;
      return Object.freeze({
        entries,
        chunks,
        logicalBytes,
        uniqueBytes,
        storedBytes,
        packs,
        savingsPercent: logicalBytes === 0 ? 0 : Math.max(0, 100 * (1 - uniqueBytes / logicalBytes)),
        compressionRatio: storedBytes === 0 ? 0 : uniqueBytes / storedBytes,
        commit: head.commit,
      });
    });
  }

  metrics(): StoreMetrics {
    const { commits, packsWritten, telemetry } = this.#engine;
    return Object.freeze({ ...telemetry.counts, commits, packsWritten });
  }

  on<E extends keyof StoreEvents>(event: E, listener: (...args: StoreEvents[E]) => void): this {
    this.#engine.telemetry.on(event, listener);
    return this;
  }

  off<E extends keyof StoreEvents>(event: E, listener: (...args: StoreEvents[E]) => void): this {
    this.#engine.telemetry.off(event, listener);
    return this;
  }

  close(): Promise<void> {
    this.#closing ??= this.#calls.settled().then(() => this.#engine.close());
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #assertOpen(): void {
    if (this.#closing) throw storeError('STORE_CLOSED', 'the store is closed');
  }

  async #call<T>(options: CallOptions, work: () => Promise<T>): Promise<T> {
    this.#assertOpen();
    options.signal?.throwIfAborted();
    return await this.#calls.run(work);
  }

  /** Each step is a call of its own: an iteration that nobody goes on with does not keep the store from closing. */
  async *#stream<T>(options: CallOptions, steps: AsyncGenerator<T>): AsyncGenerator<T> {
    try {
      for (;;) {
        const next = await this.#call(options, () => steps.next());
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await steps.return(undefined);
    }
  }

  /** One change of content: `work` stores and says what to commit; what it stored for a change that fails is left to others. */
  #change<T>(
    options: CallOptions,
    work: (writer: OperationWriter) => Promise<{ readonly changes: readonly Change[]; readonly result: () => T }>,
  ): Promise<T> {
    return this.#call(options, async () => {
      this.#engine.assertWritable();
      const writer = this.#engine.createWriter();
      try {
        const { changes, result } = await work(writer);
        const inline = await writer.finish();
        options.signal?.throwIfAborted();
        if (changes.length > 0) this.#countDeletes(changes, await this.#engine.committer.submit({ changes, inline }));
        return result();
      } catch (error) {
        await writer.abandon();
        throw error;
      }
    });
  }

  #countDeletes(changes: readonly Change[], outcomes: readonly ChangeOutcome[]): void {
    const deletes = changes.filter(({ type }, index) => type === 'delete' && outcomes[index]?.existed);
    this.#engine.telemetry.counts.deletes += deletes.length;
  }

  async #commitOne(change: Change): Promise<ChangeOutcome> {
    this.#engine.assertWritable();
    const request: CommitRequest = { changes: [change], inline: [] };
    const outcomes = await this.#engine.committer.submit(request);
    this.#countDeletes(request.changes, outcomes);
    const [outcome] = outcomes;
    invariant(outcome, 'every change has an outcome');
    return outcome;
  }

  async #commitEntry(change: Change): Promise<EntryInfo> {
    const { row } = await this.#commitOne(change);
    invariant(row, 'a moved entry is there afterwards');
    return toEntryInfo(row);
  }

  async #entry(key: string): Promise<EntryRow> {
    const [row] = await this.#engine.metadata.getEntries([encodeKey(key)]);
    return row ?? this.#notFound(key);
  }

  #notFound(key: string): never {
    throw storeError('ENTRY_NOT_FOUND', `there is no entry ${JSON.stringify(key)}`, { details: { key } });
  }

  async #readAll(row: EntryRow, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { key } = toEntryInfo(row);
    const pieces: Uint8Array[] = [];
    try {
      for await (const piece of readContent(this.#engine.reader, entryValue(row), signal && { signal }))
        pieces.push(piece);
    } catch (error) {
      throw namingEntry(error, key);
    }
    this.#engine.telemetry.counts.gets += 1;
    this.#engine.telemetry.counts.bytesOut += row.size;
    const [only] = pieces;
    return pieces.length === 1 && only ? only : concatBytes(pieces);
  }

  /** When something is wrong in a batch its entries are read one by one: the error must name the right one. */
  async #readTogether(
    values: readonly EntryValue[],
    rows: readonly EntryRow[],
    signal: AbortSignal | undefined,
  ): Promise<readonly Uint8Array[]> {
    if (values.length > 1) {
      try {
        const contents = await readBatch(this.#engine.reader, values, signal);
        this.#engine.telemetry.counts.gets += values.length;
        for (const { size } of values) this.#engine.telemetry.counts.bytesOut += size;
        return contents;
      } catch (error) {
        if (!isStoreError(error) || error.kind !== 'corrupt') throw error;
      }
    }
    const contents: Uint8Array[] = [];
    for (const row of rows) contents.push(await this.#readAll(row, signal));
    return contents;
  }

  async *#readPieces(key: string, options: ReadOptions): AsyncGenerator<Uint8Array> {
    const value = entryValue(await this.#entry(key));
    const range = resolveRange({ key, size: value.size }, options);
    const { signal, onProgress } = options;
    const { counts } = this.#engine.telemetry;
    let bytes = 0;
    try {
      for await (const piece of readContent(this.#engine.reader, value, { range, ...(signal && { signal }) })) {
        bytes += piece.length;
        counts.bytesOut += piece.length;
        onProgress?.({ phase: 'read', done: bytes, total: range.end - range.offset, bytes });
        yield piece;
      }
    } catch (error) {
      throw namingEntry(error, key);
    }
    counts.gets += 1;
  }

  async *#listChunks(key: string, options: CallOptions): AsyncGenerator<ChunkInfo> {
    const value = entryValue(await this.#entry(key));
    try {
      for await (const { index, offset, length, digest } of entryChunks(this.#engine.reader, value, options)) {
        yield Object.freeze({ index, offset, length, digest: digestText(digest) });
      }
    } catch (error) {
      throw namingEntry(error, key);
    }
  }

  #check(options: ProgressOptions = {}): Promise<CheckReport> {
    return this.#call(options, () => checkStore(this.#engine, options));
  }
}
