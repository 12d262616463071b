/**
 * Which moments of a history are kept and which are forgotten, by rules such as "the last of each of seven days".
 *
 * - A rule with a count keeps the newest moment of each of the last N periods *that hold a moment*; periods in which
 *   nothing was made do not count. Periods are those of the calendar and clock of one time zone: hours and days as its
 *   clocks showed them (where clocks are put back, the hour that is shown twice is one period, and the day has 25
 *   hours), weeks by ISO 8601 (from Monday, so the last days of December can be in week 1 of the next year).
 * - `within` keeps everything newer than a duration before now.
 * - A moment is kept when any rule keeps it. The newest is always kept.
 *
 * *Newer* means a higher number: moments are numbered by the store in the order they were made, and a clock can go
 * back. A moment whose stamp lies before that of an earlier one counts into the period its stamp says; it is that
 * period's newest when its number is the highest there, and periods are counted in the order in which going back
 * through the numbers meets them. So a clock that was wrong for a while never makes a rule keep fewer moments than N
 * periods.
 */
import { argumentRangeError, argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { TIME_MS_MAX } from '../limits.ts';
import { momentBefore, parseDuration } from './duration.ts';
import { type CalendarFields, createZonedCalendar, DAY_MS, type ZonedCalendar } from './zoned-calendar.ts';

export interface Moment {
  /** From 1, given by the store in order; no two moments of a history have the same. */
  readonly number: number;
  /** Milliseconds since 1970, stamped by the store. */
  readonly time: number;
}

/** What to keep; a rule that is left out keeps nothing. Counts are 1 or more. */
export interface RetentionRules {
  /** The newest N moments. */
  readonly last?: number | undefined;
  readonly hourly?: number | undefined;
  readonly daily?: number | undefined;
  /** Weeks of ISO 8601. */
  readonly weekly?: number | undefined;
  readonly monthly?: number | undefined;
  readonly yearly?: number | undefined;
  /** A duration such as `2y6m7d3h`: everything newer is kept. */
  readonly within?: string | undefined;
}

export interface RetentionOptions {
  /** Milliseconds since 1970; `within` counts back from here. */
  readonly now: number;
  /** IANA name of the time zone whose calendar counts; default `UTC`. */
  readonly timeZone?: string | undefined;
}

export interface KeptMoment {
  readonly number: number;
  /** The rules that keep it, with the period: `last`, `daily 2026-11-21`, `within 30d`; `newest` where none does. */
  readonly reasons: readonly string[];
}

/** Every moment is in exactly one of the lists; both begin with the newest. */
export interface RetentionPlan {
  readonly keep: readonly KeptMoment[];
  readonly forget: readonly number[];
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}

function dayOf({ year, month, day }: CalendarFields): string {
  return `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`;
}

/** Year and week of ISO 8601: a week belongs to the year that its Thursday is in. */
function weekOf({ year, month, day }: CalendarFields): string {
  const thursday = new Date(Date.UTC(year, month - 1, day));
  const weekday = (thursday.getUTCDay() + 6) % 7;
  thursday.setUTCDate(thursday.getUTCDate() - weekday + 3);
  const weekYear = thursday.getUTCFullYear();
  const dayOfYear = (thursday.getTime() - Date.UTC(weekYear, 0, 1)) / DAY_MS;
  return `${padded(weekYear, 4)}-W${padded(Math.floor(dayOfYear / 7) + 1, 2)}`;
}

const PERIODS = {
  hourly: (fields: CalendarFields) => `${dayOf(fields)} ${padded(fields.hour, 2)}h`,
  daily: dayOf,
  weekly: weekOf,
  monthly: ({ year, month }: CalendarFields) => `${padded(year, 4)}-${padded(month, 2)}`,
  yearly: ({ year }: CalendarFields) => padded(year, 4),
} as const;

type Keeper = (moment: Moment) => string | undefined;

function keepLast(count: number): Keeper {
  let kept = 0;
  return () => {
    kept += 1;
    return kept <= count ? 'last' : undefined;
  };
}

function keepPeriods(name: keyof typeof PERIODS, count: number, calendar: ZonedCalendar): Keeper {
  const met = new Set<string>();
  return ({ time }) => {
    if (met.size === count) return undefined;
    const period = PERIODS[name](calendar.fieldsAt(time));
    if (met.has(period)) return undefined;
    met.add(period);
    return `${name} ${period}`;
  };
}

function keepWithin(text: unknown, now: number, calendar: ZonedCalendar): Keeper {
  const since = momentBefore(now, parseDuration('rules.within', text), calendar);
  return ({ time }) => (time > since ? `within ${text}` : undefined);
}

function keepersOf(rules: unknown, now: number, calendar: ZonedCalendar): readonly Keeper[] {
  if (rules === null || typeof rules !== 'object') throw argumentTypeError('rules', 'an object', rules);
  const keepers: Keeper[] = [];
  for (const [name, value] of Object.entries(rules)) {
    if (value === undefined) continue;
    if (name === 'within') {
      keepers.push(keepWithin(value, now, calendar));
      continue;
    }
    const isPeriod = Object.hasOwn(PERIODS, name);
    // A mistyped rule would silently keep less than was asked for.
    if (name !== 'last' && !isPeriod) {
      throw argumentRangeError('rules', 'of last, hourly, daily, weekly, monthly, yearly and within', name);
    }
    const count = checkInteger(`rules.${name}`, value, { min: 1 });
    keepers.push(isPeriod ? keepPeriods(name as keyof typeof PERIODS, count, calendar) : keepLast(count));
  }
  if (keepers.length === 0) throw argumentRangeError('rules', 'at least one rule that keeps something', 'none');
  return keepers;
}

function newestFirst(moments: readonly Moment[]): readonly Moment[] {
  for (const { number, time } of moments) {
    checkInteger('moments.number', number, { min: 1 });
    checkInteger('moments.time', time, { min: 0, max: TIME_MS_MAX });
  }
  const sorted = moments.toSorted((a, b) => b.number - a.number);
  for (const [index, { number }] of sorted.entries()) {
    if (sorted[index + 1]?.number === number) throw argumentRangeError('moments.number', 'different each', number);
  }
  return sorted;
}

/**
 * Plans what to forget; nothing is changed by it. See the head of this file for what the rules mean.
 * @param moments of one history, in any order
 * @param rules at least one
 * @throws TypeError, RangeError naming the parameter: no rules, unknown ones, a count below 1, no duration, an unknown
 *   time zone, a number that occurs twice
 * @example planRetention(moments, { daily: 7, monthly: 12, within: '36h' }, { now, timeZone: 'Europe/Berlin' })
 */
export function planRetention(
  moments: readonly Moment[],
  rules: RetentionRules,
  options: RetentionOptions,
): RetentionPlan {
  const now = checkInteger('now', options.now, { min: 0, max: TIME_MS_MAX });
  const keepers = keepersOf(rules, now, createZonedCalendar(options.timeZone));
  const keep: KeptMoment[] = [];
  const forget: number[] = [];
  for (const [index, moment] of newestFirst(moments).entries()) {
    const reasons = keepers.map((keeper) => keeper(moment)).filter((reason) => reason !== undefined);
    if (reasons.length > 0) keep.push({ number: moment.number, reasons });
    else if (index === 0) keep.push({ number: moment.number, reasons: ['newest'] });
    else forget.push(moment.number);
  }
  return { keep, forget };
}
