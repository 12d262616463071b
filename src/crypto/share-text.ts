/**
 * The text of one share of a split secret, made to be printed, read aloud and typed:
 *
 *     holdfast-share-v1-2of3-1-9f31c2aa-<payload>-1b2c3d4e
 *
 * version, threshold and count, index from 1, group (4 random bytes of the split, the same in all its shares), payload
 * (the share of the secret; its last byte is the coordinate), checksum (first 4 bytes of the BLAKE3 of all text before
 * its dash). Bytes are hex. White space and case do not matter when it is read.
 */

import { fromHex, toHex, utf8Encode } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { blake3 } from '../hash/digest-of.ts';
import { SECRET_SHARES_MAX, SHARED_SECRET_BYTES_MAX } from '../limits.ts';

/** One share, taken apart. */
export interface Share {
  /** Shares that restore the secret. */
  readonly threshold: number;
  /** Shares that were made. */
  readonly count: number;
  /** From 1 to `count`. */
  readonly index: number;
  /** Hex that all shares of one split have in common. */
  readonly group: string;
  /** The share of the secret, with its coordinate as the last byte. */
  readonly payload: Uint8Array;
}

const CHECKSUM_BYTES = 4;
/** Dashes and digits around the payload are fewer than a hundred, white space may double it all. */
const TEXT_LENGTH_MAX = 8 * (SHARED_SECRET_BYTES_MAX + 100);
const PATTERN =
  /^(holdfast-share-v1-([1-9]\d{0,2})of([1-9]\d{0,2})-([1-9]\d{0,2})-([0-9a-f]{8})-((?:[0-9a-f]{2})+))-([0-9a-f]{8})$/;

/** Writes a share as text, on one line. */
export function formatShare(share: Share): string {
  const { threshold, count, index, group, payload } = share;
  const body = `holdfast-share-v1-${threshold}of${count}-${index}-${group}-${toHex(payload)}`;
  return `${body}-${checksumOf(body)}`;
}

/**
 * Reads a share. What it says of itself is checked, its payload is not: that takes the other shares.
 * @throws `invalid/CREDENTIAL_INVALID` for text that is no share, or has a typing error
 */
export function parseShare(text: string): Share {
  const match = text.length > TEXT_LENGTH_MAX ? null : PATTERN.exec(text.replace(/\s+/g, '').toLowerCase());
  if (match === null) throw shareError('this text is not a share of a secret');
  const [, body = '', threshold, count, index, group = '', hex = '', checksum] = match;
  if (checksumOf(body) !== checksum) throw shareError('a share has a typing error: its checksum does not fit');
  const share = {
    threshold: Number(threshold),
    count: Number(count),
    index: Number(index),
    group,
    payload: fromHex(hex) ?? new Uint8Array(0),
  };
  if (!isPossible(share)) throw shareError('a share contradicts itself');
  return share;
}

/** The error of everything that is wrong with shares. It never quotes one. */
export function shareError(problem: string, details: { readonly expected?: number; readonly actual?: number } = {}) {
  return storeError('CREDENTIAL_INVALID', problem, { details });
}

function isPossible({ threshold, count, index, payload }: Share): boolean {
  if (threshold < 2 || threshold > count || count > SECRET_SHARES_MAX || index > count) return false;
  // At the coordinate 0 lies the secret itself: a share that claims it would make the others say what it likes.
  return payload.at(-1) !== 0;
}

function checksumOf(body: string): string {
  return toHex(blake3(utf8Encode(body)).subarray(0, CHECKSUM_BYTES));
}
