/**
 * Calendar and clock of one time zone, over the zones that Node knows (`Intl.DateTimeFormat`, the IANA database).
 *
 * Where clocks are put back an hour happens twice with the same fields; `timeOf` gives the first of the two. Where they
 * are put forward some fields never happen; `timeOf` gives the moment that lies as long after the change as the fields
 * say.
 */
import { argumentRangeError, argumentTypeError } from '../errors/argument-error.ts';

/** A moment as calendar and clock show it; month and day count from 1. */
export interface CalendarFields {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
}

export interface ZonedCalendar {
  fieldsAt(time: number): CalendarFields;
  /** @param fields of a date that exists @returns milliseconds since 1970 */
  timeOf(fields: CalendarFields): number;
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** How many days the month of a year has, by the Gregorian calendar. */
export function monthDays(year: number, month: number): number {
  return new Date(utcTime({ year, month: month + 1, day: 0, ...MIDNIGHT })).getUTCDate();
}

export const MIDNIGHT = { hour: 0, minute: 0, second: 0, millisecond: 0 } as const;

/** `Date.UTC` takes the years 0 to 99 for 1900 to 1999; this does not. */
function utcTime(fields: CalendarFields): number {
  const date = new Date(0);
  date.setUTCFullYear(fields.year, fields.month - 1, fields.day);
  return date.setUTCHours(fields.hour, fields.minute, fields.second, fields.millisecond);
}

function utcFields(time: number): CalendarFields {
  const date = new Date(time);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
  };
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US-u-ca-iso8601', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw argumentRangeError('timeZone', 'a time zone of the IANA database, such as Europe/Berlin', timeZone);
  }
}

/**
 * Makes the calendar of a time zone.
 * @param timeZone IANA name, such as `Europe/Berlin`; default `UTC`
 * @throws TypeError, RangeError naming `timeZone`
 */
export function createZonedCalendar(timeZone: unknown = 'UTC'): ZonedCalendar {
  if (typeof timeZone !== 'string') throw argumentTypeError('timeZone', 'a string', timeZone);
  if (timeZone === 'UTC') return { fieldsAt: utcFields, timeOf: utcTime };
  const format = formatOf(timeZone);
  const fieldsAt = (time: number): CalendarFields => {
    const parts: Partial<Record<string, number>> = {};
    for (const { type, value } of format.formatToParts(time)) parts[type] = Number(value);
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = parts;
    return { year, month, day, hour, minute, second, millisecond: new Date(time).getUTCMilliseconds() };
  };
  const offsetAt = (time: number): number => utcTime(fieldsAt(time)) - time;
  const timeOf = (fields: CalendarFields): number => {
    const wall = utcTime(fields);
    // The offsets a day before and after are those on both sides of a change; no zone changes twice within two days.
    const before = wall - offsetAt(wall - DAY_MS);
    const after = wall - offsetAt(wall + DAY_MS);
    if (before === after || before + offsetAt(before) === wall) return before;
    return after + offsetAt(after) === wall ? after : before;
  };
  return { fieldsAt, timeOf };
}
