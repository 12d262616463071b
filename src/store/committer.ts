import { isStoreError, storeError } from '../errors/store-error.ts';
import { COMMIT_INLINE_BYTES_MAX, COMMIT_OPERATIONS_MAX, COMMIT_RECORD_BYTES_MAX } from '../limits.ts';
import type { ChangeOutcome, CommitRequest, Metadata } from '../metadata/contract.ts';
import { sleep } from '../runtime/timers.ts';
import { checkFitsCommit, operationsBytes } from './commit-size.ts';
import { type Health, isDefinite } from './health.ts';
import type { JournalWriter } from './journal-writer.ts';

interface Waiting {
  readonly request: CommitRequest;
  /** That its changes take in the journal, and its chunks beside them. */
  readonly recordBytes: number;
  readonly inlineBytes: number;
  readonly resolve: (outcomes: readonly ChangeOutcome[]) => void;
  readonly reject: (error: unknown) => void;
}

/** A request that is committed and waits for the journal. */
interface Committed {
  readonly waiting: Waiting;
  readonly outcomes: readonly ChangeOutcome[];
  readonly commit: number;
}

/** Space that only deletes and the journal may spend; see the reserve of the folder backend. */
export interface Reserve {
  /** Frees the reserve; resolves to whether there was one. */
  release(): Promise<boolean>;
  /** Allocates it again if it was spent and there is room; resolves to whether it is whole. */
  restore(): Promise<boolean>;
}

/** What decides whether the store may grow. */
export interface Space {
  /** `undefined` where none is kept. */
  readonly reserve: Reserve | undefined;
  /** Rejects with `exhausted/*` when bytes that come with a commit would pass a bound that the caller has set. */
  readonly checkRoom: ((bytes: number) => Promise<void>) | undefined;
}

const RETRY_DELAY_MS = 1000;
const RETRY_DELAY_MS_MAX = 30_000;

/**
 * The one place where changes become durable, in the order: metadata transaction, journal pack, acknowledgement.
 * Requests that arrive while a commit is under way form the next group and share its transaction and its journal pack.
 */
export class Committer {
  readonly #metadata: Metadata;
  readonly #journal: JournalWriter;
  readonly #health: Health;
  readonly #space: Space;
  readonly #afterCommit: () => void;
  readonly #queue: Waiting[] = [];
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #retrying: Promise<void> | undefined;
  #commits = 0;

  constructor(parts: {
    readonly metadata: Metadata;
    readonly journal: JournalWriter;
    readonly health: Health;
    readonly space: Space;
    /** Called after each group, for work that follows commits. Must not throw. */
    readonly afterCommit: () => void;
  }) {
    this.#metadata = parts.metadata;
    this.#journal = parts.journal;
    this.#health = parts.health;
    this.#space = parts.space;
    this.#afterCommit = parts.afterCommit;
  }

  /** Groups committed since the store was opened. */
  get commits(): number {
    return this.#commits;
  }

  /**
   * Commits one request; resolves when it would survive any crash.
   * @throws the request's own failed condition; `invalid/BATCH_TOO_LARGE`; `exhausted/DISK_FULL` and
   *   `unavailable/METADATA_BUSY` (nothing happened); `unavailable/COMMIT_PENDING` (it happened, and the journal
   *   follows); what poisoned the store
   */
  async submit(request: CommitRequest): Promise<readonly ChangeOutcome[]> {
    this.#health.assertWritable();
    const recordBytes = operationsBytes(request.changes);
    checkFitsCommit(recordBytes);
    const { promise, resolve, reject } = Promise.withResolvers<readonly ChangeOutcome[]>();
    this.#queue.push({ request, recordBytes, inlineBytes: inlineBytes(request), resolve, reject });
    this.#running ??= this.#run();
    return await promise;
  }

  /** Waits for running commits, tells the metadata what is flushed. The store takes no requests any more. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#retrying;
    await this.#running;
    if (this.#health.poisoned) return;
    await this.flush();
    await this.settle();
  }

  /** Makes the journal records of all commits so far durable, also those of other processes. */
  async flush(): Promise<void> {
    this.#health.assertWritable();
    try {
      await this.#journal.flush();
    } catch (error) {
      throw this.#health.judge(error);
    }
  }

  /**
   * Leaves no record of a commit so far in a journal pack that the metadata does not know: not one of ours, nor, as far
   * as anybody counts on it, one of other processes.
   */
  async flushAnew(): Promise<void> {
    this.#health.assertWritable();
    await this.settle();
    try {
      await this.#journal.flushAnew();
    } catch (error) {
      throw this.#health.judge(error);
    }
    await this.settle();
  }

  /** Tells the metadata what is flushed; otherwise it learns so with the next commit. */
  async settle(): Promise<void> {
    const untold = this.#journal.takeUntold();
    if (untold.length === 0) return;
    try {
      await this.#metadata.markFlushed(untold);
    } catch (error) {
      this.#journal.giveBack(untold);
      throw this.#health.judge(error);
    }
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#commit(group);
      } catch (error) {
        for (const waiting of group) waiting.reject(error);
      }
      this.#afterCommit();
    }
    // In the same turn as the last look at the queue: a request that comes later must find nobody running.
    this.#running = undefined;
  }

  #takeGroup(): Waiting[] {
    let operations = 0;
    let ridingBytes = 0;
    let recordBytes = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      operations += waiting.request.changes.length;
      recordBytes += waiting.recordBytes;
      ridingBytes += waiting.inlineBytes;
      const full =
        operations > COMMIT_OPERATIONS_MAX ||
        ridingBytes > COMMIT_INLINE_BYTES_MAX ||
        recordBytes > COMMIT_RECORD_BYTES_MAX;
      if (count > 0 && full) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    this.#health.assertWritable();
    const accepted = await this.#refuseGrowth(group);
    const done = await this.#transact(accepted);
    if (done.length === 0) return;
    this.#commits += 1;
    try {
      await this.#journal.flush();
    } catch (error) {
      this.#health.judge(error);
      if (!this.#health.poisoned) this.#retrying ??= this.#retryFlush();
      throw storeError('COMMIT_PENDING', 'the change is committed, but its journal could not be written yet', {
        retry: false,
        details: { commit: done[0]?.commit ?? 0 },
        cause: error,
      });
    }
    for (const { waiting, outcomes } of done) waiting.resolve(outcomes);
  }

  /** The metadata transaction. Failed conditions are answered here; what is returned still waits for the journal. */
  async #transact(group: readonly Waiting[]): Promise<Committed[]> {
    if (group.length === 0) return [];
    const untold = this.#journal.takeUntold();
    let results: Awaited<ReturnType<Metadata['commit']>>;
    try {
      const requests = group.map((waiting) => waiting.request);
      results = await this.#metadata.commit(requests, untold);
    } catch (error) {
      this.#journal.giveBack(untold);
      if (!isStoreError(error, 'DISK_FULL')) throw this.#health.judge(error);
      return await this.#transactOnFullDisk(group, error);
    }
    const done: Committed[] = [];
    for (const [index, waiting] of group.entries()) {
      const result = results[index];
      if (result?.ok) done.push({ waiting, outcomes: result.outcomes, commit: result.commit });
      else waiting.reject(result?.error);
    }
    return done;
  }

  /** On a full disk what frees space goes on with the reserve; the rest is told. */
  async #transactOnFullDisk(group: readonly Waiting[], full: unknown): Promise<Committed[]> {
    const freeing = group.filter(({ request }) => frees(request));
    for (const waiting of group) if (!freeing.includes(waiting)) waiting.reject(full);
    if (freeing.length === 0 || !(await this.#space.reserve?.release())) {
      for (const waiting of freeing) waiting.reject(full);
      return [];
    }
    return await this.#transact(freeing);
  }

  /**
   * Where the store may not grow, only changes that free space are accepted: the journal could take the others for a
   * while, and then not.
   */
  async #refuseGrowth(group: readonly Waiting[]): Promise<readonly Waiting[]> {
    const growing = group.filter(({ request }) => !frees(request));
    if (growing.length === 0) return group;
    try {
      await this.#checkGrowth(growing);
      return group;
    } catch (error) {
      for (const waiting of growing) waiting.reject(error);
      return group.filter((waiting) => !growing.includes(waiting));
    }
  }

  /** @throws `exhausted/*` */
  async #checkGrowth(growing: readonly Waiting[]): Promise<void> {
    const { reserve, checkRoom } = this.#space;
    if (reserve && !(await reserve.restore()))
      throw storeError('DISK_FULL', 'the disk is full: what is left is kept for deletes');
    if (!checkRoom) return;
    let bytes = JOURNAL_PACK_BYTES;
    for (const { recordBytes, inlineBytes: ridingBytes } of growing) bytes += recordBytes + ridingBytes;
    await checkRoom(bytes);
  }

  /** Goes on trying after a journal write that failed for want of space. */
  async #retryFlush(): Promise<void> {
    for (
      let delay = RETRY_DELAY_MS;
      !this.#stop.signal.aborted && !this.#health.poisoned;
      delay = Math.min(2 * delay, RETRY_DELAY_MS_MAX)
    ) {
      try {
        await sleep(delay, { signal: this.#stop.signal, background: true });
        await this.#running;
        await this.#journal.flush();
        break;
      } catch (error) {
        if (this.#stop.signal.aborted) break;
        if (!isDefinite(error)) this.#health.judge(error);
      }
    }
    this.#retrying = undefined;
  }
}

/** Frames, directory and footer of a small journal pack, roughly. */
const JOURNAL_PACK_BYTES = 1024;

function inlineBytes(request: CommitRequest): number {
  return request.inline.reduce((bytes, record) => bytes + record.stored.length, 0);
}

function frees({ changes }: CommitRequest): boolean {
  return changes.every(
    (change) =>
      change.type === 'delete' ||
      change.type === 'history-forget' ||
      change.type === 'object-remove' ||
      change.type === 'items-remove' ||
      (change.type === 'ref-set' && change.target === undefined),
  );
}
