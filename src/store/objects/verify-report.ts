import type { StoreError } from '../../errors/store-error.ts';
import { FINDINGS_LISTED_MAX, REFERRERS_LISTED_MAX } from '../../limits.ts';
import type { ObjectReference } from '../../objects/index.ts';
import type { ObjectFinding, ObjectReferrer, ObjectVerification } from './object-types.ts';

type State = 'missing' | 'corrupt' | 'unreachable';

interface Found extends Omit<ObjectFinding, 'referrers' | 'referrerCount'> {
  readonly state: State;
  readonly referrers: Map<string, ObjectReferrer>;
  referrerCount: number;
}

/** What a verification found, object by object; what it holds are ids of what is wrong. */
export class VerifyFindings {
  /** Those that are listed, and `undefined` for those that are only counted. */
  readonly #found = new Map<string, Found | undefined>();
  readonly #counts: Record<State, number> = { missing: 0, corrupt: 0, unreachable: 0 };
  readonly tally = { objects: 0, blobs: 0, bytes: 0 };

  get isEmpty(): boolean {
    return this.#found.size === 0;
  }

  /** Adds what is wrong with an object, or one more that refers to it. */
  add({ type, id }: ObjectReference | { readonly type: undefined; readonly id: string }, error: StoreError): void {
    const key = keyOf({ type, id });
    if (this.#found.has(key)) return;
    const state = stateOf(error);
    this.#counts[state] += 1;
    if (this.#counts[state] > FINDINGS_LISTED_MAX) {
      this.#found.set(key, undefined);
      return;
    }
    const { code, message } = error;
    const named = { object: id, ...(type !== undefined && { type }), code, message };
    this.#found.set(key, { ...named, state, referrers: new Map(), referrerCount: 0 });
  }

  has(reference: ObjectReference): boolean {
    return this.#found.has(keyOf(reference));
  }

  /** Of an object that was added. Who is told of twice is counted once, as long as it is listed. */
  addReferrer(
    reference: { readonly type: ObjectReference['type'] | undefined; readonly id: string },
    by: ObjectReferrer,
  ): void {
    const found = this.#found.get(keyOf(reference));
    if (found === undefined) return;
    const name = by.type === 'ref' ? `ref ${by.number ?? ''} ${by.name}` : keyOf(by);
    if (found.referrers.has(name)) return;
    found.referrerCount += 1;
    if (found.referrers.size < REFERRERS_LISTED_MAX) found.referrers.set(name, Object.freeze({ ...by }));
  }

  report(): ObjectVerification {
    const { missing, corrupt, unreachable } = this.#counts;
    return Object.freeze({
      outcome: missing + corrupt > 0 ? 'damaged' : unreachable > 0 ? 'partial' : 'ok',
      ...this.tally,
      missing: this.#listed('missing'),
      missingCount: missing,
      corrupt: this.#listed('corrupt'),
      corruptCount: corrupt,
      unreachable: this.#listed('unreachable'),
      unreachableCount: unreachable,
    });
  }

  #listed(wanted: State): readonly ObjectFinding[] {
    const listed: ObjectFinding[] = [];
    for (const found of this.#found.values()) {
      if (found?.state !== wanted) continue;
      const { state: _, referrers, ...named } = found;
      listed.push(Object.freeze({ ...named, referrers: Object.freeze([...referrers.values()]) }));
    }
    return Object.freeze(listed);
  }
}

function keyOf({ type, id }: { readonly type: ObjectReference['type'] | undefined; readonly id: string }): string {
  return `${type ?? ''}:${id}`;
}

function stateOf({ code, kind }: StoreError): State {
  if (kind === 'unavailable') return 'unreachable';
  return code === 'OBJECT_MISSING' || code === 'CHUNK_MISSING' ? 'missing' : 'corrupt';
}
