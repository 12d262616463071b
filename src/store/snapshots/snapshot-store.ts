import { argumentTypeError } from '../../errors/argument-error.ts';
import { isStoreError, storeError } from '../../errors/store-error.ts';
import { parseAddress } from '../../history/address.ts';
import type { Change } from '../../metadata/contract.ts';
import {
  ancestry,
  createSnapshot,
  diffTrees,
  type JsonObject,
  type ObjectReference,
  type SnapshotContent,
} from '../../objects/index.ts';
import { followAddress } from '../objects/follow-address.ts';
import { ObjectReader, objectKeyOf } from '../objects/object-reader.ts';
import { checkReferences, wrongType } from '../objects/object-store.ts';
import type { FoundAddress } from '../objects/object-types.ts';
import { ObjectWriter } from '../objects/object-writer.ts';
import { refKey } from '../objects/ref-rows.ts';
import { checkMessage } from '../objects/ref-store.ts';
import type { Scope } from '../scope.ts';
import type { ScopedCalls } from '../scoped-calls.ts';
import type { CallOptions } from '../types.ts';
import { exportBundles, exportSnapshotJson, extendSnapshot, importBundles } from './bundle-snapshots.ts';
import { exportSnapshot } from './export-snapshot.ts';
import { storeFolder } from './folder-snapshot.ts';
import { freezeEntries } from './freeze-entries.ts';
import { type GraphContext, loadObject, readerOf } from './graph-context.ts';
import type {
  BundleImport,
  BundleImportOptions,
  ExportedBundle,
  MergeOptions,
  MergeReport,
  RefMoveOptions,
  SnapshotExportOptions,
  SnapshotImport,
  SnapshotImportOptions,
  ThawOptions,
  ThawReport,
} from './graph-types.ts';
import { importSnapshot } from './import-snapshot.ts';
import { mergeBaseOf, mergeSnapshots } from './merge-snapshots.ts';
import { restoreSnapshot, snapshotAsTar } from './restore-snapshot.ts';
import { allSeries, forgetSeries, seriesOf } from './series.ts';
import { SnapshotTally } from './snapshot-tally.ts';
import type {
  SnapshotDifference,
  SnapshotForgetOptions,
  SnapshotForgetReport,
  SnapshotInfo,
  SnapshotName,
  SnapshotOptions,
  SnapshotReport,
  SnapshotRestoreOptions,
  SnapshotRestoreReport,
  SnapshotSource,
  Snapshots,
} from './snapshot-types.ts';
import { storeArchive } from './tar-snapshot.ts';
import { thawEntries } from './thaw-entries.ts';
import { pathText, walkTree } from './tree-items.ts';

/** Numbers that one commit forgets. */
const FORGET_PAGE = 1000;

/** What a snapshot is made of, and what is to be done once it is committed. */
interface Stored {
  readonly content: SnapshotContent;
  readonly afterwards?: () => Promise<void>;
}

interface Making {
  readonly scope: Scope;
  readonly writer: ObjectWriter;
  readonly tally: SnapshotTally;
}

/** Snapshots of one namespace. */
export class SnapshotStore implements Snapshots {
  readonly #calls: ScopedCalls;

  constructor(calls: ScopedCalls) {
    this.#calls = calls;
  }

  create(source: SnapshotSource, options: SnapshotOptions = {}): Promise<SnapshotReport> {
    const { engine } = this.#calls;
    return this.#calls.call(options, async (scope) => {
      engine.assertWritable();
      const ref = options.ref === undefined ? undefined : refKey(scope, options.ref);
      const message = checkMessage(options.message ?? '');
      const parent = options.parent === undefined ? undefined : await this.#find(scope, options.parent, options);
      const writer = new ObjectWriter(engine, scope);
      const tally = new SnapshotTally(options.onProgress);
      try {
        const { content, afterwards } = await this.#store(source, { scope, writer, tally }, options);
        const whole = { ...content, ...(parent && { parent: parent.reference.id }) };
        const { reference } = await writer.put(createSnapshot({ ...whole, metadata: options.metadata }));
        const target = objectKeyOf(scope.namespace, reference);
        const moves: Change[] = ref ? [{ type: 'ref-set', key: ref, target, message }] : [];
        options.signal?.throwIfAborted();
        await writer.commit(moves);
        await afterwards?.();
        return tally.report(reference.id, whole, writer.stored);
      } catch (error) {
        await writer.abandon();
        throw error;
      }
    });
  }

  list(options: CallOptions & { readonly ref?: string } = {}): AsyncIterable<SnapshotInfo> {
    const { engine } = this.#calls;
    return this.#calls.stream(options, (scope) => {
      const context = { engine, scope, signal: options.signal };
      return options.ref === undefined ? allSeries(context) : seriesOf(context, options.ref);
    });
  }

  log(address: string, options: CallOptions = {}): AsyncIterable<ObjectReference> {
    return this.#calls.stream(options, (scope) => this.#log(scope, address, options));
  }

  names(address: string, options: CallOptions & { readonly recursive?: boolean } = {}): AsyncIterable<SnapshotName> {
    return this.#calls.stream(options, (scope) => this.#names(scope, address, options));
  }

  diff(from: string, to: string, options: CallOptions = {}): AsyncIterable<SnapshotDifference> {
    return this.#calls.stream(options, (scope) => this.#diff(scope, [from, to], options));
  }

  restore(address: string, target: string, options: SnapshotRestoreOptions = {}): Promise<SnapshotRestoreReport> {
    const { engine } = this.#calls;
    return this.#calls.call(options, async (scope) => {
      const found = await this.#find(scope, address, options);
      return await restoreSnapshot({ engine, scope, signal: options.signal }, found, { ...options, target });
    });
  }

  exportTar(address: string, options: Parameters<Snapshots['exportTar']>[1] = {}): AsyncIterable<Uint8Array> {
    return this.#calls.stream(options, (scope) => this.#exportTar(scope, address, options));
  }

  forget(ref: string, options: SnapshotForgetOptions): Promise<SnapshotForgetReport> {
    const { engine } = this.#calls;
    return this.#calls.call(options, async (scope) => {
      const key = refKey(scope, ref);
      return await forgetSeries({ engine, scope, signal: options.signal }, ref, options, async (forgotten) => {
        for (let start = 0; start < forgotten.length; start += FORGET_PAGE) {
          const page = forgotten.slice(start, start + FORGET_PAGE);
          const numbers = page.map(({ number }) => number);
          // A number that somebody else forgot may have been given again since.
          const times = page.map(({ time }) => Date.parse(time));
          await this.#calls.commitOne(scope, { type: 'history-forget', history: 'move', key, numbers, times });
        }
      });
    });
  }

  thaw(address: string, options: CallOptions & ThawOptions = {}): Promise<ThawReport> {
    return this.#graph(options, async (context) => {
      const { reference } = await this.#find(context.scope, address, options);
      const entries = await entriesOf(context, reference);
      return await thawEntries(context, entries, options);
    });
  }

  importBundles(
    contents: readonly JsonObject[],
    options: CallOptions & BundleImportOptions = {},
  ): Promise<BundleImport> {
    return this.#graph(options, (context) => importBundles(context, contents, options));
  }

  extend(
    address: string,
    contents: readonly JsonObject[],
    options: CallOptions & RefMoveOptions & { readonly metadata?: JsonObject } = {},
  ): Promise<BundleImport> {
    return this.#graph(options, (context) => extendSnapshot(context, address, contents, options));
  }

  bundles(address: string, options: CallOptions = {}): AsyncIterable<ExportedBundle> {
    return this.#calls.stream(options, (scope) => exportBundles(this.#context(scope, options), address));
  }

  exportJson(address: string, options: CallOptions = {}): AsyncIterable<string> {
    return this.#calls.stream(options, (scope) => exportSnapshotJson(this.#context(scope, options), address));
  }

  export(address: string, options: CallOptions & SnapshotExportOptions = {}): AsyncIterable<Uint8Array> {
    return this.#calls.stream(options, (scope) => exportSnapshot(this.#context(scope, options), address, options));
  }

  import(
    source: AsyncIterable<Uint8Array>,
    options: CallOptions & SnapshotImportOptions = {},
  ): Promise<SnapshotImport> {
    return this.#graph(options, (context) => importSnapshot(context, source, options));
  }

  mergeBase(a: string, b: string, options: CallOptions = {}): Promise<readonly string[]> {
    return this.#graph(options, (context) => mergeBaseOf(context, a, b));
  }

  merge(ours: string, theirs: string, options: CallOptions & MergeOptions = {}): Promise<MergeReport> {
    return this.#graph(options, (context) => mergeSnapshots(context, { ours, theirs }, options));
  }

  #graph<T>(options: CallOptions, work: (context: GraphContext) => Promise<T>): Promise<T> {
    return this.#calls.call(options, (scope) => work(this.#context(scope, options)));
  }

  #context(scope: Scope, { signal }: CallOptions): GraphContext {
    return { engine: this.#calls.engine, scope, signal };
  }

  async #store(source: SnapshotSource, making: Making, options: SnapshotOptions): Promise<Stored> {
    const { engine } = this.#calls;
    if (typeof source !== 'object' || source === null) throw argumentTypeError('source', 'what to make it of', source);
    if ('folder' in source) {
      const { stored, remember } = await storeFolder(source.folder, { engine, ...making }, options);
      return { content: stored, afterwards: remember };
    }
    if ('tar' in source) return { content: await storeArchive(source.tar, { engine, ...making }, options) };
    if ('bundles' in source) {
      const snapshot = createSnapshot({ bundles: source.bundles });
      // Whoever names them may be wrong: a list of other objects would be damage that nobody made.
      await checkReferences(engine, making.scope, snapshot);
      making.tally.files = source.bundles.length;
      return { content: snapshot.content };
    }
    if ('prefix' in source) return { content: await this.#freeze(source.prefix, making, options) };
    throw argumentTypeError('source', '{ folder }, { tar }, { prefix } or { bundles }', source);
  }

  async #freeze(prefix: string, { scope, writer, tally }: Making, options: SnapshotOptions): Promise<SnapshotContent> {
    const { onProgress } = options;
    const frozen = await freezeEntries(this.#context(scope, options), prefix, { writer, onProgress });
    tally.files = frozen.entries;
    tally.bytes = frozen.bytes;
    tally.unchanged = frozen.entries;
    tally.consistent = frozen.consistent;
    tally.addFailures(frozen.failed, frozen.failures);
    return { entries: frozen.tree };
  }

  async #find(scope: Scope, address: string, { signal }: CallOptions): Promise<FoundAddress> {
    const { engine } = this.#calls;
    return await followAddress({ engine, scope, signal }, parseAddress(address, { now: engine.clock.now() }));
  }

  /** The tree that an address leads to. */
  async #treeOf(scope: Scope, address: string, options: CallOptions): Promise<string> {
    const { reference } = await this.#find(scope, address, options);
    if (reference.type === 'tree') return reference.id;
    // The content of a file is no object, whatever it says.
    const isObject = reference.type !== 'raw';
    const reader = new ObjectReader(this.#calls.engine, scope, options.signal);
    const [object] = isObject ? await reader.load([reference]) : [];
    if (isStoreError(object)) throw object;
    const tree = object?.type === 'snapshot' ? (object.content.tree ?? object.content.entries) : undefined;
    if (tree !== undefined) return tree;
    throw storeError('OBJECT_WRONG_TYPE', `${address} leads to no folder`, {
      details: { object: reference.id, actual: reference.type },
    });
  }

  async *#log(scope: Scope, address: string, options: CallOptions): AsyncGenerator<ObjectReference> {
    const { engine } = this.#calls;
    const { base, ref, number = 0 } = await this.#find(scope, address, options);
    if (base.type !== 'snapshot') throw wrongType(base, 'a snapshot');
    const { load } = new ObjectReader(engine, scope, options.signal);
    let parents = false;
    for await (const { id, snapshot } of ancestry(base.id, load)) {
      parents ||= snapshot.content.parent !== undefined;
      yield Object.freeze({ type: 'snapshot', id });
    }
    if (parents || ref === undefined) return;
    for await (const info of seriesOf({ engine, scope, signal: options.signal }, ref))
      if (info.number < number) yield Object.freeze({ type: 'snapshot', id: info.id });
  }

  async *#names(
    scope: Scope,
    address: string,
    options: CallOptions & { readonly recursive?: boolean },
  ): AsyncGenerator<SnapshotName> {
    const { load } = new ObjectReader(this.#calls.engine, scope, options.signal);
    const tree = await this.#treeOf(scope, address, options);
    const walking = { recursive: options.recursive === true, signal: options.signal };
    for await (const { path, child } of walkTree(tree, load, walking))
      yield Object.freeze({ path: pathText(path), child });
  }

  async *#diff(
    scope: Scope,
    [from, to]: readonly [string, string],
    options: CallOptions,
  ): AsyncGenerator<SnapshotDifference> {
    const { load } = new ObjectReader(this.#calls.engine, scope, options.signal);
    const before = await this.#treeOf(scope, from, options);
    const after = await this.#treeOf(scope, to, options);
    for await (const { path, ...change } of diffTrees(before, after, load)) {
      options.signal?.throwIfAborted();
      yield Object.freeze({ path: pathText(path), ...change });
    }
  }

  async *#exportTar(
    scope: Scope,
    address: string,
    options: NonNullable<Parameters<Snapshots['exportTar']>[1]>,
  ): AsyncGenerator<Uint8Array> {
    const found = await this.#find(scope, address, options);
    yield* snapshotAsTar({ engine: this.#calls.engine, scope, signal: options.signal }, found, options);
  }
}

/** The tree of frozen entries that an address led to. */
async function entriesOf(context: GraphContext, reference: ObjectReference): Promise<string> {
  if (reference.type === 'tree') return reference.id;
  const isSnapshot = reference.type === 'snapshot';
  const snapshot = isSnapshot ? await loadObject(readerOf(context), 'snapshot', reference.id) : undefined;
  const entries = snapshot?.content.entries;
  if (entries !== undefined) return entries;
  throw wrongType(reference, 'a snapshot of entries');
}
