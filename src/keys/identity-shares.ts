import { concatBytes } from '../bytes/bytes.ts';
import { combineShares, splitSecret } from '../crypto/secret-sharing.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { wipe } from './conceal.ts';
import { credentialError } from './credential-error.ts';
import { Identity } from './identity.ts';
import type { IdentityAlgorithm } from './public-identity.ts';

/** What stands before the seed in the secret that is shared. Codes are only ever added. */
const CODES: Readonly<Record<IdentityAlgorithm, number>> = { 'ml-kem-1024': 1, 'ml-dsa-87': 2, ed25519: 3 };

/**
 * Splits an identity for recovery: any `threshold` of the shares give it back, fewer tell nothing about it.
 * @param split `shares`: how many are made; `threshold`: how many restore, from 2
 * @param random names the split, so that shares of different ones are told apart
 * @returns one line of text a share; each as worth guarding as a part of the identity
 * @throws TypeError or RangeError for the numbers
 * @see Shamir, "How to Share a Secret", 1979
 */
export async function splitIdentity(
  identity: Identity,
  split: { readonly shares: number; readonly threshold: number },
  random: RandomBytes,
): Promise<readonly string[]> {
  const { seed } = identity;
  const secret = concatBytes([Uint8Array.of(CODES[identity.algorithm]), seed]);
  try {
    return await splitSecret(secret, { shares: split.shares, threshold: split.threshold, random });
  } finally {
    wipe(seed, secret);
  }
}

/**
 * Restores an identity from its shares, in any order.
 * @throws `invalid/CREDENTIAL_INVALID` when they are mistyped, too few, of different splits, or of something else
 */
export async function combineIdentity(shares: readonly string[]): Promise<Identity> {
  const secret = await combineShares(shares);
  try {
    const algorithm = Object.entries(CODES).find(([, code]) => code === secret[0])?.[0];
    if (!algorithm) throw credentialError('an identity', 'these are shares of something else');
    return new Identity(algorithm as IdentityAlgorithm, secret.subarray(1));
  } finally {
    wipe(secret);
  }
}
