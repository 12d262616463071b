import { OBJECT_LOAD_BATCH } from '../limits.ts';
import { parentsOf } from './ancestry.ts';
import { type LoadObjects, loadAll } from './load.ts';

/** Bits of what is known of a snapshot: which of the two reach it, and that a better common ancestor does. */
const FROM_A = 1;
const FROM_B = 2;
const COMMON = FROM_A | FROM_B;
const STALE = 4;

/**
 * The best common ancestors of two snapshots over all parents: those that no other common ancestor descends from. One of
 * the two themselves, when the other descends from it. Criss-cross merges have several.
 *
 * Both histories are walked side by side. Without times to trust there is no order to walk in, so what is found out later
 * is passed on again to what was seen before. The walk ends as soon as all that is left descends from nothing but one
 * common ancestor, which for two branches of one line is soon; else it sees both histories whole.
 * @returns ids in ascending order; empty when the histories have nothing in common
 * @throws `corrupt/OBJECT_CORRUPT`, `corrupt/OBJECT_MISSING`, and what the loader throws
 */
export async function mergeBase(a: string, b: string, load: LoadObjects): Promise<readonly string[]> {
  if (a === b) return [a];
  const history = new History(load);
  history.mark(a, FROM_A);
  history.mark(b, FROM_B);
  while (!history.isSettled()) await history.step();
  return history.best();
}

class History {
  readonly #load: LoadObjects;
  readonly #parents = new Map<string, readonly string[]>();
  readonly #marks = new Map<string, number>();
  /** Snapshots whose marks their parents have not heard of. */
  #waiting = new Set<string>();
  /** Common ancestors that none better is known to descend from. */
  readonly #candidates = new Set<string>();
  /** How many of those that wait could still be, or lead to, another best one. */
  #open = 0;

  constructor(load: LoadObjects) {
    this.#load = load;
  }

  mark(id: string, bits: number): void {
    const before = this.#marks.get(id) ?? 0;
    const after = before | bits;
    if (after === before) return;
    const wasOpen = this.#waiting.has(id) && (before & STALE) === 0;
    const isStale = (after & STALE) !== 0;
    this.#marks.set(id, after);
    this.#waiting.add(id);
    this.#open += (isStale ? 0 : 1) - (wasOpen ? 1 : 0);
    if (isStale) this.#candidates.delete(id);
    else if ((after & COMMON) === COMMON) this.#candidates.add(id);
  }

  /** Nothing is left, or nothing but ancestors of the one best candidate. */
  isSettled(): boolean {
    return this.#waiting.size === 0 || (this.#open === 0 && this.#candidates.size === 1);
  }

  async step(): Promise<void> {
    const ids = [...this.#waiting].slice(0, OBJECT_LOAD_BATCH);
    const unknown = ids.filter((id) => !this.#parents.has(id));
    const loaded = await loadAll('snapshot', unknown, this.#load);
    for (const [index, snapshot] of loaded.entries()) this.#parents.set(unknown[index] as string, parentsOf(snapshot));
    for (const id of ids) {
      const marks = this.#marks.get(id) ?? 0;
      this.#waiting.delete(id);
      if ((marks & STALE) === 0) this.#open -= 1;
      const passed = (marks & COMMON) === COMMON ? marks | STALE : marks;
      for (const parent of this.#parents.get(id) ?? []) this.mark(parent, passed);
    }
  }

  best(): readonly string[] {
    return [...this.#candidates].sort();
  }
}
