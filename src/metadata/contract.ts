import type { RingSecrets } from '../format/key-schedule.ts';
import type {
  DirectoryItem,
  ItemPosition,
  PackClass,
  PackDescriptor,
  RecordItem,
  VersionPolicy,
} from '../format/types.ts';
import type { Checkpoints } from './checkpoint-contract.ts';
import type { Collecting } from './collection-contract.ts';
import type { DatabaseRequests } from './database.ts';
import type { ObjectChange, ObjectIndex } from './object-contract.ts';
import type { ShardPlaces } from './shard-contract.ts';

/**
 * The metadata contract: the index of everything, behind asynchronous batched calls that an embedded and a shared
 * database both can answer. The packs and the journal are the truth for rebuilding; this is the truth for running.
 *
 * Guarantees:
 * - `commit` is atomic, serialised over all processes, and durable when it resolves.
 * - a commit number is given by the same transaction that applies the change, without gaps.
 * - every row carries a digest; a row that does not match it is `corrupt/METADATA_CORRUPT`, never believed.
 * - nothing here blocks the event loop of the caller.
 *
 * The metadata of a sealed store tells nobody without keys names, sizes or plain digests. It is opened locked: until
 * `unlock`, only `config`, `setConfig`, `knownItems` and `close` may be called. Where another process changed the keys
 * since, every change fails with `conflict/KEYS_CHANGED` (nothing happened), and so does every read that meets what was
 * sealed under the new ones: read `config` again, `unlock` with the keys it holds, repeat the call.
 */

/** A pack as the metadata knows it. `number` is local to this metadata and never leaves the machine. */
export interface PackRow extends PackDescriptor {
  readonly number: number;
  /** Items that are found in this pack: 0 means nothing needs it any more (but a journal pack for its records). */
  readonly items: number;
  /** Their stored bytes, of those that something counted refers to. */
  readonly liveBytes: number;
  /** The epoch of the last condemnation of items found here, 0 for none. */
  readonly condemned: number;
  /** When each shard was last verified, milliseconds since 1970, 0 for never; absent where `places` is. */
  readonly verified?: readonly number[];
}

/** Where a chunk or manifest node is: in a pack, or still in the outbox with the commit that made it. */
export type ItemLocation = ItemPosition & {
  readonly suspect: boolean;
  /** It will go: good enough to be read, not good enough to count as stored. */
  readonly condemned: boolean;
} & (
    | { readonly pack: PackRow; readonly outbox?: undefined }
    /** `bytes`: the stored bytes of the whole record, checked against the outbox row. */
    | { readonly pack?: undefined; readonly outbox: { readonly commit: number; readonly bytes: Uint8Array } }
  );

export interface EntryRow {
  /** Scoped key: UTF-8 in the default namespace, and always in a plain store. */
  readonly key: Uint8Array;
  /** 32 bytes; names this version, `ifMatch` compares it. Of an isolated entry: keyed. */
  readonly version: Uint8Array;
  /** Encoded `EntryValue`, or an isolated one (`decodeEntryRow`). */
  readonly entry: Uint8Array;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly modified: number;
}

export interface EntryFilter {
  /** Half-open: `modifiedFrom <= modified < modifiedBefore`, milliseconds. */
  readonly modifiedFrom?: number;
  readonly modifiedBefore?: number;
  readonly contentType?: string;
  /** Every one must be there with this value. */
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface EntryQuery {
  readonly prefix?: Uint8Array;
  /** Order of the answer; equal values by key. Default `key`. */
  readonly sort?: 'key' | 'modified' | 'size';
  readonly descending?: boolean;
  /** Only what comes after this row in the asked order; `value` is its modified time or size (unused for `key`). */
  readonly after?: { readonly key: Uint8Array; readonly value?: number };
  /** An isolated entry passes for every content type and attribute: whoever has its key must look again. */
  readonly where?: EntryFilter;
  readonly limit: number;
}

/** A chunk record that rides in the commit itself: of the default namespace, always. */
export interface InlineRecord {
  readonly codec: number;
  readonly plainLength: number;
  readonly stored: Uint8Array;
  readonly items: readonly RecordItem[];
}

export type Change =
  /** `condition`: the entry must be absent, or be at this version; else the whole request fails with `conflict`. */
  | {
      readonly type: 'put';
      readonly key: Uint8Array;
      readonly entry: Uint8Array;
      readonly modified: number;
      readonly condition?: { readonly absent: true } | { readonly version: Uint8Array };
      /** Which earlier versions are kept. Default: as the policy of the namespace says, or else of the store. */
      readonly keep?: KeepVersions;
    }
  /**
   * Of an absent key: succeeds, `existed: false`, unless `condition` asks for a version. Of an entry with children:
   * `conflict/ENTRY_HAS_CHILDREN`, unless `children` says what becomes of them: entries without a parent, or deleted
   * with all their descendants.
   */
  | {
      readonly type: 'delete';
      readonly key: Uint8Array;
      readonly condition?: { readonly version: Uint8Array };
      readonly children?: 'release' | 'delete';
      readonly keep?: KeepVersions;
    }
  /**
   * `not-found/ENTRY_NOT_FOUND` when `from` is absent; `conflict/ENTRY_EXISTS` when `to` is there and not `replace`;
   * `conflict/ENTRY_HAS_CHILDREN` when `to` has children. Relations go with the entry, histories stay with the key.
   */
  | { readonly type: 'rename'; readonly from: Uint8Array; readonly to: Uint8Array; readonly replace: boolean }
  /** Besides, `unsupported/ENTRY_ISOLATED` when `from` is an isolated entry: its key is for one entry. */
  | {
      readonly type: 'copy';
      readonly from: Uint8Array;
      readonly to: Uint8Array;
      readonly replace: boolean;
      readonly modified: number;
    }
  /** Registers a durable pack; every item is from now on found there (a suspect one is healed). */
  | { readonly type: 'pack-add'; readonly pack: PackDescriptor; readonly items: readonly DirectoryItem[] }
  /**
   * Re-points the items that are now found in a dropped pack; the rest of `added`'s items are recorded as stale. Fails
   * with `conflict/PRECONDITION_FAILED` when an item would be left behind in a dropped pack, one is no longer live, or
   * a dropped journal pack holds records that no other live journal pack holds.
   */
  | {
      readonly type: 'pack-merge';
      readonly added: readonly { readonly pack: PackDescriptor; readonly items: readonly DirectoryItem[] }[];
      readonly dropped: readonly Uint8Array[];
    }
  /**
   * Items leave the state that are condemned and that nothing counted refers to; the others are passed by.
   * `conflict/PRECONDITION_FAILED` while somebody may count on one of them, or cannot be read who may need it.
   */
  | {
      readonly type: 'items-remove';
      readonly items: readonly { readonly kind: 'chunk' | 'manifest'; readonly id: Uint8Array }[];
    }
  /**
   * Entries, items and packs of a namespace leave the state; its packs become dropped ones. It takes effect after all
   * other changes of the commit, and takes with it the isolation namespaces of the entries that leave.
   * Fails with `invalid/BATCH_TOO_LARGE` when those are more than `NAMESPACE_DROP_ISOLATED_MAX`.
   */
  | { readonly type: 'namespace-drop'; readonly namespace: number }
  | ObjectChange;

/** Which earlier versions of an entry are kept when it changes: those that a policy names, or none. */
export type KeepVersions = VersionPolicy | 'none';

/** Holds for the entries of a namespace once the request is applied. */
export interface NamespaceQuota {
  readonly namespace: number;
  /** Bytes of all its entries together. */
  readonly logicalBytesMax: number;
}

/** One caller's changes: all or nothing. Earlier changes of a request are visible to the later ones. */
export interface CommitRequest {
  readonly changes: readonly Change[];
  readonly inline: readonly InlineRecord[];
  /** A request that makes a namespace grow beyond one of these fails with `exhausted/QUOTA_EXCEEDED`. */
  readonly quotas?: readonly NamespaceQuota[];
}

/**
 * What a change did. `row`: the entry afterwards (put, copy, rename). `existed`: an entry was there before (at `to`, or
 * the deleted one).
 */
export interface ChangeOutcome {
  readonly existed: boolean;
  readonly row?: EntryRow;
  /** Entries that were deleted, descendants included, where there may be more than one. */
  readonly deleted?: number;
  /**
   * Isolation namespaces of entries that were replaced or deleted: dropped by the same commit, their key pages to be
   * destroyed.
   */
  readonly shredded?: readonly number[];
  /** When a ref was moved to another object; milliseconds since 1970. */
  readonly moved?: number;
}

export type RequestOutcome =
  | { readonly ok: true; readonly commit: number; readonly outcomes: readonly ChangeOutcome[] }
  /** The request changed nothing; the others of its group are not concerned. */
  | { readonly ok: false; readonly error: Error };

/**
 * A journal pack that became durable: the outbox is done with its commits, but for one whose chunks are neither in the
 * pack nor found elsewhere.
 */
export interface FlushedJournal {
  readonly pack: PackDescriptor;
  /**
   * Per commit that carried chunks inline: where its items lie in the pack now. `awaited`: of a commit that a checkpoint
   * covers, which says of each chunk whether it awaits its place; what it does not name was removed.
   */
  readonly inline: readonly {
    readonly commit: number;
    readonly items: readonly DirectoryItem[];
    readonly awaited?: boolean;
  }[];
}

export interface OutboxRow {
  readonly commit: number;
  /** The encoded journal record. */
  readonly record: Uint8Array;
  readonly inline: readonly InlineRecord[];
}

export interface Head {
  /** Last commit number, 0 in a new store. */
  readonly commit: number;
  /** Digest of the record with that number; zeros at 0. */
  readonly digest: Uint8Array;
  /** 16 bytes. */
  readonly incarnation: Uint8Array;
  /** Records up to this one are known to be in journal packs. */
  readonly flushed: number;
}

export interface Counters {
  readonly entries: number;
  readonly logicalBytes: number;
  /** Distinct chunks held, and their plain bytes. */
  readonly chunks: number;
  readonly uniqueBytes: number;
  /** Live packs and the bytes of their shards on the backends. */
  readonly packs: number;
  readonly storedBytes: number;
  /** Records committed and not yet in a journal pack. */
  readonly outbox: number;
  readonly objects: number;
  readonly refs: number;
}

/**
 * What one namespace holds. An isolated entry is counted where its key is, its chunks where they are: in a namespace of
 * one.
 */
export interface NamespaceCounters {
  readonly entries: number;
  readonly logicalBytes: number;
  readonly chunks: number;
  readonly uniqueBytes: number;
  /** Bytes of its live packs on the backends. */
  readonly storedBytes: number;
}

/** The store config as the metadata keeps it: what every process of the store agrees on. */
export interface StoredConfig {
  /** Rises with every change of the config. */
  readonly generation: number;
  /** The whole file. Its reader checks it: here it is no more than bytes. */
  readonly bytes: Uint8Array;
}

/** One step of recovery or rebuild: a journal record with what its operations need from the packs themselves. */
export interface ReplayStep {
  readonly record: Uint8Array;
  /** Directories of the packs that the record adds, as far as they are still there. */
  readonly directories: readonly { readonly packId: Uint8Array; readonly items: readonly DirectoryItem[] }[];
  /** Chunks that rode inline, where they lie in a journal pack that `journalPacks` of this or an earlier call named. */
  readonly inline: readonly { readonly packId: Uint8Array; readonly items: readonly DirectoryItem[] }[];
}

export interface TableReport {
  readonly table: string;
  readonly rows: number;
  /** Rows that do not match their own digest. */
  readonly damagedRows: number;
  /** Whether count and sum of row digests equal what was kept while running: false means rows vanished or appeared. */
  readonly sumMatches: boolean;
}

/** What a check of the metadata holds its rows against. */
export type MetadataInvariant =
  | 'row-digests'
  | 'table-sums'
  | 'counters'
  | 'namespace-tallies'
  | 'entry-order'
  | 'items-placed'
  | 'live-bytes'
  | 'condemned-marked'
  | 'histories-count'
  | 'relations-resolve'
  | 'refs-resolve'
  | 'shards-placed'
  | 'journal-chain';

/** Something that is not as it should be, in words. */
export interface MetadataProblem {
  readonly invariant: MetadataInvariant;
  readonly message: string;
}

export interface MetadataCheck {
  readonly tables: readonly TableReport[];
  /** Counters that drifted, rows that point nowhere. Empty when all is well. */
  readonly problems: readonly MetadataProblem[];
}

/** The tables whose rows a rebuild must reproduce. */
export type StateTable = 'entries' | 'items' | 'packs' | 'objects' | 'refs' | 'steps' | 'relations' | 'policies';

export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** What must be so in the very transaction that sets a config. For sealed stores. */
export interface ConfigCondition {
  /** No live pack is sealed under this key epoch or an older one. */
  readonly packsAfterEpoch?: number;
  /** This namespace holds no entry and no live pack; the metadata is unlocked. */
  readonly emptyNamespace?: number;
}

export interface Metadata extends ShardPlaces, ObjectIndex, Collecting, Checkpoints {
  /** What was asked of the server that holds it, since it was opened; absent for a file. */
  readonly requests?: DatabaseRequests | undefined;
  /** The config that was set last, readable while locked; `undefined` before the first. */
  config(): Promise<StoredConfig | undefined>;
  /**
   * Compare-and-set, durable when it resolves; possible while locked. Rows of a sealed store go on being sealed as
   * before until `unlock` is called with what the new config holds.
   * @param expectedGeneration 0: none was set yet
   * @param next of a later generation
   * @throws `conflict/KEYS_CHANGED` when another one was set meanwhile; `conflict/PRECONDITION_FAILED`
   */
  setConfig(expectedGeneration: number, next: StoredConfig, condition?: ConfigCondition): Promise<void>;
  /**
   * Opens a sealed store's metadata, before anything else; again after every change of its keys: rows of new epochs can
   * be read from then on, and what is written is sealed under the newest.
   * @param keys copied
   * @param generation of the config that the keys come from
   * @throws `conflict/KEYS_CHANGED` when a later config was set; `corrupt/METADATA_CORRUPT` when the keys do not open
   *   what is there
   */
  unlock(keys: RingSecrets, generation: number): Promise<void>;

  head(): Promise<Head>;
  counters(): Promise<Counters>;
  /** Zeros for a namespace that holds nothing. */
  namespaceCounters(namespace: number): Promise<NamespaceCounters>;
  /**
   * Isolation namespaces that commits or a replay dropped and whose key pages are still to be destroyed, in order of
   * number. Survives crashes; after a rebuild it names everything that was ever dropped.
   */
  pendingShreds(page?: { readonly after?: number; readonly limit?: number }): Promise<readonly number[]>;
  /** Their key pages are gone from every backend. */
  forgetShreds(namespaces: readonly number[]): Promise<void>;
  /**
   * Overwrites what rows that are gone or changed have left in the files of the metadata: an older config among them,
   * whose keys may be meant to be destroyed.
   * @returns false when a reader needs an older state just now: not done, ask again
   */
  scrub(): Promise<boolean>;
  /**
   * Where items are, in the order asked; `undefined` for unknown ones. `ids` holds 32 bytes per id, back to back.
   * Suspect ones are reported as such: good enough to try reading, not good enough to count as stored.
   */
  locate(
    kind: 'chunk' | 'manifest',
    ids: Uint8Array,
    options?: CallOptions,
  ): Promise<readonly (ItemLocation | undefined)[]>;
  /**
   * Whether items are stored, in the order asked; possible while locked. Suspect and condemned ones are not known. An answer for who
   * has ids and no keys: nobody without keys can tell whether a row is what was written, so whoever counts on the item
   * must read it.
   * @param ids 32 bytes each, back to back
   */
  knownItems(kind: 'chunk' | 'manifest', ids: Uint8Array): Promise<readonly boolean[]>;
  /**
   * Flags what a reader found wrong; or, with `isSuspect` false, takes the flag from what one has proven since. Local, not
   * journaled; a later `pack-add` or inline record of the id clears it. Ignored when the item is no longer found in the
   * pack the reader saw.
   * @param isSuspect default true
   */
  markSuspect(
    items: readonly { readonly kind: 'chunk' | 'manifest'; readonly id: Uint8Array; readonly packNumber: number }[],
    isSuspect?: boolean,
  ): Promise<void>;

  /** Flags every item that is found in these packs, whose blobs are gone or useless. Local, like `markSuspect`. */
  markPacksSuspect(numbers: readonly number[]): Promise<void>;

  getEntries(keys: readonly Uint8Array[]): Promise<readonly (EntryRow | undefined)[]>;
  listEntries(query: EntryQuery, options?: CallOptions): Promise<readonly EntryRow[]>;

  /**
   * Group commit: one transaction takes the next commit number, applies every request that passes its conditions and
   * stores the journal record as an outbox row. No request passing means no commit. `flushed` is applied in the same
   * transaction, before the requests.
   * @throws `closed/SESSION_FENCED` when the session of this metadata has ended (nothing happened);
   *   `unavailable/METADATA_BUSY` when another process held the database too long (nothing happened);
   *   `exhausted/DISK_FULL` when the database cannot grow (nothing happened); anything else is uncertain
   */
  commit(requests: readonly CommitRequest[], flushed?: readonly FlushedJournal[]): Promise<readonly RequestOutcome[]>;
  /**
   * Unflushed records after `after`, at least one if there is any, up to about `bytesMax`: a run of commits without
   * gaps, because a journal pack holds such a run.
   */
  outbox(after: number, bytesMax: number): Promise<readonly OutboxRow[]>;
  /**
   * Applies flushed journals without a commit. Of several packs that hold the chunks of one commit, the first by
   * (lastCommit, id) is pointed to. Chunks that a replay did not place are placed now; a dropped pack gets none. A pack
   * that was not known, whose records another one holds by now and in which nothing is found, is dropped at once.
   */
  markFlushed(flushed: readonly FlushedJournal[]): Promise<void>;

  /** Live packs in order of number; pages by `after` (a number). */
  listPacks(query: {
    readonly after?: number;
    readonly class?: PackClass;
    readonly limit: number;
  }): Promise<readonly PackRow[]>;
  /**
   * Live packs smaller than `bytesBelow` of a class: candidates for merging. Smallest first; journal packs by last
   * commit, newest first, because only neighbours merge: the smallest of very many would hardly ever be neighbours.
   */
  smallPacks(query: {
    readonly class: PackClass;
    readonly bytesBelow: number;
    readonly limit: number;
    /** Default 0. */
    readonly namespace?: number;
  }): Promise<readonly PackRow[]>;
  /** Packs that a merge dropped, whose blobs may still be there and where nothing is found any more. */
  droppedPacks(limit: number): Promise<readonly PackRow[]>;
  /** Their blobs are gone. Packs that are not dropped are left alone. */
  forgetPacks(numbers: readonly number[]): Promise<void>;

  /**
   * Recovery and rebuild: registers journal packs and applies records in commit order, in one transaction per call.
   * A record at or below the head must be the one already known. Places that a journal pack comes with are taken over
   * where none are known, by `commit` and `markFlushed` as well.
   * @throws `corrupt/JOURNAL_GAP`, `corrupt/JOURNAL_FORK`, `unsupported/OPERATION_UNSUPPORTED`
   */
  replay(journalPacks: readonly PackDescriptor[], steps: readonly ReplayStep[]): Promise<void>;

  /**
   * Seals what is still sealed under epochs up to `lastEpoch` anew, under the newest: then the metadata needs the old
   * ones no more. In bounded steps; one that was stopped goes on where it was.
   */
  reseal(options: CallOptions & { readonly lastEpoch: number }): Promise<void>;

  /** Recomputes every row digest, table sum and counter in bounded steps. */
  check(options?: CallOptions & { readonly progress?: (done: number, total: number) => void }): Promise<MetadataCheck>;
  /**
   * Pages through all chunk and manifest locations in id order: 32-byte `after`, exclusive. For check and rebuild
   * comparisons.
   */
  scanItems(
    kind: 'chunk' | 'manifest',
    after: Uint8Array | undefined,
    limit: number,
  ): Promise<
    readonly {
      readonly id: Uint8Array;
      readonly packNumber: number;
      readonly length: number;
      readonly suspect: boolean;
    }[]
  >;
  /**
   * Order-independent digests of the state that a rebuild must reproduce: entries, items with their packs and
   * positions, live data and meta packs, objects, refs, histories, relations, policies. What only running knows
   * (suspect, dropped, pack numbers and nodes, where shards lie, the journal packs themselves, and in which of those that
   * hold its commit a chunk that rode inline is read) does not enter.
   */
  stateDigests(): Promise<Readonly<Record<StateTable, string>>>;
  /** Writes the write-ahead log back and closes. Idempotent. */
  close(): Promise<void>;
}
