import type { Backend } from '../backend/contract.ts';
import { storeError } from '../errors/store-error.ts';
import type { Clock } from '../runtime/clock.ts';
import { BackendLink } from './backend-link.ts';

/** Number of the backend of a store that has one only. */
export const SOLE_BACKEND = 1;
/** Its name, until somebody changes it. */
export const SOLE_NAME = 'main';

/** What a config says of all backends together. */
export interface BackendPlan {
  /** Where shards go by their index, going round; empty where they rotate. */
  readonly map: readonly number[];
  /** Of the backend that comes next: numbers rise and are never given again. */
  readonly nextNumber: number;
}

/**
 * The backends of a store, by number. What they are changes while the store is open: somebody adds one, or takes one
 * out.
 */
export class BackendSet {
  #links: ReadonlyMap<number, BackendLink>;
  #plan: BackendPlan;

  /** @param plan default: no map, and no backend has left */
  constructor(links: readonly BackendLink[], plan: Partial<BackendPlan> = {}) {
    this.#links = byNumber(links);
    this.#plan = { map: [], nextNumber: 0, ...plan };
  }

  /** By ascending number. */
  get links(): readonly BackendLink[] {
    return [...this.#links.values()];
  }

  /** Where shards go by their index, going round; empty where they rotate. */
  get map(): readonly number[] {
    return this.#plan.map;
  }

  /** Those in place of the ones before. Calls under way end where they began. */
  replace(links: readonly BackendLink[], plan: BackendPlan): void {
    this.#links = byNumber(links);
    this.#plan = plan;
  }

  find(number: number): BackendLink | undefined {
    return this.#links.get(number);
  }

  /** Whether a backend has left the store; one that is not known yet, as somebody else added it just now, has not. */
  hasLeft(number: number): boolean {
    return number > 0 && number < this.#plan.nextNumber && !this.#links.has(number);
  }

  /** @throws `unavailable/BACKEND_UNREACHABLE` for a number that this process knows no backend of */
  get(number: number): BackendLink {
    const link = this.#links.get(number);
    if (link) return link;
    const message = `backend number ${number} is not among the backends of the store`;
    throw storeError('BACKEND_UNREACHABLE', message, { details: { backend: String(number) } });
  }
}

function byNumber(links: readonly BackendLink[]): ReadonlyMap<number, BackendLink> {
  const sorted = links.toSorted((a, b) => a.facts.number - b.facts.number);
  return new Map(sorted.map((link) => [link.facts.number, link]));
}

/** The set of a store with one backend. */
export function soleBackend(backend: Backend, clock: Clock): BackendSet {
  const facts = { number: SOLE_BACKEND, name: SOLE_NAME, domain: SOLE_NAME, weight: 1, mode: 'active' } as const;
  return new BackendSet([new BackendLink({ facts, backend, clock })]);
}
