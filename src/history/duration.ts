/**
 * Durations as people write them: `30d`, `2y6m`, `12h`, `2y6m7d3h`. Whole numbers with a unit, each unit once, larger
 * units first: `y` years, `m` months, `w` weeks, `d` days, `h` hours.
 *
 * Hours, days and weeks are exact (a day is 24 hours); months and years are those of a calendar, so how long they are
 * depends on where they are counted from.
 */
import { argumentRangeError, argumentTypeError } from '../errors/argument-error.ts';
import { DURATION_YEARS_MAX } from '../limits.ts';
import { DAY_MS, HOUR_MS, monthDays, type ZonedCalendar } from './zoned-calendar.ts';

export interface Duration {
  /** Whole months of a calendar; twelve for each year. */
  readonly months: number;
  /** The rest, in milliseconds. */
  readonly exactMs: number;
}

const GRAMMAR = /^(?:(\d{1,9})y)?(?:(\d{1,9})m)?(?:(\d{1,9})w)?(?:(\d{1,9})d)?(?:(\d{1,9})h)?$/;
const EXPECTED = 'a duration such as 30d, 12h or 2y6m';

/** The longest there is: beyond it no arithmetic of dates stays in the years that a `Date` knows. */
const EXACT_MS_MAX = DURATION_YEARS_MAX * 366 * DAY_MS;

/**
 * Reads a duration.
 * @param parameter what it is called where it comes from, for the error
 * @param text longer than nothing, up to 1,000 years
 * @throws TypeError, RangeError naming the parameter
 */
export function parseDuration(parameter: string, text: unknown): Duration {
  if (typeof text !== 'string') throw argumentTypeError(parameter, EXPECTED, text);
  const units = GRAMMAR.exec(text);
  if (units === null || text === '') throw argumentRangeError(parameter, EXPECTED, text);
  const [years, months, weeks, days, hours] = units.slice(1).map((digits) => Number(digits ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const duration = { months: years * 12 + months, exactMs: weeks * 7 * DAY_MS + days * DAY_MS + hours * HOUR_MS };
  if (duration.months === 0 && duration.exactMs === 0) {
    throw argumentRangeError(parameter, `${EXPECTED}, longer than nothing`, text);
  }
  if (duration.months > DURATION_YEARS_MAX * 12 || duration.exactMs > EXACT_MS_MAX) {
    throw argumentRangeError(parameter, `${EXPECTED}, up to ${DURATION_YEARS_MAX} years`, text);
  }
  return duration;
}

/**
 * Reads a duration that has one length wherever it is counted from: hours, days and weeks.
 * @returns milliseconds
 * @throws TypeError, RangeError naming the parameter, for months and years too
 */
export function parseExactDuration(parameter: string, text: unknown): number {
  const { months, exactMs } = parseDuration(parameter, text);
  if (months > 0) throw argumentRangeError(parameter, 'a duration in weeks, days and hours', text);
  return exactMs;
}

/**
 * The moment that lies a duration before another: first the months back in the calendar, at the same time of day and no
 * later than the last day of the month that is met there (a month before 31 March is the last day of February); then
 * the exact rest.
 * @param time milliseconds since 1970
 * @returns milliseconds since 1970; below zero where the duration reaches further back
 */
export function momentBefore(time: number, duration: Duration, calendar: ZonedCalendar): number {
  if (duration.months === 0) return time - duration.exactMs;
  const fields = calendar.fieldsAt(time);
  const monthIndex = fields.year * 12 + (fields.month - 1) - duration.months;
  const year = Math.floor(monthIndex / 12);
  const month = monthIndex - year * 12 + 1;
  // Before the year 1 there is no calendar to count in, and nothing was ever stamped.
  if (year < 1) return Number.MIN_SAFE_INTEGER;
  const day = Math.min(fields.day, monthDays(year, month));
  return calendar.timeOf({ ...fields, year, month, day }) - duration.exactMs;
}
