import type { Problem } from '../problems.ts';
import type { JobOutcome } from '../shard-reports.ts';

/** Who a collection waits for: for what it has in flight, or because it collects. */
export interface WaitingFor {
  /** Id of the session, 16 hex digits. */
  readonly session: string;
  /** Which process it is, as it says; '' where it did not. */
  readonly process: string;
  /** Milliseconds since it last showed that it lives. */
  readonly silentMs: number;
}

/** What a garbage collection did, or with `dryRun` would do. */
export interface GcReport {
  readonly dryRun: boolean;
  /**
   * `ok`: nothing more can be given back now. `partial`: it can, and was not, because somebody may still count on it
   * (`waitingFor`) or the budget was spent; `left` says so. `damaged`: something cannot be read (`problems`), and nothing
   * is deleted that it might need.
   */
  readonly outcome: JobOutcome;
  /** What is left for a later collection, in words; empty where nothing is. */
  readonly left: readonly string[];
  /** References that were counted. */
  readonly referencesCounted: number;
  /** Objects that nothing refers to: removed. */
  readonly objectsRemoved: number;
  /** Such objects that stay, because they were put less than the grace ago. */
  readonly objectsInGrace: number;
  /** Chunks and manifest nodes that nothing refers to: removed. */
  readonly itemsRemoved: number;
  /** Packs that went, and those that were written for what lived of them. */
  readonly packsRemoved: number;
  readonly packsWritten: number;
  /** Bytes on the backends that were given back, less those written. */
  readonly bytesFreed: number;
  readonly bytesWritten: number;
  /** Dead bytes in packs of which too little is dead to write the rest anew. */
  readonly bytesLeftDead: number;
  /** Packs that no commit knows, left by processes that ended: removed. */
  readonly leakedPacks: number;
  readonly leakedBytes: number;
  /** The commit that a checkpoint was written of, in a dry run that of now where one would be written; otherwise 0. */
  readonly checkpoint: number;
  /** Journal packs and older checkpoints that no rebuild needs, and the bytes of their shards: removed. */
  readonly journalPacksRemoved: number;
  readonly journalBytesFreed: number;
  /** Processes that were taken for dead. */
  readonly fenced: number;
  readonly waitingFor: readonly WaitingFor[];
  /** What could not be read: nothing is deleted that it might need. */
  readonly problems: readonly Problem[];
}

/** How to collect garbage. */
export interface GcOptions {
  /** Tells what would be given back; nothing is deleted or written. Default false. */
  readonly dryRun?: boolean;
  /** Bytes of packs to write at most. Default: no bound. */
  readonly bytesMax?: number;
  /** How long to work at most, milliseconds. What is left goes on with the next call. Default: no bound. */
  readonly timeMs?: number;
  /** How long to wait for operations that may count on what is to be deleted, milliseconds. Default 10,000. */
  readonly waitMs?: number;
  /** Part of a pack that must be dead before the rest is written anew, from 0 to 1. Default 0.25. */
  readonly deadShare?: number;
  /** Objects that nothing refers to stay so long after they were put, milliseconds. Default two weeks. */
  readonly graceMs?: number;
  /** Writes a checkpoint at the end, whether or not the journal is long enough for one. Default false. */
  readonly checkpoint?: boolean;
  /** Forgets what was counted and counts all references anew. Default false. */
  readonly recount?: boolean;
  /** Aborting rejects with the signal's reason; what was done stays done. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { phase: string; done: number; total?: number; bytes: number }) => void;
}

type Mutable<T> = { -readonly [name in keyof T]: T[name] };
type Counts = Omit<GcReport, 'dryRun' | 'outcome' | 'left' | 'waitingFor' | 'problems'>;

/** A report in the making. */
export class GcTally {
  readonly counts: Mutable<Counts> = {
    ...{ referencesCounted: 0, objectsRemoved: 0, objectsInGrace: 0, itemsRemoved: 0, packsRemoved: 0 },
    ...{ packsWritten: 0, bytesFreed: 0, bytesWritten: 0, bytesLeftDead: 0, leakedPacks: 0, leakedBytes: 0, fenced: 0 },
    ...{ checkpoint: 0, journalPacksRemoved: 0, journalBytesFreed: 0 },
  };
  readonly left = new Set<string>();
  waitingFor: readonly WaitingFor[] = [];

  finish(dryRun: boolean, problems: readonly Problem[]): GcReport {
    const left = Object.freeze([...this.left]);
    return Object.freeze({
      ...{ dryRun, outcome: outcomeOf(left, problems), left },
      ...this.counts,
      waitingFor: Object.freeze([...this.waitingFor]),
      problems: Object.freeze([...problems]),
    });
  }
}

/** Of a collection that did not begin. */
export function reportOfHeld(holder: WaitingFor): GcReport {
  const tally = new GcTally();
  tally.waitingFor = [holder];
  tally.left.add('another process collects');
  return tally.finish(false, []);
}

function outcomeOf(left: readonly string[], problems: readonly Problem[]): JobOutcome {
  if (problems.length > 0) return 'damaged';
  return left.length > 0 ? 'partial' : 'ok';
}
