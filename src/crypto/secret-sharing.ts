/**
 * Shamir's secret sharing: a secret as n shares, any k of which restore it, while k-1 tell nothing about it, whatever
 * computing power looks at them (Shamir, "How to Share a Secret", CACM 22, 1979). The field arithmetic, GF(2^8) byte by
 * byte, is that of the package `shamir-secret-sharing`, which draws its coefficients from the system's generator.
 *
 * What is shared is the secret and 4 bytes that check it (the front of its BLAKE3 in derive-key mode). The check is
 * inside, so that it tells nothing either, and shares that do not belong together are refused instead of giving a wrong
 * secret. That guards against accidents; a holder who forges a share on purpose goes unnoticed once in 2^32 tries.
 */

import { combine, split } from 'shamir-secret-sharing';
import { concatBytes, equalBytes, toHex } from '../bytes/bytes.ts';
import { argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { isStoreError } from '../errors/store-error.ts';
import { checkBytes } from '../hash/check-bytes.ts';
import { blake3Derive } from '../hash/digest-of.ts';
import { SECRET_SHARES_MAX, SHARED_SECRET_BYTES_MAX } from '../limits.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { formatShare, parseShare, type Share, shareError } from './share-text.ts';

const CHECK_BYTES = 4;
const GROUP_BYTES = 4;

/** How a secret is split. */
export interface SplitOptions {
  /** Shares to make, 2 to 255. */
  readonly shares: number;
  /** Shares that restore the secret, 2 to `shares`. */
  readonly threshold: number;
  /** Names the split, so that shares of different ones are told apart. */
  readonly random: RandomBytes;
}

/**
 * Splits a secret into shares, as lines of text. Nothing of the secret is kept.
 * @param secret 1 to 1,024 bytes
 * @throws TypeError or RangeError for arguments of other types or ranges
 */
export async function splitSecret(secret: Uint8Array, options: SplitOptions): Promise<readonly string[]> {
  const count = checkInteger('shares', options.shares, { min: 2, max: SECRET_SHARES_MAX });
  const threshold = checkInteger('threshold', options.threshold, { min: 2, max: count });
  checkInteger('secret.length', checkBytes('secret', secret).length, { min: 1, max: SHARED_SECRET_BYTES_MAX });
  const checked = concatBytes([secret, checkOf(secret)]);
  try {
    const group = toHex(options.random(GROUP_BYTES));
    const payloads = await split(checked, count, threshold);
    return payloads.map((payload, at) => formatShare({ threshold, count, index: at + 1, group, payload }));
  } finally {
    checked.fill(0);
  }
}

/**
 * Restores a secret from its shares, in any order; a share given twice counts once. More shares than needed are all
 * used.
 * @returns the secret, in memory of its own
 * @throws TypeError for what is no array of texts; `invalid/CREDENTIAL_INVALID` for text that is no share or has a
 *   typing error, shares of different splits, too few of them (details: `expected`, `actual`), and shares that do not
 *   fit
 */
export async function combineShares(shares: readonly string[]): Promise<Uint8Array> {
  const parsed = distinctShares(shares);
  const [first] = parsed;
  if (first === undefined) throw shareError('there are no shares to combine');
  if (parsed.some((share) => !isSameSplit(share, first))) throw shareError('these shares are of different secrets');
  const { threshold } = first;
  if (parsed.length < threshold) {
    const message = `the secret needs ${threshold} different shares, not ${parsed.length}`;
    throw shareError(message, { expected: threshold, actual: parsed.length });
  }
  if (new Set(parsed.map(({ payload }) => payload.at(-1))).size !== parsed.length) throw misfit();
  const checked = await combine(parsed.map(({ payload }) => payload));
  const secret = checked.slice(0, -CHECK_BYTES);
  const fits = checked.length > CHECK_BYTES && equalBytes(checkOf(secret), checked.subarray(-CHECK_BYTES));
  checked.fill(0);
  if (!fits) throw misfit();
  return secret;
}

function distinctShares(shares: readonly string[]): readonly Share[] {
  if (!Array.isArray(shares)) throw argumentTypeError('shares', 'an array of strings', shares);
  const byText = new Map<string, Share>();
  for (const [index, text] of shares.entries()) {
    if (typeof text !== 'string') throw argumentTypeError('shares', 'an array of strings', shares);
    const share = parseNth(text, index);
    byText.set(formatShare(share), share);
  }
  return [...byText.values()];
}

/** Who has several in front of him is told which one is wrong. */
function parseNth(text: string, index: number): Share {
  try {
    return parseShare(text);
  } catch (error) {
    if (!isStoreError(error)) throw error;
    throw shareError(`share ${index + 1} of those given: ${error.message}`);
  }
}

function isSameSplit(a: Share, b: Share): boolean {
  const alike = a.threshold === b.threshold && a.count === b.count && a.group === b.group;
  return alike && a.payload.length === b.payload.length;
}

function misfit() {
  return shareError('these shares do not fit together: at least one of them is not what was made');
}

function checkOf(secret: Uint8Array): Uint8Array {
  return blake3Derive('holdfast shared secret check v1', secret).subarray(0, CHECK_BYTES);
}
