import type { DirectoryItem } from '../format/types.ts';
import type { ObjectRow } from './object-contract.ts';

/**
 * A process's life in a store, as every process sees it. Its epoch is older than, or as old as, every operation it has
 * in flight: what was condemned later it may still count on.
 */
export interface SessionRow {
  /** 8 bytes; ids of packs begin with it. */
  readonly id: Uint8Array;
  readonly epoch: number;
  /** When it last showed that it lives, milliseconds since 1970 by the clock of the metadata. */
  readonly beat: number;
  /** Which process of which machine it is (`ProcessLife.self`); '' where nobody said. */
  readonly process: string;
  /** It changes nothing any more: it closed, or was fenced. */
  readonly ended: boolean;
}

/** A session with how long nobody has heard of it: one clock says so, whatever those of the processes show. */
export interface ListedSession extends SessionRow {
  /** Milliseconds. */
  readonly silentMs: number;
}

/**
 * What refers to content. `content`: an encoded `EntryValue` of an entry or of one of its versions. `object`: an object,
 * for its content and for what it names (`encodeObjectReference`). `target`: the key of an object that a ref or a move
 * names. `node`: the plain id of a manifest node that is needed, for what it lists. `item`: one item that was not there
 * when it was to be counted (`encodeItemReference`).
 */
export type ReferenceKind = 'content' | 'object' | 'target' | 'node' | 'item';

/** References that came (`change` above 0) or went, to be counted. */
export interface UncountedRow {
  readonly number: number;
  /** Not later than the operation they are of. What was condemned after that is not doomed before they are counted. */
  readonly epoch: number;
  /**
   * Could not be counted, because what they name cannot be read. `blocking`: whatever is in the namespace may be what
   * they need.
   */
  readonly parked: false | 'blocking' | 'harmless';
  readonly change: number;
  readonly kind: ReferenceKind;
  readonly value: Uint8Array;
  readonly namespace: number;
}

/** What an uncounted row comes to once what it names was read. Empty for one that needs nothing. */
export interface CountedReferences {
  /** Of the row. */
  readonly number: number;
  readonly items: readonly CountedItem[];
  /** Keys of objects that are named. */
  readonly objects: readonly Uint8Array[];
}

export interface CountedItem {
  readonly kind: 'chunk' | 'manifest';
  readonly id: Uint8Array;
  /** Of a manifest node: its plain id, by which its content is read. */
  readonly digest?: Uint8Array;
}

/** A reference that a row holds now, whether or not it is counted. */
export type HeldReference = Pick<UncountedRow, 'kind' | 'value' | 'namespace'>;

/** How often something is referred to, as it is kept. */
export interface KeptCount {
  readonly kind: 'chunk' | 'manifest' | 'object';
  /** Id of an item, or key of an object. */
  readonly key: Uint8Array;
  readonly refs: number;
  readonly condemned: number;
}

/** An object that nothing counted refers to. */
export interface LooseObject extends ObjectRow {
  readonly condemned: number;
}

/**
 * What is known of an item in the directory of a pack. `elsewhere`: it is not found in that pack. `condemned`: and
 * nothing counted refers to it still. `doubtful`: somebody found it damaged. `sound`: anything else.
 */
export type Verdict = 'elsewhere' | 'condemned' | 'doubtful' | 'sound';

/** What stands between condemned rows and their doom. */
export interface CollectionState {
  /** The epoch of now. */
  readonly epoch: number;
  /** The oldest one that a session which has not ended publishes; `epoch` when there is none. */
  readonly oldestEpoch: number;
  /** References that wait to be counted, and the oldest epoch among them (`undefined`: there are none). */
  readonly uncounted: number;
  readonly uncountedEpoch: number | undefined;
  /** Whether everything that was there when counting began has been met. */
  readonly censusDone: boolean;
  /** Namespaces in which what refers to something could not be read: nothing is doomed there. */
  readonly blocked: readonly number[];
  /** The number that the next pack will get. */
  readonly nextPack: number;
}

/**
 * Garbage collection: a part of the metadata contract. Counts, condemned rows and sessions are running state: not
 * journaled, not part of state digests, gone after a rebuild, and counted anew then.
 *
 * Every change of entries, versions, objects, refs and moves records in its own transaction which references came and
 * went (`uncounted`); reading what they name and counting it follows in bounded steps. Nothing is doomed on the word of
 * a count alone: the transaction that dooms looks at epochs, at what is not counted yet and at the counts once more.
 */
export interface Collecting {
  /**
   * Reserves a session: 8 random bytes that no other session of this store has. From here on changes by this metadata
   * are those of the session, and refused with `closed/SESSION_FENCED` once it was fenced; but for what others may learn
   * of it all the same: which journal packs are durable, and what is suspect.
   * @param process see `SessionRow.process`
   */
  openSession(process?: string): Promise<Uint8Array>;
  /** The epoch of now: operations that begin after this was answered are not older. */
  currentEpoch(): Promise<number>;
  /**
   * Shows that the session lives, and publishes its epoch.
   * @param oldest of the operations in flight, or what `currentEpoch` said when there were none
   * @throws `closed/SESSION_FENCED`
   */
  publishEpoch(oldest: number): Promise<void>;
  /**
   * The session of this metadata needs nothing any more.
   * @param leaves whether packs may lie on the backends that it wrote and no commit knows: then it is remembered until
   *   they are gone
   */
  endSession(leaves: boolean): Promise<void>;
  /** All that were opened and not forgotten. */
  listSessions(): Promise<readonly ListedSession[]>;
  /** They change nothing any more, wherever their processes are. */
  fenceSessions(ids: readonly Uint8Array[]): Promise<void>;
  /** Ended ones of which nothing is left. */
  forgetSessions(ids: readonly Uint8Array[]): Promise<void>;

  /**
   * Takes a lease for the session of this metadata, or finds that it has it: one session at most has it, until it leaves
   * it or ends.
   * @param name of what the lease is
   * @returns the session that has it; `undefined` when this one does now
   * @throws `closed/SESSION_FENCED`
   */
  takeLease(name: string): Promise<ListedSession | undefined>;
  /** Gives a lease back; nothing when the session does not have it. @throws `closed/SESSION_FENCED` */
  leaveLease(name: string): Promise<void>;

  /** Whether packs are registered, dropped ones too, in the order asked. */
  knownPacks(ids: readonly Uint8Array[]): Promise<readonly boolean[]>;

  collectionState(): Promise<CollectionState>;
  /** References to count, in their order. @param query.parked those that could not be read, instead of the others */
  uncountedReferences(query: {
    readonly after?: number;
    readonly limit: number;
    readonly parked?: boolean;
  }): Promise<readonly UncountedRow[]>;
  /** Counts, in one transaction; rows that are not there any more were counted by somebody else. */
  countReferences(counted: readonly CountedReferences[]): Promise<void>;
  /** What these rows name cannot be read. Two that cancel each other out are gone then. */
  parkReferences(numbers: readonly number[]): Promise<void>;
  /** All that are parked are to be tried again. */
  unparkReferences(): Promise<void>;
  /**
   * One step of meeting what was there before counting began.
   * @returns whether everything has been met
   */
  census(limit: number): Promise<boolean>;
  /** Forgets all counts and begins the census anew. */
  recount(): Promise<void>;

  /**
   * What refers to content now: entries, steps of histories, objects that are not condemned, refs, in the order of the
   * census, page by page, each as it is when its page is read.
   * @returns the place to go on after, when there may be more
   */
  heldReferences(query: {
    readonly after?: Uint8Array;
    readonly limit: number;
  }): Promise<{ readonly rows: readonly HeldReference[]; readonly next?: Uint8Array }>;
  /** Counts that are not 0, and what is condemned: items, then objects; pages as of `heldReferences`. */
  keptCounts(query: {
    readonly after?: Uint8Array;
    readonly limit: number;
  }): Promise<{ readonly rows: readonly KeptCount[]; readonly next?: Uint8Array }>;

  /** Begins an epoch. @returns its number */
  advanceEpoch(): Promise<number>;
  /**
   * Condemns what is found in a pack and nothing counted refers to, in an epoch of its own.
   * @returns how many items of the pack are condemned by now, and their stored bytes
   */
  condemnItems(
    packNumber: number,
    items: readonly Pick<DirectoryItem, 'kind' | 'id'>[],
  ): Promise<{ readonly items: number; readonly bytes: number }>;
  /** Nothing is condemned in these packs any more. */
  clearCondemned(packNumbers: readonly number[]): Promise<void>;
  /**
   * Condemns objects that nothing counted refers to; what they refer to is not counted for them any more.
   * @returns how many
   */
  condemnObjects(keys: readonly Uint8Array[]): Promise<number>;
  /** Of items of a pack, in the order asked: what becomes of each now. */
  judgeItems(packNumber: number, items: readonly Pick<DirectoryItem, 'kind' | 'id'>[]): Promise<readonly Verdict[]>;
  /**
   * Objects that nothing counted refers to, page by page.
   * @returns the place to go on after, when there may be more
   */
  looseObjects(query: {
    readonly after?: Uint8Array;
    readonly limit: number;
  }): Promise<{ readonly rows: readonly LooseObject[]; readonly next?: Uint8Array }>;
}
