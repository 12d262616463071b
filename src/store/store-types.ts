import type { Backends } from './backends/backend-types.ts';
import type { Inbox, Namespaces, StoreKeys } from './key-types.ts';
import type { CallOptions, Entries, StoreStats } from './types.ts';
import type { Maintenance, StoreEvents, StoreMetrics } from './upkeep-types.ts';

/**
 * An open store; its own entries are those of the default namespace. Every method rejects with `closed/STORE_CLOSED`
 * after `close`, and every change with `closed/STORE_POISONED` after a write whose outcome is unknown. Reports are
 * frozen. In a plain store `keys`, `namespaces` and `inbox` reject with `denied/STORE_NOT_SEALED`.
 */
export interface Store extends Entries {
  /** 32 hex digits: names this store for ever. */
  readonly id: string;
  /** Whether everything in it is encrypted. */
  readonly sealed: boolean;
  readonly keys: StoreKeys;
  readonly namespaces: Namespaces;
  /** What put-only writers left. */
  readonly inbox: Inbox;
  readonly maintenance: Maintenance;
  /** Where the shards are. */
  readonly backends: Backends;
  /** The entries of a namespace; calls reject with `not-found/NAMESPACE_NOT_FOUND` when there is none of this name. */
  namespace(name: string): Entries;
  stats(options?: CallOptions): Promise<StoreStats>;
  metrics(): StoreMetrics;
  on<E extends keyof StoreEvents>(event: E, listener: (...args: StoreEvents[E]) => void): this;
  off<E extends keyof StoreEvents>(event: E, listener: (...args: StoreEvents[E]) => void): this;
  /** Finishes running operations, flushes and closes. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
