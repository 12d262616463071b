/** Making secrets for stores: the calls of `src/keys` that draw randomness or read files, with those of the system. */
import {
  createKeyFile,
  generateIdentity as generateIdentityFrom,
  IDENTITY_SEED_BYTES,
  type Identity,
  type IdentityAlgorithm,
  importSeed,
  parseSecretFile,
  splitIdentity as splitIdentityWith,
} from '../keys/index.ts';
import { systemRandom } from '../runtime/random.ts';

/**
 * Makes an identity: `ml-kem-1024` opens the stores it is a recipient of, `ml-dsa-87` and `ed25519` sign. It is kept
 * nowhere but in what is returned: `writeIdentity` makes a file of it.
 * @throws TypeError for an unknown algorithm
 * @example
 * const identity = generateIdentity('ml-kem-1024');
 */
export function generateIdentity(algorithm: IdentityAlgorithm): Identity {
  return generateIdentityFrom(algorithm, systemRandom);
}

/**
 * Makes a key file: 32 random bytes as 64 hex digits, mode 0600, durable, never over something else.
 * @throws `invalid/LOCATION_INVALID` when there is something at the path, `denied/PERMISSION_DENIED`
 */
export function generateKeyFile(path: string): Promise<void> {
  return createKeyFile(path, systemRandom);
}

/**
 * Makes an identity of a file with its seed: raw bytes, hex or base64.
 * @throws `not-found/CREDENTIAL_NOT_FOUND`, `invalid/CREDENTIAL_INVALID`, `denied/KEY_FILE_EXPOSED`,
 *   `denied/PERMISSION_DENIED`; TypeError for an unknown algorithm
 */
export function importSeedFile(algorithm: IdentityAlgorithm, path: string): Promise<Identity> {
  const parse = (bytes: Uint8Array): Identity => {
    // Text is longer than the bytes it stands for, so the length alone tells.
    const isRaw = bytes.length === IDENTITY_SEED_BYTES[algorithm];
    return importSeed(algorithm, isRaw ? bytes : new TextDecoder().decode(bytes));
  };
  return parseSecretFile(path, { what: 'a seed', parse });
}

/**
 * Splits an identity into shares, any `threshold` of which give it back; fewer tell nothing of it.
 * @param split 2 <= threshold <= shares <= 255
 * @returns one text for each share; each is a secret of its holder
 * @throws RangeError
 */
export function splitIdentity(
  identity: Identity,
  split: { readonly shares: number; readonly threshold: number },
): Promise<readonly string[]> {
  return splitIdentityWith(identity, split, systemRandom);
}
