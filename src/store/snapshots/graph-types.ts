/** What can be done with snapshots beside folders: entries, bundles, files of one snapshot, merges. */
import type { StoreError } from '../../errors/store-error.ts';
import type { PublicIdentity } from '../../keys/index.ts';
import type { BundleObject, ConflictReason, JsonObject, TreeChild } from '../../objects/index.ts';
import type { Progress } from '../types.ts';
import type { SnapshotFailure } from './snapshot-types.ts';

/** Entries that were frozen under one tree. */
export interface FrozenEntries {
  /** Id of the tree; its metadata has the prefix. */
  readonly tree: string;
  readonly entries: number;
  /** Of their contents, which were not read. */
  readonly bytes: number;
  /**
   * Whether the tree is what the entries were at one moment. False when they kept changing while they were listed: then
   * each is as it was at some moment meanwhile.
   */
  readonly consistent: boolean;
  /** Entries that cannot be frozen; the first of them are listed. */
  readonly failed: number;
  readonly failures: readonly SnapshotFailure[];
}

/** What became of one entry that is put back. `kept`: it is there already, as it should be. */
export interface ThawEvent {
  readonly key: string;
  readonly action: 'created' | 'replaced' | 'kept' | 'related' | 'deleted' | 'failed';
  readonly error?: StoreError;
}

/** How frozen entries are put back. */
export interface ThawOptions {
  /** What the keys begin with instead of what they began with when they were frozen. Default: as they were. */
  readonly toPrefix?: string | undefined;
  /**
   * What becomes of entries that are there with another version: refused one by one (`never`, the default) or replaced
   * (`changed`); `always` puts those that are the same, too.
   */
  readonly overwrite?: 'never' | 'changed' | 'always' | undefined;
  /**
   * Deletes entries under the prefix that the snapshot does not have, unless something failed before. Entries elsewhere
   * whose parent is deleted have none then. Default false.
   */
  readonly delete?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
  /** Parents of entries, too. Default true. */
  readonly relations?: boolean | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly onEvent?: ((event: ThawEvent) => void) | undefined;
}

/** What putting entries back did, or would do. */
export interface ThawReport {
  readonly tree: string;
  /** What the keys begin with now. */
  readonly prefix: string;
  readonly dryRun: boolean;
  readonly created: number;
  readonly replaced: number;
  readonly kept: number;
  /** Entries that got another parent than they had, or have none any more. */
  readonly related: number;
  readonly deleted: number;
  /** True when deletion was asked for and not done, because something failed. */
  readonly deletionSkipped: boolean;
  /** Of the contents that were put back. */
  readonly bytes: number;
  readonly failed: number;
  readonly failures: readonly SnapshotFailure[];
}

/** How a snapshot that is made moves a ref. */
export interface RefMoveOptions {
  /** Moves to the snapshot in the same commit. Default: none. */
  readonly ref?: string | undefined;
  /** Said of the move. */
  readonly message?: string | undefined;
  /** Id of the object that the ref must name now (`null`: none), else `conflict/PRECONDITION_FAILED`. */
  readonly expected?: string | null | undefined;
}

/** How bundles are imported. */
export interface BundleImportOptions extends RefMoveOptions {
  /** Address of the snapshot before. Where it is the ref that is moved, that is moved from there or not at all. */
  readonly parent?: string | undefined;
  /** Of the snapshot. */
  readonly metadata?: JsonObject | undefined;
}

/** Bundles that were put, and the snapshot of them. */
export interface BundleImport {
  /** Of the snapshot. */
  readonly id: string;
  /** Ids of the bundles that were put, in order. */
  readonly bundles: readonly string[];
  readonly newBytes: number;
  readonly storedBytes: number;
}

/** A bundle of a snapshot. */
export interface ExportedBundle {
  readonly id: string;
  readonly bundle: BundleObject;
}

/** How a snapshot becomes a file. */
export interface SnapshotExportOptions {
  /** The snapshots before it, too. Default true; without, whoever has not got them imports it without parents. */
  readonly history?: boolean | undefined;
  /** Signature documents of the snapshot, as `signSnapshot` gives them. */
  readonly signatures?: readonly string[] | undefined;
}

/** How a file of a snapshot is imported. */
export interface SnapshotImportOptions extends RefMoveOptions {
  /** Lines of signers, or parsed: each must have signed the snapshot, or nothing is imported. */
  readonly signers?: readonly (string | PublicIdentity)[] | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** What an import of a file did. */
export interface SnapshotImport {
  /** Of the snapshot that is in the store now. */
  readonly id: string;
  /** Of the snapshot that was exported: another one when its parents are not there and were left out. */
  readonly original: string;
  readonly detached: boolean;
  readonly objects: number;
  readonly blobs: number;
  /** Of the blobs. */
  readonly bytes: number;
  readonly newBytes: number;
  readonly storedBytes: number;
  /** Fingerprints of those whose signatures the file has, and which of them were verified. */
  readonly signatures: readonly { readonly signer: string; readonly verified: boolean }[];
}

/** One thing that two snapshots changed differently. */
export interface SnapshotConflict {
  readonly part: 'tree' | 'entries' | 'bundles';
  /** Path or key; empty for the root, and for bundles. */
  readonly path: string;
  /** `order`: both sides put the bundles they share in new and different orders. */
  readonly reason: ConflictReason | 'order';
  readonly base?: TreeChild;
  readonly ours?: TreeChild;
  readonly theirs?: TreeChild;
}

/** How two snapshots are merged. */
export interface MergeOptions extends Omit<RefMoveOptions, 'expected'> {
  /** Address of the snapshot that both come from. Default: the best common ancestor. */
  readonly base?: string | undefined;
  /** Whose side conflicts are decided for. Default: none, and with a conflict nothing is stored. */
  readonly favour?: 'ours' | 'theirs' | undefined;
  /** Of the merged snapshot. */
  readonly metadata?: JsonObject | undefined;
  readonly dryRun?: boolean | undefined;
}

/** What a merge did, or would do. */
export interface MergeReport {
  /**
   * - `same`: theirs is ours, or comes before it: there is nothing to merge
   * - `forward`: ours comes before theirs, which is the result as it is
   * - `merged`: a snapshot of both was made
   * - `conflicts`: nothing was stored
   */
  readonly outcome: 'same' | 'forward' | 'merged' | 'conflicts';
  /** Of the result; absent with conflicts. */
  readonly id?: string;
  readonly ours: string;
  readonly theirs: string;
  /** Best common ancestors, or the one that was given; the first one was used. */
  readonly bases: readonly string[];
  readonly conflicts: readonly SnapshotConflict[];
  readonly dryRun: boolean;
}
