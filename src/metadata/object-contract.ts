import type { HistoryKind, ObjectClass, ObjectType, VersionPolicy } from '../format/types.ts';
import type { EntryRow } from './contract.ts';

/** An object as the metadata knows it: where its bytes are, never the bytes. */
export interface ObjectRow {
  /** Object key. */
  readonly key: Uint8Array;
  readonly type: ObjectType;
  /** Encoded `EntryValue` of its bytes, without attributes. */
  readonly entry: Uint8Array;
  /** When it was first put, milliseconds since 1970, by the clock of the store. */
  readonly stored: number;
}

export interface RefRow {
  /** Scoped name. */
  readonly key: Uint8Array;
  /** Object key. */
  readonly target: Uint8Array;
  /** When it moved there, milliseconds since 1970, by the clock of the store. */
  readonly moved: number;
}

/** A value that an entry had, up to a certain time. */
export interface VersionRow {
  readonly kind: 'version';
  readonly number: number;
  /** When it was replaced or deleted, milliseconds since 1970, by the clock of the store. */
  readonly time: number;
  /** The entry as it was. */
  readonly row: EntryRow;
}

/** A move of a ref. */
export interface MoveRow {
  readonly kind: 'move';
  readonly number: number;
  /** When, milliseconds since 1970, by the clock of the store. */
  readonly time: number;
  /** Object keys; `undefined` where the ref was not there before, or is not from then on. */
  readonly from: Uint8Array | undefined;
  readonly to: Uint8Array | undefined;
  readonly message: string;
}

export type StepOf<Kind extends HistoryKind> = Kind extends 'version' ? VersionRow : MoveRow;

/** How an entry is related. */
export interface RelatedRow {
  /** Scoped. */
  readonly key: Uint8Array;
  readonly parent: Uint8Array | undefined;
  readonly children: number;
  /** Where a listing of children or descendants goes on after this one; means nothing after a rebuild. */
  readonly place: RelationPlace;
}

/** A place in the tree of relations. */
export interface RelationPlace {
  readonly node: number;
  /** Beneath the entry that was asked for: 1 for its children. */
  readonly depth: number;
}

/** Changes of objects, refs, histories and relations; applied like those of entries, in the order of their request. */
export type ObjectChange =
  /**
   * Of an object that is there: succeeds, `existed: true`, and changes nothing.
   * `not-found/OBJECT_NOT_FOUND` when one that it refers to is not there, or put earlier in the same request.
   */
  | {
      readonly type: 'object-put';
      readonly key: Uint8Array;
      readonly objectType: ObjectType;
      readonly entry: Uint8Array;
      /** Object keys. */
      readonly references: readonly Uint8Array[];
    }
  /**
   * Removes objects that are condemned and still not needed, and passes the others by.
   * `conflict/PRECONDITION_FAILED` while somebody may count on one of them, or cannot be read who may need it.
   */
  | { readonly type: 'object-remove'; readonly keys: readonly Uint8Array[] }
  /**
   * `conflict/PRECONDITION_FAILED` when the ref is not at `expected` (`target: undefined`: absent);
   * `not-found/OBJECT_NOT_FOUND` when the target is not there.
   */
  | {
      readonly type: 'ref-set';
      readonly key: Uint8Array;
      readonly target: Uint8Array | undefined;
      readonly message: string;
      readonly expected?: { readonly target: Uint8Array | undefined };
    }
  /**
   * Steps that are not there are passed by. Numbers go on after the last one; once no step is left they begin anew, so
   * that `times` says which steps are meant.
   */
  | {
      readonly type: 'history-forget';
      readonly history: HistoryKind;
      readonly key: Uint8Array;
      readonly numbers: readonly number[];
      /** When each was made, in their order: a step of another time is another one, and is passed by as well. */
      readonly times?: readonly number[];
    }
  /**
   * `not-found/ENTRY_NOT_FOUND` when one of both is not there; `conflict/RELATION_CYCLE` when `child` is the parent or
   * one of its ancestors.
   */
  | { readonly type: 'relation-set'; readonly child: Uint8Array; readonly parent: Uint8Array | undefined }
  | { readonly type: 'policy-set'; readonly namespace: number; readonly policy: VersionPolicy | undefined };

/** Objects, refs, histories and relations: a part of the metadata contract. Rows come in an order of its own. */
export interface ObjectIndex {
  getObjects(keys: readonly Uint8Array[]): Promise<readonly (ObjectRow | undefined)[]>;
  /**
   * Whether objects are there and not condemned, in the order asked.
   * @param keys object keys of one length, back to back
   */
  hasObjects(keys: Uint8Array, keyBytes: number): Promise<readonly boolean[]>;
  /**
   * Objects of a namespace, page by page.
   * @param query.digestPrefix first bytes of the plain digest, where only those are wanted. In a sealed store every
   *   object of the namespace is looked at: what is there in order is not the digest.
   * @returns up to `limit` rows, and the key to go on after when there may be more
   */
  listObjects(query: {
    readonly namespace: number;
    readonly after?: Uint8Array;
    readonly digestPrefix?: Uint8Array;
    readonly objectClass?: ObjectClass;
    readonly types?: readonly ObjectType[];
    readonly limit: number;
  }): Promise<{ readonly rows: readonly ObjectRow[]; readonly next?: Uint8Array }>;
  getRefs(keys: readonly Uint8Array[]): Promise<readonly (RefRow | undefined)[]>;
  /** Refs of a namespace, page by page. */
  listRefs(query: {
    readonly namespace: number;
    readonly after?: Uint8Array;
    readonly limit: number;
  }): Promise<readonly RefRow[]>;
  /** Steps of a history, newest first: those before the number `before`. */
  getHistory<Kind extends HistoryKind>(
    kind: Kind,
    key: Uint8Array,
    query: { readonly before?: number; readonly limit: number },
  ): Promise<readonly StepOf<Kind>[]>;
  /** Scoped keys of everything in a namespace that has a history of this kind, page by page, deleted ones too. */
  listHistories(
    kind: HistoryKind,
    query: { readonly namespace: number; readonly after?: Uint8Array; readonly limit: number },
  ): Promise<{ readonly keys: readonly Uint8Array[]; readonly next?: Uint8Array }>;
  /** `undefined`: none was set. */
  getPolicy(namespace: number): Promise<VersionPolicy | undefined>;
  /** How entries are related; one without parent and children is `undefined`, whether or not it is there. */
  getRelations(keys: readonly Uint8Array[]): Promise<readonly (RelatedRow | undefined)[]>;
  /** Children of an entry, in the order in which each came to have a relation, to whichever entry. */
  childrenOf(
    key: Uint8Array,
    query: { readonly after?: RelationPlace; readonly limit: number },
  ): Promise<readonly RelatedRow[]>;
  /** From the parent up, towards the root; `after` a row that an earlier call gave. */
  ancestorsOf(
    key: Uint8Array,
    query: { readonly after?: Uint8Array; readonly limit: number },
  ): Promise<readonly RelatedRow[]>;
  /**
   * Depth first, parents before their children. Where the entry of `after` has left the family meanwhile nothing
   * follows: what was given so far was true when it was given.
   */
  descendantsOf(
    key: Uint8Array,
    query: { readonly after?: RelationPlace; readonly limit: number },
  ): Promise<readonly RelatedRow[]>;
}
