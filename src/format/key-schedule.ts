/**
 * Every key of a sealed store that is derived, and nothing else derives any: HKDF-SHA256 (RFC 5869) of the ring's
 * secrets, each under a label of its own. Layout in `docs/format.md`, section "Key schedule".
 *
 * Invariants: what belongs to a namespace cannot be derived without its secret, so dropping that secret shreds it; what
 * is sealed anew after a rotation cannot be derived from the secrets before it; ids and lookups take no epoch, so they
 * survive every rotation.
 *
 * Does not: keep secrets anywhere but in memory, or know who may have them (see the keyring).
 */

import { BinaryWriter } from '../bytes/binary-writer.ts';
import { concatBytes, equalBytes, utf8Encode } from '../bytes/bytes.ts';
import { hkdfSha256 } from '../crypto/kdf.ts';
import { invariant, storeError } from '../errors/store-error.ts';
import { ISOLATED_NAMESPACE_MIN, NAMESPACE_NUMBER_MAX } from '../limits.ts';
import { PACK_ID_BYTES, PACK_SALT_BYTES, SECRET_BYTES, STORE_ID_BYTES } from './sizes.ts';
import { packClassCode } from './type-codes.ts';
import type { SealedPackName } from './types.ts';

/** What the ring of a store holds, apart from names and dates. */
export interface RingSecrets {
  /** 32 bytes, the same for the whole life of the store. */
  readonly store: Uint8Array;
  /** By ascending number, from 1; at least one. Secrets of 32 bytes. */
  readonly epochs: readonly { readonly number: number; readonly secret: Uint8Array }[];
  /** Secrets of 32 bytes; 0 is the default namespace. */
  readonly namespaces: readonly { readonly number: number; readonly secret: Uint8Array }[];
}

const WRITER_KEM_SEED_BYTES = 64;
const CHUNKER_SEED_BYTES = 8;

/** Part of the format: none ever changes, and no two are equal. */
const LABELS = {
  data: 'holdfast data key v1',
  pack: 'holdfast pack key v1',
  id: 'holdfast id key v1',
  chunker: 'holdfast chunker seed v1',
  operation: 'holdfast operation key v1',
  isolatedEntry: 'holdfast isolated entry key v1',
  isolatedVersion: 'holdfast isolated version key v1',
  metadata: 'holdfast metadata key v1',
  lookup: 'holdfast lookup key v1',
  tableSum: 'holdfast table sum key v1',
  writerKem: 'holdfast writer kem seed v1',
  keyPage: 'holdfast key page key v1',
  guardTag: 'holdfast guard tag v1',
} as const;

interface NamespaceKeys {
  readonly secret: Uint8Array;
  /** By epoch: asked for with every pack. */
  readonly data: Map<number, Uint8Array>;
}

/**
 * The keys of one store, for as long as it is open. Derives when asked; synchronous, some microseconds each. The keys
 * it gives are copies of the caller's own: `forget` and `wipe` wipe none of them, so nothing is ever sealed under
 * zeros.
 */
export class KeySchedule {
  /** The newest epoch: what is sealed now is sealed under it. */
  readonly currentEpoch: number;
  readonly #store: Uint8Array;
  readonly #epochs: ReadonlyMap<number, Uint8Array>;
  readonly #namespaces = new Map<number, NamespaceKeys>();
  #wiped = false;

  /** @param secrets copied; the caller may wipe them */
  constructor(secrets: RingSecrets) {
    this.#store = copySecret(secrets.store);
    this.#epochs = new Map(secrets.epochs.map(({ number, secret }) => [number, copySecret(secret)]));
    invariant(this.#epochs.size === secrets.epochs.length, 'each epoch has one secret');
    this.currentEpoch = Math.max(0, ...this.#epochs.keys());
    invariant(this.currentEpoch > 0, 'a sealed store has an epoch, and they count from 1');
    for (const { number, secret } of secrets.namespaces) this.#add(number, secret);
  }

  hasEpoch(epoch: number): boolean {
    return this.#epochs.has(epoch);
  }

  hasNamespace(namespace: number): boolean {
    return this.#namespaces.has(namespace);
  }

  /**
   * Adds the secret of an isolated entry: a namespace of one, whose key comes with its page and not with the ring.
   * @param namespace `ISOLATED_NAMESPACE_MIN` or more
   * @param secret 32 bytes, copied; the same as before if it is known already
   */
  learn(namespace: number, secret: Uint8Array): void {
    invariant(namespace >= ISOLATED_NAMESPACE_MIN, 'only isolated entries have keys outside the ring');
    this.#add(namespace, secret);
  }

  /** Learns what an earlier schedule of the same store has learned: an entry may be on its way while keys change. */
  learnFrom(earlier: KeySchedule): void {
    for (const [namespace, { secret }] of earlier.#namespaces)
      if (namespace >= ISOLATED_NAMESPACE_MIN) this.#add(namespace, secret);
  }

  /** Overwrites all secrets and the data keys made of them: it gives no key any more, and whoever asks is wrong. */
  wipe(): void {
    this.#wiped = true;
    this.#store.fill(0);
    for (const secret of this.#epochs.values()) secret.fill(0);
    for (const namespace of this.#namespaces.keys()) this.forget(namespace);
  }

  /** Wipes the secret of a namespace and every data key made of it; from then on it is `NAMESPACE_KEY_GONE`. */
  forget(namespace: number): void {
    const keys = this.#namespaces.get(namespace);
    this.#namespaces.delete(namespace);
    keys?.secret.fill(0);
    for (const key of keys?.data.values() ?? []) key.fill(0);
  }

  /**
   * The key of one pack, and of nothing else: its random salt makes it new even if a pack id were ever used twice.
   * @throws `denied/EPOCH_UNKNOWN`, `denied/NAMESPACE_KEY_GONE`
   */
  packKey(pack: SealedPackName): Uint8Array {
    invariant(pack.salt.length === PACK_SALT_BYTES, 'the salt of a pack has 32 bytes');
    const label = utf8Encode(LABELS.pack);
    const place = new BinaryWriter(STORE_ID_BYTES + PACK_ID_BYTES + 9)
      .put(pack.store)
      .put(pack.pack)
      .u8(packClassCode(pack.class))
      .u32(pack.namespace)
      .u32(pack.epoch).bytes;
    const dataKey = this.#dataKey(pack.namespace, pack.epoch);
    return hkdfSha256(dataKey, { salt: pack.salt, info: concatBytes([label, place]) });
  }

  /** Makes ids of plain digests (`keyedIds`). @throws `denied/NAMESPACE_KEY_GONE` */
  idKey(namespace: number): Uint8Array {
    return derive(this.#namespaceKeys(namespace).secret, LABELS.id);
  }

  /**
   * What the gear table of a namespace's chunker is XORed with, u64: cut points tell nothing about known content.
   * @throws `denied/NAMESPACE_KEY_GONE`
   */
  chunkerSeed(namespace: number): bigint {
    const { secret } = this.#namespaceKeys(namespace);
    const bytes = derive(secret, LABELS.chunker, { bytes: CHUNKER_SEED_BYTES });
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(0, true);
  }

  /**
   * Seals the journal operations of a namespace. Of its secret alone, because a journal record is never written anew;
   * the packs that records lie in are, and take an epoch.
   * @throws `denied/NAMESPACE_KEY_GONE`
   */
  operationKey(namespace: number): Uint8Array {
    return derive(this.#namespaceKeys(namespace).secret, LABELS.operation);
  }

  /** Seals the value of an isolated entry. @throws `denied/NAMESPACE_KEY_GONE` */
  isolatedEntryKey(namespace: number): Uint8Array {
    return derive(this.#namespaceKeys(namespace).secret, LABELS.isolatedEntry);
  }

  /** Keys the version that an isolated entry shows outside its sealed value. @throws `denied/NAMESPACE_KEY_GONE` */
  isolatedVersionKey(namespace: number): Uint8Array {
    return derive(this.#namespaceKeys(namespace).secret, LABELS.isolatedVersion);
  }

  /** Seals rows of the metadata. @throws `denied/EPOCH_UNKNOWN` */
  metadataKey(epoch: number): Uint8Array {
    return derive(this.#epochSecret(epoch), LABELS.metadata, { salt: this.#storeSecret });
  }

  /** Keys the digests by which the metadata finds entries. */
  lookupKey(): Uint8Array {
    return derive(this.#storeSecret, LABELS.lookup);
  }

  /** Keys the digests of rows that the metadata adds up per table: they outlive rotations, as the sums do. */
  tableSumKey(): Uint8Array {
    return derive(this.#storeSecret, LABELS.tableSum);
  }

  /**
   * Seed of the ML-KEM-1024 pair to which put-only writers of a namespace encapsulate; 64 bytes (FIPS 203, `d ‖ z`).
   * @throws `denied/EPOCH_UNKNOWN`, `denied/NAMESPACE_KEY_GONE`
   */
  writerKemSeed(namespace: number, epoch: number): Uint8Array {
    return this.#ofBoth({ namespace, epoch }, LABELS.writerKem, WRITER_KEM_SEED_BYTES);
  }

  /** Seals the pages that hold the secrets of isolated entries; of the store secret alone. */
  keyPageKey(): Uint8Array {
    return derive(this.#storeSecret, LABELS.keyPage);
  }

  /**
   * Tells the store from every other one, 32 bytes, and is no secret: clients keep it to know the store again. Whoever
   * has no ring of the store cannot make a store that shows it.
   */
  guardTag(): Uint8Array {
    return derive(this.#storeSecret, LABELS.guardTag);
  }

  /** What the keys of the packs of a namespace and an epoch are derived from. */
  #dataKey(namespace: number, epoch: number): Uint8Array {
    const keys = this.#namespaceKeys(namespace);
    const known = keys.data.get(epoch);
    if (known) return known;
    const key = this.#ofBoth({ namespace, epoch }, LABELS.data);
    keys.data.set(epoch, key);
    return key;
  }

  /** Takes both secrets: a namespace's alone opens nothing, and nor does the epoch's once the namespace is dropped. */
  #ofBoth(
    place: { readonly namespace: number; readonly epoch: number },
    label: string,
    bytes = SECRET_BYTES,
  ): Uint8Array {
    const { secret: salt } = this.#namespaceKeys(place.namespace);
    return derive(this.#epochSecret(place.epoch), label, { salt, bytes });
  }

  #add(namespace: number, secret: Uint8Array): void {
    invariant(
      Number.isInteger(namespace) && namespace >= 0 && namespace <= NAMESPACE_NUMBER_MAX,
      'a namespace has a number of 32 bits',
    );
    const known = this.#namespaces.get(namespace)?.secret;
    invariant(known === undefined || equalBytes(known, secret), 'a namespace has one secret for its whole life');
    if (!known) this.#namespaces.set(namespace, { secret: copySecret(secret), data: new Map() });
  }

  get #storeSecret(): Uint8Array {
    this.#assertThere();
    return this.#store;
  }

  #assertThere(): void {
    invariant(!this.#wiped, 'nothing is derived of keys that were wiped');
  }

  #namespaceKeys(namespace: number): NamespaceKeys {
    this.#assertThere();
    const keys = this.#namespaces.get(namespace);
    if (keys) return keys;
    throw storeError('NAMESPACE_KEY_GONE', `namespace ${namespace} has no key here: it was dropped, or is not yours`, {
      details: { namespace },
    });
  }

  #epochSecret(epoch: number): Uint8Array {
    this.#assertThere();
    const secret = this.#epochs.get(epoch);
    if (secret) return secret;
    throw storeError('EPOCH_UNKNOWN', `key epoch ${epoch} is not in the ring, whose newest is ${this.currentEpoch}`, {
      details: { epoch },
    });
  }
}

function copySecret(secret: Uint8Array): Uint8Array {
  invariant(secret.length === SECRET_BYTES, 'a secret of the ring has 32 bytes');
  return new Uint8Array(secret);
}

function derive(
  secret: Uint8Array,
  label: string,
  options: { readonly salt?: Uint8Array; readonly bytes?: number } = {},
): Uint8Array {
  return hkdfSha256(secret, { info: label, ...options });
}
