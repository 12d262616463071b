import { argumentRangeError, checkInteger } from '../errors/argument-error.ts';
import { LIST_PAGE_DEFAULT, RELATIONS_PAGE } from '../limits.ts';
import type { EntryRow } from '../metadata/contract.ts';
import type { RelatedRow, RelationPlace } from '../metadata/object-contract.ts';
import { entryNotFound } from './entry-content.ts';
import { keyText } from './entry-info.ts';
import type {
  Ancestor,
  ChildrenOptions,
  Descendant,
  DescendantsOptions,
  FamilyCounts,
  RelatedEntry,
  RelationCounts,
  Relations,
  RootsOptions,
} from './relation-types.ts';
import type { Scope } from './scope.ts';
import type { ScopedCalls } from './scoped-calls.ts';
import type { CallOptions } from './types.ts';

/** One page after another, each going on where the one before ended. */
async function* paged<Row>(
  readPage: (after: Row | undefined, limit: number) => Promise<readonly Row[]>,
): AsyncGenerator<Row> {
  let after: Row | undefined;
  for (;;) {
    const rows = await readPage(after, RELATIONS_PAGE);
    yield* rows;
    if (rows.length < RELATIONS_PAGE) return;
    after = rows.at(-1);
  }
}

function toRelated({ key, parent, children }: Pick<RelatedRow, 'key' | 'parent' | 'children'>): RelatedEntry {
  return { key: keyText({ key }), ...(parent && { parent: keyText({ key: parent }) }), children };
}

function limitOf(options: { readonly limit?: number }): number {
  return options.limit === undefined ? Number.POSITIVE_INFINITY : checkInteger('limit', options.limit, { min: 0 });
}

/** Relations of the entries of one namespace. */
export class RelationStore implements Relations {
  readonly #calls: ScopedCalls;

  constructor(calls: ScopedCalls) {
    this.#calls = calls;
  }

  set(child: string, parent: string, options: CallOptions = {}): Promise<void> {
    return this.#calls.call(options, async (scope) => {
      const pair = { child: scope.key(child, 'child'), parent: scope.key(parent, 'parent') };
      await this.#calls.commitOne(scope, { type: 'relation-set', ...pair });
    });
  }

  remove(child: string, options: CallOptions = {}): Promise<void> {
    return this.#calls.call(options, async (scope) => {
      await this.#calls.commitOne(scope, {
        type: 'relation-set',
        child: scope.key(child, 'child'),
        parent: undefined,
      });
    });
  }

  parent(key: string, options: CallOptions = {}): Promise<string | undefined> {
    return this.#calls.call(options, async (scope) => {
      const row = await this.#related(scope, key);
      return row?.parent && keyText({ key: row.parent });
    });
  }

  children(key: string, options: ChildrenOptions = {}): AsyncIterable<RelatedEntry> {
    return this.#calls.stream(options, (scope) => this.#children(scope, key, options));
  }

  ancestors(key: string, options: CallOptions = {}): AsyncIterable<Ancestor> {
    return this.#calls.stream(options, (scope) => this.#ancestors(scope, key));
  }

  descendants(key: string, options: DescendantsOptions = {}): AsyncIterable<Descendant> {
    return this.#calls.stream(options, (scope) => this.#descendants(scope, key, options));
  }

  roots(options: RootsOptions = {}): AsyncIterable<RelatedEntry> {
    return this.#calls.stream(options, (scope) => this.#roots(scope, options));
  }

  counts(key: string, options?: CallOptions): Promise<FamilyCounts>;
  counts(options?: CallOptions): Promise<RelationCounts>;
  counts(first?: string | CallOptions, second?: CallOptions): Promise<FamilyCounts | RelationCounts> {
    if (typeof first !== 'string') {
      const options = first ?? {};
      return this.#calls.call(options, (scope) => this.#countAll(scope, options.signal));
    }
    const { signal } = second ?? {};
    return this.#calls.call(second ?? {}, async (scope) => {
      const row = await this.#related(scope, first);
      let descendants = 0;
      if (row && row.children > 0)
        for await (const _ of this.#beneath(row.key)) {
          signal?.throwIfAborted();
          descendants += 1;
        }
      return Object.freeze({ children: row?.children ?? 0, descendants });
    });
  }

  /** How an entry is related, if it is. @throws `not-found/ENTRY_NOT_FOUND` */
  async #related(scope: Scope, text: string): Promise<RelatedRow | undefined> {
    const { metadata } = this.#calls.engine;
    const key = scope.key(text);
    const [row] = await metadata.getRelations([key]);
    if (row) return row;
    const [entry] = await metadata.getEntries([key]);
    if (!entry) throw entryNotFound(text);
    return undefined;
  }

  async *#children(scope: Scope, key: string, options: ChildrenOptions): AsyncGenerator<RelatedEntry> {
    let left = limitOf(options);
    const { metadata } = this.#calls.engine;
    const parent = await this.#related(scope, key);
    const start = options.after === undefined ? undefined : await this.#placeOfChild(scope, key, options.after);
    if (!parent) return;
    const pages = paged<RelatedRow>((last, limit) => {
      const after = last?.place ?? start;
      return metadata.childrenOf(parent.key, { limit, ...(after && { after }) });
    });
    if (left === 0) return;
    for await (const row of pages) {
      yield Object.freeze(toRelated(row));
      left -= 1;
      if (left === 0) return;
    }
  }

  async #placeOfChild(scope: Scope, key: string, child: string): Promise<RelationPlace> {
    const [row] = await this.#calls.engine.metadata.getRelations([scope.key(child, 'after')]);
    if (!row?.parent || keyText({ key: row.parent }) !== key)
      throw argumentRangeError('after', `a child of ${JSON.stringify(key)}`, child);
    return row.place;
  }

  async *#ancestors(scope: Scope, key: string): AsyncGenerator<Ancestor> {
    const { metadata } = this.#calls.engine;
    const start = await this.#related(scope, key);
    if (!start) return;
    const pages = paged<RelatedRow>((last, limit) =>
      metadata.ancestorsOf(start.key, { limit, ...(last && { after: last.key }) }),
    );
    let height = 0;
    for await (const row of pages) {
      height += 1;
      yield Object.freeze({ ...toRelated(row), height });
    }
  }

  async *#descendants(scope: Scope, key: string, options: DescendantsOptions): AsyncGenerator<Descendant> {
    let left = limitOf(options);
    const { depth = Number.POSITIVE_INFINITY } = options;
    if (options.depth !== undefined) checkInteger('depth', options.depth, { min: 1 });
    const row = await this.#related(scope, key);
    if (!row || left === 0) return;
    const { metadata } = this.#calls.engine;
    const children = (after: RelatedRow | undefined, limit: number): Promise<readonly RelatedRow[]> =>
      metadata.childrenOf(row.key, { limit, ...(after && { after: after.place }) });
    const rows = depth === 1 ? paged<RelatedRow>(children) : this.#beneath(row.key);
    for await (const found of rows) {
      if (found.place.depth > depth) continue;
      yield Object.freeze({ ...toRelated(found), depth: found.place.depth });
      left -= 1;
      if (left === 0) return;
    }
  }

  #beneath(key: Uint8Array): AsyncGenerator<RelatedRow> {
    const { metadata } = this.#calls.engine;
    return paged<RelatedRow>((last, limit) =>
      metadata.descendantsOf(key, { limit, ...(last && { after: last.place }) }),
    );
  }

  async *#roots(scope: Scope, options: RootsOptions): AsyncGenerator<RelatedEntry> {
    for await (const { key, related } of this.#entries(scope, options.prefix)) {
      if (related?.parent || (options.parents && !related)) continue;
      yield Object.freeze(toRelated(related ?? { key, parent: undefined, children: 0 }));
    }
  }

  async #countAll(scope: Scope, signal: AbortSignal | undefined): Promise<RelationCounts> {
    const counts = { entries: 0, related: 0, roots: 0, edges: 0 };
    for await (const { related } of this.#entries(scope, undefined)) {
      signal?.throwIfAborted();
      counts.entries += 1;
      if (related) counts.related += 1;
      if (related?.parent) counts.edges += 1;
      else counts.roots += 1;
    }
    return Object.freeze(counts);
  }

  /** Every entry in order of key, with how it is related. */
  async *#entries(
    scope: Scope,
    text: string | undefined,
  ): AsyncGenerator<{ readonly key: Uint8Array; readonly related: RelatedRow | undefined }> {
    const { metadata } = this.#calls.engine;
    const prefix = scope.prefix(text ?? '');
    let after: EntryRow | undefined;
    for (;;) {
      const rows = await metadata.listEntries({
        limit: LIST_PAGE_DEFAULT,
        ...(prefix.length > 0 && { prefix }),
        ...(after && { after: { key: after.key } }),
      });
      const related = await metadata.getRelations(rows.map(({ key }) => key));
      for (const [index, { key }] of rows.entries()) yield { key, related: related[index] };
      if (rows.length < LIST_PAGE_DEFAULT) return;
      after = rows.at(-1);
    }
  }
}
