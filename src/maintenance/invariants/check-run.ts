/** One run of a check: what it found of each invariant, while passes over the store prove them. */
import { type Problem, ProblemList } from '../problems.ts';
import { type InvariantName, type PassName, passesOf } from './names.ts';

/** What a check found of one invariant. */
export interface InvariantReport {
  readonly name: InvariantName;
  /** `skipped`: it could not be proven, and nothing was found that speaks against it; `reason` says why. */
  readonly outcome: 'ok' | 'violated' | 'skipped';
  readonly reason?: string;
  /** Rows, packs, records, entries, ...: whatever it is about. */
  readonly checked: number;
  /** The first hundred, and how many there are. */
  readonly violations: readonly Problem[];
  readonly violationCount: number;
}

const VIOLATIONS_LISTED_MAX = 100;

/** What is known of one invariant so far. */
class Tally {
  readonly problems = new ProblemList();
  checked = 0;
  reason: string | undefined;
}

/** Takes what passes find, and tells of the invariants that were asked for. */
export class CheckRun {
  readonly #names: readonly InvariantName[];
  readonly #tallies = new Map<InvariantName, Tally>();

  constructor(names: readonly InvariantName[]) {
    this.#names = names;
  }

  /** Whether something that was asked for takes this pass. */
  needs(pass: PassName): boolean {
    return this.#names.some((name) => passesOf(name).includes(pass));
  }

  /** Where problems with an invariant go. What nobody asked for is found by the same pass, and goes nowhere. */
  problemsOf(name: InvariantName): ProblemList {
    return this.#tallyOf(name).problems;
  }

  /** So many more were looked at. */
  looked(name: InvariantName, count: number): void {
    this.#tallyOf(name).checked += count;
  }

  /** It could not be proven; the first reason is told. */
  skip(name: InvariantName, reason: string): void {
    this.#tallyOf(name).reason ??= reason;
  }

  /** Runs a pass. Damage that ends it is told once; what else it was to prove was not proven then. */
  async pass<T>(pass: PassName, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      const [owner, ...others] = this.#names.filter((name) => passesOf(name).includes(pass));
      // Also when nobody asked for it: what says nothing about the store is thrown on.
      (owner === undefined ? new ProblemList() : this.problemsOf(owner)).addError(error);
      for (const name of others) this.skip(name, `not finished: ${error instanceof Error ? error.message : error}`);
      return undefined;
    }
  }

  /** How many were looked at. */
  lookedAt(name: InvariantName): number {
    return this.#tallyOf(name).checked;
  }

  /** What was found of each invariant that was asked for. */
  reports(): readonly InvariantReport[] {
    return Object.freeze(this.#names.map((name) => Object.freeze(this.#reportOf(name))));
  }

  /** All problems with what was asked for, together. */
  problems(): ProblemList {
    const all = new ProblemList();
    for (const name of this.#names) all.addAll(this.problemsOf(name));
    return all;
  }

  #reportOf(name: InvariantName): InvariantReport {
    const { problems, checked, reason } = this.#tallyOf(name);
    const { count, unseen, listed } = problems;
    const isSkipped = unseen > 0 || reason !== undefined;
    const why = reason ?? (unseen > 0 ? 'something could not be reached' : undefined);
    return {
      name,
      outcome: count > unseen ? 'violated' : isSkipped ? 'skipped' : 'ok',
      ...(why !== undefined && { reason: why }),
      checked,
      violations: Object.freeze(listed.slice(0, VIOLATIONS_LISTED_MAX)),
      violationCount: count - unseen,
    };
  }

  #tallyOf(name: InvariantName): Tally {
    const known = this.#tallies.get(name);
    if (known) return known;
    const tally = new Tally();
    this.#tallies.set(name, tally);
    return tally;
  }
}
