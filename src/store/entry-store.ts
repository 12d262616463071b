import { argumentTypeError } from '../errors/argument-error.ts';
import { invariant, storeError } from '../errors/store-error.ts';
import { parseDigest } from '../hash/index.ts';
import type { RangeProof } from '../merkle/index.ts';
import type { Change } from '../metadata/contract.ts';
import { proveEntryRange } from '../pipeline/prove-range.ts';
import { contentBatches } from '../pipeline/small-contents.ts';
import type { Source } from '../pipeline/source.ts';
import { abortableItems } from '../runtime/abort.ts';
import { checkItems, parseVersion, resolveRange } from './arguments.ts';
import { Batch } from './batch.ts';
import type { Engine } from './engine.ts';
import { entryNotFound, findEntry, readCurrent, readPieces, readTogether } from './entry-content.ts';
import { currentAt, namingEntry, type OpenedEntry, toEntryInfo } from './entry-info.ts';
import { inspectEntry } from './inspection/inspect-entry.ts';
import { listChunks } from './inspection/list-chunks.ts';
import type {
  ChunkInfo,
  ChunksOptions,
  EntryReport,
  EntryValidation,
  InspectOptions,
  ValidateAllOptions,
  ValidateOptions,
} from './inspection/report-types.ts';
import { validateEntries, validateKey } from './inspection/validate-entries.ts';
import { listEntries } from './list-entries.ts';
import { ObjectStore } from './objects/object-store.ts';
import type { Objects, Refs } from './objects/object-types.ts';
import { RefStore } from './objects/ref-store.ts';
import { RelationStore } from './relation-store.ts';
import type { Scope } from './scope.ts';
import { ScopedCalls, type StoreCalls } from './scoped-calls.ts';
import { SnapshotStore } from './snapshots/snapshot-store.ts';
import type { Snapshots } from './snapshots/snapshot-types.ts';
import { checkConditions, checkDelete, checkPut, storeContent, toPutResult } from './staged-put.ts';
import type {
  BatchWriter,
  CallOptions,
  DeleteOptions,
  Entries,
  EntriesStats,
  EntryInfo,
  EntryReadOptions,
  GetOptions,
  ListOptions,
  MoveOptions,
  ProgressOptions,
  PutItem,
  PutOptions,
  PutResult,
  RangeOptions,
  StatOptions,
} from './types.ts';
import { VersionStore } from './version-store.ts';
import { weakestStripe } from './weakest-stripe.ts';

/**
 * The entries of one namespace: checks what callers pass, translates keys and rows, and counts the calls that are still
 * running.
 */
export class EntryStore implements Entries {
  readonly objects: Objects;
  readonly refs: Refs;
  readonly snapshots: Snapshots;
  readonly versions: VersionStore;
  readonly relations: RelationStore;
  readonly #calls: ScopedCalls;

  constructor(parts: StoreCalls, scope: () => Promise<Scope>) {
    this.#calls = new ScopedCalls(parts, scope);
    this.objects = new ObjectStore(this.#calls);
    this.refs = new RefStore(this.#calls);
    this.snapshots = new SnapshotStore(this.#calls);
    this.versions = new VersionStore(this.#calls);
    this.relations = new RelationStore(this.#calls);
  }

  put(key: string | null, source: Source, options: PutOptions = {}): Promise<PutResult> {
    return this.#calls.change(options, async (target, writer) => {
      const request = checkPut(target.scope, { key, source, options });
      await checkConditions(this.#engine, request);
      const put = await storeContent(target, request, { writer, ...options });
      return { changes: put.changes, result: () => toPutResult(this.#engine, put) };
    });
  }

  putMany(
    items: Iterable<PutItem> | AsyncIterable<PutItem>,
    options: ProgressOptions = {},
  ): Promise<readonly PutResult[]> {
    return this.#calls.change(options, async (target, writer) => {
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
    return this.#calls.change(options, async (target, writer) => {
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

  get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    return this.#calls.call(options, async (scope) => {
      const wanted = wantedVersion(options);
      const find = async (): Promise<OpenedEntry> => {
        const entry = await findEntry(this.#engine, scope, key);
        currentAt(entry, wanted);
        return entry;
      };
      return await readCurrent(this.#engine, find, options.signal);
    });
  }

  getMany(keys: readonly string[], options: CallOptions = {}): Promise<readonly Uint8Array[]> {
    return this.#calls.call(options, async (scope) => {
      if (!Array.isArray(keys)) throw argumentTypeError('keys', 'an array of keys', keys);
      const rows = await this.#engine.metadata.getEntries(keys.map((key) => scope.key(key)));
      const found: OpenedEntry[] = [];
      for (const [index, row] of rows.entries()) {
        const entry = row && (await this.#engine.scopes.openCurrent(row, scope));
        if (!entry) throw entryNotFound(keys[index] ?? '');
        found.push(entry);
      }
      const contents: Uint8Array[] = [];
      for (const batch of contentBatches(found))
        contents.push(...(await readTogether(this.#engine, batch, options.signal)));
      return contents;
    });
  }

  read(key: string, options: EntryReadOptions = {}): AsyncIterable<Uint8Array> {
    return this.#calls.stream(options, (scope) => this.#readPieces(scope, key, options));
  }

  async has(key: string, options: CallOptions = {}): Promise<boolean> {
    return await this.#calls.call(options, async (scope) => {
      const [row] = await this.#engine.metadata.getEntries([scope.key(key)]);
      return row !== undefined;
    });
  }

  stat(key: string, options: StatOptions = {}): Promise<EntryInfo> {
    return this.#calls.call(options, async (scope) => {
      const entry = await findEntry(this.#engine, scope, key);
      if (!options.placement) return toEntryInfo(entry);
      const { metadata, connection } = this.#engine;
      const parts = { metadata, backends: connection.backends };
      const weakest = await weakestStripe(parts, entry, options.signal);
      return Object.freeze({ ...toEntryInfo(entry), ...(weakest && { weakest }) });
    });
  }

  list(options: ListOptions = {}): AsyncIterable<EntryInfo> {
    return this.#calls.stream(options, (scope) => listEntries({ engine: this.#engine, scope }, options));
  }

  delete(key: string, options: DeleteOptions = {}): Promise<boolean> {
    return this.#calls.call(options, async (scope) => {
      const outcome = await this.#calls.commitOne(scope, checkDelete(scope, key, options));
      return outcome.existed;
    });
  }

  rename(from: string, to: string, options: MoveOptions = {}): Promise<EntryInfo> {
    return this.#calls.call(options, (scope) =>
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
    return this.#calls.call(options, (scope) =>
      this.#commitEntry(scope, {
        type: 'copy',
        from: scope.key(from, 'from'),
        to: scope.key(to, 'to'),
        replace: options.replace === true,
        modified,
      }),
    );
  }

  inspect(key: string, options: InspectOptions = {}): Promise<EntryReport> {
    return this.#calls.call(options, async (scope) =>
      inspectEntry({ engine: this.#engine, scope }, await findEntry(this.#engine, scope, key), options),
    );
  }

  validate(key: string, options: ValidateOptions = {}): Promise<EntryValidation> {
    return this.#calls.call(options, (scope) => validateKey({ engine: this.#engine, scope }, key, options));
  }

  validateAll(options: ValidateAllOptions = {}): AsyncIterable<EntryValidation> {
    return this.#calls.stream(options, (scope) => validateEntries({ engine: this.#engine, scope }, options));
  }

  chunks(key: string, options: ChunksOptions = {}): AsyncIterable<ChunkInfo> {
    return this.#calls.stream(options, (scope) => this.#listChunks(scope, key, options));
  }

  prove(key: string, options: RangeOptions = {}): Promise<RangeProof> {
    return this.#calls.call(options, async (scope) => {
      const { value, reader } = await findEntry(this.#engine, scope, key);
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
    return this.#calls.call(options, async (scope) => {
      const named = parseDigest(digest);
      const id = scope.ids.idOf('chunk', named.digest);
      const [location] = named.algorithm === 'blake3' ? await this.#engine.metadata.locate('chunk', id, options) : [];
      if (location === undefined)
        throw storeError('CHUNK_NOT_FOUND', `there is no chunk ${digest}`, { details: { digest } });
      const wanted = [{ digest: named.digest, length: location.length }];
      const [bytes] = await scope.reader.read('chunk', wanted, { signal: options.signal });
      invariant(bytes, 'one item was asked for');
      this.#engine.telemetry.counts.bytesOut += bytes.length;
      return bytes;
    });
  }

  stats(options: CallOptions = {}): Promise<EntriesStats> {
    return this.#calls.call(options, async (scope) =>
      Object.freeze(toStats(await this.#engine.metadata.namespaceCounters(scope.namespace))),
    );
  }

  get #engine(): Engine {
    return this.#calls.engine;
  }

  async #commitEntry(scope: Scope, change: Change): Promise<EntryInfo> {
    const { row } = await this.#calls.commitOne(scope, change);
    invariant(row, 'a moved entry is there afterwards');
    return toEntryInfo(await this.#engine.scopes.openEntry(row, scope));
  }

  async *#readPieces(scope: Scope, key: string, options: EntryReadOptions): AsyncGenerator<Uint8Array> {
    const wanted = wantedVersion(options);
    const entry = await findEntry(this.#engine, scope, key);
    currentAt(entry, wanted);
    yield* readPieces(this.#engine, entry, options);
  }

  async *#listChunks(scope: Scope, key: string, options: ChunksOptions): AsyncGenerator<ChunkInfo> {
    const { metadata, connection } = this.#engine;
    try {
      yield* listChunks(
        { metadata, backends: connection.backends },
        await findEntry(this.#engine, scope, key),
        options,
      );
    } catch (error) {
      throw namingEntry(error, key);
    }
  }
}

function wantedVersion({ ifMatch }: GetOptions): Uint8Array | undefined {
  return ifMatch === undefined ? undefined : parseVersion(ifMatch, 'ifMatch');
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
