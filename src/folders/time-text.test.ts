import { describe, expect, it } from 'vitest';
import { caught } from '../../test/support/caught.ts';
import { storableTimeNs } from '../runtime/folder-system.ts';
import { seededRandom } from '../testing/index.ts';
import { formatTimeNs, parseTimeNs } from './index.ts';

describe('a time with nanoseconds', () => {
  it.each([
    [0n, '1970-01-01T00:00:00.000000000Z'],
    [-1n, '1969-12-31T23:59:59.999999999Z'],
    [-1_000_000_000n, '1969-12-31T23:59:59.000000000Z'],
    [1_795_291_200_123_456_789n, '2026-11-21T20:00:00.123456789Z'],
    [253_402_300_800_000_000_001n, '+010000-01-01T00:00:00.000000001Z'],
    [-62_198_755_200_000_000_000n, '-000001-01-01T00:00:00.000000000Z'],
  ])('%s is %s', (timeNs, text) => {
    expect(formatTimeNs(timeNs)).toBe(text);
    expect(parseTimeNs(text)).toBe(timeNs);
  });

  it('comes back from its text', () => {
    const random = seededRandom(3);
    for (let run = 0; run < 1000; run += 1) {
      const timeNs = BigInt(random.next()) * 4_000_000_007n - 8_000_000_000_000_000_000n + BigInt(random.next());
      expect(parseTimeNs(formatTimeNs(timeNs))).toBe(timeNs);
      const apart = storableTimeNs(timeNs) - timeNs;
      expect(apart > -1000n && apart < 1000n).toBe(true);
    }
  });

  it('is bounded where no date is', () => {
    expect(formatTimeNs(2n ** 80n)).toMatch(/^\+275760-09-13T00:00:00\.\d{9}Z$/);
    expect(formatTimeNs(-(2n ** 80n))).toMatch(/^-271821-04-20T00:00:00\./);
  });

  it.each([
    '',
    'now',
    '2026-11-21',
    '2026-11-21T20:00:00Z',
    '2026-02-30T00:00:00.000000000Z',
    '2026-11-21T20:00:00.123Z',
  ])('is not %j', (text) => {
    expect(caught(() => parseTimeNs(text))).toMatchObject({ code: 'SOURCE_INVALID' });
  });
});
