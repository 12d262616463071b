/** What objects, refs, histories, relations and policies are meant to be, over plain maps and names of one namespace. */

export interface ModelPolicy {
  readonly last?: number;
  /** 0, or so long that a test does not see its end. */
  readonly forMs?: number;
}

/** Only where there is none, only the version that is there, or only one that is not. */
export type OnlyIf = 'absent' | 'present' | 'stale';

export type NamedChange =
  | {
      readonly type: 'put';
      readonly key: string;
      readonly label: string;
      readonly keep?: ModelPolicy | 'none' | undefined;
      readonly only?: OnlyIf | undefined;
    }
  | {
      readonly type: 'delete';
      readonly key: string;
      readonly children?: 'release' | 'delete' | undefined;
      readonly only?: OnlyIf | undefined;
    }
  | { readonly type: 'rename' | 'copy'; readonly from: string; readonly to: string; readonly replace: boolean }
  | { readonly type: 'relate'; readonly child: string; readonly parent: string | undefined }
  | { readonly type: 'object'; readonly label: string; readonly refersTo: readonly string[] }
  | { readonly type: 'ref'; readonly name: string; readonly label?: string; readonly expected?: string | null }
  | {
      readonly type: 'forget';
      readonly history: HistoryName;
      readonly key: string;
      readonly numbers: readonly number[];
    }
  | { readonly type: 'policy'; readonly policy: ModelPolicy | undefined }
  | { readonly type: 'drop' };

type HistoryName = 'version' | 'move';

/** Steps by number, in their order: the label an entry had, or `from>to` of a ref. */
export interface ModelHistory {
  last: number;
  readonly steps: Map<number, string>;
}

interface State {
  entries: Map<string, string>;
  parents: Map<string, string>;
  /** What each of them refers to. */
  objects: Map<string, readonly string[]>;
  refs: Map<string, string>;
  histories: Record<HistoryName, Map<string, ModelHistory>>;
  policy: ModelPolicy | undefined;
}

/** A request that fails, with the code of its error. */
class Refused extends Error {}

const emptyState = (): State => ({
  ...{ entries: new Map(), parents: new Map(), objects: new Map(), refs: new Map(), policy: undefined },
  histories: { version: new Map(), move: new Map() },
});

export class NamedModel {
  state = emptyState();

  /** Whether an entry has a key of its own: nothing outlives it. */
  protected isIsolated(_label: string): boolean {
    return false;
  }

  /** What holds where a put does not say otherwise. */
  protected get policy(): ModelPolicy | 'none' | undefined {
    return this.state.policy;
  }

  childrenOf(key: string): readonly string[] {
    return [...this.state.parents].flatMap(([child, parent]) => (parent === key ? [child] : []));
  }

  ancestorsOf(key: string): readonly string[] {
    const parent = this.state.parents.get(key);
    return parent === undefined ? [] : [parent, ...this.ancestorsOf(parent)];
  }

  familyOf(key: string): readonly string[] {
    return [key, ...this.childrenOf(key).flatMap((child) => this.familyOf(child))];
  }

  #append(kind: HistoryName, key: string, step: string): ModelHistory {
    const history = this.state.histories[kind].get(key) ?? { last: 0, steps: new Map() };
    this.state.histories[kind].set(key, history);
    history.last += 1;
    history.steps.set(history.last, step);
    return history;
  }

  /** Without its numbers once it has no steps. */
  #forget(kind: HistoryName, key: string, numbers: readonly number[]): void {
    const history = this.state.histories[kind].get(key);
    for (const number of numbers) history?.steps.delete(number);
    if (history?.steps.size === 0) this.state.histories[kind].delete(key);
  }

  #keep(key: string, asked?: ModelPolicy | 'none'): void {
    const label = this.state.entries.get(key);
    const policy = asked ?? this.policy;
    if (label === undefined || policy === undefined || policy === 'none' || this.isIsolated(label)) return;
    const numbers = [...this.#append('version', key, label).steps.keys()];
    const kept = policy.forMs === 0 ? 0 : (policy.last ?? numbers.length);
    this.#forget('version', key, numbers.slice(0, Math.max(0, numbers.length - kept)));
  }

  #meets(key: string, only: OnlyIf | undefined): void {
    if (only === undefined) return;
    const isThere = this.state.entries.has(key);
    if (only === 'absent' && isThere) throw new Refused('ENTRY_EXISTS');
    if (only === 'stale' || (only === 'present' && !isThere)) throw new Refused('PRECONDITION_FAILED');
  }

  #delete({ key, children, only }: Extract<NamedChange, { type: 'delete' }>): void {
    const { entries, parents } = this.state;
    this.#meets(key, only);
    if (!entries.has(key)) return;
    const beneath = this.childrenOf(key);
    if (beneath.length > 0 && children === undefined) throw new Refused('ENTRY_HAS_CHILDREN');
    for (const one of children === 'delete' ? this.familyOf(key) : [key]) {
      this.#keep(one);
      entries.delete(one);
      parents.delete(one);
    }
    for (const child of beneath) parents.delete(child);
  }

  #move({ type, from, to, replace }: Extract<NamedChange, { type: 'rename' | 'copy' }>): void {
    const { entries, parents } = this.state;
    const label = entries.get(from);
    if (label === undefined) throw new Refused('ENTRY_NOT_FOUND');
    if (entries.has(to) && !replace) throw new Refused('ENTRY_EXISTS');
    if (type === 'copy' && this.isIsolated(label)) throw new Refused('ENTRY_ISOLATED');
    if (from === to) return;
    if (type === 'rename' && this.childrenOf(to).length > 0) throw new Refused('ENTRY_HAS_CHILDREN');
    if (type === 'rename') this.#keep(from);
    this.#keep(to);
    entries.set(to, label);
    if (type === 'copy') return;
    entries.delete(from);
    parents.delete(to);
    for (const child of this.childrenOf(from)) parents.set(child, to);
    const parent = parents.get(from);
    parents.delete(from);
    if (parent !== undefined) parents.set(to, parent);
  }

  #relate(child: string, parent: string | undefined): void {
    const { entries, parents } = this.state;
    if (!entries.has(child)) throw new Refused('ENTRY_NOT_FOUND');
    if (parent === undefined) {
      parents.delete(child);
      return;
    }
    if (!entries.has(parent)) throw new Refused('ENTRY_NOT_FOUND');
    if (this.familyOf(child).includes(parent)) throw new Refused('RELATION_CYCLE');
    parents.set(child, parent);
  }

  #setRef({ name, label, expected }: Extract<NamedChange, { type: 'ref' }>): void {
    const { refs, objects } = this.state;
    const before = refs.get(name);
    if (expected !== undefined && before !== (expected ?? undefined)) throw new Refused('PRECONDITION_FAILED');
    if (label !== undefined && !objects.has(label)) throw new Refused('OBJECT_NOT_FOUND');
    if (label === undefined && before === undefined) return;
    this.#append('move', name, `${before}>${label}`);
    if (label === undefined) refs.delete(name);
    else refs.set(name, label);
  }

  #apply(change: NamedChange): void {
    const { state } = this;
    switch (change.type) {
      case 'put':
        this.#meets(change.key, change.only);
        this.#keep(change.key, change.keep);
        state.entries.set(change.key, change.label);
        return;
      case 'delete':
        this.#delete(change);
        return;
      case 'rename':
      case 'copy':
        this.#move(change);
        return;
      case 'relate':
        this.#relate(change.child, change.parent);
        return;
      case 'object':
        if (state.objects.has(change.label)) return;
        if (!change.refersTo.every((label) => state.objects.has(label))) throw new Refused('OBJECT_NOT_FOUND');
        state.objects.set(change.label, change.refersTo);
        return;
      case 'ref':
        this.#setRef(change);
        return;
      case 'forget':
        this.#forget(change.history, change.key, change.numbers);
        return;
      case 'policy':
        state.policy = change.policy;
        return;
      case 'drop':
        return;
    }
  }

  /** Objects that no ref and no move of one leads to. */
  unreachable(): readonly string[] {
    const { objects, refs, histories } = this.state;
    const reached = new Set<string>();
    const moves = [...histories.move.values()].flatMap(({ steps }) => [...steps.values()]);
    const waiting = [...refs.values(), ...moves.flatMap((move) => move.split('>'))];
    for (let label = waiting.pop(); label !== undefined; label = waiting.pop()) {
      const references = objects.get(label);
      if (references === undefined || reached.has(label)) continue;
      reached.add(label);
      waiting.push(...references);
    }
    return [...objects.keys()].filter((label) => !reached.has(label));
  }

  /** Applies the requests of one commit; `ok` or the code of its failure for each. */
  commit(requests: readonly (readonly NamedChange[])[]): readonly string[] {
    let dropped = false;
    const codes = requests.map((changes) => {
      const before = structuredClone(this.state);
      try {
        for (const change of changes) this.#apply(change);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        this.state = before;
        return error.message;
      }
      dropped ||= changes.some(({ type }) => type === 'drop');
      return 'ok';
    });
    // Whatever the order of the requests, a namespace is dropped last.
    if (dropped) this.state = emptyState();
    return codes;
  }
}
