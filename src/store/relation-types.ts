import type { CallOptions } from './types.ts';

/** An entry among its relations. */
export interface RelatedEntry {
  readonly key: string;
  /** Key of its parent, if it has one. */
  readonly parent?: string;
  /** How many entries have it as their parent. */
  readonly children: number;
}

/** An entry beneath another one. */
export interface Descendant extends RelatedEntry {
  /** 1 for a child, 2 for a child of a child. */
  readonly depth: number;
}

/** An entry above another one. */
export interface Ancestor extends RelatedEntry {
  /** 1 for the parent, 2 for its parent. */
  readonly height: number;
}

export interface ChildrenOptions extends CallOptions {
  /** Only what comes after this child. */
  readonly after?: string;
  /** Most children in all. Default: every one, fetched page by page. */
  readonly limit?: number;
}

export interface DescendantsOptions extends CallOptions {
  /** How deep to go; 1 gives the children. Default: all the way. */
  readonly depth?: number;
  /** Most entries in all. */
  readonly limit?: number;
}

export interface RootsOptions extends CallOptions {
  /** Only entries whose key begins so. */
  readonly prefix?: string;
  /** Only those that have children. Default false. */
  readonly parents?: boolean;
}

/** How many entries hang together with one. */
export interface FamilyCounts {
  readonly children: number;
  readonly descendants: number;
}

/** How the entries of a namespace hang together. */
export interface RelationCounts {
  readonly entries: number;
  /** Those that have a parent or children. */
  readonly related: number;
  /** Those that have no parent. */
  readonly roots: number;
  /** Pairs of parent and child. */
  readonly edges: number;
}

/**
 * Trees of entries: an entry has at most one parent, of the same namespace, and any number of children. Relations belong
 * to an entry under its key. Replacing its content keeps them; renaming takes them along; a copy has none; deleting an
 * entry that has children must say what becomes of them.
 *
 * What lists many reads page by page: each page is one state of the store, a later one may be newer.
 */
export interface Relations {
  /**
   * Makes `parent` the parent of `child`, in place of the one it had.
   * @throws `not-found/ENTRY_NOT_FOUND`; `conflict/RELATION_CYCLE` when `parent` is `child` or beneath it
   */
  set(child: string, parent: string, options?: CallOptions): Promise<void>;
  /** Leaves an entry without a parent, if it has one. @throws `not-found/ENTRY_NOT_FOUND` */
  remove(child: string, options?: CallOptions): Promise<void>;
  /** @returns the key of the parent. @throws `not-found/ENTRY_NOT_FOUND` */
  parent(key: string, options?: CallOptions): Promise<string | undefined>;
  /**
   * Entries that have this one as their parent, in an order that stays the same as long as they do.
   * @throws `not-found/ENTRY_NOT_FOUND`; RangeError when `after` is none of them
   */
  children(key: string, options?: ChildrenOptions): AsyncIterable<RelatedEntry>;
  /** From the parent up to the root. @throws `not-found/ENTRY_NOT_FOUND` */
  ancestors(key: string, options?: CallOptions): AsyncIterable<Ancestor>;
  /** Everything beneath an entry, depth first, each after its parent. @throws `not-found/ENTRY_NOT_FOUND` */
  descendants(key: string, options?: DescendantsOptions): AsyncIterable<Descendant>;
  /** Entries without a parent, in order of key: those that are in no relation among them. */
  roots(options?: RootsOptions): AsyncIterable<RelatedEntry>;
  /** @throws `not-found/ENTRY_NOT_FOUND` */
  counts(key: string, options?: CallOptions): Promise<FamilyCounts>;
  /** Looks at every entry. */
  counts(options?: CallOptions): Promise<RelationCounts>;
}
