import type { CheckReport, StoreCheckOptions } from '../maintenance/check.ts';
import type { GcOptions, GcReport } from '../maintenance/gc/report.ts';
import type { InspectBlobOptions, Inspection } from '../maintenance/inspect/report.ts';
import type { Problem } from '../maintenance/problems.ts';
import type { RepairOptions, RepairReport } from '../maintenance/repair.ts';
import type { ScrubOptions, ScrubReport } from '../maintenance/scrub.ts';
import type { PackRepair } from '../maintenance/shard-reports.ts';
import type { VerifiedDay } from '../maintenance/verified-days.ts';
import type { VerifyOptions, VerifyReport } from '../maintenance/verify.ts';
import type { CheckpointReport } from '../maintenance/write-checkpoint.ts';
import type { CallOptions } from './types.ts';

/** Counters since the store was opened. */
export interface StoreMetrics {
  readonly puts: number;
  readonly gets: number;
  readonly deletes: number;
  readonly commits: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly chunksNew: number;
  readonly chunksKnown: number;
  readonly packsWritten: number;
  readonly packsMerged: number;
  readonly damageFound: number;
  /** Shards that reads found missing or corrupt, and did without. */
  readonly shardsLost: number;
}

/** What rebuilding the metadata found. */
export interface RebuildReport {
  readonly commit: number;
  readonly entries: number;
  readonly chunks: number;
  readonly packs: number;
  /** The commit of the checkpoint that the state came from; absent where all of the journal was gone through. */
  readonly checkpoint?: number;
  /** Packs the journal knows whose blobs are gone; entries that stand on them will say `CHUNK_MISSING`. And checkpoints that are damaged. */
  readonly problems: readonly Problem[];
  /** Where the doubtful metadata was set aside, if there was any. */
  readonly setAside?: string;
}

/** One thing that was looked at. */
export interface Finding {
  readonly subject: string;
  readonly status: 'ok' | 'warning' | 'error';
  readonly message: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** What a diagnosis found; healthy without errors. */
export interface DiagnosisReport {
  readonly healthy: boolean;
  readonly findings: readonly Finding[];
}

/** Events by name, with what listeners are given. */
export interface StoreEvents {
  /** A read found something wrong; the content was not returned. */
  damage: [problem: Problem];
  /** A pack got shards back, by itself or by a repair that somebody asked for. */
  repair: [repair: PackRepair];
  /** A read did without a shard that is missing or corrupt; its pack is queued for repair. Told once for each shard. */
  loss: [
    report: {
      readonly packId: string;
      readonly index: number;
      readonly backend: string;
      readonly reason: 'missing' | 'corrupt' | 'unreachable';
    },
  ];
  /** A pack was written without all of its shards, because backends failed; it is queued for repair. */
  degraded: [report: { readonly packId: string; readonly shards: number; readonly missing: number }];
  /** A backend went down, or is back. */
  backend: [report: { readonly name: string; readonly state: 'up' | 'down'; readonly message: string }];
  /** Small packs became one. */
  merge: [report: { readonly dropped: number; readonly added: number; readonly bytes: number }];
  /** Opening found journal records that the metadata did not have; the first listener is told as it is added. */
  recovery: [report: { readonly records: number }];
}

/** Work on the store itself rather than its entries. */
export interface Maintenance {
  /**
   * Proves every reference, count and pack presence against metadata and backend; content is not re-hashed. What it
   * proves are invariants with names (`CHECK_INVARIANTS`), of which `invariants` chooses some.
   * @throws RangeError and TypeError for invariants that there are none of
   */
  check(options?: StoreCheckOptions): Promise<CheckReport>;
  /**
   * Reads every shard and hashes it anew; nothing is decrypted or decoded, which is what `validate` of entries does. What was not verified for longest comes first,
   * so that a job that was stopped goes on where it was. Shards that are missing or corrupt are queued for repair; a
   * read-only store only tells of them.
   * @throws RangeError and TypeError for options; `closed/STORE_CLOSED` when the store is closed meanwhile
   */
  verify(options?: VerifyOptions): Promise<VerifyReport>;
  /**
   * How many packs were last verified on which day: of each pack the shard counts that was not verified for longest. Newest
   * first, and at the end those that never were. Reads no shard.
   */
  verified(options?: CallOptions): Promise<readonly VerifiedDay[]>;
  /**
   * Gives packs that lack shards what they lack, those closest to loss first: made anew from k good ones, checked, put
   * and read back. Goes on past what fails.
   * @throws as `verify`; `denied/READ_ONLY` unless it is a dry run
   */
  repair(options?: RepairOptions): Promise<RepairReport>;
  /**
   * Gives back the space of what nothing refers to any more: beside writers and readers of this and other processes,
   * in steps that may be stopped at any point and go on with the next call. A store that is open does the same by
   * itself, a little at a time. Bytes go when nobody can count on them: `waitingFor` tells who still may.
   * @throws `denied/READ_ONLY`, `closed/SESSION_FENCED`; RangeError for options
   */
  gc(options?: GcOptions): Promise<GcReport>;
  /**
   * Writes a checkpoint: the complete state at one commit. A rebuild begins with it, instead of going through all of the
   * journal. Others put and delete meanwhile. `gc` writes one when the journal has grown long since the last.
   * @throws `denied/READ_ONLY`; `corrupt/METADATA_CORRUPT` for state that is damaged, of which there will be no checkpoint
   */
  checkpoint(options?: CallOptions): Promise<CheckpointReport>;
  /** Verifies, then repairs what that found: once, or with `watch` again and again until aborted. @throws as `repair` */
  scrub(options?: ScrubOptions): Promise<ScrubReport>;
  /**
   * What the store holds under an id, read and proven: a pack, a chunk, a manifest node, an object of the default
   * namespace, or the journal record of a commit number. Damage is told and not thrown.
   * @param id the beginning of one id is enough; `pack:`, `chunk:`, `manifest:`, `object:` or `journal:` before it say
   *   which it is; decimal digits are a commit number
   * @throws `invalid/DIGEST_INVALID`, `invalid/ID_AMBIGUOUS`, `not-found/ID_NOT_FOUND`, `unavailable/*`; RangeError for
   *   options
   */
  inspect(id: string, options?: InspectBlobOptions): Promise<Inspection>;
}
