import { copyBytes } from '../bytes/bytes.ts';
import { argumentTypeError } from '../errors/argument-error.ts';
import { namingFile } from '../errors/naming-file.ts';
import { wipe } from './conceal.ts';
import { credentialError } from './credential-error.ts';
import { type Identity, isIdentity, readIdentity } from './identity.ts';
import { KEY_BYTES, readKeyFile } from './key-file.ts';
import { passphraseBytes } from './passphrase.ts';
import { type PublicIdentity, parseRecipient, publicIdentity } from './public-identity.ts';
import type { SecretFileOptions } from './secret-file.ts';

/** What opens a sealed store: one of these. */
export type KeySecret =
  /** Text is normalised, so that keyboards agree (RFC 8265); bytes are taken as they are. */
  | { readonly passphrase: string | Uint8Array }
  /** Path of a key file. */
  | { readonly keyFile: string }
  /** The 32 bytes a key file holds. */
  | { readonly key: Uint8Array }
  /** Path of an identity file, or the identity: its public key is a recipient of the store. */
  | { readonly identity: string | Identity };

/** A secret, or what gets one when it is needed: a prompt, another process. */
export type KeySource = KeySecret | (() => Promise<KeySecret>);

/** What a new slot is to be opened with: a secret, or the public key of somebody who has theirs. */
export type NewSlot = (KeySecret | { readonly recipient: string | PublicIdentity }) & {
  /** 1 to 64 characters, for people; default: the type of the slot. Not secret. */
  readonly label?: string;
};

/** A secret with its files read and its text prepared. */
export type OpenSecret =
  | { readonly type: 'passphrase'; readonly passphrase: Uint8Array }
  | { readonly type: 'key-file'; readonly key: Uint8Array }
  | { readonly type: 'recipient'; readonly identity: Identity };

/** Who a new slot is for, with files read and text prepared. */
export type SlotOwner =
  | Exclude<OpenSecret, { readonly type: 'recipient' }>
  | { readonly type: 'recipient'; readonly publicKey: Uint8Array };

const EXPECTED = '{ passphrase }, { keyFile }, { key } or { identity }';

/**
 * Gets a secret ready: asks the callback, reads the file, prepares the text.
 * @returns to be wiped with `wipeSecret`
 * @throws TypeError for anything else than a secret; `not-found/CREDENTIAL_NOT_FOUND`, `invalid/CREDENTIAL_INVALID`;
 *   `denied/KEY_FILE_EXPOSED`, `denied/PERMISSION_DENIED`; what the callback throws
 */
export async function openSecret(source: KeySource, options: SecretFileOptions = {}): Promise<OpenSecret> {
  const secret = typeof source === 'function' ? await source() : source;
  // The value itself stays out of the messages, whatever it is: it was meant to be a secret.
  if (typeof secret !== 'object' || secret === null) throw argumentTypeError('keys', EXPECTED, typeof secret);
  if ('passphrase' in secret) return { type: 'passphrase', passphrase: passphraseBytes(secret.passphrase) };
  if ('key' in secret) return { type: 'key-file', key: checkedKey(secret.key) };
  if ('keyFile' in secret) {
    return { type: 'key-file', key: await readKeyFile(checkedPath('keyFile', secret.keyFile), options) };
  }
  if ('identity' in secret) return { type: 'recipient', identity: await openIdentity(secret.identity, options) };
  throw argumentTypeError('keys', EXPECTED, typeof secret);
}

/** Gets ready who a new slot is for. @throws as `openSecret` */
export async function openSlotOwner(slot: NewSlot, options: SecretFileOptions = {}): Promise<SlotOwner> {
  if (typeof slot === 'object' && slot !== null && 'recipient' in slot) {
    const { recipient } = slot;
    const { publicKey } = typeof recipient === 'string' ? parseRecipient(recipient) : recipientOf(recipient);
    return { type: 'recipient', publicKey };
  }
  const secret = await openSecret(slot, options);
  return secret.type === 'recipient' ? { type: 'recipient', publicKey: secret.identity.publicKey } : secret;
}

/** Overwrites what `openSecret` copied. An identity is the caller's own. */
export function wipeSecret(secret: OpenSecret | SlotOwner): void {
  if (secret.type === 'passphrase') wipe(secret.passphrase);
  if (secret.type === 'key-file') wipe(secret.key);
}

function checkedKey(key: unknown): Uint8Array {
  if (!(key instanceof Uint8Array)) throw argumentTypeError('keys.key', `${KEY_BYTES} bytes`, typeof key);
  if (key.length !== KEY_BYTES) throw credentialError('a key', `it must have ${KEY_BYTES} bytes`, { size: key.length });
  return copyBytes(key);
}

function checkedPath(parameter: string, path: unknown): string {
  if (typeof path !== 'string' || path === '') throw argumentTypeError(`keys.${parameter}`, 'a path', typeof path);
  return path;
}

async function openIdentity(given: unknown, options: SecretFileOptions): Promise<Identity> {
  const identity = isIdentity(given) ? given : await readIdentity(checkedPath('identity', given), options);
  if (identity.algorithm === 'ml-kem-1024') return identity;
  const error = credentialError('an identity that opens stores', 'it signs', { actual: identity.algorithm });
  throw typeof given === 'string' ? namingFile(error, given) : error;
}

function recipientOf(given: PublicIdentity): PublicIdentity {
  const identity = publicIdentity(given.algorithm, given.publicKey);
  if (identity.algorithm === 'ml-kem-1024') return identity;
  throw credentialError('a recipient', 'its key signs', { actual: identity.algorithm });
}
