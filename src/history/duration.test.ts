import { describe, expect, it } from 'vitest';
import { momentBefore, parseDuration, parseExactDuration } from './duration.ts';
import { createZonedCalendar } from './zoned-calendar.ts';

const UTC = createZonedCalendar();
const BERLIN = createZonedCalendar('Europe/Berlin');

function earlier(time: string, duration: string, calendar = UTC): string {
  return new Date(momentBefore(Date.parse(time), parseDuration('within', duration), calendar)).toISOString();
}

describe('a duration', () => {
  it('is whole numbers with units, larger ones first', () => {
    expect(parseDuration('within', '2y6m7d3h')).toEqual({ months: 30, exactMs: (7 * 24 + 3) * 3_600_000 });
    expect(parseDuration('within', '30d')).toEqual({ months: 0, exactMs: 30 * 86_400_000 });
    expect(parseDuration('within', '2w1d')).toEqual({ months: 0, exactMs: 15 * 86_400_000 });
    expect(parseDuration('within', '1000y')).toEqual({ months: 12_000, exactMs: 0 });
  });

  it.each([
    '',
    '0d',
    '0y0m',
    '12',
    'd',
    '3h2d',
    '2d2d',
    '1.5d',
    '-1d',
    ' 1d',
    '1d ',
    '1D',
    '1001y',
    '999999999d',
    '1s',
  ])('is not %j', (text) => {
    expect(() => parseDuration('within', text)).toThrow(RangeError);
    expect(() => parseDuration('within', text)).toThrow(/^within must be a duration/);
  });

  it('is text', () => {
    expect(() => parseDuration('within', 7)).toThrow(TypeError);
    expect(() => parseDuration('within', undefined)).toThrow(TypeError);
  });

  it('is exact only without months and years', () => {
    expect(parseExactDuration('for', '1w12h')).toBe(180 * 3_600_000);
    expect(() => parseExactDuration('for', '1m')).toThrow(/^for must be a duration in weeks, days and hours/);
    expect(() => parseExactDuration('for', '1y1h')).toThrow(RangeError);
  });
});

describe('the moment a duration before another', () => {
  it('counts months in the calendar and stays within the month it meets', () => {
    expect(earlier('2026-03-31T10:00:00Z', '1m')).toBe('2026-02-28T10:00:00.000Z');
    expect(earlier('2024-03-31T10:00:00Z', '1m')).toBe('2024-02-29T10:00:00.000Z');
    expect(earlier('2024-02-29T10:00:00Z', '1y')).toBe('2023-02-28T10:00:00.000Z');
    expect(earlier('2026-01-15T00:00:00Z', '13m')).toBe('2024-12-15T00:00:00.000Z');
    expect(earlier('2100-03-29T00:00:00Z', '1m1d')).toBe('2100-02-27T00:00:00.000Z');
  });

  it('counts hours and days exactly, months by the clocks of the zone', () => {
    // Clocks in Berlin were put forward on 2026-03-29 at 01:00 UTC.
    expect(earlier('2026-03-29T12:00:00Z', '1d', BERLIN)).toBe('2026-03-28T12:00:00.000Z');
    expect(earlier('2026-04-28T12:00:00Z', '2m', BERLIN)).toBe('2026-02-28T13:00:00.000Z');
  });

  it('reaches back beyond the calendar', () => {
    expect(momentBefore(0, parseDuration('within', '1000y'), UTC)).toBe(Date.parse('0970-01-01T00:00:00Z'));
    expect(momentBefore(0, { months: 24_000, exactMs: 0 }, UTC)).toBe(Number.MIN_SAFE_INTEGER);
  });
});

describe('the calendar of a zone', () => {
  it.each([
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kolkata',
    'Pacific/Apia',
    'Australia/Lord_Howe',
  ])('finds every hour of %s again', (zone) => {
    const calendar = createZonedCalendar(zone);
    const twice: number[] = [];
    for (let time = Date.UTC(2011, 9); time < Date.UTC(2012, 5); time += 1_800_000) {
      const found = calendar.timeOf(calendar.fieldsAt(time));
      // An hour that is shown twice is found as the first of the two.
      if (found !== time) twice.push(time - found);
    }
    expect(twice.length).toBeLessThanOrEqual(8);
    expect(twice.every((difference) => difference > 0 && difference <= 3_600_000)).toBe(true);
  });

  it('puts what no clock showed behind the change', () => {
    const fields = { year: 2026, month: 3, day: 29, hour: 2, minute: 30, second: 0, millisecond: 0 };
    expect(new Date(BERLIN.timeOf(fields)).toISOString()).toBe('2026-03-29T01:30:00.000Z');
    const skipped = { ...fields, year: 2011, month: 12, day: 30, hour: 12 };
    const apia = createZonedCalendar('Pacific/Apia');
    expect(apia.fieldsAt(apia.timeOf(skipped))).toMatchObject({ month: 12, day: 31, hour: 12 });
  });

  it('is refused for zones that nobody knows', () => {
    expect(() => createZonedCalendar('Mars/Olympus')).toThrow(/^timeZone must be a time zone/);
    expect(() => createZonedCalendar(60)).toThrow(TypeError);
  });
});
