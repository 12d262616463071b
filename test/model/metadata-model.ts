/** What metadata is meant to hold, over plain maps: small enough to be read as the meaning of the contract. */

export interface ModelEntry {
  readonly label: string;
  readonly size: number;
  readonly created: number;
  readonly modified: number;
}

/** Where a chunk is: in a pack, or with the commit it rode in. */
export type ModelPlace = { readonly pack: string } | { readonly commit: number };

export type ModelChange =
  | {
      readonly type: 'put';
      readonly key: string;
      readonly label: string;
      readonly modified: number;
      readonly only?: 'absent' | string;
    }
  | { readonly type: 'delete'; readonly key: string; readonly only?: string }
  | { readonly type: 'rename'; readonly from: string; readonly to: string; readonly replace: boolean }
  | {
      readonly type: 'copy';
      readonly from: string;
      readonly to: string;
      readonly replace: boolean;
      readonly modified: number;
    };

type State = { entries: Map<string, ModelEntry>; places: Map<string, ModelPlace>; packs: Set<string> };

export const sizeOf = (label: string): number => label.length * 3;

export class MetadataModel {
  #state: State = { entries: new Map(), places: new Map(), packs: new Set() };
  readonly suspect = new Set<string>();
  /** Where the shards of packs lie, as far as that is known. */
  readonly shards = new Map<string, readonly number[]>();
  commit = 0;

  get entries(): ReadonlyMap<string, ModelEntry> {
    return this.#state.entries;
  }

  get places(): ReadonlyMap<string, ModelPlace> {
    return this.#state.places;
  }

  /** Chunks found in a pack. */
  labelsIn(pack: string): readonly string[] {
    return [...this.places].flatMap(([label, place]) => ('pack' in place && place.pack === pack ? [label] : []));
  }

  /** A pack without `labels` is a new one for these chunks; they are found there from now on. */
  place(labels: readonly string[], where: ModelPlace): void {
    for (const label of labels) {
      this.#state.places.set(label, where);
      this.suspect.delete(label);
    }
  }

  /** A compare-and-set of one place of a pack with so many shards. */
  placeShard(pack: string, count: number, change: { index: number; from: number | undefined; to: number }): boolean {
    const known = this.shards.get(pack);
    if (known?.[change.index] !== change.from) return false;
    this.shards.set(pack, (known ?? Array<number>(count).fill(0)).with(change.index, change.to));
    return true;
  }

  #apply(change: ModelChange): string {
    const { entries } = this.#state;
    switch (change.type) {
      case 'put': {
        const { key, label, modified, only } = change;
        const before = entries.get(key);
        if (only === 'absent' && before) return 'ENTRY_EXISTS';
        if (only !== undefined && only !== 'absent' && before?.label !== only) return 'PRECONDITION_FAILED';
        entries.set(key, { label, size: sizeOf(label), created: before?.created ?? modified, modified });
        return 'changed';
      }
      case 'delete':
        if (change.only !== undefined && entries.get(change.key)?.label !== change.only) return 'PRECONDITION_FAILED';
        return entries.delete(change.key) ? 'changed' : 'ok';
      case 'rename':
      case 'copy': {
        const source = entries.get(change.from);
        if (!source) return 'ENTRY_NOT_FOUND';
        if (entries.has(change.to) && !change.replace) return 'ENTRY_EXISTS';
        if (change.type === 'rename') entries.delete(change.from);
        const times = change.type === 'copy' ? { created: change.modified, modified: change.modified } : {};
        entries.set(change.to, { ...source, ...times });
        return 'changed';
      }
    }
  }

  /** Applies one request of the commit that would be next. `ok` or the code of its failure; whether it left a trace. */
  request(changes: readonly ModelChange[], inline: readonly string[]): { outcome: string; changed: boolean } {
    const before = { ...this.#state, entries: new Map(this.#state.entries) };
    let changed = inline.length > 0;
    for (const change of changes) {
      const outcome = this.#apply(change);
      if (outcome !== 'ok' && outcome !== 'changed') {
        this.#state = before;
        return { outcome, changed: false };
      }
      changed ||= outcome === 'changed';
    }
    this.place(inline, { commit: this.commit + 1 });
    return { outcome: 'ok', changed };
  }
}
