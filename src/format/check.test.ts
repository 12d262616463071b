import { blake3 } from '@noble/hashes/blake3.js';
import { describe, expect, it } from 'vitest';
import { utf8Encode } from '../bytes/bytes.ts';
import { checkHolds, checkOf } from './check.ts';

describe('a check', () => {
  it('is the front of BLAKE3 over its parts back to back', () => {
    const expected = blake3(utf8Encode('holdfast')).subarray(0, 16);
    expect(checkOf(utf8Encode('hold'), new Uint8Array(0), utf8Encode('fast'))).toEqual(expected);
  });

  it('holds for those bytes and length only', () => {
    const check = checkOf(utf8Encode('a'));
    expect(checkHolds(check, utf8Encode('a'))).toBe(true);
    expect(checkHolds(check, utf8Encode('b'))).toBe(false);
    expect(checkHolds(check.subarray(0, 15), utf8Encode('a'))).toBe(false);
  });
});
