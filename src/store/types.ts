import type { BackendModules } from '../backend/backend-module.ts';
import type { Backend } from '../backend/contract.ts';
import type { KeySource } from '../keys/index.ts';
import type { RangeProof } from '../merkle/index.ts';
import type { Source } from '../pipeline/source.ts';
import type { NewBackend } from './backends/backend-types.ts';
import type {
  ChunkInfo,
  ChunksOptions,
  EntryReport,
  EntryValidation,
  InspectOptions,
  ValidateAllOptions,
  ValidateOptions,
} from './inspection/report-types.ts';
import type { Objects, Refs } from './objects/object-types.ts';
import type { Relations } from './relation-types.ts';
import type { Snapshots } from './snapshots/snapshot-types.ts';
import type { StoreProfile } from './store-profiles.ts';
import type { StoreRequests } from './store-requests.ts';
import type { KeepVersions, Versions } from './version-types.ts';

/**
 * A folder path, a file path, `memory:`, or where the bytes are with where the metadata is.
 *
 * A path means a store in one file when there is a file, or when it ends in `.hold` and there is nothing. Whoever is given
 * a backend closes it: a store with itself, and everything else (a failed opening, a rebuild, a diagnosis) when it is done.
 */
export type StoreLocation =
  | string
  | {
      /** A backend of the caller's; or a folder, `s3://bucket/prefix`, or a URL of `backendModules`, whose metadata is in PostgreSQL. */
      readonly backend: Backend | string;
      /** Others that were passed when they were added; told apart by the marks they carry. */
      readonly backends?: readonly Backend[];
      /**
       * `postgres://user@host:port/database?schema=name`, which any number of machines may share; with a backend of the
       * caller's also a file, or `:memory:`.
       */
      readonly metadata: string;
    };

/** Receives what a store has to say beside results and errors. `console` fits. */
export interface Logger {
  debug(message: string, details?: object): void;
  info(message: string, details?: object): void;
  warn(message: string, details?: object): void;
  error(message: string, details?: object): void;
}

/** One shape for the progress of every long operation. */
export interface Progress {
  /** What is going on: `put`, `read`, `check`, `rebuild`, ... */
  readonly phase: string;
  /** Units done and known in all (entries, packs; bytes when the operation is one stream). */
  readonly done: number;
  readonly total?: number;
  /** Plain bytes done so far. */
  readonly bytes: number;
}

/** Options of every call. */
export interface CallOptions {
  /** Aborting rejects with the signal's reason; nothing is half done then. */
  readonly signal?: AbortSignal;
}

/** Options of calls that may take long. */
export interface ProgressOptions extends CallOptions {
  readonly onProgress?: (progress: Progress) => void;
}

/** How patient a store is with its backends. */
export interface PlacementPolicy {
  /**
   * Parity shards that must be durable before a put is acknowledged; at most those there are. Default `max(1, m - 1)`:
   * so that one backend may be away, and what was acknowledged still bears a loss.
   */
  readonly parityMin?: number;
  /**
   * A shard that takes longer to read is made up for by others; until enough reads have told what is usual for a backend,
   * which is the 95th percentile of the last ones. Default 100 ms.
   */
  readonly hedgeMs?: number;
  /** How long a backend may take for a shard once enough others are durable. Default 5,000 ms. */
  readonly graceMs?: number;
  /** How long a backend may take for a shard at all, before another one gets it. Default 120,000 ms. */
  readonly timeoutMs?: number;
}

/** How to open a store; nothing of it is kept. */
export interface OpenOptions extends CallOptions {
  /** What opens a sealed store. A plain store is refused when keys are given: it is not the one that was meant. */
  readonly keys?: KeySource;
  /**
   * A folder outside of the store in which this client remembers how far each sealed store was; a store that went back
   * is `corrupt/ROLLBACK_DETECTED`. Default: nothing is remembered.
   */
  readonly rollbackGuard?: string;
  /** Open a store that went back all the same, and remember it as it is now. Default false. */
  readonly acceptRollback?: boolean;
  readonly logger?: Logger;
  /** How patient to be with backends, of which a store has several. */
  readonly placement?: PlacementPolicy;
  /**
   * `auto`: while it is open the store repairs packs that lack shards, some at a time. `manual`: only `repair` and `scrub`
   * do. Default `auto`.
   */
  readonly heal?: 'auto' | 'manual';
  /**
   * Whether a writable store gives back by itself, a little at a time, the space of what nothing refers to any more.
   * Default `auto`.
   */
  readonly gc?: 'auto' | 'manual';
  /**
   * What opens backends that are not Holdfast's, by the scheme of their URLs. The config of a store names URLs, never code:
   * what is not named here is not loaded. Default: none.
   */
  readonly backendModules?: BackendModules;
  /** Refuse every change with `denied/READ_ONLY`; writes nothing, not even bookkeeping. Default false. */
  readonly readOnly?: boolean;
  /** Most bytes the folder may hold; put beyond it is `exhausted/QUOTA_EXCEEDED`. Default: no quota. */
  readonly quotaBytes?: number;
  /** Bytes that must stay free on the disk; put beyond it is `exhausted/FREE_SPACE_LOW`. Default 0. */
  readonly freeBytesMin?: number;
  /** Bytes kept allocated in the folder so that a full disk can be freed by deletes. Default 16 MiB; 0 keeps none. */
  readonly reserveBytes?: number;
}

/** What a new store is like, kept in its config, and how to open it. */
export interface CreateOptions extends Omit<OpenOptions, 'keys'> {
  /**
   * What seals the store and will open it again. `'none'` makes a plain one: whoever reads the folder reads the data.
   * Required, so that it is a choice; a store never changes from one to the other.
   */
  readonly keys: KeySource | 'none';
  /** Default chunking of puts: a profile's name or a specification such as `fastcdc:16384:65536:262144`. */
  readonly chunking?: string;
  /** Named settings: `fast`, or `small` for fewer stored bytes. Default `fast`. */
  readonly profile?: StoreProfile;
  /** zstd level 1 to 19. Default: that of the profile, 1 for `fast` and 3 for `small`. */
  readonly compressionLevel?: number;
  /** What packs are written with: `none`, a preset's name, or `k+m`. Default `none`. */
  readonly redundancy?: string;
  /**
   * Backends that the shards go to: empty folders, made when absent. The place of the store keeps its metadata then, and
   * takes shards as well if `homeWeight` says so. Default: everything is at the place of the store.
   */
  readonly backends?: readonly NewBackend[];
  /** Share of the shards that the place of the store itself takes. Default 1; 0 when `backends` are given. */
  readonly homeWeight?: number;
  /**
   * Of a store in one file: most bytes of the file, its log aside, from 4 MiB; put beyond it is
   * `exhausted/QUOTA_EXCEEDED`. Default: it grows.
   */
  readonly capacityBytes?: number;
  /** Of a store in one file: bytes of one row of a blob, 8 KiB to 128 MiB, in whole pages. Default 256 KiB. */
  readonly blockBytes?: number;
}

/** How to store content, and what to keep beside it. */
export interface PutOptions extends ProgressOptions {
  /** Media type, kept with the entry. */
  readonly contentType?: string;
  /** Names and values of your own, kept with the entry. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Version this one was made from; kept with the entry. What an entry is beneath is said by `relations`. */
  readonly parent?: string;
  /** What becomes of the value that is replaced. Default: as the policy of the namespace says, or else of the store. */
  readonly keepVersions?: KeepVersions;
  /**
   * Entries that this one is related to, by their keys, from the same commit on: its parent, and children that get it
   * as their parent. What is not named stays as it is.
   */
  readonly relations?: { readonly parent?: string; readonly children?: readonly string[] };
  /**
   * How to cut: a profile's name, a specification, or `given` when each piece of the source is one chunk. Default: the
   * store's.
   */
  readonly chunking?: string;
  /** Replace only this version, else `conflict/PRECONDITION_FAILED`. */
  readonly ifMatch?: string;
  /** Create only, else `conflict/ENTRY_EXISTS`. */
  readonly ifAbsent?: boolean;
  /**
   * Re-read and re-hash chunks that are already stored before counting on them; damaged ones are stored again. Default
   * false.
   */
  readonly verifyExisting?: boolean;
  /**
   * `entry`: seal this content under a key of its own, which is destroyed when the entry is deleted or replaced. Shares
   * no chunk with anything. Needs a sealed store.
   */
  readonly isolation?: 'entry';
  /**
   * What the packs of this content are written with at least: `none`, a preset's name, or `k+m`. Content that is stored
   * with less is stored again. The journal has the redundancy of the store. Default: the store's.
   */
  readonly redundancy?: string;
  /** How to name an entry put without a key. Default `digest`. */
  readonly name?: 'digest' | 'uuid';
}

/** What a put stored, and under which names. */
export interface PutResult {
  readonly key: string;
  /** Names this version: digest of content digest, size, content type, attributes and parent. */
  readonly version: string;
  /** Digest of the whole content, `blake3:<hex>`: what `b3sum` prints. */
  readonly digest: string;
  readonly size: number;
  readonly chunks: number;
  /** Plain bytes of chunks that were not stored before. */
  readonly newBytes: number;
  /** Bytes added for them after compression. */
  readonly storedBytes: number;
}

/** The weakest of the packs that an entry stands on. */
export interface WeakestStripe {
  /** `k+m`. */
  readonly redundancy: string;
  /** How many more of its shards may be lost, from those that are known to be good; -1: it cannot be read. */
  readonly lossesMax: number;
  readonly packId: string;
}

/** What is known of an entry without reading its content. */
export interface EntryInfo {
  readonly key: string;
  readonly version: string;
  readonly digest: string;
  readonly size: number;
  readonly chunks: number;
  /** Merkle root over the chunks. */
  readonly root: string;
  readonly contentType?: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly parent?: string;
  /** There when the entry has a key of its own. */
  readonly isolated?: true;
  /** There when it was asked for, and something of the entry lies in a pack: not for one that its row holds whole. */
  readonly weakest?: WeakestStripe;
  /** ISO 8601, UTC. */
  readonly created: string;
  readonly modified: string;
}

/** A range of an entry; default: everything. */
export interface RangeOptions extends CallOptions {
  /** First byte, default 0. */
  readonly offset?: number;
  /** Bytes, default up to the end. A range past the end is `invalid/RANGE_INVALID`. */
  readonly length?: number;
}

/** What to tell of an entry. */
export interface StatOptions extends CallOptions {
  /** Also the weakest stripe that it stands on: looks up every chunk. Default false. */
  readonly placement?: boolean;
}

/** How to read content piece by piece. */
export interface StreamOptions extends RangeOptions {
  /**
   * Plain bytes that are fetched before they are asked for: less for a reader that may be slow, of which there are many.
   * Content lies in records of up to 1 MiB, and chunks are fetched whole, so it takes that much in any case. Default 8 MiB.
   */
  readonly readAheadBytes?: number;
  /**
   * Pieces are lent: each is to be read only, and until the one after the next is asked for; then its memory is used again.
   * Of 8 MiB and more all pieces but the last have 1 MiB, and reading takes a fifth less of the processor. Default false:
   * every piece is the caller's.
   */
  readonly lent?: boolean;
}

/** What to read of a value that is named already. */
export type ReadOptions = StreamOptions & ProgressOptions;

/** Which version to read. */
export interface GetOptions extends CallOptions {
  /** Read this version, else `conflict/PRECONDITION_FAILED`: so that what is read is what `stat` told of. */
  readonly ifMatch?: string;
}

/** What to read of an entry. */
export type EntryReadOptions = ReadOptions & GetOptions;

/** Which entries, and in which order. */
export interface ListOptions extends CallOptions {
  readonly prefix?: string;
  /** Only what comes after: a key, or (needed for other sorts than by key) the entry that ended the page before. */
  readonly after?: string | EntryInfo;
  /** Most entries in all. Default: every one, fetched page by page. */
  readonly limit?: number;
  readonly where?: {
    /** Half-open range of the modified time. */
    readonly modifiedFrom?: Date | string;
    readonly modifiedBefore?: Date | string;
    readonly contentType?: string;
    readonly attributes?: Readonly<Record<string, string>>;
  };
  /** Default `key`, in byte order. */
  readonly sort?: 'key' | 'modified' | 'size';
  readonly descending?: boolean;
}

/** Conditions of a delete. */
export interface DeleteOptions extends CallOptions {
  /** Delete only this version, else `conflict/PRECONDITION_FAILED`. */
  readonly ifMatch?: string;
  /**
   * What becomes of the children: `release` leaves them without a parent, `delete` deletes them and all that is beneath
   * them. Default: an entry that has children is not deleted.
   */
  readonly children?: 'release' | 'delete';
  /** What becomes of the values that are deleted. Default: as the policy says. */
  readonly keepVersions?: KeepVersions;
}

/** What a rename or copy may do to its target. */
export interface MoveOptions extends CallOptions {
  /** Replace what the target names; else `conflict/ENTRY_EXISTS`. Default false. */
  readonly replace?: boolean;
}

/** One item of `putMany`. */
export interface PutItem extends Omit<PutOptions, 'signal' | 'onProgress'> {
  readonly key: string | null;
  readonly source: Source;
}

/** What a put of a batch will be called; what it adds to the store is known only when the batch has ended. */
export type StagedPut = Omit<PutResult, 'newBytes' | 'storedBytes'>;

/**
 * The changes of one `batch`: all of them happen in one commit, in the order of the calls, or none. Content is stored
 * as the calls are made. After the batch every call is `closed/BATCH_ENDED`.
 */
export interface BatchWriter {
  put(key: string | null, source: Source, options?: Omit<PutOptions, 'signal' | 'onProgress'>): Promise<StagedPut>;
  delete(key: string, options?: Omit<DeleteOptions, 'signal'>): void;
  rename(from: string, to: string, options?: Omit<MoveOptions, 'signal'>): void;
  copy(from: string, to: string, options?: Omit<MoveOptions, 'signal'>): void;
  /** Makes `parent` the parent of `child`; `null` leaves it without one. */
  relate(child: string, parent: string | null): void;
}

/** What the entries of a namespace come to, counted in one state of the store. */
export interface EntriesStats {
  readonly entries: number;
  readonly chunks: number;
  /** Sum of the sizes of all entries. */
  readonly logicalBytes: number;
  /** Plain bytes of all distinct chunks held, those of deleted entries included until they are collected. */
  readonly uniqueBytes: number;
  /** Of a whole store everything on the backend, packs and journal; of a namespace its own packs. */
  readonly storedBytes: number;
  /**
   * Deduplication: 100 x (1 - uniqueBytes / logicalBytes); 0 for an empty store, and where more is held than entries
   * refer to.
   */
  readonly savingsPercent: number;
  /** uniqueBytes / storedBytes, 0 for an empty store. */
  readonly compressionRatio: number;
}

/** What a store holds, all namespaces together, and what this handle has asked for. */
export interface StoreStats extends EntriesStats {
  readonly packs: number;
  /** Last commit number. */
  readonly commit: number;
  /** Of this handle, and not of the store: nothing of it is kept. */
  readonly requests: StoreRequests;
}

/** Entries by their keys: those of one namespace, and what else it holds. */
export interface Entries {
  /** Immutable objects, named by what they are. */
  readonly objects: Objects;
  /** Mutable names of objects. */
  readonly refs: Refs;
  /** Folders, archives, entries and bundles as they were. */
  readonly snapshots: Snapshots;
  readonly versions: Versions;
  readonly relations: Relations;
  /**
   * Stores content under a key, replacing what was there; resolves when the commit is durable. `null` names the entry
   * by its digest. Readers see the old version or the new one. Memory is bounded for any size.
   * @throws `invalid/KEY_INVALID`, `invalid/CHUNKING_INVALID`, `not-found/SOURCE_NOT_FOUND`, `conflict/SOURCE_CHANGED`,
   *   `conflict/ENTRY_EXISTS`, `conflict/PRECONDITION_FAILED`, `exhausted/*`, `unavailable/COMMIT_PENDING`,
   *   `unavailable/SHRED_PENDING`; for relations `not-found/ENTRY_NOT_FOUND` and `conflict/RELATION_CYCLE`
   */
  put(key: string | null, source: Source, options?: PutOptions): Promise<PutResult>;
  /**
   * The whole content; verified chunk by chunk and as a whole before it is returned.
   * @throws `not-found/ENTRY_NOT_FOUND`, `conflict/PRECONDITION_FAILED`, `corrupt/*`
   */
  get(key: string, options?: GetOptions): Promise<Uint8Array>;
  /**
   * Streams content or a range of it; each piece is verified before it is yielded. A full read ends by comparing length
   * and digest. Pieces are the caller's to keep and change, and may be views of one larger buffer: to transfer one to
   * another thread, copy it.
   * @throws `not-found/ENTRY_NOT_FOUND`, `invalid/RANGE_INVALID`, `conflict/PRECONDITION_FAILED`, `corrupt/*`
   */
  read(key: string, options?: EntryReadOptions): AsyncIterable<Uint8Array>;
  has(key: string, options?: CallOptions): Promise<boolean>;
  /** @throws `not-found/ENTRY_NOT_FOUND` */
  stat(key: string, options?: StatOptions): Promise<EntryInfo>;
  list(options?: ListOptions): AsyncIterable<EntryInfo>;
  /**
   * @returns whether there was such an entry. Its bytes stay until they are collected; the key of an isolated one is
   *   destroyed now.
   * @throws `conflict/PRECONDITION_FAILED`, `conflict/ENTRY_HAS_CHILDREN`, `unavailable/SHRED_PENDING`
   */
  delete(key: string, options?: DeleteOptions): Promise<boolean>;
  /**
   * No bytes move. Relations go with the entry, earlier versions stay with the key.
   * @throws `not-found/ENTRY_NOT_FOUND`, `conflict/ENTRY_EXISTS`; `conflict/ENTRY_HAS_CHILDREN` when `to` has children
   */
  rename(from: string, to: string, options?: MoveOptions): Promise<EntryInfo>;
  /**
   * No bytes move. The copy gets no relations; an entry that it replaces keeps its own.
   * @throws `not-found/ENTRY_NOT_FOUND`, `conflict/ENTRY_EXISTS`; `unsupported/ENTRY_ISOLATED`: an isolated entry has a
   *   key for itself
   */
  copy(from: string, to: string, options?: MoveOptions): Promise<EntryInfo>;
  /**
   * Runs `work`, then makes all its changes in one commit; when it throws, none. @returns what `work` returns
   * @throws `invalid/BATCH_TOO_LARGE` for more changes than one commit holds (some 90,000 small entries); what its
   *   changes throw
   */
  batch<T>(work: (batch: BatchWriter) => Promise<T> | T, options?: CallOptions): Promise<T>;
  /** Puts all items in one commit, or none. */
  putMany(items: Iterable<PutItem> | AsyncIterable<PutItem>, options?: ProgressOptions): Promise<readonly PutResult[]>;
  /** Contents in the order asked; all or an error. */
  getMany(keys: readonly string[], options?: CallOptions): Promise<readonly Uint8Array[]>;
  /** The chunks in order, as often as they occur. @throws `not-found/ENTRY_NOT_FOUND`, `corrupt/*` */
  chunks(key: string, options?: ChunksOptions): AsyncIterable<ChunkInfo>;
  /**
   * What an entry takes: distinct chunks, what they were compressed to, what lies on the backends, and in how many packs.
   * Reads its manifest and looks up every chunk; no content.
   * @throws `not-found/ENTRY_NOT_FOUND`, `corrupt/*`; with `sharing` also for the manifest of another entry, which the
   *   error names
   */
  inspect(key: string, options?: InspectOptions): Promise<EntryReport>;
  /**
   * What a reader of an entry would get, read through keys and decompression and kept nowhere: manifest, every chunk,
   * Merkle root, digest of the whole content, version. Tells everything that is wrong, not only what a reader meets
   * first. Where the store is writable, bad chunks are flagged, so that the next put of them stores them anew.
   *
   * `maintenance.verify` reads what lies on the backends, every shard and no key: a store may stand on shards that are
   * all good and an entry still be unreadable, for want of a key, or be fine on shards that are not. `maintenance.check`
   * reads no content.
   * @throws `not-found/ENTRY_NOT_FOUND`; the signal's reason
   */
  validate(key: string, options?: ValidateOptions): Promise<EntryValidation>;
  /**
   * Validates entries in order of their keys, each as it is asked for, and goes on past those that are damaged. What
   * copies share is read once. The key of the last result goes on where a pass was stopped (`after`).
   * @throws `corrupt/METADATA_CORRUPT` where the list of entries cannot be read: `check` tells more, a rebuild helps
   */
  validateAll(options?: ValidateAllOptions): AsyncIterable<EntryValidation>;
  /**
   * Proves to anybody who has the entry's `root`, and not the store, where the bytes of a range stand:
   * `verifyRangeProof` takes what this gives. Reads no content; the proof tells lengths and plain digests of the chunks
   * that the range touches. Size and cost: those chunks, and O(log n) of the others.
   * @throws `not-found/ENTRY_NOT_FOUND`, `corrupt/*`; `invalid/RANGE_INVALID`, also for a range of more than 65,536
   *   chunks
   */
  prove(key: string, options?: RangeOptions): Promise<RangeProof>;
  /** @throws `not-found/CHUNK_NOT_FOUND`, `corrupt/*` */
  readChunk(digest: string, options?: CallOptions): Promise<Uint8Array>;
  stats(options?: CallOptions): Promise<EntriesStats>;
}
