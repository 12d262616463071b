import { copyBytes } from '../bytes/bytes.ts';
import { fingerprint } from '../crypto/fingerprint.ts';
import { storeError } from '../errors/store-error.ts';
import { KeySchedule, type RingSecrets } from '../format/key-schedule.ts';
import type { Clock } from '../runtime/clock.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { conceal, wipe } from './conceal.ts';
import { KEY_BYTES } from './key-file.ts';
import { checkNamespaceName, DEFAULT_NAMESPACE } from './namespace-name.ts';
import type { Ring } from './ring.ts';

/** A key epoch, without its secret. */
export interface EpochFacts {
  readonly number: number;
  /** ISO 8601 in UTC; for people. */
  readonly created: string;
}

/** A namespace, without its secret. */
export interface NamespaceFacts {
  readonly number: number;
  readonly name: string;
  /** ISO 8601 in UTC; for people. */
  readonly created: string;
  /** Most bytes its entries may have together; absent: any. */
  readonly quotaBytes?: number;
}

/** A put-only writer that the store lets in. */
export interface WriterFacts {
  readonly label: string;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Of the public key, 32 hex digits; unique among the writers. */
  readonly fingerprint: string;
  /** Number of the one namespace it writes to. */
  readonly namespace: number;
  /** ISO 8601 in UTC; for people. */
  readonly created: string;
}

/** What a keyring is made of; for the operations of this folder only. */
export interface KeyringMaterial {
  readonly masterKey: Uint8Array;
  readonly ring: Ring;
  readonly generation: number;
}

let readMaterial: (keyring: Keyring) => KeyringMaterial;

/**
 * The opened keys of a store, as of one generation of its config. Immutable: an operation gives the next one. Shows
 * nothing secret when it is logged or made JSON.
 */
export class Keyring {
  /** All derived keys. Every keyring has its own, which knows no isolated entries until it learns them. */
  readonly schedule: KeySchedule;
  readonly #material: KeyringMaterial;

  static {
    readMaterial = (keyring) => keyring.#material;
  }

  /** @param material kept; nobody may change it afterwards */
  constructor(material: KeyringMaterial) {
    this.#material = material;
    this.schedule = new KeySchedule(material.ring);
    conceal(this, '[Keyring]');
  }

  /** Of the config that the keyring came from; 0 for one that no config holds yet. */
  get generation(): number {
    return this.#material.generation;
  }

  /** Copies of the secrets of the ring, to be handed to whoever derives keys elsewhere (a worker). */
  get secrets(): RingSecrets {
    const { store, epochs, namespaces } = this.#material.ring;
    const numbered = (all: readonly { readonly number: number; readonly secret: Uint8Array }[]) =>
      all.map(({ number, secret }) => conceal({ number, secret: copyBytes(secret) }, '[secret]'));
    return conceal(
      { store: copyBytes(store), epochs: numbered(epochs), namespaces: numbered(namespaces) },
      '[RingSecrets]',
    );
  }

  /** By ascending number; the last one seals what is written now. */
  get epochs(): readonly EpochFacts[] {
    return this.#material.ring.epochs.map(({ number, created }) => ({ number, created: isoTime(created) }));
  }

  /** By ascending number; the first one is `default`, 0. */
  get namespaces(): readonly NamespaceFacts[] {
    return this.#material.ring.namespaces.map(({ number, name, created, quotaBytes }) => ({
      number,
      name,
      created: isoTime(created),
      ...(quotaBytes !== undefined && { quotaBytes }),
    }));
  }

  /** In the order in which they were let in. */
  get writers(): readonly WriterFacts[] {
    return this.#material.ring.writers.map(({ label, publicKey, namespace, created }) => ({
      label,
      publicKey: copyBytes(publicKey),
      fingerprint: fingerprint('ed25519', publicKey),
      namespace,
      created: isoTime(created),
    }));
  }

  /**
   * The namespace of a name.
   * @throws `not-found/NAMESPACE_NOT_FOUND`; `invalid/NAMESPACE_INVALID` for text that names none
   */
  namespace(name: string): NamespaceFacts {
    const found = this.namespaces.find((one) => one.name === checkNamespaceName(name));
    if (found) return found;
    throw storeError('NAMESPACE_NOT_FOUND', `there is no namespace ${JSON.stringify(name)}`, {
      details: { namespace: name },
    });
  }
}

/** What the operations of this folder work on. Not for anybody else: it holds the master key. */
export function materialOf(keyring: Keyring): KeyringMaterial {
  return readMaterial(keyring);
}

/**
 * Overwrites the keys of a keyring that nobody uses any more: master key, ring and schedule. What it tells of epochs,
 * namespaces and writers stays.
 * @param kept keyrings still in use: a change of keys hands on what it does not change
 */
export function wipeKeyring(keyring: Keyring, kept: readonly Keyring[] = []): void {
  if (kept.includes(keyring)) return;
  const shared = new Set(kept.flatMap(secretsIn));
  keyring.schedule.wipe();
  wipe(...secretsIn(keyring).filter((secret) => !shared.has(secret)));
}

function secretsIn(keyring: Keyring): readonly Uint8Array[] {
  const { masterKey, ring } = materialOf(keyring);
  return [masterKey, ...secretsOfRing(ring)];
}

/** Overwrites secrets that were handed out as copies. */
export function wipeRingSecrets(secrets: RingSecrets): void {
  wipe(...secretsOfRing(secrets));
}

function secretsOfRing({ store, epochs, namespaces }: RingSecrets): readonly Uint8Array[] {
  return [store, ...[...epochs, ...namespaces].map(({ secret }) => secret)];
}

/** Fresh keys for a store that is about to be made: master key, store secret, epoch 1, the default namespace. */
export function createKeyring(random: RandomBytes, clock: Clock): Keyring {
  const created = clock.now();
  const ring: Ring = {
    store: random(KEY_BYTES),
    epochs: [{ number: 1, secret: random(KEY_BYTES), created }],
    namespaces: [{ number: 0, name: DEFAULT_NAMESPACE, secret: random(KEY_BYTES), created }],
    nextNamespace: 1,
    writers: [],
  };
  return new Keyring({ masterKey: random(KEY_BYTES), ring, generation: 0 });
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
