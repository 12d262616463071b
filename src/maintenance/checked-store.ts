import type { Backend } from '../backend/contract.ts';
import type { EntryValue, ItemIds, StoreConfig } from '../format/index.ts';
import type { EntryRow, Metadata } from '../metadata/contract.ts';
import type { LoadObjects } from '../objects/index.ts';
import type { ItemReader } from '../pipeline/item-reader.ts';
import type { PackStore } from '../placement/pack-store.ts';
import type { ShardStore } from './shard-store.ts';

/** What the content of a namespace is found and read by. */
export interface NamespaceContent {
  readonly ids: ItemIds;
  readonly reader: ItemReader;
}

/** An entry with what its content is found and read by. */
export interface CheckedEntry extends NamespaceContent {
  readonly value: EntryValue;
  /** Sealed under a key of its own, which proves the version. */
  readonly isolated: boolean;
}

/** What a check looks at. */
export interface CheckedStore {
  readonly backend: Backend;
  readonly metadata: Metadata;
  readonly packs: PackStore;
  /** Where the shards of packs lie. */
  readonly shards: ShardStore;
  /** Whether the store is sealed. */
  readonly config: Pick<StoreConfig, 'keys'>;
  /** May flag what it finds; a read-only store flags nothing. */
  readonly writable: boolean;
  /** Names of the namespaces by number, the default one among them. */
  readonly namespaces: ReadonlyMap<number, string>;
  /** @throws `corrupt/*` for an entry that cannot be read */
  openEntry(row: EntryRow): Promise<CheckedEntry>;
  /** @throws `denied/NAMESPACE_KEY_GONE` */
  contentOf(namespace: number): NamespaceContent;
  /** Loads objects of a namespace, each from where it lies. @throws `denied/NAMESPACE_KEY_GONE` */
  objectLoader(namespace: number, signal: AbortSignal | undefined): LoadObjects;
  /** Tells the metadata what the journal has written since it was last told. */
  settle(): Promise<void>;
}

/** How to run a job over a store. */
export interface CheckOptions {
  /** Aborting rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Told of every pack as it is done. */
  readonly onProgress?: (progress: { phase: string; done: number; total?: number; bytes: number }) => void;
}
