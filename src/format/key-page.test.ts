import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { patternBytes } from '../../test/support/format-samples.ts';
import { bitFlips, patched, truncations } from '../../test/support/mutations.ts';
import { countingRandom, ISOLATED, RING, sampleSchedule } from '../../test/support/sealed-samples.ts';
import { concatBytes, toHex } from '../bytes/bytes.ts';
import { checkOf } from './check.ts';
import { decodeKeyPage, encodeKeyPage, KEY_PAGE_BYTES, keyPageKey } from './key-page.ts';
import { KeySchedule } from './key-schedule.ts';

const SCHEDULE = sampleSchedule();
const SECRET = patternBytes(32, 65);
const PAGE = encodeKeyPage({ namespace: ISOLATED, secret: SECRET }, SCHEDULE, countingRandom(1));

function openOutcome(bytes: Uint8Array, schedule = SCHEDULE): string {
  return outcomeOf(() => decodeKeyPage(bytes, ISOLATED, schedule));
}

/** A page with other bytes and the check they would have. */
function forged(offset: number, patch: readonly number[]): Uint8Array {
  const changed = patched(PAGE, offset, patch).subarray(0, -16);
  return concatBytes([changed, checkOf(changed)]);
}

describe('a key page', () => {
  it('gives back its secret, and shows nothing of it', () => {
    expect(PAGE).toHaveLength(KEY_PAGE_BYTES);
    expect(decodeKeyPage(PAGE, ISOLATED, SCHEDULE)).toEqual(SECRET);
    expect(toHex(PAGE)).not.toContain(toHex(SECRET).slice(0, 16));
  });

  it('is named after its entry', () => {
    expect(keyPageKey(ISOLATED)).toBe('keys/9abcdef0');
    expect(keyPageKey(0x8000_0000)).toBe('keys/80000000');
    expect(outcomeOf(() => keyPageKey(7))).toBe('RangeError');
  });

  it('is opened whatever the epochs are', () => {
    const rotated = new KeySchedule({ ...RING, epochs: [{ number: 3, secret: patternBytes(32, 66) }] });
    expect(decodeKeyPage(PAGE, ISOLATED, rotated)).toEqual(SECRET);
  });

  it('notices every flipped bit and every lost byte', () => {
    for (const { bit, bytes } of bitFlips(PAGE))
      expect(openOutcome(bytes), `bit ${bit}`).toBe('corrupt/KEY_PAGE_CORRUPT');
    for (const bytes of truncations(PAGE)) expect(openOutcome(bytes)).toBe('corrupt/KEY_PAGE_CORRUPT');
    expect(openOutcome(concatBytes([PAGE, Uint8Array.of(0)]))).toBe('corrupt/KEY_PAGE_CORRUPT');
  });

  it.each<[string, number, readonly number[], string]>([
    ['version 2', 8, [2], 'unsupported/FORMAT_UNSUPPORTED'],
    ['an incompatible bit', 14, [1], 'unsupported/FORMAT_UNSUPPORTED'],
    ['a hint', 10, [1], 'corrupt/KEY_PAGE_CORRUPT'],
    ['the number of another entry', 16, [1], 'corrupt/KEY_PAGE_CORRUPT'],
    ['a reserved byte', 20, [1], 'corrupt/KEY_PAGE_CORRUPT'],
    ['another counter', 48, [1], 'corrupt/KEY_PAGE_CORRUPT'],
  ])('that was written with %s and a good check does not open', (_, offset, patch, outcome) => {
    expect(openOutcome(forged(offset, patch))).toBe(outcome);
  });

  it('does not open in the place of another, or in another store', () => {
    expect(outcomeOf(() => decodeKeyPage(PAGE, ISOLATED + 1, SCHEDULE))).toBe('corrupt/KEY_PAGE_CORRUPT');
    const otherStore = new KeySchedule({ ...RING, store: patternBytes(32, 99) });
    expect(openOutcome(PAGE, otherStore)).toBe('corrupt/KEY_PAGE_CORRUPT');
  });
});
