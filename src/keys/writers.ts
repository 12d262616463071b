import { equalBytes } from '../bytes/bytes.ts';
import { fingerprint } from '../crypto/fingerprint.ts';
import { createKemKeyPair } from '../crypto/kem.ts';
import { createSigner } from '../crypto/signature.ts';
import { invariant, storeError } from '../errors/store-error.ts';
import { RING_WRITERS_MAX } from '../limits.ts';
import { wipe } from './conceal.ts';
import { credentialError } from './credential-error.ts';
import { KEY_BYTES } from './key-file.ts';
import { materialOf } from './keyring.ts';
import { checkLabel } from './label.ts';
import { DEFAULT_NAMESPACE } from './namespace-name.ts';
import { WRITER_KEY_BYTES } from './ring.ts';
import { type KeyState, nextState } from './sealed-state.ts';
import type { KeyContext } from './slot.ts';
import { concealCredential, type WriterCredential } from './writer-credential.ts';

/** Who is let in as a put-only writer. */
export interface NewWriter {
  /** 1 to 64 characters, for people. */
  readonly label: string;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Name of the namespace it writes to; default `default`. */
  readonly namespace?: string;
}

/**
 * Lets a put-only writer in by its signing key. It is the last of the keyring's writers.
 * @throws `not-found/NAMESPACE_NOT_FOUND`; `invalid/CREDENTIAL_INVALID` for a key of the wrong length, or one that is a
 *   writer already; TypeError or RangeError for the label; `exhausted/QUOTA_EXCEEDED` beyond 256 writers
 */
export function addWriter(state: KeyState, writer: NewWriter, context: KeyContext): KeyState {
  const label = checkLabel(writer.label);
  const { number } = state.keyring.namespace(writer.namespace ?? DEFAULT_NAMESPACE);
  const { publicKey } = writer;
  if (publicKey.length !== WRITER_KEY_BYTES) {
    throw credentialError('a signing key', `it must have ${WRITER_KEY_BYTES} bytes`, { size: publicKey.length });
  }
  const { ring } = materialOf(state.keyring);
  if (ring.writers.some((one) => equalBytes(one.publicKey, publicKey))) {
    throw credentialError('a new signing key', 'the store has a writer with it');
  }
  if (ring.writers.length >= RING_WRITERS_MAX) {
    throw storeError('QUOTA_EXCEEDED', `a store has at most ${RING_WRITERS_MAX} put-only writers`);
  }
  const added = { label, publicKey: publicKey.slice(), namespace: number, created: context.clock.now() };
  return nextState(state, { ring: { ...ring, writers: [...ring.writers, added] } }, context.random);
}

/**
 * Shuts a put-only writer out: what it leaves from now on is nobody's. What was adopted stays.
 * @param writer fingerprint of its signing key, 32 hex digits
 * @throws `not-found/SLOT_NOT_FOUND`
 */
export function removeWriter(state: KeyState, writer: string, context: Pick<KeyContext, 'random'>): KeyState {
  const { ring } = materialOf(state.keyring);
  const writers = ring.writers.filter(({ publicKey }) => fingerprint('ed25519', publicKey) !== writer);
  if (writers.length === ring.writers.length) {
    const message = 'the store has no put-only writer with this fingerprint';
    throw storeError('SLOT_NOT_FOUND', message, { details: { actual: writer } });
  }
  return nextState(state, { ring: { ...ring, writers } }, context.random);
}

/**
 * Makes the credential of a new put-only writer and lets it in. The store keeps label and public key; the signing seed
 * is in the credential only, which is to be wiped with `wipeWriterCredential`.
 * @throws as `addWriter`
 */
export function exportWriter(
  state: KeyState,
  writer: Omit<NewWriter, 'publicKey'>,
  context: KeyContext,
): KeyState & { readonly credential: WriterCredential } {
  const signingSeed = context.random(KEY_BYTES);
  try {
    const { publicKey } = createSigner('ed25519', signingSeed);
    const next = addWriter(state, { ...writer, publicKey }, context);
    return { ...next, credential: credentialOf(next, signingSeed) };
  } catch (error) {
    wipe(signingSeed);
    throw error;
  }
}

/** What the last writer of a keyring is given. */
function credentialOf(next: KeyState, signingSeed: Uint8Array): WriterCredential {
  const added = next.keyring.writers.at(-1);
  const namespace = next.keyring.namespaces.find(({ number }) => number === added?.namespace);
  invariant(added && namespace, 'a writer that was added has its namespace');
  const { schedule } = next.keyring;
  return concealCredential({
    storeId: next.config.storeId,
    namespace: namespace.number,
    namespaceName: namespace.name,
    epoch: schedule.currentEpoch,
    publicKey: inboxKey(schedule.writerKemSeed(namespace.number, schedule.currentEpoch)),
    idKey: schedule.idKey(namespace.number),
    chunkerSeed: schedule.chunkerSeed(namespace.number),
    chunking: next.config.chunking,
    label: added.label,
    signingSeed,
  });
}

function inboxKey(seed: Uint8Array): Uint8Array {
  const { publicKey } = createKemKeyPair(seed);
  wipe(seed);
  return publicKey;
}
