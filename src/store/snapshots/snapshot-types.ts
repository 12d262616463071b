import type { StoreError } from '../../errors/store-error.ts';
import type { RestoreEvent } from '../../folders/index.ts';
import type { RetentionRules } from '../../history/retention.ts';
import type { JsonObject, ObjectReference, SnapshotContent, TreeChange, TreeChild } from '../../objects/index.ts';
import type { CallOptions, ProgressOptions } from '../types.ts';
import type {
  BundleImport,
  BundleImportOptions,
  ExportedBundle,
  MergeOptions,
  MergeReport,
  RefMoveOptions,
  SnapshotExportOptions,
  SnapshotImport,
  SnapshotImportOptions,
  ThawOptions,
  ThawReport,
} from './graph-types.ts';

/** What a snapshot is made of. */
export type SnapshotSource =
  /** A folder on disk: files, folders, symbolic links, modes, times. */
  | { readonly folder: string }
  /** A tar archive, plain or compressed with gzip or zstd. */
  | { readonly tar: AsyncIterable<Uint8Array> }
  /** Entries whose keys begin so, frozen with attributes and relations; no bytes are copied. `''`: all. */
  | { readonly prefix: string }
  /** Ids of bundles, in their order. */
  | { readonly bundles: readonly string[] };

/** How to make a snapshot. */
export interface SnapshotOptions extends ProgressOptions {
  /** Ref that moves to the snapshot, in the same commit; its history is the series of snapshots. Default: none. */
  readonly ref?: string;
  /** Said of the move. */
  readonly message?: string;
  /** Part of the snapshot, and of its id: nothing that changes without need, or the same content has many ids. */
  readonly metadata?: JsonObject;
  /** Address of the snapshot this one is made from; kept with it. Default: none, so that older ones can be forgotten. */
  readonly parent?: string;
  /** Of a folder: gitignore rules, and names of files that hold such rules. */
  readonly excludes?: readonly string[];
  readonly excludeFiles?: readonly string[];
  /** Of a folder: stay on the file system it lies on. Default false. */
  readonly oneFileSystem?: boolean;
  /** Of a folder: paths left out because the store lies there. */
  readonly avoid?: readonly string[];
  /**
   * Of a folder: where the sizes, times and inodes of files are remembered, outside of the store. Default: every file is
   * read.
   */
  readonly statCache?: string;
  /** Read every file, whatever is remembered of it. Default false. */
  readonly reread?: boolean;
}

/** Something that did not go in or out; the rest did. */
export interface SnapshotFailure {
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** What became of a snapshot. */
export interface SnapshotReport {
  readonly id: string;
  readonly content: SnapshotContent;
  /** Of the files (or entries, or bundles) that are in it. */
  readonly files: number;
  readonly folders: number;
  readonly links: number;
  readonly bytes: number;
  /** Files that were not read, because they are as they were. */
  readonly unchanged: number;
  /** Of a snapshot of entries: whether they are what they were at one moment, and not each at one of its own. */
  readonly consistent?: boolean;
  /** Plain bytes that were not stored before, and bytes added for them after compression. */
  readonly newBytes: number;
  readonly storedBytes: number;
  /** Left out on purpose, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Left out because something is wrong with them: the snapshot is partial then. The first of them are listed. */
  readonly failed: number;
  readonly failures: readonly SnapshotFailure[];
}

/** A snapshot that a ref names, or named. */
export interface SnapshotInfo {
  readonly id: string;
  readonly ref: string;
  /** Of the move, from 1: `ref@{...}` counts back from the last. */
  readonly number: number;
  /** When the ref moved there, by the clock of the store; ISO 8601, UTC. */
  readonly time: string;
  readonly message: string;
  /** Whether the ref names it now. */
  readonly current: boolean;
}

/** A name in the tree of a snapshot, with what the tree says of it. */
export interface SnapshotName {
  /** From the root, components separated by `/`; U+FFFD where it is not UTF-8. */
  readonly path: string;
  readonly child: TreeChild;
}

/** What differs between two snapshots at one path. */
export interface SnapshotDifference {
  readonly path: string;
  readonly kind: TreeChange['kind'];
  /** Of `changed`: what of it. */
  readonly fields: readonly string[];
  /** True when content is the same and only what is known of it differs: modes, times, attributes. */
  readonly metadataOnly: boolean;
  readonly before?: TreeChild;
  readonly after?: TreeChild;
}

/** How to restore. */
export interface SnapshotRestoreOptions extends ProgressOptions {
  /** What becomes of files that are there: refused (the default), replaced where they differ, or replaced. */
  readonly overwrite?: 'never' | 'changed' | 'always';
  /** Remove what the snapshot does not have. Default false. */
  readonly delete?: boolean;
  readonly dryRun?: boolean;
  readonly specialModes?: boolean;
  readonly sync?: 'end' | 'file' | 'none';
  /** Paths that are neither replaced nor removed. */
  readonly avoid?: readonly string[];
  readonly onEvent?: (event: RestoreEvent) => void;
}

/** What a restore did. */
export interface SnapshotRestoreReport {
  readonly id: string;
  readonly target: string;
  readonly dryRun: boolean;
  readonly files: number;
  readonly folders: number;
  readonly links: number;
  readonly bytes: number;
  readonly unchanged: number;
  readonly removed: number;
  /** True when removal was asked for and not done, because something failed. */
  readonly removalSkipped: boolean;
  readonly failed: number;
  readonly failures: readonly SnapshotFailure[];
}

/** Which snapshots of a series are kept. */
export interface SnapshotForgetOptions extends CallOptions {
  readonly rules: RetentionRules;
  /** Whose calendar counts. Default `UTC`. */
  readonly timeZone?: string;
  readonly dryRun?: boolean;
}

/** What forgetting did to the history of one ref. */
export interface SnapshotForgetReport {
  readonly ref: string;
  readonly dryRun: boolean;
  readonly kept: readonly (SnapshotInfo & { readonly reasons: readonly string[] })[];
  readonly forgotten: readonly SnapshotInfo[];
}

/** Snapshots of one namespace. Addresses are those of `Objects.find`. */
export interface Snapshots {
  /**
   * Stores a snapshot. What cannot be read is told in the report; the rest is stored.
   * @throws `not-found/SOURCE_NOT_FOUND`, `invalid/SOURCE_INVALID`, `invalid/REF_INVALID`, `invalid/ARCHIVE_INVALID`,
   *   `not-found/OBJECT_NOT_FOUND`
   */
  create(source: SnapshotSource, options?: SnapshotOptions): Promise<SnapshotReport>;
  /** Snapshots that refs name and named: of one ref, or of all; newest first in each. */
  list(options?: CallOptions & { readonly ref?: string }): AsyncIterable<SnapshotInfo>;
  /** A snapshot and those before it, by parents; of a ref without parents, its moves. @throws `invalid/OBJECT_WRONG_TYPE` */
  log(address: string, options?: CallOptions): AsyncIterable<ObjectReference>;
  /** Names in a folder of a snapshot, or in all below it; in the order of their bytes, folders before what is in them. */
  names(address: string, options?: CallOptions & { readonly recursive?: boolean }): AsyncIterable<SnapshotName>;
  /** What differs, from the first to the second; in the order of paths. */
  diff(from: string, to: string, options?: CallOptions): AsyncIterable<SnapshotDifference>;
  /**
   * Writes a snapshot, or what lies at a path of it, below a folder. Nothing is written outside of it, and nothing
   * through links. Each file is checked against its id before it gets its name.
   */
  restore(address: string, target: string, options?: SnapshotRestoreOptions): Promise<SnapshotRestoreReport>;
  /** The same as an archive. */
  exportTar(
    address: string,
    options?: CallOptions & {
      readonly compression?: 'none' | 'gzip' | 'zstd';
      readonly onRefused?: (failure: SnapshotFailure) => void;
    },
  ): AsyncIterable<Uint8Array>;
  /**
   * Puts the entries of a snapshot back, or beside under another prefix: content, attributes and relations; no bytes move.
   * @throws `invalid/OBJECT_WRONG_TYPE` when it holds no entries
   */
  thaw(address: string, options?: CallOptions & ThawOptions): Promise<ThawReport>;
  /** Puts bundles and a snapshot of them, in one commit. @throws `invalid/OBJECT_INVALID` */
  importBundles(contents: readonly JsonObject[], options?: CallOptions & BundleImportOptions): Promise<BundleImport>;
  /** A snapshot of what another one holds and further bundles, with that one for its parent. */
  extend(
    address: string,
    contents: readonly JsonObject[],
    options?: CallOptions & RefMoveOptions & { readonly metadata?: JsonObject },
  ): Promise<BundleImport>;
  /** The bundles of a snapshot itself, in their order. */
  bundles(address: string, options?: CallOptions): AsyncIterable<ExportedBundle>;
  /** A snapshot of bundles as one JSON document. @throws `invalid/OBJECT_WRONG_TYPE` when it holds more */
  exportJson(address: string, options?: CallOptions): AsyncIterable<string>;
  /** A file with everything that a snapshot holds, which others can import and verify; see `docs/format.md`. */
  export(address: string, options?: CallOptions & SnapshotExportOptions): AsyncIterable<Uint8Array>;
  /** Takes such a file in: nothing is named by a ref before all of it was verified. @throws `corrupt/IMPORT_CORRUPT` */
  import(source: AsyncIterable<Uint8Array>, options?: CallOptions & SnapshotImportOptions): Promise<SnapshotImport>;
  /** Ids of the best common ancestors. */
  mergeBase(a: string, b: string, options?: CallOptions): Promise<readonly string[]>;
  /** Merges what two snapshots made of the one that both come from; lists what they changed differently. */
  merge(ours: string, theirs: string, options?: CallOptions & MergeOptions): Promise<MergeReport>;
  /**
   * Forgets snapshots of a ref that no rule keeps: by the time the store stamped. What only they hold is garbage then.
   * @throws `not-found/REF_NOT_FOUND`; RangeError without any rule
   */
  forget(ref: string, options: SnapshotForgetOptions): Promise<SnapshotForgetReport>;
}

/** A failure as reports have it. */
export function toFailure(path: string, error: StoreError): SnapshotFailure {
  return Object.freeze({ path, code: error.code, message: error.message });
}
