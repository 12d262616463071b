import type { CallOptions, EntryInfo, ProgressOptions, ReadOptions } from './types.ts';

/**
 * How long the earlier values of an entry are kept when it is replaced or deleted. What is not within every limit that is
 * given is let go with the next change of the entry; without limits nothing is.
 */
export interface VersionPolicy {
  /** At most so many, the newest; 0 keeps none. */
  readonly last?: number;
  /** Only those that were replaced or deleted less than so many milliseconds ago. */
  readonly forMs?: number;
}

/**
 * `none`: what is replaced or deleted is let go. Of one put or delete earlier values stay; as a policy it is like
 * `{ last: 0 }`, and they go with the next change of their entry.
 */
export type KeepVersions = VersionPolicy | 'none';

/** What holds where a put or delete does not say otherwise. */
export interface VersionPolicyInfo {
  readonly keep: KeepVersions;
  /** That of the store holds, because the namespace has none of its own. */
  readonly inherited: boolean;
}

/**
 * One version of an entry: by its id or a beginning of that which no other one has (of several with one id the newest);
 * by its number; or as of a time.
 */
export type WhichVersion = { readonly version: string } | { readonly number: number } | { readonly at: Date | string };

/** A value that an entry has or had. */
export interface VersionInfo extends Omit<EntryInfo, 'created' | 'modified' | 'weakest'> {
  /**
   * What counts the earlier values of a key in the order in which they were replaced, from 1. A current value has none
   * yet; once everything is forgotten counting begins anew.
   */
  readonly number?: number;
  readonly current: boolean;
  /** When it became the value of its key, as far as that is known. ISO 8601, UTC. */
  readonly from: string;
  /** When it was replaced or deleted. Absent: it is current. */
  readonly until?: string;
}

export interface VersionListOptions extends CallOptions {
  /** Most versions in all. Default: every one, fetched page by page. */
  readonly limit?: number;
}

export interface RestoreOptions extends CallOptions {
  /** Replace only this version, else `conflict/PRECONDITION_FAILED`. */
  readonly ifMatch?: string;
  /** What becomes of the value that is replaced. Default: as the policy says. */
  readonly keepVersions?: KeepVersions;
}

/**
 * Which earlier versions to forget: those that are not among the newest `last`, and were replaced or deleted longer than
 * `olderThanMs` ago. Where both are given both must be so: a rule that is added keeps more, never less.
 */
export interface VersionForgetRules {
  readonly last?: number;
  readonly olderThanMs?: number;
}

export interface VersionForgetOptions extends CallOptions {
  /** Only say what would be forgotten. Default false. */
  readonly dryRun?: boolean;
}

export interface VersionForgetAllOptions
  extends VersionForgetOptions,
    VersionForgetRules,
    Pick<ProgressOptions, 'onProgress'> {
  /** Only entries whose key begins so. Default: all that have earlier versions. */
  readonly prefix?: string;
  /** Told of each entry of which something is forgotten; before it is, those of one commit together. */
  readonly onForget?: (report: VersionForgetReport) => void;
}

/** What was forgotten of one entry, or would be. */
export interface VersionForgetReport {
  readonly key: string;
  /** Of the forgotten versions, newest first. */
  readonly numbers: readonly number[];
  /** Sizes of their contents together: what they shared with others stays. */
  readonly bytes: number;
  /** Earlier versions that are left. */
  readonly kept: number;
  readonly dryRun: boolean;
}

/** What was forgotten in all, or would be. */
export interface VersionForgetAllReport {
  /** Entries, deleted ones included, of which something was forgotten. */
  readonly entries: number;
  readonly versions: number;
  readonly bytes: number;
  readonly kept: number;
  readonly dryRun: boolean;
}

/**
 * Earlier values of entries, kept by policy when an entry is replaced, renamed away or deleted. They belong to the key, and stay
 * with it. Of an isolated entry none are kept: its key is destroyed with it.
 */
export interface Versions {
  policy(options?: CallOptions): Promise<VersionPolicyInfo>;
  /**
   * Sets what holds from now on: in the namespace, or, of the entries of the store itself, wherever a namespace has no
   * policy of its own. What is kept already is looked at when its entry changes next.
   * @param policy `inherit`: as the store has it; of the store itself: as if nothing was ever said, so that only puts
   *   say what is kept, and what is kept stays
   * @throws TypeError, RangeError; `denied/READ_ONLY`
   */
  setPolicy(policy: KeepVersions | 'inherit', options?: CallOptions): Promise<void>;
  /** Newest first, the current one included; of a key that is deleted too. Nothing for one that never was. */
  list(key: string, options?: VersionListOptions): AsyncIterable<VersionInfo>;
  /** @throws `not-found/VERSION_NOT_FOUND`, `invalid/ID_AMBIGUOUS`, `invalid/DIGEST_INVALID` */
  stat(key: string, which: WhichVersion, options?: CallOptions): Promise<VersionInfo>;
  /** Like `Entries.get`. @throws as `stat`; `corrupt/*` */
  get(key: string, which: WhichVersion, options?: CallOptions): Promise<Uint8Array>;
  /** Like `Entries.read`. @throws as `stat`; `invalid/RANGE_INVALID`, `corrupt/*` */
  read(key: string, which: WhichVersion, options?: ReadOptions): AsyncIterable<Uint8Array>;
  /**
   * Puts an earlier value as the newest one: no bytes move, relations stay, and the value it replaces is kept as with
   * any put. Of a deleted entry: it is there again, without relations. Of the current value: nothing happens.
   * @throws as `stat`; `conflict/PRECONDITION_FAILED`, `exhausted/QUOTA_EXCEEDED`, `denied/READ_ONLY`
   */
  restore(key: string, which: WhichVersion, options?: RestoreOptions): Promise<EntryInfo>;
  /**
   * Forgets earlier versions for good; the current one stays. Their bytes stay until they are collected.
   * @param which rules, or the numbers of versions; those that are not there are passed by
   * @throws RangeError when neither is said; `denied/READ_ONLY` unless it is a dry run
   */
  forget(
    key: string,
    which: VersionForgetRules | { readonly numbers: readonly number[] },
    options?: VersionForgetOptions,
  ): Promise<VersionForgetReport>;
  /** The same over every entry that has earlier versions, deleted ones included, in steps of many commits. */
  forgetAll(options: VersionForgetAllOptions): Promise<VersionForgetAllReport>;
}
