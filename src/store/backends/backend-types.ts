import type { Backend } from '../../backend/contract.ts';
import type { BackendMode } from '../../format/index.ts';
import type { RebalanceReport } from '../../maintenance/rebalance.ts';
import type { BackendHealth } from '../../placement/backend-link.ts';
import type { FatalLoss } from '../../placement/tolerance.ts';
import type { CallOptions, ProgressOptions } from '../types.ts';

/** A backend to add to a store. */
export interface NewBackend {
  /**
   * A folder or a single file, as a path or a `file:` URL; a bucket, as `openS3Backend` takes it; the URL of a scheme that
   * `backendModules` has; or a backend of the caller's, to be passed again at every opening.
   */
  readonly location: string | Backend;
  /** For people: lower-case letters, digits, `.`, `_` and `-`, at most 63. Default: made from the location. */
  readonly name?: string;
  /** What fails together with it: a disk, a machine, a site. Default: its name, so that it fails alone. */
  readonly domain?: string;
  /** Its share of the shards beside the others, 0 to 1,000. 0: it holds the config and keys only. Default 1. */
  readonly weight?: number;
}

/** What may change of a backend. */
export interface BackendChange {
  readonly name?: string;
  readonly domain?: string;
  readonly weight?: number;
  /** `read-only` is read and nothing else; `active` again takes shards. For `draining` see `drain`. */
  readonly mode?: 'active' | 'read-only';
  /** Where it has moved to: the same backend must be there. */
  readonly location?: string;
}

/** A backend of a store. */
export interface BackendInfo {
  readonly number: number;
  readonly name: string;
  /** Where it is; empty for one that is passed by the caller. */
  readonly url: string;
  readonly domain: string;
  readonly weight: number;
  readonly mode: BackendMode;
  /** Whether the store was opened at it. */
  readonly home: boolean;
  readonly health: BackendHealth;
}

/** A backend and what it holds. */
export interface BackendStatus extends BackendInfo {
  /** Shards that the metadata knows there, and their bytes. */
  readonly shards: number;
  readonly shardBytes: number;
  /** Bytes of everything on it, and those that can still be put; absent when it cannot be asked, or does not know. */
  readonly usedBytes?: number;
  readonly freeBytes?: number;
}

/** Losses that what is stored would survive today, as it lies and with what can be reached. */
export interface LossStatus {
  /** Any so many may be lost at once; -1: some packs cannot be read as it is. */
  readonly lossesMax: number;
  /** Some of the smallest sets of names that may not be lost together. */
  readonly fatal: readonly FatalLoss[];
}

/** How the packs of a store lie on its backends. */
export interface PlacementStatus {
  /** What packs are written with: `none` or `k+m`. */
  readonly redundancy: string;
  readonly backends: readonly BackendStatus[];
  /** Names of the backends that shards go to by their index; empty where they rotate over the domains. */
  readonly map: readonly string[];
  readonly packs: number;
  /** Packs that lack a shard, and wait for repair. */
  readonly degraded: number;
  /** Packs that have less redundancy than packs are written with. */
  readonly weaker: number;
  /** Packs of which fewer shards can be reached than are needed. */
  readonly unreadable: number;
  readonly survives: { readonly backends: LossStatus; readonly domains: LossStatus };
  /** What the placement cannot give, in words. */
  readonly warnings: readonly string[];
}

/** How to rebalance. */
export interface RebalanceOptions extends ProgressOptions {
  /** Write packs with this from now on, and bring what is stored to it: `none`, a preset's name, or `k+m`. */
  readonly redundancy?: string;
  /** Also write packs anew that bear more losses than that, or are cut otherwise. Default false. */
  readonly exact?: boolean;
  /** Only say what would be done. Default false. */
  readonly dryRun?: boolean;
}

/** How to take a backend out. */
export interface RemoveOptions extends CallOptions {
  /** It is lost: its shards are missing from now on, and made anew by repair. Default false: it must be empty. */
  readonly lost?: boolean;
  /** Take it out although packs cannot be read without it. Default false. */
  readonly acceptLoss?: boolean;
}

/** What taking a backend out means. */
export interface RemoveReport {
  readonly name: string;
  /** Shards that are missing now. */
  readonly shardsLost: number;
  /** Packs that cannot be read any more. */
  readonly packsLost: number;
}

/** The backends of a store. */
export interface Backends {
  list(options?: CallOptions): Promise<readonly BackendInfo[]>;
  /**
   * Adds a backend: an empty folder, made when absent. New packs use it at once; `rebalance` brings what is there.
   * @throws `conflict/BACKEND_EXISTS` for a name or a place that the store has; `conflict/BACKEND_MISMATCH` for a place
   *   that holds something else; `invalid/BACKEND_INVALID`; `unsupported/BACKEND_UNSUPPORTED` for a URL without a module
   */
  add(backend: NewBackend, options?: CallOptions): Promise<BackendInfo>;
  /**
   * @throws `not-found/BACKEND_NOT_FOUND`, `conflict/BACKEND_EXISTS`, `conflict/BACKEND_MISMATCH`, `invalid/BACKEND_INVALID`,
   *   `conflict/BACKEND_IN_USE` for the weight 0 of the only one that takes new data
   */
  change(name: string, change: BackendChange, options?: CallOptions): Promise<BackendInfo>;
  /**
   * Where shards go: shard i to the i-th of these, going round. No names: they rotate over the domains.
   * @throws `not-found/BACKEND_NOT_FOUND`
   */
  setMap(names: readonly string[], options?: CallOptions): Promise<void>;
  /**
   * Puts an empty backend in the place of one that is lost, under its name. Repair then makes its shards anew.
   * @throws as `add` and `remove`
   */
  replace(name: string, location: string | Backend, options?: RemoveOptions): Promise<RemoveReport>;
  /**
   * Moves everything off a backend, which takes nothing more. It can be stopped, and goes on where it was. `partial` when
   * shards are left, for want of a place or because it cannot be read.
   * @throws `not-found/BACKEND_NOT_FOUND`; `conflict/BACKEND_IN_USE` for the only one that takes new data
   */
  drain(name: string, options?: ProgressOptions & { readonly dryRun?: boolean }): Promise<RebalanceReport>;
  /**
   * Takes a backend out of the store. What lies on it is not deleted.
   * @throws `not-found/BACKEND_NOT_FOUND`; `conflict/BACKEND_IN_USE` for the one the store was opened at, the last one, the
   *   only one that takes new data, one that is neither drained nor lost, or one without which packs cannot be read
   */
  remove(name: string, options?: RemoveOptions): Promise<RemoveReport>;
  /** Brings shards to where they would go now, and packs to the redundancy they would have. Keys and content stay. */
  rebalance(options?: RebalanceOptions): Promise<RebalanceReport>;
  status(options?: CallOptions): Promise<PlacementStatus>;
}
