/** What a whole store is meant to do, over plain maps: small enough to be read as the meaning of its methods. */
import type { Content } from '../support/operations.ts';
import { type ModelPolicy, type NamedChange, NamedModel } from './named-model.ts';

/** What an entry holds: the bytes follow from it. */
export interface Value extends Content {
  /** Of its one attribute. */
  readonly note: string;
}

export function labelOf({ bytes, seed, noise, isolated = false, note }: Value): string {
  return JSON.stringify([bytes, seed, noise, isolated, note]);
}

export function valueIn(label: string): Value {
  const [bytes, seed, noise, isolated, note] = JSON.parse(label);
  return { bytes, seed, noise, isolated, note };
}

/** The same value without a key of its own: what a version is the digest of. */
const sharedLabel = (label: string): string => labelOf({ ...valueIn(label), isolated: false });

/** How a call ends: `ok`, or the code of the error that a caller gets. */
export type Outcome = string;

/** An entry in a snapshot. */
export interface Frozen {
  readonly label: string;
  readonly parent: string | undefined;
}

/** One namespace: entries, their versions and relations, objects and refs. */
export class NamespaceModel extends NamedModel {
  readonly #inherited: () => ModelPolicy | 'none' | undefined;
  /** Most bytes that entries may have together. */
  quotaBytes: number | undefined;
  /** What snapshots hold, by the label of their object. */
  readonly frozen = new Map<string, ReadonlyMap<string, Frozen>>();

  constructor(inherited: () => ModelPolicy | 'none' | undefined = () => undefined) {
    super();
    this.#inherited = inherited;
  }

  override get policy(): ModelPolicy | 'none' | undefined {
    return this.state.policy ?? this.#inherited();
  }

  protected override isIsolated(label: string): boolean {
    return valueIn(label).isolated === true;
  }

  get keys(): readonly string[] {
    return [...this.state.entries.keys()];
  }

  get logicalBytes(): number {
    return [...this.state.entries.values()].reduce((sum, label) => sum + valueIn(label).bytes, 0);
  }

  /** Makes all changes in their order, or tells why not and leaves everything as it is. */
  change(...changes: readonly NamedChange[]): Outcome {
    const [before, bytesBefore] = [structuredClone(this.state), this.logicalBytes];
    const [outcome = 'ok'] = this.commit([changes]);
    const most = Math.max(bytesBefore, this.quotaBytes ?? Number.POSITIVE_INFINITY);
    if (outcome !== 'ok' || this.logicalBytes <= most) return outcome;
    this.state = before;
    return 'QUOTA_EXCEEDED';
  }

  /** Numbers of the earlier versions of a key, oldest first. */
  versionsOf(key: string): ReadonlyMap<number, string> {
    return this.state.histories.version.get(key)?.steps ?? new Map();
  }

  restore(key: string, number: number): Outcome {
    const label = this.versionsOf(key).get(number);
    return label === undefined ? 'VERSION_NOT_FOUND' : this.change({ type: 'put', key, label });
  }

  /** What a snapshot of all entries holds: isolated ones have nothing that outlives them. */
  freeze(): ReadonlyMap<string, Frozen> {
    const shared = [...this.state.entries].filter(([, label]) => !this.isIsolated(label));
    return new Map(shared.map(([key, label]) => [key, { label, parent: this.state.parents.get(key) }]));
  }

  /** Puts the entries of a snapshot back and deletes all others, unless one of them cannot be as it was. */
  thaw(label: string): Outcome {
    const frozen = this.frozen.get(label);
    if (frozen === undefined || !this.state.objects.has(label)) return 'OBJECT_NOT_FOUND';
    for (const [key, { label: wanted, parent }] of frozen) {
      const now = this.state.entries.get(key);
      if (now === undefined || sharedLabel(now) !== wanted) this.change({ type: 'put', key, label: wanted });
      if (this.state.parents.get(key) !== parent) this.change({ type: 'relate', child: key, parent: undefined });
    }
    const related = [...frozen].map(([child, { parent }]) =>
      parent === undefined ? 'ok' : this.change({ type: 'relate', child, parent }),
    );
    if (related.some((outcome) => outcome !== 'ok')) return 'ok';
    for (const key of this.keys) if (!frozen.has(key)) this.change({ type: 'delete', key, children: 'release' });
    return 'ok';
  }
}

/** A store: its namespaces, of which a plain one has only the default. */
export class StoreModel {
  readonly namespaces = new Map([[DEFAULT_NAMESPACE, new NamespaceModel()]]);
  /** Slots of recipients, and key epochs since data was last sealed anew; of a sealed store. */
  slots = 0;

  /** What somebody asks of a namespace, or that there is none. */
  in(name: string, ask: (namespace: NamespaceModel) => Outcome): Outcome {
    const found = this.namespaces.get(name);
    return found === undefined ? 'NAMESPACE_NOT_FOUND' : ask(found);
  }

  change(namespace: string, ...changes: readonly NamedChange[]): Outcome {
    return this.in(namespace, (found) => found.change(...changes));
  }

  create(name: string, quotaBytes: number | undefined): Outcome {
    if (this.namespaces.has(name)) return 'NAMESPACE_EXISTS';
    const made = new NamespaceModel(() => this.namespaces.get(DEFAULT_NAMESPACE)?.policy);
    made.quotaBytes = quotaBytes;
    this.namespaces.set(name, made);
    return 'ok';
  }

  setQuota(name: string, quotaBytes: number | undefined): Outcome {
    return this.in(name, (found) => {
      found.quotaBytes = quotaBytes;
      return 'ok';
    });
  }

  drop(name: string): Outcome {
    return this.namespaces.delete(name) ? 'ok' : 'NAMESPACE_NOT_FOUND';
  }

  /** The same again, which goes its own way. */
  fork(): StoreModel {
    const copy = new StoreModel();
    copy.slots = this.slots;
    for (const [name, { state, quotaBytes, frozen }] of this.namespaces) {
      if (name !== DEFAULT_NAMESPACE) copy.create(name, quotaBytes);
      const to = copy.namespaces.get(name) ?? new NamespaceModel();
      to.state = structuredClone(state);
      for (const [label, entries] of frozen) to.frozen.set(label, entries);
    }
    return copy;
  }
}

export const DEFAULT_NAMESPACE = 'default';
