import { fromBase64 } from '../bytes/base64.ts';
import { equalBytes } from '../bytes/bytes.ts';
import { invariant, storeError } from '../errors/store-error.ts';
import { type SealedStoreConfig, STORE_CONFIG_KEY } from '../format/config.ts';
import { failWith } from '../format/damage.ts';
import { wipe } from './conceal.ts';
import { Keyring, materialOf } from './keyring.ts';
import { openRing } from './ring-seal.ts';
import { hasValidMac } from './sealed-state.ts';
import type { SecretFileOptions } from './secret-file.ts';
import { type KeySource, type OpenSecret, openSecret, wipeSecret } from './secrets.ts';
import { openSlot } from './slot.ts';

/**
 * Opens the keys of a sealed store. Reads files of secrets, changes nothing. Slots of the secret's type are tried one
 * after the other; each passphrase slot costs its Argon2id, the others next to nothing. The MAC of the config is
 * verified before its ring is opened.
 * @throws `denied/WRONG_KEY` when the secret opens no slot, with one text for every type of secret;
 *   `corrupt/CONFIG_CORRUPT` when it opens one and the config is not as it was written; `invalid/CREDENTIAL_INVALID`,
 *   `denied/KEY_FILE_EXPOSED`, `denied/PERMISSION_DENIED`, TypeError for the secret itself;
 *   `unsupported/FORMAT_UNSUPPORTED` for a newer ring
 */
export async function unlock(
  config: SealedStoreConfig,
  source: KeySource,
  options: SecretFileOptions = {},
): Promise<Keyring> {
  const secret = await openSecret(source, options);
  try {
    const masterKey = await openMasterKey(config, secret);
    if (!masterKey) throw storeError('WRONG_KEY', 'the key does not open this store');
    return keyringOf(config, masterKey);
  } finally {
    wipeSecret(secret);
  }
}

/**
 * The keys of a later generation of a config whose keys are open: what another process changed is learned without a
 * secret, unless it renewed the master key.
 * @returns `undefined` when the master key is another one: `unlock` it
 * @throws `unsupported/FORMAT_UNSUPPORTED` for a newer ring
 */
export function unlockWith(keyring: Keyring, config: SealedStoreConfig): Keyring | undefined {
  const { masterKey } = materialOf(keyring);
  return hasValidMac(config, masterKey) ? keyringOf(config, masterKey) : undefined;
}

/**
 * Whether two keyrings are of one store: its secret never changes. A config alone does not show that. Anybody can
 * encapsulate a master key of their own to the public keys of its slots, and seal a ring of their own under it.
 */
export function isSameStore(one: Keyring, other: Keyring): boolean {
  return equalBytes(materialOf(one).ring.store, materialOf(other).ring.store);
}

const failConfig = failWith('CONFIG_CORRUPT', 'store config', { backendKey: STORE_CONFIG_KEY });

async function openMasterKey(config: SealedStoreConfig, secret: OpenSecret): Promise<Uint8Array | undefined> {
  const store = { storeId: config.storeId, fail: failConfig };
  for (const slot of config.keys.slots) {
    // One after the other: each passphrase slot takes 64 MiB or more while it is tried.
    const masterKey = await openSlot(slot, secret, store);
    if (masterKey) return masterKey;
  }
  return undefined;
}

function keyringOf(config: SealedStoreConfig, masterKey: Uint8Array): Keyring {
  if (!hasValidMac(config, masterKey)) {
    wipe(masterKey);
    return failConfig('was changed by somebody without its keys: its MAC does not hold');
  }
  const sealed = fromBase64(config.keys.ring);
  invariant(sealed, 'a decoded config holds base64 where it belongs');
  const ring = openRing(sealed, { masterKey, storeId: config.storeId }, failConfig);
  return new Keyring({ masterKey, ring, generation: config.generation });
}
