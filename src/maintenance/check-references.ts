/**
 * Is everything counted as often as it is referred to, and is nothing condemned that something refers to? Counts anew, in
 * bounded memory, from what rows say now:
 *
 *     kept counts  =  what entries, versions, objects and refs name  +  what needed manifest nodes list
 *                     -  what waits to be counted
 *
 * Changes nothing but, where the store may be written, that what waits is counted first.
 */
import { toHex } from '../bytes/bytes.ts';
import { isStoreError } from '../errors/store-error.ts';
import { parseObjectKey } from '../format/index.ts';
import { DigestSet } from '../hash/digest-set.ts';
import { DIGESTS_KEPT_MAX, GC_COUNT_ROWS, GC_SCAN_ROWS } from '../limits.ts';
import type { CountedItem, HeldReference } from '../metadata/index.ts';
import type { CheckedStore, CheckOptions } from './checked-store.ts';
import { countStep, type NamedThings, referencesOfRow } from './gc/count.ts';
import type { CheckRun } from './invariants/check-run.ts';
import {
  type CountedThing,
  type CountSink,
  type Drift,
  digestOf,
  ReferenceDrifts,
  ReferenceSums,
} from './invariants/reference-sums.ts';
import { type Problem, placeIn } from './problems.ts';

const NAMES = ['reference-counts', 'condemned-unreachable'] as const;
/** A store at work changes while it is counted. */
const ATTEMPTS = 3;
const NOTHING: NamedThings = { items: [], objects: [] };
/** What is found condemned and referred to is told up to here, and counted. */
const TOLD_MAX = 100;

/** Why a recount cannot tell anything; said of the invariants, which are skipped then. */
class CannotTell extends Error {}

export async function checkReferences(store: CheckedStore, run: CheckRun, options: CheckOptions): Promise<void> {
  const signal = options.signal ?? new AbortController().signal;
  const skip = (reason: string): void => {
    for (const name of NAMES) run.skip(name, reason);
  };
  try {
    if (store.writable) await countWhatWaits(store, signal);
    for (let attempt = 1; !(await recount(store, run, { ...options, signal })); attempt += 1)
      if (attempt === ATTEMPTS) return skip('the store was changed meanwhile');
  } catch (error) {
    if (error instanceof CannotTell) return skip(error.message);
    // Damage is told by those who look for it: here it only keeps from counting.
    const isTold = isStoreError(error) && (error.kind === 'corrupt' || error.kind === 'unavailable');
    if (!isTold) throw error;
    skip(`something cannot be read: ${error.message}`);
  }
}

/** @returns false when something differs that may have changed meanwhile: nothing is told then */
async function recount(
  store: CheckedStore,
  run: CheckRun,
  options: CheckOptions & { readonly signal: AbortSignal },
): Promise<boolean> {
  const before = await stateOf(store);
  if (!before.censusDone) throw new CannotTell('not everything that was there before counting began was counted yet');
  const sums = new ReferenceSums();
  const first = new Recount(store, sums, options);
  await first.run();
  const { differing } = sums;
  const drifts = new ReferenceDrifts(differing);
  if (differing.length > 0) await new Recount(store, drifts, { signal: options.signal }).run();
  const isSame = before.text === (await stateOf(store)).text;
  if (!isSame && (differing.length > 0 || first.reached.length > 0)) return false;
  for (const name of NAMES) run.looked(name, first.references);
  for (const drift of drifts.drifts) run.problemsOf('reference-counts').add(driftProblem(store, drift));
  // What waits to be counted may bring what it names to life again.
  if (first.reached.length > 0 && before.uncounted > 0)
    run.skip('condemned-unreachable', `${before.uncounted} references wait to be counted`);
  else for (const thing of first.reached) run.problemsOf('condemned-unreachable').add(reachedProblem(store, thing));
  return true;
}

async function countWhatWaits({ metadata, contentOf }: CheckedStore, signal: AbortSignal): Promise<void> {
  while (!(await metadata.census(GC_SCAN_ROWS))) signal.throwIfAborted();
  while ((await countStep({ metadata, contentOf, signal })).found !== 'nothing');
}

/** What changes with every commit and every count. */
async function stateOf({ metadata }: CheckedStore): Promise<{
  readonly censusDone: boolean;
  readonly uncounted: number;
  readonly text: string;
}> {
  const [{ commit }, state, [oldest]] = await Promise.all([
    metadata.head(),
    metadata.collectionState(),
    metadata.uncountedReferences({ limit: 1 }),
  ]);
  const { epoch, uncounted, censusDone } = state;
  return { censusDone, uncounted, text: JSON.stringify([commit, epoch, uncounted, oldest?.number]) };
}

/** One counting of everything. */
class Recount {
  /** References that were found. */
  references = 0;
  /** What is condemned and referred to. */
  readonly reached: CountedThing[] = [];
  readonly #store: CheckedStore;
  readonly #sink: CountSink;
  readonly #signal: AbortSignal;
  readonly #onProgress: CheckOptions['onProgress'];
  /** Ids of manifest nodes that are counted, and of those that were gone through. */
  readonly #needed = new DigestSet(DIGESTS_KEPT_MAX);
  readonly #visited = new DigestSet(DIGESTS_KEPT_MAX);
  readonly #condemned = new DigestSet(DIGESTS_KEPT_MAX);
  /** Nodes on the way down, with their namespaces. */
  readonly #nodes: { readonly digest: Uint8Array; readonly namespace: number }[] = [];

  constructor(
    store: CheckedStore,
    sink: CountSink,
    options: { readonly signal: AbortSignal; readonly onProgress?: CheckOptions['onProgress'] },
  ) {
    this.#store = store;
    this.#sink = sink;
    this.#signal = options.signal;
    this.#onProgress = options.onProgress;
  }

  async run(): Promise<void> {
    await this.#addKept();
    await this.#addHeld();
    await this.#addWaiting(false);
    await this.#addWaiting(true);
  }

  async #addKept(): Promise<void> {
    let after: Uint8Array | undefined;
    do {
      this.#signal.throwIfAborted();
      const { rows, next } = await this.#store.metadata.keptCounts({ limit: GC_SCAN_ROWS, ...(after && { after }) });
      for (const { kind, key, refs, condemned } of rows) {
        if (refs > 0) this.#sink.add({ kind, key }, 'kept', refs);
        if (refs > 0 && kind === 'manifest') this.#remember(this.#needed, key);
        if (condemned > 0) this.#remember(this.#condemned, digestOf({ kind, key }));
      }
      after = next;
    } while (after);
  }

  #remember(set: DigestSet, digest: Uint8Array): void {
    set.add(digest);
    if (set.size >= DIGESTS_KEPT_MAX) throw new CannotTell('there are more than can be remembered at a time');
  }

  async #addHeld(): Promise<void> {
    let after: Uint8Array | undefined;
    do {
      const { rows, next } = await this.#store.metadata.heldReferences({
        limit: GC_SCAN_ROWS,
        ...(after && { after }),
      });
      for (const row of rows) {
        const named = await this.#namedBy(row);
        for (const thing of thingsOf(named)) this.#found(thing, 1);
        await this.#goThrough(named.items, row.namespace);
      }
      this.#onProgress?.({ phase: 'check references', done: this.references, bytes: 0 });
      after = next;
    } while (after);
  }

  /** References that came and are not counted yet are none so far; those that went still are. */
  async #addWaiting(parked: boolean): Promise<void> {
    for (let after = 0; ; ) {
      const rows = await this.#store.metadata.uncountedReferences({ after, limit: GC_COUNT_ROWS, parked });
      for (const row of rows) {
        const named = await this.#namedBy(row);
        for (const { kind, key } of thingsOf(named)) this.#sink.add({ kind, key }, 'found', -row.change);
        // What nothing holds any more may be counted still.
        await this.#goThrough(named.items, row.namespace);
      }
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.number;
    }
  }

  /** Adds what counted nodes list, each once, from some of them down. */
  async #goThrough(items: readonly CountedItem[], namespace: number): Promise<void> {
    this.#pushNodes(items, namespace);
    for (let node = this.#nodes.pop(); node; node = this.#nodes.pop()) {
      const named = await this.#namedBy({ kind: 'node', value: node.digest, namespace: node.namespace });
      for (const thing of thingsOf(named)) this.#found(thing, 1);
      this.#pushNodes(named.items, node.namespace);
    }
  }

  #pushNodes(items: readonly CountedItem[], namespace: number): void {
    for (const { kind, id, digest } of items) {
      if (kind !== 'manifest' || digest === undefined || !this.#needed.has(id) || !this.#visited.add(id)) continue;
      this.#nodes.push({ digest, namespace });
    }
  }

  #found(thing: CountedThing, times: number): void {
    this.references += 1;
    this.#sink.add(thing, 'found', times);
    if (this.#condemned.has(digestOf(thing)) && this.reached.length < TOLD_MAX) this.reached.push(thing);
  }

  async #namedBy(reference: HeldReference): Promise<NamedThings> {
    this.#signal.throwIfAborted();
    try {
      const { contentOf } = this.#store;
      return await referencesOfRow({ contentOf, signal: this.#signal }, reference);
    } catch (error) {
      // A namespace that is being dropped takes its references along.
      if (isStoreError(error, 'NAMESPACE_KEY_GONE')) return NOTHING;
      throw error;
    }
  }
}

function* thingsOf({ items, objects }: NamedThings): Generator<CountedThing> {
  for (const { kind, id } of items) yield { kind, key: id };
  for (const key of objects) yield { kind: 'object', key };
}

function nameOf(
  store: CheckedStore,
  { kind, key }: CountedThing,
): Omit<Problem, 'code' | 'message'> & { text: string } {
  if (kind !== 'object') return { text: `${kind} ${toHex(key)}`, digest: `blake3:${toHex(key)}` };
  const name = parseObjectKey(key);
  const object = name ? toHex(name.digest) : '';
  return { text: `object ${object}`, object, ...placeIn(store, name?.namespace) };
}

function driftProblem(store: CheckedStore, drift: Drift): Problem {
  const { text, ...about } = nameOf(store, drift);
  const message = `${drift.kept} references to ${text} are counted, and there are ${drift.found}`;
  return { code: 'METADATA_CORRUPT', message, ...about };
}

function reachedProblem(store: CheckedStore, thing: CountedThing): Problem {
  const { text, ...about } = nameOf(store, thing);
  return { code: 'METADATA_CORRUPT', message: `${text} is condemned, and something refers to it`, ...about };
}
