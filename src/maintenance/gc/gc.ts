/**
 * Garbage collection: what nothing refers to any more leaves the store, and its space is given back. No lock, no phase
 * in which others wait, no clock as proof (docs/durability.md):
 *
 *     live -> condemned in an epoch -> doomed -> deleted
 *
 * 1. What refers to content is counted, in bounded batches, after every process has said what it changed.
 * 2. What nothing counted refers to is condemned: lookups take it for absent from then on, reads go on.
 * 3. When every operation that is older has ended and what it came to refer to is counted, one transaction looks again:
 *    what is needed again lives, the rest leaves the state. Packs in which something lives are written anew.
 * 4. Blobs that the state does not know any more are deleted once the journal says so, and their names never come back.
 *
 * Whatever ends a collection, the next one goes on: what is condemned says so itself.
 */
import { toHex } from '../../bytes/bytes.ts';
import { isStoreError } from '../../errors/store-error.ts';
import { namespaceOfKey, PACK_BUFFER_BYTES } from '../../format/index.ts';
import {
  GC_COUNT_STEPS_SMALL,
  GC_DEAD_SHARE,
  GC_GRACE_MS,
  GC_POLL_MS,
  GC_ROUNDS_MAX,
  GC_SCAN_ROWS,
  GC_WAIT_MS,
} from '../../limits.ts';
import type { CollectionState, PackRow } from '../../metadata/index.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ProcessLife } from '../../runtime/process-life.ts';
import type { sleep } from '../../runtime/timers.ts';
import { allPacks } from '../all-packs.ts';
import { deleteDroppedPacks, unlessDamaged } from '../merge.ts';
import { isProblem, ProblemList } from '../problems.ts';
import { trimJournal } from '../trim-journal.ts';
import { type CheckpointContext, isCheckpointDue, writeCheckpoint } from '../write-checkpoint.ts';
import { type CompactContext, compactGroup, groupForCompaction } from './compact.ts';
import { type CountContext, countStep, type Unreadable } from './count.ts';
import { inTransactions } from './in-transactions.ts';
import { deleteLeaked, isForLater, type LeakedContext } from './leaked-packs.ts';
import { isCollected, isWorthCompacting, packSpace } from './pack-space.ts';
import { type GcOptions, type GcReport, GcTally } from './report.ts';
import { fenceDead, waitingFor } from './sessions.ts';

export interface GcContext extends CompactContext, CountContext, LeakedContext, CheckpointContext {
  readonly clock: Clock;
  readonly sleep: typeof sleep;
  readonly life: ProcessLife;
  /** Id of the session of this process. */
  readonly session: Uint8Array;
  /** Takes in what put-only writers left: it may count on what is condemned, and nobody else speaks for it. */
  adoptInbox(): Promise<void>;
  /** Publishes how old the oldest operation of this process is. */
  publish(): Promise<void>;
  /** Packs that were there at an earlier time, and whose operations have ended since. */
  readonly settled: SettledPacks;
  readonly signal: AbortSignal;
}

/**
 * Which packs no operation in flight can have written: it would condemn what an operation is about to refer to, which
 * is safe, and for nothing. Kept by a process from one collection to the next.
 */
export class SettledPacks {
  readonly #marks: { readonly epoch: number; readonly nextPack: number }[] = [];
  /** Packs with lower numbers are settled. */
  before = 0;

  /** What is there now is settled when every operation of now has ended. */
  mark(epoch: number, nextPack: number): void {
    if (this.#marks.length < MARKS_MAX) this.#marks.push({ epoch, nextPack });
  }

  learn({ oldestEpoch }: CollectionState): void {
    while (this.#marks[0] && this.#marks[0].epoch <= oldestEpoch) {
      this.before = Math.max(this.before, this.#marks[0].nextPack);
      this.#marks.shift();
    }
  }
}

const MARKS_MAX = 64;

/** How to collect. */
export interface CollectionOptions extends GcOptions {
  /** `all`: whatever may be found. `ended`, the default: what is likely to be there, as an open store looks for. */
  readonly which?: 'ended' | 'all';
}

/** One collection. */
export class Collection {
  readonly #context: GcContext;
  readonly #options: CollectionOptions;
  readonly #tally = new GcTally();
  readonly #problems = new ProblemList();
  readonly #signal: AbortSignal;
  readonly #endMs: number;
  #waitMs: number;
  #buffer: Uint8Array | undefined;
  /** Packs in which nothing was dead, by number, and how much was counted when that was found. */
  readonly #nothingIn = new Map<number, number>();
  /** Numbers of packs that are not tried again. */
  readonly #passedBy = new Set<number>();

  constructor(context: GcContext, options: CollectionOptions) {
    this.#context = context;
    this.#options = options;
    this.#signal = options.signal ? AbortSignal.any([options.signal, context.signal]) : context.signal;
    this.#waitMs = options.waitMs ?? GC_WAIT_MS;
    this.#endMs = context.clock.monotonicMs() + (options.timeMs ?? Number.POSITIVE_INFINITY);
  }

  async run(): Promise<GcReport> {
    const { metadata } = this.#context;
    const { dryRun = false, recount = false } = this.#options;
    if (recount) await metadata.recount();
    await metadata.unparkReferences();
    if (!dryRun) await deleteDroppedPacks(this.#context);
    if (await this.#count()) await (dryRun ? this.#preview() : this.#collect());
    if (!this.#isSpent) await this.#deleteLeaked();
    if (!this.#isSpent) await (dryRun ? this.#previewCheckpoint() : this.#shortenJournal());
    return this.#tally.finish(dryRun, this.#problems.listed);
  }

  /** So that a rebuild stays short: a checkpoint where the journal has grown long since the last, and what is before goes. */
  async #shortenJournal(): Promise<void> {
    const context = { ...this.#context, signal: this.#signal };
    const { counts } = this.#tally;
    try {
      if (await this.#isCheckpointDue()) {
        const { commit, bytes } = await writeCheckpoint({ ...context, buffer: this.#buffer });
        counts.checkpoint = commit;
        counts.bytesWritten += bytes;
      }
      const trimmed = await trimJournal(context, this.#problems);
      counts.journalPacksRemoved += trimmed.packs;
      counts.journalBytesFreed += trimmed.bytes;
    } catch (error) {
      if (!isProblem(error)) throw error;
      this.#problems.addError(error);
    }
  }

  async #isCheckpointDue(): Promise<boolean> {
    return this.#options.checkpoint || (await isCheckpointDue(this.#context.metadata));
  }

  async #previewCheckpoint(): Promise<void> {
    if (await this.#isCheckpointDue()) this.#tally.counts.checkpoint = (await this.#context.metadata.head()).commit;
  }

  async #mark(): Promise<void> {
    const { metadata, settled } = this.#context;
    const epoch = await metadata.advanceEpoch();
    settled.mark(epoch, (await metadata.collectionState()).nextPack);
  }

  /** Condemns and dooms until nothing more is to be had, or others make garbage as fast as it goes. */
  async #collect(): Promise<void> {
    for (let round = 0; round < GC_ROUNDS_MAX; round += 1) {
      // Also what was written by now, here among others, is settled once everybody has gone on.
      await this.#mark();
      if (!(await this.#awaitEpoch())) return;
      const doomed = await this.#doom();
      if (this.#isSpent) return;
      const condemned = await this.#condemn();
      if (!doomed && !condemned) return;
      if (condemned && !(await this.#count())) return;
    }
    this.#tally.left.add('what became garbage meanwhile');
  }

  /** Whether the budget of time or bytes was used up; said so in the report. */
  get #isSpent(): boolean {
    const { bytesMax = Number.POSITIVE_INFINITY } = this.#options;
    const isOver = this.#context.clock.monotonicMs() >= this.#endMs;
    if (isOver) this.#tally.left.add('the time for this collection is over');
    if (this.#tally.counts.bytesWritten >= bytesMax) this.#tally.left.add('the bytes for this collection are written');
    return isOver || this.#tally.counts.bytesWritten >= bytesMax;
  }

  /**
   * Beside somebody who never stops to write there is always something left to count: it is for the next collection, and
   * what it may need is safe, for nothing is doomed before it is counted.
   * @returns whether everything that waited is counted
   */
  async #count(): Promise<boolean> {
    const { metadata } = this.#context;
    while (!(await metadata.census(GC_SCAN_ROWS))) {
      this.#signal.throwIfAborted();
      this.#progress('census', this.#tally.counts.referencesCounted);
      if (this.#isSpent) return false;
    }
    for (let small = 0; ; ) {
      this.#signal.throwIfAborted();
      const { counted, unreadable, found } = await countStep({ ...this.#context, signal: this.#signal });
      this.#tally.counts.referencesCounted += counted;
      for (const one of unreadable) this.#tellUnreadable(one);
      small = found === 'all it takes' ? 0 : small + 1;
      if (found === 'nothing' || small === GC_COUNT_STEPS_SMALL) return true;
      this.#progress('count', this.#tally.counts.referencesCounted);
      if (this.#isSpent) return false;
    }
  }

  #tellUnreadable({ error, object, namespace }: Unreadable): void {
    this.#problems.addError(error, {
      ...(object !== undefined && { object }),
      ...(namespace > 0 && { namespace: String(namespace) }),
    });
  }

  #progress(phase: string, done: number, total?: number): void {
    const { bytesFreed: bytes } = this.#tally.counts;
    this.#options.onProgress?.({ phase, done, bytes, ...(total !== undefined && { total }) });
  }

  /**
   * Waits until every operation has ended that may count on what is condemned, and what they came to refer to is
   * counted.
   * @returns false when that takes too long: the collection ends, and the next one goes on
   */
  async #awaitEpoch(): Promise<boolean> {
    const { metadata, clock, settled } = this.#context;
    const { epoch: wanted } = await metadata.collectionState();
    const untilMs = Math.min(this.#endMs, clock.monotonicMs() + this.#waitMs);
    for (;;) {
      this.#signal.throwIfAborted();
      await this.#context.publish();
      this.#tally.counts.fenced += await fenceDead(this.#context);
      const state = await metadata.collectionState();
      settled.learn(state);
      if (state.oldestEpoch >= wanted) {
        await this.#context.adoptInbox();
        return await this.#count();
      }
      if (clock.monotonicMs() >= untilMs) break;
      await this.#context.sleep(GC_POLL_MS, { signal: this.#signal });
    }
    // Once is enough: whoever was waited for is not likely to end just now.
    this.#waitMs = 0;
    this.#tally.waitingFor = await waitingFor(this.#context, wanted);
    this.#tally.left.add('operations that are under way may count on what is to be deleted');
    return true;
  }

  /** @returns whether anything left the state */
  async #doom(): Promise<boolean> {
    const objects = await this.#doomObjects();
    const packs = await this.#compact();
    return objects || packs;
  }

  async #doomObjects(): Promise<boolean> {
    const { metadata } = this.#context;
    const { blocked, oldestEpoch } = await metadata.collectionState();
    if (blocked.length > 0) this.#tally.left.add('something that cannot be read may need what nothing else refers to');
    let removed = 0;
    await this.#eachLoose(async (rows) => {
      const keys = rows.flatMap(({ key, condemned }) => (condemned > 0 && condemned <= oldestEpoch ? [key] : []));
      if (keys.length > 0) removed += await this.#removeObjects(keys);
    });
    this.#tally.counts.objectsRemoved += removed;
    return removed > 0;
  }

  async #removeObjects(keys: readonly Uint8Array[]): Promise<number> {
    try {
      const [outcome] = await this.#context.submit([{ type: 'object-remove', keys }]);
      return outcome?.deleted ?? 0;
    } catch (error) {
      if (!isStoreError(error, 'PRECONDITION_FAILED')) throw error;
      // Somebody may need one of them by now: they are looked at anew.
      this.#tally.left.add('something that is to be deleted may be needed again');
      return 0;
    }
  }

  async #eachLoose(
    visit: (rows: Awaited<ReturnType<GcContext['metadata']['looseObjects']>>['rows']) => Promise<void>,
  ): Promise<void> {
    const { metadata } = this.#context;
    for (let after: Uint8Array | undefined; ; ) {
      this.#signal.throwIfAborted();
      const { rows, next } = await metadata.looseObjects({ limit: GC_SCAN_ROWS, ...(after && { after }) });
      if (rows.length > 0) await visit(rows);
      if (next === undefined) return;
      after = next;
    }
  }

  /** @returns whether a pack went */
  async #compact(): Promise<boolean> {
    const { metadata } = this.#context;
    const { oldestEpoch } = await metadata.collectionState();
    const due: PackRow[] = [];
    for await (const pack of allPacks(metadata)) {
      const isDue = pack.condemned > 0 && pack.condemned <= oldestEpoch;
      if (isDue && !this.#passedBy.has(pack.number)) due.push(pack);
    }
    let done = 0;
    for (const group of groupForCompaction(due)) {
      this.#signal.throwIfAborted();
      if (this.#isSpent) break;
      done += (await this.#compactOne(group)) ? 1 : 0;
      this.#progress('compact', done, due.length);
    }
    return done > 0;
  }

  async #compactOne(group: readonly PackRow[]): Promise<boolean> {
    // One for all packs of a collection: each of its own would be garbage of 16 MiB.
    this.#buffer ??= new Uint8Array(PACK_BUFFER_BYTES);
    const step = await compactGroup({ ...this.#context, signal: this.#signal, buffer: this.#buffer }, group);
    const { counts } = this.#tally;
    counts.packsRemoved += step.dropped;
    counts.packsWritten += step.added;
    counts.itemsRemoved += step.itemsRemoved;
    counts.bytesFreed += step.bytesFreed - step.bytesWritten;
    counts.bytesWritten += step.bytesWritten;
    for (const pack of step.damaged) this.#passedBy.add(pack.number);
    const { damaged, revived, waiting } = step;
    // What a damaged pack holds stays condemned, and so does the pack.
    const isDone = (pack: PackRow): boolean => pack.class === 'journal' && !damaged.includes(pack);
    const done = waiting ? [] : group.filter((pack) => isDone(pack) || revived.includes(pack));
    await this.#context.metadata.clearCondemned(done.map(({ number }) => number));
    for (const pack of step.damaged) {
      const packId = toHex(pack.id);
      this.#problems.add({ code: 'PACK_CORRUPT', message: `pack ${packId} cannot be read: it stays as it is`, packId });
    }
    if (step.waiting) {
      for (const pack of group) this.#passedBy.add(pack.number);
      this.#tally.left.add('something that is to be deleted may be needed again');
    }
    return step.dropped > 0 || step.itemsRemoved > 0;
  }

  /** @returns whether anything is newly condemned */
  async #condemn(): Promise<boolean> {
    const { metadata } = this.#context;
    const { blocked } = await metadata.collectionState();
    let condemned = 0;
    // What an object alone referred to is loose once that is condemned: down to the last one, in the same collection.
    for (let found = 1; found > 0; ) {
      found = await this.#condemnObjects(blocked);
      condemned += found;
      if (found > 0 && !(await this.#count())) return false;
    }
    condemned += await this.#condemnPacks(blocked);
    return condemned > 0;
  }

  async #condemnObjects(blocked: readonly number[]): Promise<number> {
    const { metadata, clock } = this.#context;
    const before = clock.now() - (this.#options.graceMs ?? GC_GRACE_MS);
    let condemned = 0;
    let inGrace = 0;
    await this.#eachLoose(async (rows) => {
      const loose = rows.filter((row) => row.condemned === 0 && !blocked.includes(namespaceOfKey(row.key)));
      const due = loose.filter(({ stored }) => stored <= before);
      inGrace += loose.length - due.length;
      if (due.length > 0) condemned += await metadata.condemnObjects(due.map(({ key }) => key));
    });
    this.#tally.counts.objectsInGrace = inGrace;
    return condemned;
  }

  async #condemnPacks(blocked: readonly number[]): Promise<number> {
    const { metadata, settled } = this.#context;
    const { deadShare = GC_DEAD_SHARE } = this.#options;
    const live = new Set((await metadata.listSessions()).filter(({ ended }) => !ended).map(({ id }) => toHex(id)));
    let [condemned, leftDead] = [0, 0];
    for await (const pack of allPacks(metadata)) {
      this.#signal.throwIfAborted();
      if (pack.condemned > 0 || this.#passedBy.has(pack.number) || !this.#isCollected(pack, blocked)) continue;
      const isSettled = pack.number < settled.before || !live.has(toHex(pack.id.subarray(0, SESSION_BYTES)));
      if (!isSettled || this.#nothingIn.get(pack.number) === this.#tally.counts.referencesCounted) continue;
      if (pack.class !== 'journal' && !isWorthCompacting(pack, deadShare)) {
        leftDead += packSpace(pack).dead;
        continue;
      }
      // On an object store the directory of a pack takes a while, and there may be thousands of them.
      if (this.#isSpent) break;
      const found = await this.#condemnIn(pack);
      if (found === undefined) this.#passedBy.add(pack.number);
      else if (found === 0) this.#nothingIn.set(pack.number, this.#tally.counts.referencesCounted);
      condemned += found ?? 0;
    }
    this.#tally.counts.bytesLeftDead = leftDead;
    return condemned;
  }

  /** @returns how much of a pack is condemned by now; `undefined` when its directory cannot be read */
  async #condemnIn(pack: PackRow): Promise<number | undefined> {
    const { packs, metadata } = this.#context;
    const opened = await unlessDamaged(() => packs.open(pack, { signal: this.#signal }));
    if (opened === undefined) return undefined;
    let condemned = 0;
    for (const items of inTransactions(opened.items))
      condemned += (await metadata.condemnItems(pack.number, items)).items;
    return condemned;
  }

  /** Little dies in the journal before it moves to packs: it is looked at when somebody asks. */
  #isCollected(pack: PackRow, blocked: readonly number[]): boolean {
    if (pack.class === 'journal') return this.#options.which === 'all' && pack.items > 0 && !blocked.includes(0);
    return isCollected(pack, blocked);
  }

  async #deleteLeaked(): Promise<void> {
    const { which = 'ended', dryRun = false } = this.#options;
    try {
      const { packs, bytes, left } = await deleteLeaked({ ...this.#context, signal: this.#signal }, { which, dryRun });
      this.#tally.counts.leakedPacks += packs;
      this.#tally.counts.leakedBytes += bytes;
      for (const one of left) this.#tally.left.add(one);
    } catch (error) {
      if (!isForLater(error)) throw error;
      this.#problems.addError(error);
    }
  }

  /** What a collection would do with what is counted by now. */
  async #preview(): Promise<void> {
    const { metadata, clock } = this.#context;
    const { counts } = this.#tally;
    const { deadShare = GC_DEAD_SHARE, graceMs = GC_GRACE_MS } = this.#options;
    const { blocked } = await metadata.collectionState();
    await this.#eachLoose(async (rows) => {
      for (const { stored } of rows) {
        if (stored <= clock.now() - graceMs) counts.objectsRemoved += 1;
        else counts.objectsInGrace += 1;
      }
    });
    for await (const pack of allPacks(metadata)) {
      if (!isCollected(pack, blocked)) continue;
      const { dead } = packSpace(pack);
      if (!isWorthCompacting(pack, deadShare)) counts.bytesLeftDead += dead;
      else {
        counts.packsRemoved += 1;
        counts.bytesFreed += dead;
      }
    }
  }
}

const SESSION_BYTES = 8;
