/** What the workers of the kill rounds are told, and what they tell the process that will kill them, one line of JSON each. */
import type { Entries, Store } from '../../../src/index.ts';
import type { Operation } from '../../support/operations.ts';
import type { KeyChange } from './key-changes.ts';

/** A store that is changed by processes which are killed. */
export interface KilledStore {
  /** A folder, or a file. */
  readonly location: string;
  /** The blobs of a file, or of several disks, announce nothing. */
  readonly form: 'folder' | 'file' | 'spread';
  readonly sealed: boolean;
}

/** What one worker is to do, without end. */
export interface WorkerOrders extends KilledStore {
  readonly seed: number;
  /** Lanes whose entries it changes. Who works in the first lane of a sealed store changes its keys, too. */
  readonly lanes: readonly number[];
  /** Whether the first lane puts contents of several packs. */
  readonly large: boolean;
  /** Beside the lanes it collects garbage, writes checkpoints, scrubs and repairs; or does nothing but rebuild the metadata. */
  readonly upkeep: 'none' | 'upkeep' | 'rebuild';
}

export type Report =
  /** The store is open; operations begin. */
  | { readonly is: 'ready' }
  /** Sent before the call is made. */
  | { readonly is: 'begin'; readonly lane: number; readonly operation: Operation }
  /** The call was acknowledged. */
  | { readonly is: 'end'; readonly lane: number }
  /** The same for changes of keys and namespaces, one at a time. */
  | { readonly is: 'begin keys'; readonly change: KeyChange }
  | { readonly is: 'end keys' }
  /** A job of upkeep begins. */
  | { readonly is: 'begin upkeep' }
  /** A call on the backend is about to be made, or was answered. */
  | { readonly is: 'call' | 'answer'; readonly call: 'put' | 'delete'; readonly kind: BlobKind }
  /** Something went wrong that never should. */
  | { readonly is: 'failed'; readonly message: string };

/** What a blob is: that of a change of keys is the config, or the key of an isolated entry. */
export type BlobKind = 'journal' | 'packs' | 'keys';

/** The file descriptor in the worker that reports go to. */
export const REPORT_DESCRIPTOR = 3;

/** Operations run side by side in lanes, each on keys of its own, so that one lane has one operation in flight. */
export const LANES = 4;
const KEYS_PER_LANE = 10;

export function keysOfLane(lane: number): readonly string[] {
  return Array.from({ length: KEYS_PER_LANE }, (_, index) => `lane-${lane}/${index}`);
}

export function laneOf(key: string): number {
  return Number(/^lane-(\d+)\//.exec(key)?.[1]);
}

/** What opens the sealed stores of these rounds. */
export const ROUND_KEYS = { key: new Uint8Array(32).fill(0x22) };
/** The namespace that one lane works in, in a sealed store. */
export const TENANT = 'tenant';
const TENANT_LANE = 2;

/** Where a lane has its entries. */
export function entriesOfLane(store: Store, lane: number): Entries {
  return store.sealed && lane === TENANT_LANE ? store.namespace(TENANT) : store;
}
