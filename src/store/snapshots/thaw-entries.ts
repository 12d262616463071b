/**
 * Frozen entries put back. What they hold is there already, so that this costs changes of metadata alone.
 *
 * Three passes over the tree, each in batches: entries are put, and those whose parent changes lose it; then parents are
 * set, which can lead in no circle any more; then what the tree does not have is deleted. A batch is one commit: who is
 * interrupted does the same again and finds done what is done.
 */
import { equalBytes } from '../../bytes/bytes.ts';
import { invariant, isStoreError, type StoreError } from '../../errors/store-error.ts';
import { THAW_BATCH_BYTES, THAW_BATCH_ENTRIES } from '../../limits.ts';
import type { Change, EntryRow } from '../../metadata/contract.ts';
import { findChild, objectInvalid, readTree, type TreeChild } from '../../objects/index.ts';
import { operationsBytes } from '../commit-size.ts';
import { entryNotFound } from '../entry-content.ts';
import { keyText } from '../entry-info.ts';
import type { ObjectReader } from '../objects/object-reader.ts';
import { entryPages, FailureList, type GraphContext, loadObject, readerOf } from './graph-context.ts';
import type { ThawEvent, ThawOptions, ThawReport } from './graph-types.ts';
import {
  checkOverwrite,
  checkToPrefix,
  decide,
  frozenPrefix,
  KeyMapping,
  parentKeyOf,
  sameKey,
  type ThawItem,
} from './thaw-plan.ts';

/** What one entry needs, and what is told of it once that is committed. */
interface Step {
  readonly key: string;
  readonly changes: readonly Change[];
  readonly done: () => void;
}

/**
 * Puts the entries of a frozen tree back, or beside, under another prefix. Versions come out as they were; `created` is the
 * time of the restore where the entry was gone, `modified` what it was when it was frozen.
 * @param tree id of a tree that `freezeEntries` made
 * @throws `not-found/OBJECT_NOT_FOUND`, `invalid/OBJECT_INVALID` when the tree does not say under which prefix to delete;
 *   `invalid/KEY_INVALID`, `denied/READ_ONLY`, `corrupt/*` of trees; what commits throw as a whole
 */
export async function thawEntries(context: GraphContext, tree: string, options: ThawOptions = {}): Promise<ThawReport> {
  const overwrite = checkOverwrite(options.overwrite);
  const toPrefix = checkToPrefix(options.toPrefix);
  if (!options.dryRun) context.engine.assertWritable();
  const reader = readerOf(context);
  const { metadata } = await loadObject(reader, 'tree', tree);
  const prefix = frozenPrefix(metadata);
  if (options.delete && prefix === undefined)
    throw objectInvalid('tree.metadata.prefix', 'is missing: nobody knows what to delete');
  const mapping = new KeyMapping(context.scope, prefix ?? '', toPrefix ?? prefix ?? '');
  return await new Thaw(context, { tree, reader, mapping, options: { ...options, overwrite } }).run();
}

class Thaw {
  readonly #context: GraphContext;
  readonly #tree: string;
  readonly #reader: ObjectReader;
  readonly #mapping: KeyMapping;
  readonly #options: ThawOptions & { readonly overwrite: NonNullable<ThawOptions['overwrite']> };
  readonly #failures = new FailureList();
  readonly #counts = { created: 0, replaced: 0, kept: 0, related: 0, deleted: 0 };
  #bytes = 0;

  constructor(
    context: GraphContext,
    parts: {
      readonly tree: string;
      readonly reader: ObjectReader;
      readonly mapping: KeyMapping;
      readonly options: ThawOptions & { readonly overwrite: NonNullable<ThawOptions['overwrite']> };
    },
  ) {
    this.#context = context;
    this.#tree = parts.tree;
    this.#reader = parts.reader;
    this.#mapping = parts.mapping;
    this.#options = parts.options;
  }

  async run(): Promise<ThawReport> {
    const { dryRun = false, relations = true } = this.#options;
    for await (const items of this.#batches(true)) await this.#commit(await this.#putSteps(items));
    if (relations) for await (const items of this.#batches(false)) await this.#commit(await this.#relationSteps(items));
    const deletionSkipped = this.#options.delete === true && this.#failures.count > 0;
    if (this.#options.delete && !deletionSkipped) await this.#deleteOthers();
    return Object.freeze({
      ...{ tree: this.#tree, prefix: this.#mapping.to, dryRun, ...this.#counts, deletionSkipped },
      ...{ bytes: this.#bytes, failed: this.#failures.count, failures: this.#failures.listed },
    });
  }

  /** @param tell of what cannot be an entry: once is enough */
  async *#batches(tell: boolean): AsyncGenerator<readonly ThawItem[], void, undefined> {
    let batch: ThawItem[] = [];
    for await (const child of readTree(this.#tree, this.#reader.load)) {
      const item = this.#itemOf(child, tell);
      if (item) batch.push(item);
      if (batch.length < THAW_BATCH_ENTRIES) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  #itemOf(child: TreeChild, tell: boolean): ThawItem | undefined {
    try {
      return this.#mapping.item(child);
    } catch (error) {
      if (!isStoreError(error, 'OBJECT_INVALID', 'KEY_INVALID', 'ATTRIBUTES_INVALID')) throw error;
      if (tell) this.#fail(this.#mapping.text(child.name), error);
      return undefined;
    }
  }

  async #putSteps(items: readonly ThawItem[]): Promise<readonly Step[]> {
    const { metadata } = this.#context.engine;
    const { overwrite, relations = true } = this.#options;
    const keys = items.map(({ key }) => key);
    const [found, rows, related] = await Promise.all([
      this.#reader.find(items.map(({ child }) => ({ type: 'raw', id: child.id }))),
      metadata.getEntries(keys),
      metadata.getRelations(keys),
    ]);
    const steps: Step[] = [];
    for (const [index, item] of items.entries()) {
      const decision = decide(item, found[index], { row: rows[index], overwrite });
      if (decision.kind === 'fail') {
        this.#fail(item.text, decision.error);
        continue;
      }
      const before = related[index]?.parent;
      const loses = relations && overwrite !== 'never' && before && !this.#isParent(item, before);
      const changes: Change[] = decision.kind === 'put' ? [decision.change] : [];
      if (loses) changes.push({ type: 'relation-set', child: item.key, parent: undefined });
      steps.push({ key: item.text, changes, done: () => this.#countPut(item, decision, Boolean(loses)) });
    }
    return steps;
  }

  #isParent(item: ThawItem, parent: Uint8Array): boolean {
    try {
      return sameKey(parentKeyOf(item, this.#mapping), parent);
    } catch (error) {
      // Told when parents are set.
      if (!isStoreError(error, 'KEY_INVALID')) throw error;
      return false;
    }
  }

  #countPut(
    { text, child }: ThawItem,
    decision: { readonly kind: 'keep' } | { readonly kind: 'put'; readonly replaces: boolean },
    loses: boolean,
  ): void {
    if (loses && child.parent === undefined) this.#count(text, 'related');
    if (decision.kind === 'put') this.#bytes += child.size;
    this.#count(text, decision.kind === 'keep' ? 'kept' : decision.replaces ? 'replaced' : 'created');
    const { created, replaced, kept } = this.#counts;
    this.#options.onProgress?.({ phase: 'thaw', done: created + replaced + kept, bytes: this.#bytes });
  }

  /** Of entries that are what the tree says: who failed, or was changed since, is left alone. */
  async #relationSteps(items: readonly ThawItem[]): Promise<readonly Step[]> {
    const { metadata } = this.#context.engine;
    const wanted: { readonly item: ThawItem; readonly parent: Uint8Array }[] = [];
    for (const item of items) {
      const parent = this.#parentOf(item);
      if (parent) wanted.push({ item, parent });
    }
    if (wanted.length === 0) return [];
    const keys = wanted.map(({ item }) => item.key);
    const [rows, parents, related] = await Promise.all([
      metadata.getEntries(keys),
      metadata.getEntries(wanted.map(({ parent }) => parent)),
      metadata.getRelations(keys),
    ]);
    const steps: Step[] = [];
    for (const [index, { item, parent }] of wanted.entries()) {
      if (!this.#isRestored(item, rows[index])) continue;
      const before = related[index]?.parent;
      if (sameKey(before, parent) || (before && this.#options.overwrite === 'never')) continue;
      if (!parents[index] && !(await this.#willBeThere(item))) {
        this.#fail(item.text, entryNotFound(keyText({ key: parent })));
        continue;
      }
      const changes: readonly Change[] = [{ type: 'relation-set', child: item.key, parent }];
      steps.push({ key: item.text, changes, done: () => this.#count(item.text, 'related') });
    }
    return steps;
  }

  #parentOf(item: ThawItem): Uint8Array | undefined {
    try {
      return parentKeyOf(item, this.#mapping);
    } catch (error) {
      if (!isStoreError(error, 'KEY_INVALID')) throw error;
      this.#fail(item.text, error);
      return undefined;
    }
  }

  #isRestored({ version }: ThawItem, row: EntryRow | undefined): boolean {
    if (this.#options.dryRun) return true;
    return row !== undefined && equalBytes(row.version, version);
  }

  /** Nothing was put in a dry run: then the tree says what would be there. */
  async #willBeThere({ child }: ThawItem): Promise<boolean> {
    if (!this.#options.dryRun || child.parent === undefined) return false;
    return (await findChild(this.#tree, child.parent, this.#reader.load)) !== undefined;
  }

  /** What is there under the prefix and not in the tree; both are in one order. */
  async #deleteOthers(): Promise<void> {
    const children = readTree(this.#tree, this.#reader.load);
    let next = await children.next();
    let steps: Step[] = [];
    for await (const rows of entryPages(this.#context, this.#mapping.to)) {
      for (const row of rows) {
        while (!next.done && this.#mapping.compare({ child: next.value }, row) < 0) next = await children.next();
        if (!next.done && this.#mapping.compare({ child: next.value }, row) === 0) continue;
        steps.push(this.#deleteStep(row));
      }
      await this.#commit(steps);
      steps = [];
    }
  }

  #deleteStep({ key, version }: EntryRow): Step {
    const text = keyText({ key });
    // Not what somebody puts there meanwhile.
    const change: Change = { type: 'delete', key, condition: { version }, children: 'release' };
    return { key: text, changes: [change], done: () => this.#count(text, 'deleted') };
  }

  /** In commits of bounded size. */
  async #commit(steps: readonly Step[]): Promise<void> {
    let group: Step[] = [];
    let bytes = 0;
    for (const step of steps) {
      const more = operationsBytes(step.changes);
      if (group.length > 0 && bytes + more > THAW_BATCH_BYTES) {
        await this.#commitGroup(group);
        group = [];
        bytes = 0;
      }
      group.push(step);
      bytes += more;
    }
    await this.#commitGroup(group);
  }

  /** When a group is refused for what one of them met, they are committed one by one. */
  async #commitGroup(steps: readonly Step[]): Promise<void> {
    const { engine, scope, signal } = this.#context;
    signal?.throwIfAborted();
    const changes = steps.flatMap((step) => step.changes);
    try {
      if (changes.length > 0 && !this.#options.dryRun) await engine.commit(scope, { changes, inline: [] });
    } catch (error) {
      if (!isOfOne(error)) throw error;
      if (steps.length > 1) {
        for (const step of steps) await this.#commitGroup([step]);
        return;
      }
      const [only] = steps;
      invariant(only, 'an empty commit is not refused');
      this.#fail(only.key, error);
      return;
    }
    for (const { done } of steps) done();
  }

  #count(key: string, action: Exclude<ThawEvent['action'], 'failed'>): void {
    this.#counts[action] += 1;
    this.#options.onEvent?.({ key, action });
  }

  #fail(key: string, error: StoreError): void {
    this.#failures.add(key, error);
    this.#options.onEvent?.({ key, action: 'failed', error });
  }
}

/** Whether an error of a commit is about one of its entries: somebody changed that meanwhile, or it cannot be as asked. */
function isOfOne(error: unknown): error is StoreError {
  return isStoreError(
    error,
    ...(['ENTRY_EXISTS', 'ENTRY_NOT_FOUND', 'PRECONDITION_FAILED', 'RELATION_CYCLE', 'ENTRY_HAS_CHILDREN'] as const),
  );
}
