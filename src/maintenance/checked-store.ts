import type { Backend } from '../backend/contract.ts';
import type { Metadata } from '../metadata/contract.ts';
import type { ItemReader } from '../pipeline/item-reader.ts';
import type { PackStore } from '../placement/pack-store.ts';

/** What a check looks at. */
export interface CheckedStore {
  readonly backend: Backend;
  readonly metadata: Metadata;
  readonly packs: PackStore;
  /** May flag what it finds; a read-only store flags nothing. */
  readonly writable: boolean;
  readonly reader: ItemReader;
  /** Tells the metadata what the journal has written since it was last told. */
  settle(): Promise<void>;
}

export interface CheckOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { phase: string; done: number; total?: number; bytes: number }) => void;
}
