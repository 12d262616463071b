import type { PackClass } from '../../format/index.ts';
import type { JobOutcome } from '../../maintenance/shard-reports.ts';
import type { CallOptions, ProgressOptions } from '../types.ts';

/** What to tell of what an entry takes. */
export interface InspectOptions extends CallOptions {
  /** Also list its packs. Default false. */
  readonly packs?: boolean;
  /**
   * Also tell which of its bytes other entries of the namespace use too: reads the manifests of all of them. Default
   * false.
   */
  readonly sharing?: boolean;
}

/** Where one shard of a pack lies, as the metadata knows it. */
export interface PackShard {
  readonly index: number;
  /** Data shards laid end to end are the pack; parity is made of them. */
  readonly kind: 'data' | 'parity';
  /** As it lies on the backend. */
  readonly bytes: number;
  /** Name of the backend; absent for a shard that lies nowhere, or nobody knows where. */
  readonly backend?: string;
}

/** A pack as the metadata knows it. */
export interface PackInfo {
  readonly packId: string;
  /** `data`: chunks; `meta`: manifests; `journal`: the small chunks of commits. */
  readonly class: PackClass;
  /** `k+m`. */
  readonly redundancy: string;
  /** Of the whole pack, with what it has of other entries; and of all its shards. */
  readonly packBytes: number;
  readonly storedBytes: number;
  readonly shards: readonly PackShard[];
}

/** A pack that an entry stands on. */
export interface EntryPack extends PackInfo {
  /** Distinct chunks and manifest nodes of the entry in it, and what they take of the pack and of its shards. */
  readonly entryItems: number;
  readonly entryRecordBytes: number;
  readonly entryStoredBytes: number;
}

/** What an entry takes. Distinct chunks count once, however often they repeat in it. */
export interface EntryReport {
  readonly key: string;
  readonly version: string;
  readonly size: number;
  readonly chunks: number;
  readonly distinctChunks: number;
  /** Plain bytes of the distinct chunks. */
  readonly uniqueBytes: number;
  /** What repeats inside of the entry: 100 x (1 - uniqueBytes / size); 0 for an empty entry. */
  readonly savingsPercent: number;
  /**
   * The distinct chunks as they were compressed (and sealed). Of a record that holds other chunks too, a chunk has the
   * share that it has of the plain bytes.
   */
  readonly recordBytes: number;
  /** uniqueBytes / recordBytes, of chunks that are not missing; 0 for an empty entry. */
  readonly compressionRatio: number;
  /** Manifest nodes outside of the entry's row, and what they take as records. */
  readonly manifestNodes: number;
  readonly manifestBytes: number;
  /**
   * What chunks and manifest nodes take on all backends together: as much of the shards of a pack as they are of the
   * pack. What others share is in it as a whole.
   */
  readonly storedBytes: number;
  /** Distinct chunks that lie in the metadata until the next journal pack is written. */
  readonly pendingChunks: number;
  /** Distinct chunks and manifest nodes that the metadata knows no place of: `validate` tells which. */
  readonly missingItems: number;
  /** Those that an earlier read found damaged. */
  readonly suspectItems: number;
  /** Packs it stands on. */
  readonly packCount: number;
  /** There when asked for, in order of their numbers. */
  readonly packs?: readonly EntryPack[];
  /**
   * There when asked for: plain bytes of distinct chunks that other entries use too, and that no other one does. Objects
   * and earlier versions may hold them, too: they are not looked at.
   */
  readonly sharedBytes?: number;
  readonly ownBytes?: number;
}

/** Where a chunk is. */
export interface ChunkPlacement {
  /**
   * `stored`: in a pack; `pending`: in the metadata until the next journal pack is written; `suspect`: an earlier read
   * found it damaged; `missing`: the metadata knows no place of it.
   */
  readonly state: 'stored' | 'pending' | 'suspect' | 'missing';
  /** Whether its record is compressed. */
  readonly compressed?: boolean;
  /** Its share of the record: as in `EntryReport`. */
  readonly recordBytes?: number;
  /** Its share of the shards. */
  readonly storedBytes?: number;
  /** Chunks of one pack that follow each other share this object. */
  readonly pack?: PackInfo;
}

/** One chunk of an entry. */
export interface ChunkInfo {
  readonly index: number;
  readonly offset: number;
  readonly length: number;
  readonly digest: string;
  /** There when it was asked for. */
  readonly placement?: ChunkPlacement;
}

/** What to tell of chunks. */
export interface ChunksOptions extends CallOptions {
  /** Also where each chunk is, and what it takes. Default false. */
  readonly placement?: boolean;
}

/** Something that is wrong with an entry. */
export interface EntryProblem {
  /** Code of the error a reader would get. */
  readonly code: string;
  readonly message: string;
  /** Bytes of the content that are concerned; absent: all of it. */
  readonly offset?: number;
  readonly length?: number;
  /** First chunk concerned. */
  readonly index?: number;
  readonly digest?: string;
  readonly packId?: string;
}

/** How to validate an entry. */
export interface ValidateOptions extends ProgressOptions {
  /** Told of each problem as it is found, also of those that a report no longer lists. */
  readonly onProblem?: (problem: EntryProblem) => void;
}

/** What an entry was found to be. */
export interface EntryValidation {
  readonly key: string;
  /**
   * `ok`: this is what a reader gets, to the last bit. `damaged`: some of it is wrong or missing. `partial`: some of it is on
   * a backend that is away, and nothing else was found.
   */
  readonly outcome: JobOutcome;
  readonly version: string;
  readonly size: number;
  readonly chunks: number;
  /** Plain bytes that were read and hashed. */
  readonly bytesRead: number;
  /** Content that nobody gets: of bad, missing and unreachable chunks, and of those behind manifest nodes like that. */
  readonly unreadableBytes: number;
  /**
   * Whether the digest of the whole content was compared, too: not where chunks could not be read, or were not read
   * again (`sharedOnce`).
   */
  readonly wholeCompared: boolean;
  /** The first thousand, in order of their places. */
  readonly problems: readonly EntryProblem[];
  readonly problemCount: number;
}

/** Which entries to validate, and how. */
export interface ValidateAllOptions extends ProgressOptions {
  readonly prefix?: string;
  /** Only what comes after this key: where a pass before ended. */
  readonly after?: string;
  /**
   * Read chunks that several entries share no more than once, as far as a million of them can be remembered. The digest
   * of the whole content is not compared then where a chunk was not read again. Default false.
   */
  readonly sharedOnce?: boolean;
}
