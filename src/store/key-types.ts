import type { ErrorCode } from '../errors/codes.ts';
import type { KeySecret, NewSlot } from '../keys/index.ts';
import type { Source } from '../pipeline/source.ts';
import type { CallOptions, ProgressOptions, PutOptions, PutResult } from './types.ts';

/** One way into a sealed store; tells nothing that is secret. */
export interface KeySlot {
  /** 8 hex digits. */
  readonly id: string;
  readonly type: 'passphrase' | 'key-file' | 'recipient';
  readonly label: string;
  /** ISO 8601, UTC. */
  readonly created: string;
  /** Of the slot's ML-KEM-1024 public key, 32 hex digits; equal to that of the recipient's identity. */
  readonly fingerprint: string;
}

/** A put-only writer that this store lets in. */
export interface WriterInfo {
  readonly label: string;
  readonly namespace: string;
  /** Of its signing key, 32 hex digits. */
  readonly fingerprint: string;
  readonly created: string;
}

/** Which key epochs there are. New data is sealed under the last one. */
export interface EpochInfo {
  readonly epoch: number;
  readonly created: string;
  /** Packs that are still sealed under it. */
  readonly packs: number;
}

/** What re-sealing did. */
export interface RekeyReport {
  /** Whether nothing is sealed under the old epochs any more, and their keys are gone from every file of the store. */
  readonly done: boolean;
  /** Packs and bytes written anew. */
  readonly packs: number;
  readonly bytes: number;
  /** Epochs whose keys are gone from the store. */
  readonly forgotten: readonly number[];
  /** What has still to be done, in words; `rekey` goes on with it when it is called again. */
  readonly pending: readonly string[];
}

/** The keys of a sealed store. Every change rewrites `holdfast.json` and no data. */
export interface StoreKeys {
  list(options?: CallOptions): Promise<readonly KeySlot[]>;
  /** Lets somebody else in. @throws `invalid/CREDENTIAL_INVALID`, `conflict/SLOT_EXISTS` */
  add(slot: NewSlot, options?: CallOptions): Promise<KeySlot>;
  /** @throws `not-found/SLOT_NOT_FOUND` */
  label(id: string, label: string, options?: CallOptions): Promise<KeySlot>;
  /**
   * Shuts somebody out: renews the master key and begins a new epoch, so that nothing written from now on opens for
   * them. What they could read before they may have copied.
   * @throws `not-found/SLOT_NOT_FOUND`, `conflict/LAST_SLOT`
   */
  remove(id: string, options?: CallOptions): Promise<EpochInfo>;
  /**
   * Shuts out whoever has the old passphrase, as `remove` does.
   * @throws `not-found/SLOT_NOT_FOUND`, `invalid/CREDENTIAL_INVALID` when the slot is no passphrase
   */
  changePassphrase(id: string, passphrase: KeySecret, options?: CallOptions): Promise<KeySlot>;
  epochs(options?: CallOptions): Promise<readonly EpochInfo[]>;
  /** Begins a new epoch. What is stored stays as it is; `rekey` re-seals it. */
  rotate(options?: CallOptions): Promise<EpochInfo>;
  /**
   * Re-seals what is sealed under `epoch` and older ones (default: all but the present one), pack by pack, beside other
   * work; stopped at any point it goes on where it was. When all is done the old keys leave the store; `pending` tells
   * what was in the way. What waits in the inbox is adopted before: nobody can open it afterwards, nor what is put with
   * credentials made in those epochs.
   */
  rekey(options?: ProgressOptions & { readonly epoch?: number }): Promise<RekeyReport>;
  /** Makes the credential of a put-only writer: JSON text, a secret. @throws `not-found/NAMESPACE_NOT_FOUND` */
  exportWriter(options: CallOptions & { readonly label: string; readonly namespace?: string }): Promise<string>;
  writers(options?: CallOptions): Promise<readonly WriterInfo[]>;
  /** What the writer puts from now on is no longer adopted. @throws `not-found/SLOT_NOT_FOUND` */
  removeWriter(fingerprint: string, options?: CallOptions): Promise<void>;
}

/** A namespace and what it holds. */
export interface NamespaceInfo {
  readonly name: string;
  readonly created: string;
  /** Most bytes its entries may have together. */
  readonly quotaBytes?: number;
  readonly entries: number;
  readonly logicalBytes: number;
  readonly chunks: number;
  readonly uniqueBytes: number;
  /** Bytes of its own packs on the backend. */
  readonly storedBytes: number;
}

/** What became of keys that were to be destroyed. */
export interface ShredReport {
  /** Whether no key is left on any backend, and the data is gone. */
  readonly done: boolean;
  /** What has still to be done, in words; tried again when the store is opened, or by `shred`. */
  readonly pending: readonly string[];
}

/** The tenants of a sealed store: each with keys and a dedup domain of its own. */
export interface Namespaces {
  /** @throws `conflict/NAMESPACE_EXISTS`, `invalid/NAMESPACE_INVALID` */
  create(name: string, options?: CallOptions & { readonly quotaBytes?: number }): Promise<NamespaceInfo>;
  list(options?: CallOptions): Promise<readonly NamespaceInfo[]>;
  /** @throws `not-found/NAMESPACE_NOT_FOUND` */
  stat(name: string, options?: CallOptions): Promise<NamespaceInfo>;
  /** @param quotaBytes `undefined` lifts the quota. @throws `not-found/NAMESPACE_NOT_FOUND` */
  setQuota(name: string, quotaBytes: number | undefined, options?: CallOptions): Promise<NamespaceInfo>;
  /**
   * Destroys the data of a namespace and its keys. For good: nobody can read it afterwards, with whatever keys. Stopped
   * before its end it leaves the namespace with a quota of 0, to be dropped again.
   * @throws `not-found/NAMESPACE_NOT_FOUND`
   */
  drop(name: string, options: CallOptions & { readonly shred: true }): Promise<ShredReport>;
  /** Finishes destroying what was left: keys of dropped namespaces and isolated entries. */
  shred(options?: CallOptions): Promise<ShredReport>;
}

/** What put-only writers left, and what became of it. */
export interface AdoptReport {
  /** Messages whose entries are visible now, those included whose entry was there already. */
  readonly adopted: number;
  /** Entries that were made, and the size of their contents. */
  readonly entries: number;
  readonly bytes: number;
  /** Messages that stay where they are, each with what is wrong with it; told each time until they are discarded. */
  readonly refused: readonly RefusedMessage[];
  /** Ids of messages without a head: being written right now, or left by a writer that died. They stay too. */
  readonly incomplete: readonly string[];
}

/** A message that was not adopted. */
export interface RefusedMessage {
  /** Message id, 32 hex digits. */
  readonly message: string;
  readonly code: ErrorCode;
  readonly reason: string;
  /** Label of the writer; there when its signature held. */
  readonly writer?: string;
}

/** What put-only writers have put and nobody has looked at yet. */
export interface Inbox {
  /**
   * Checks what is there and makes its entries visible. A store that is open for writing also does it by itself, when
   * it is opened and every 30 seconds; the report counts what was adopted so since somebody asked last. Nothing that is
   * in the store is replaced.
   */
  adopt(options?: ProgressOptions): Promise<AdoptReport>;
  /**
   * Throws a message away, with what its writer put. @returns whether there was such a message
   * @throws RangeError for what is no message id
   */
  discard(messageId: string, options?: CallOptions): Promise<boolean>;
}

/** What a put-only writer may say of its content. */
export type PutOnlyOptions = Pick<PutOptions, 'contentType' | 'attributes' | 'signal' | 'onProgress'>;

/** What a put-only writer learns of its put: what it knew, and `newBytes`, what the store did not have. */
export type PutOnlyResult = Pick<PutResult, 'key' | 'digest' | 'size' | 'chunks' | 'newBytes'>;

/** A store as a put-only writer sees it: it takes content and gives nothing back. */
export interface PutOnlyStore {
  readonly id: string;
  /**
   * Leaves content for the store under a key that must not be taken; resolves when it is durable. Whoever holds the
   * store's keys makes it an entry.
   * @throws `invalid/*`, `not-found/SOURCE_NOT_FOUND`, `conflict/SOURCE_CHANGED`, `exhausted/*`; `unavailable/*`, after
   *   which the content may be adopted all the same
   */
  put(key: string, source: Source, options?: PutOnlyOptions): Promise<PutOnlyResult>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
