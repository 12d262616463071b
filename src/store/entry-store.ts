import { concatBytes } from '../bytes/bytes.ts';
import { argumentTypeError } from '../errors/argument-error.ts';
import { invariant, isStoreError, storeError } from '../errors/store-error.ts';
import { parseDigest } from '../hash/index.ts';
import type { RangeProof } from '../merkle/index.ts';
import type { Change, ChangeOutcome } from '../metadata/contract.ts';
import { entryChunks, readContent } from '../pipeline/content-reader.ts';
import { proveEntryRange } from '../pipeline/prove-range.ts';
import { contentBatches, readBatch } from '../pipeline/small-contents.ts';
import type { Source } from '../pipeline/source.ts';
import { abortableItems } from '../runtime/abort.ts';
import type { ActiveCalls } from './active-calls.ts';
import { checkItems, parseVersion, resolveRange } from './arguments.ts';
import { Batch } from './batch.ts';
import type { Engine } from './engine.ts';
import { digestText, keyText, namingEntry, type OpenedEntry, toEntryInfo } from './entry-info.ts';
import { Isolations } from './isolations.ts';
import { listEntries } from './list-entries.ts';
import type { OperationWriter } from './operation-writer.ts';
import type { Scope } from './scope.ts';
import { checkCondition, checkPut, type PutTarget, storeContent, toPutResult } from './staged-put.ts';
import type {
  BatchWriter,
  CallOptions,
  ChunkInfo,
  DeleteOptions,
  Entries,
  EntriesStats,
  EntryInfo,
  ListOptions,
  MoveOptions,
  ProgressOptions,
  PutItem,
  PutOptions,
  PutResult,
  RangeOptions,
  ReadOptions,
  StatOptions,
} from './types.ts';
import { weakestStripe } from './weakest-stripe.ts';

/** What every entry store of one open store shares. */
export interface StoreCalls {
  readonly engine: Engine;
  readonly calls: ActiveCalls;
  /** @throws `closed/STORE_CLOSED` */
  assertOpen(): void;
}

/**
 * The entries of one namespace: checks what callers pass, translates keys and rows, and counts the calls that are still
 * running.
 */
export class EntryStore implements Entries {
  readonly #parts: StoreCalls;
  /** Looked up with every call: a namespace may be dropped while somebody holds this. */
  readonly #scope: () => Promise<Scope>;

  constructor(parts: StoreCalls, scope: () => Promise<Scope>) {
    this.#parts = parts;
    this.#scope = scope;
  }

  put(key: string | null, source: Source, options: PutOptions = {}): Promise<PutResult> {
    return this.#change(options, async (target, writer) => {
      const request = checkPut(target.scope, { key, source, options });
      await checkCondition(this.#engine, request);
      const put = await storeContent(target, request, { writer, ...options });
      return { changes: [put.change], result: () => toPutResult(this.#engine, put) };
    });
  }

  putMany(
    items: Iterable<PutItem> | AsyncIterable<PutItem>,
    options: ProgressOptions = {},
  ): Promise<readonly PutResult[]> {
    return this.#change(options, async (target, writer) => {
      checkItems(items);
      const batch = new Batch(target, writer, options.signal);
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
    return this.#change(options, async (target, writer) => {
      if (typeof work !== 'function') throw argumentTypeError('work', 'a function', work);
      const batch = new Batch(target, writer, options.signal);
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
    return this.#call(options, async (scope) => {
      return await this.#readAll(await this.#entry(scope, key), options.signal);
    });
  }

  getMany(keys: readonly string[], options: CallOptions = {}): Promise<readonly Uint8Array[]> {
    return this.#call(options, async (scope) => {
      if (!Array.isArray(keys)) throw argumentTypeError('keys', 'an array of keys', keys);
      const rows = await this.#engine.metadata.getEntries(keys.map((key) => scope.key(key)));
      const found: OpenedEntry[] = [];
      for (const [index, row] of rows.entries())
        found.push((row && (await this.#engine.scopes.openCurrent(row, scope))) ?? this.#notFound(keys[index] ?? ''));
      const contents: Uint8Array[] = [];
      for (const batch of contentBatches(found)) contents.push(...(await this.#readTogether(batch, options.signal)));
      return contents;
    });
  }

  read(key: string, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    return this.#stream(options, (scope) => this.#readPieces(scope, key, options));
  }

  async has(key: string, options: CallOptions = {}): Promise<boolean> {
    return await this.#call(options, async (scope) => {
      const [row] = await this.#engine.metadata.getEntries([scope.key(key)]);
      return row !== undefined;
    });
  }

  stat(key: string, options: StatOptions = {}): Promise<EntryInfo> {
    return this.#call(options, async (scope) => {
      const entry = await this.#entry(scope, key);
      if (!options.placement) return toEntryInfo(entry);
      const { metadata, connection } = this.#engine;
      const parts = { metadata, backends: connection.backends };
      const weakest = await weakestStripe(parts, entry, options.signal);
      return Object.freeze({ ...toEntryInfo(entry), ...(weakest && { weakest }) });
    });
  }

  list(options: ListOptions = {}): AsyncIterable<EntryInfo> {
    return this.#stream(options, (scope) => listEntries({ engine: this.#engine, scope }, options));
  }

  delete(key: string, options: DeleteOptions = {}): Promise<boolean> {
    return this.#call(options, async (scope) => {
      const version = options.ifMatch === undefined ? undefined : parseVersion(options.ifMatch, 'ifMatch');
      const outcome = await this.#commitOne(scope, {
        type: 'delete',
        key: scope.key(key),
        ...(version && { condition: { version } }),
      });
      return outcome.existed;
    });
  }

  rename(from: string, to: string, options: MoveOptions = {}): Promise<EntryInfo> {
    return this.#call(options, (scope) =>
      this.#commitEntry(scope, {
        type: 'rename',
        from: scope.key(from, 'from'),
        to: scope.key(to, 'to'),
        replace: options.replace === true,
      }),
    );
  }

  copy(from: string, to: string, options: MoveOptions = {}): Promise<EntryInfo> {
    const modified = this.#engine.clock.now();
    return this.#call(options, (scope) =>
      this.#commitEntry(scope, {
        type: 'copy',
        from: scope.key(from, 'from'),
        to: scope.key(to, 'to'),
        replace: options.replace === true,
        modified,
      }),
    );
  }

  chunks(key: string, options: CallOptions = {}): AsyncIterable<ChunkInfo> {
    return this.#stream(options, (scope) => this.#listChunks(scope, key, options));
  }

  prove(key: string, options: RangeOptions = {}): Promise<RangeProof> {
    return this.#call(options, async (scope) => {
      const { value, reader } = await this.#entry(scope, key);
      const { offset, end } = resolveRange({ key, size: value.size }, options);
      const load = (digest: Uint8Array): Promise<Uint8Array> => reader.readNode(digest, options.signal);
      try {
        return Object.freeze(await proveEntryRange(value, load, { offset, length: end - offset }));
      } catch (error) {
        throw namingEntry(error, key);
      }
    });
  }

  readChunk(digest: string, options: CallOptions = {}): Promise<Uint8Array> {
    return this.#call(options, async (scope) => {
      const named = parseDigest(digest);
      const id = scope.ids.idOf('chunk', named.digest);
      const [location] = named.algorithm === 'blake3' ? await this.#engine.metadata.locate('chunk', id, options) : [];
      if (location === undefined)
        throw storeError('CHUNK_NOT_FOUND', `there is no chunk ${digest}`, { details: { digest } });
      const wanted = [{ digest: named.digest, length: location.length }];
      const [bytes] = await scope.reader.read('chunk', wanted, options.signal);
      invariant(bytes, 'one item was asked for');
      this.#engine.telemetry.counts.bytesOut += bytes.length;
      return bytes;
    });
  }

  stats(options: CallOptions = {}): Promise<EntriesStats> {
    return this.#call(options, async (scope) =>
      Object.freeze(toStats(await this.#engine.metadata.namespaceCounters(scope.namespace))),
    );
  }

  get #engine(): Engine {
    return this.#parts.engine;
  }

  async #call<T>(options: CallOptions, work: (scope: Scope) => Promise<T>): Promise<T> {
    this.#parts.assertOpen();
    options.signal?.throwIfAborted();
    return await this.#parts.calls.run(async () => await work(await this.#scope()));
  }

  /** Each step is a call of its own: an iteration that nobody goes on with does not keep the store from closing. */
  async *#stream<T>(options: CallOptions, start: (scope: Scope) => AsyncGenerator<T>): AsyncGenerator<T> {
    let steps: AsyncGenerator<T> | undefined;
    try {
      for (;;) {
        const next = await this.#call(options, (scope) => {
          steps ??= start(scope);
          return steps.next();
        });
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await steps?.return(undefined);
    }
  }

  /**
   * One change of content: `work` stores and says what to commit; what it stored for a change that fails is left to
   * others, but for keys that are nobody's then.
   */
  #change<T>(
    options: CallOptions,
    work: (
      target: PutTarget,
      writer: OperationWriter,
    ) => Promise<{ readonly changes: readonly Change[]; readonly result: () => T }>,
  ): Promise<T> {
    return this.#call(options, async (scope) => {
      this.#engine.assertWritable();
      const writer = this.#engine.createWriter(scope);
      const isolations = new Isolations((namespace) => this.#engine.dropIsolated(namespace));
      try {
        const { changes, result } = await work({ engine: this.#engine, scope, isolations }, writer);
        const inline = await writer.finish();
        options.signal?.throwIfAborted();
        if (changes.length > 0) await this.#commit(scope, { changes, inline }, isolations);
        return result();
      } catch (error) {
        await writer.abandon();
        await isolations.fail(error);
        throw error;
      }
    });
  }

  async #commit(
    scope: Scope,
    request: Pick<Parameters<Engine['commit']>[1], 'changes' | 'inline'>,
    isolations?: Isolations,
  ): Promise<readonly ChangeOutcome[]> {
    isolations?.submit();
    const outcomes = await this.#engine.commit(scope, request, () => isolations?.settle());
    const deletes = request.changes.filter(({ type }, index) => type === 'delete' && outcomes[index]?.existed);
    this.#engine.telemetry.counts.deletes += deletes.length;
    return outcomes;
  }

  async #commitOne(scope: Scope, change: Change): Promise<ChangeOutcome> {
    this.#engine.assertWritable();
    const [outcome] = await this.#commit(scope, { changes: [change], inline: [] });
    invariant(outcome, 'every change has an outcome');
    return outcome;
  }

  async #commitEntry(scope: Scope, change: Change): Promise<EntryInfo> {
    const { row } = await this.#commitOne(scope, change);
    invariant(row, 'a moved entry is there afterwards');
    return toEntryInfo(await this.#engine.scopes.openEntry(row, scope));
  }

  async #entry(scope: Scope, key: string): Promise<OpenedEntry> {
    const [row] = await this.#engine.metadata.getEntries([scope.key(key)]);
    return (row && (await this.#engine.scopes.openCurrent(row, scope))) ?? this.#notFound(key);
  }

  #notFound(key: string): never {
    throw storeError('ENTRY_NOT_FOUND', `there is no entry ${JSON.stringify(key)}`, { details: { key } });
  }

  async #readAll(entry: OpenedEntry, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    try {
      for await (const piece of readContent(entry.reader, entry.value, signal && { signal })) pieces.push(piece);
    } catch (error) {
      throw namingEntry(error, keyText(entry.row));
    }
    this.#engine.telemetry.counts.gets += 1;
    this.#engine.telemetry.counts.bytesOut += entry.value.size;
    const [only] = pieces;
    return pieces.length === 1 && only ? only : concatBytes(pieces);
  }

  /** When something is wrong in a batch its entries are read one by one: the error must name the right one. */
  async #readTogether(
    entries: readonly OpenedEntry[],
    signal: AbortSignal | undefined,
  ): Promise<readonly Uint8Array[]> {
    const [first] = entries;
    if (first && entries.length > 1) {
      try {
        const values = entries.map(({ value }) => value);
        const contents = await readBatch(first.reader, values, signal);
        this.#engine.telemetry.counts.gets += values.length;
        for (const { size } of values) this.#engine.telemetry.counts.bytesOut += size;
        return contents;
      } catch (error) {
        if (!isStoreError(error) || error.kind !== 'corrupt') throw error;
      }
    }
    const contents: Uint8Array[] = [];
    for (const entry of entries) contents.push(await this.#readAll(entry, signal));
    return contents;
  }

  async *#readPieces(scope: Scope, key: string, options: ReadOptions): AsyncGenerator<Uint8Array> {
    const { value, reader } = await this.#entry(scope, key);
    const range = resolveRange({ key, size: value.size }, options);
    const { signal, onProgress } = options;
    const { counts } = this.#engine.telemetry;
    let bytes = 0;
    try {
      for await (const piece of readContent(reader, value, { range, ...(signal && { signal }) })) {
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

  async *#listChunks(scope: Scope, key: string, options: CallOptions): AsyncGenerator<ChunkInfo> {
    const { value, reader } = await this.#entry(scope, key);
    try {
      for await (const { index, offset, length, digest } of entryChunks(reader, value, options)) {
        yield Object.freeze({ index, offset, length, digest: digestText(digest) });
      }
    } catch (error) {
      throw namingEntry(error, key);
    }
  }
}

/** Figures that follow from counters. */
export function toStats(counters: {
  readonly entries: number;
  readonly chunks: number;
  readonly logicalBytes: number;
  readonly uniqueBytes: number;
  readonly storedBytes: number;
}): EntriesStats {
  const { entries, chunks, logicalBytes, uniqueBytes, storedBytes } = counters;
  return {
    ...{ entries, chunks, logicalBytes, uniqueBytes, storedBytes },
    savingsPercent: logicalBytes === 0 ? 0 : Math.max(0, 100 * (1 - uniqueBytes / logicalBytes)),
    compressionRatio: storedBytes === 0 ? 0 : uniqueBytes / storedBytes,
  };
}
