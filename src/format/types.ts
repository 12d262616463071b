/**
 * Plain data shared by the byte layouts: what packs, records, entries and journal records say, apart from how it is
 * encoded.
 */

/**
 * One pack holds one class: chunks; manifests and objects; journal records with the small chunks of their commits; or
 * a part of a checkpoint.
 */
export type PackClass = 'data' | 'meta' | 'journal' | 'checkpoint';

/** What the items of a record are. */
export type RecordKind = 'chunk' | 'manifest' | 'journal' | 'checkpoint';

/** One stored unit inside a record: a chunk, a manifest node or a journal record. */
export interface RecordItem {
  /** 32 bytes. Of a journal record and of a part of a checkpoint: its digest. */
  readonly id: Uint8Array;
  /** Plain bytes of this item. */
  readonly length: number;
}

/** Where one item lies inside a pack; everything a reader needs to fetch, open and slice it. */
export interface ItemPosition {
  /** Ordinal of the record in its pack, from 0; enters the record's authentication. */
  readonly ordinal: number;
  readonly kind: RecordKind;
  /** First byte of the record in the pack. The stored bytes are followed by the 16-byte trailer. */
  readonly offset: number;
  /** Stored (compressed) bytes of the record, without its trailer. */
  readonly storedLength: number;
  /** Plain bytes of the whole record. */
  readonly plainLength: number;
  readonly codec: number;
  /** First byte of the item in the plain bytes of its record. */
  readonly inner: number;
  /** Plain bytes of the item. */
  readonly length: number;
}

export interface DirectoryItem extends ItemPosition {
  readonly id: Uint8Array;
}

/** How a pack became shards. */
export interface Stripe {
  /** 16 random bytes, new for every encoding. */
  readonly id: Uint8Array;
  /** Data and parity shards; 1 and 0 for an unprotected pack. */
  readonly k: number;
  readonly m: number;
  /** Roots of all k+m shards, 32 bytes each, in shard order. */
  readonly roots: Uint8Array;
}

/** Under which key a sealed pack was sealed. */
export interface PackSeal {
  /** u32; 0 is the default namespace. */
  readonly namespace: number;
  /** u32, from 1. */
  readonly epoch: number;
  /** 32 random bytes. */
  readonly salt: Uint8Array;
}

/** Everything that the key of a sealed pack is made of, but for secrets. */
export interface SealedPackName extends PackSeal {
  /** 16 bytes each. */
  readonly store: Uint8Array;
  readonly pack: Uint8Array;
  readonly class: PackClass;
}

/** Gives the keys of sealed packs. Where it is `undefined`, the store is plain. */
export interface PackKeys {
  /**
   * @returns 32 bytes, to be left unchanged: they may be kept for the next call
   * @throws `denied/EPOCH_UNKNOWN`, `denied/NAMESPACE_KEY_GONE`
   */
  keyOf(pack: SealedPackName): Promise<Uint8Array>;
}

/** What the journal and the metadata know of a pack. */
export interface PackDescriptor {
  /** 16 bytes: session id (8), then the ordinal of the pack in its session (u64 big-endian). */
  readonly id: Uint8Array;
  readonly class: PackClass;
  /** Bytes of the pack, and of all its shards as they lie on the backends. */
  readonly packBytes: number;
  readonly storedBytes: number;
  readonly stripe: Stripe;
  /**
   * Of a journal pack: which records it holds. Of a pack of a checkpoint: the commit whose state that is, as the last one,
   * and the first one whose record a rebuild needs beside it. Absent for the other classes.
   */
  readonly journal?: { readonly incarnation: Uint8Array; readonly firstCommit: number; readonly lastCommit: number };
  /** Absent in plain packs, present in sealed ones. */
  readonly seal?: PackSeal;
  /**
   * Where each shard lies, in shard order: number of its backend, 0 for one that lies nowhere (never written, lost, or
   * found bad). Absent: not known, the backends must be asked. A fact of one machine, which journal records do not have.
   */
  readonly places?: readonly number[];
}

/** One version of an entry, as its journal record and metadata row carry it. */
export interface EntryValue {
  /** Plain digest of the whole content. */
  readonly digest: Uint8Array;
  readonly size: number;
  readonly chunkCount: number;
  /** Merkle root over the chunks, total length bound in. */
  readonly root: Uint8Array;
  /** The manifest's top node: its bytes when small, else its id. Empty content has an inline leaf without chunks. */
  readonly manifest: { readonly inline: Uint8Array } | { readonly id: Uint8Array };
  readonly contentType?: string;
  /** Names and values chosen by the user, sorted by name. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Version this one was made from, when the caller said so. */
  readonly parent?: Uint8Array;
}

/**
 * One change of state. Replaying the operations of all records in commit order over an empty state gives the state, so
 * nothing here may depend on clocks or on which process applies it.
 */
export type Operation =
  /** First operation of a new life of the metadata. */
  | { readonly type: 'incarnation'; readonly previous: Uint8Array | undefined }
  /**
   * `entry` is an encoded `EntryValue`; `modified` in milliseconds since 1970. An overwritten entry keeps its created
   * time.
   */
  | { readonly type: 'entry-put'; readonly key: Uint8Array; readonly entry: Uint8Array; readonly modified: number }
  | { readonly type: 'entry-delete'; readonly key: Uint8Array }
  /** Replaces what `to` named. Times and version stay. */
  | { readonly type: 'entry-rename'; readonly from: Uint8Array; readonly to: Uint8Array }
  /** Like a put of the same version at `to`. */
  | { readonly type: 'entry-copy'; readonly from: Uint8Array; readonly to: Uint8Array; readonly modified: number }
  /** Every item of the pack is from now on found there, whatever was known before. */
  | { readonly type: 'pack-add'; readonly pack: PackDescriptor }
  /**
   * Live records of `dropped` packs were copied into `added`: their items are found there, but for the `stale` ids,
   * which were already found elsewhere. Dropped packs may be deleted once this record is durable.
   */
  | {
      readonly type: 'pack-merge';
      readonly added: readonly PackDescriptor[];
      readonly dropped: readonly Uint8Array[];
      readonly stale: readonly Uint8Array[];
    }
  /** Chunks and manifest nodes that nothing refers to leave the state, wherever they are found. */
  | {
      readonly type: 'items-remove';
      readonly chunks: readonly Uint8Array[];
      readonly nodes: readonly Uint8Array[];
    }
  /**
   * An operation on entries of a namespace other than the default one, sealed under that namespace's operation key. A
   * replay without the secret of the namespace skips it: the namespace was dropped, and what it did with it.
   */
  | ScopedOperation
  /** Entries, items and packs of a namespace, or of an isolated entry, leave the state. */
  | { readonly type: 'namespace-drop'; readonly namespace: number }
  /** An object is there from now on; `entry` is the encoded value of its bytes. One that is there stays as it is. */
  | {
      readonly type: 'object-put';
      readonly key: Uint8Array;
      readonly objectType: ObjectType;
      readonly entry: Uint8Array;
    }
  /** An object that nothing refers to leaves the state. */
  | { readonly type: 'object-remove'; readonly key: Uint8Array }
  /** A ref moves to an object, or away from all when `target` is `undefined`; its history gains a move either way. */
  | {
      readonly type: 'ref-set';
      readonly key: Uint8Array;
      /** Object key. */
      readonly target: Uint8Array | undefined;
      readonly message: string;
    }
  /** Steps of a history leave the state. */
  | {
      readonly type: 'history-forget';
      readonly history: HistoryKind;
      readonly key: Uint8Array;
      readonly numbers: readonly number[];
    }
  /** An entry gets another parent, or none. */
  | { readonly type: 'relation-set'; readonly child: Uint8Array; readonly parent: Uint8Array | undefined }
  /** What an entry is just now becomes the last step of its history; those before `first` leave it. */
  | { readonly type: 'version-keep'; readonly key: Uint8Array; readonly first: number }
  /** Deletes an entry and all its descendants. */
  | { readonly type: 'family-delete'; readonly key: Uint8Array }
  /** Which earlier versions of entries are kept from now on: those of one namespace, or of all (0). */
  | { readonly type: 'policy-set'; readonly namespace: number; readonly policy: VersionPolicy | undefined };

/** What a `scoped` operation seals: whatever names keys of one namespace. */
export type NamespacedOperation = Extract<
  Operation,
  {
    readonly type:
      | `entry-${string}`
      | `object-${string}`
      | `ref-${string}`
      | `history-${string}`
      | `relation-${string}`
      | `version-${string}`
      | `family-${string}`;
  }
>;

/** Types of objects. A blob is raw content, or names one beside its metadata; the others are canonical JSON. */
export type ObjectType = 'blob' | 'bundle' | 'tree' | 'snapshot';

/** Bytes of the user's, or canonical JSON of ours: what is the one is never taken for the other. */
export type ObjectClass = 'raw' | 'structured';

/** What has a history: an entry, of its versions, and a ref, of its moves. */
export type HistoryKind = 'version' | 'move';

/** Which earlier versions are kept; without either, all. */
export interface VersionPolicy {
  /** At most so many, from 0. */
  readonly last?: number;
  /** Those that were replaced less than so many milliseconds ago. */
  readonly forMs?: number;
}

export interface ScopedOperation {
  readonly type: 'scoped';
  /** From 1. */
  readonly namespace: number;
  /** Sealed bytes of the encoded operation: see `sealOperation`. */
  readonly sealed: Uint8Array;
}

export interface JournalRecord {
  /** N, from 1, without gaps. */
  readonly commit: number;
  /** Digest of the encoded record N-1; 32 zero bytes before the first. */
  readonly previous: Uint8Array;
  /** 16 bytes: the life of the metadata that gave this number. */
  readonly incarnation: Uint8Array;
  /** Wall clock of the commit, milliseconds; for people. */
  readonly time: number;
  readonly operations: readonly Operation[];
  /** Set in records of sealed stores, which are of version 2; absent in plain ones. */
  readonly sealed?: true;
}
