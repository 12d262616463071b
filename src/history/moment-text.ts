/**
 * Moments as people write them, for `@{...}` in addresses:
 *
 * | text | means |
 * |---|---|
 * | `2026-11-21T20:15:30.5Z`, `2026-11-21 20:15+01:00` | that moment; seconds and their fraction may be left out |
 * | `2026-11-21T20:15`, `2026-11-21 20:15:30` | that moment on the clocks of the time zone |
 * | `2026-11-21` | the last millisecond of that day: what was made on it counts |
 * | `yesterday` | the last millisecond of the day before today |
 * | `now` | now |
 * | `3 hours ago`, `1 day ago`, `2 weeks ago` | so long ago, to the millisecond (`minute`, `hour`, `day`, `week`) |
 * | `2 months ago`, `1 year ago` | at this time of day on this day of an earlier month or year |
 *
 * Words are lower case, one space between them; the plural is for anything, `1 days ago` included.
 */
import { DURATION_YEARS_MAX, TIME_MS_MAX } from '../limits.ts';
import { momentBefore } from './duration.ts';
import { createZonedCalendar, DAY_MS, HOUR_MS, MIDNIGHT, monthDays, type ZonedCalendar } from './zoned-calendar.ts';

const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})?)?$/;
const AGO = /^(\d{1,9}) (minute|hour|day|week|month|year)s? ago$/;

const UTC = createZonedCalendar();

const EXACT_UNITS: Readonly<Record<string, number>> = {
  minute: 60_000,
  hour: HOUR_MS,
  day: DAY_MS,
  week: 7 * DAY_MS,
};

function lastOfDay(
  date: { readonly year: number; readonly month: number; readonly day: number },
  calendar: ZonedCalendar,
) {
  return calendar.timeOf({ ...date, hour: 23, minute: 59, second: 59, millisecond: 999 });
}

/** `Z`, `+01:00`; `undefined` for an offset that no clock has. */
function offsetMs(zone: string): number | undefined {
  if (zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone[0] === '-' ? -1 : 1) * (hours * HOUR_MS + minutes * 60_000);
}

function isoMoment(groups: readonly (string | undefined)[], calendar: ZonedCalendar): number | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = groups
    .slice(0, 6)
    .map((one) => Number(one ?? 0));
  if (month < 1 || month > 12 || day < 1 || day > monthDays(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  if (groups[3] === undefined) return lastOfDay({ year, month, day }, calendar);
  const millisecond = Number((groups[6] ?? '').padEnd(3, '0').slice(0, 3));
  const fields = { ...MIDNIGHT, year, month, day, hour, minute, second, millisecond };
  const zone = groups[7];
  if (zone === undefined) return calendar.timeOf(fields);
  const offset = offsetMs(zone);
  return offset === undefined ? undefined : UTC.timeOf(fields) - offset;
}

interface Here {
  readonly now: number;
  readonly calendar: ZonedCalendar;
}

function agoMoment(count: number, unit: string, { now, calendar }: Here): number | undefined {
  const exact = EXACT_UNITS[unit];
  if (exact !== undefined) return now - count * exact;
  const months = unit === 'year' ? count * 12 : count;
  return months > DURATION_YEARS_MAX * 12 ? undefined : momentBefore(now, { months, exactMs: 0 }, calendar);
}

/**
 * Reads a moment; the head of this file has the grammar.
 * @param now milliseconds since 1970, from which relative texts count
 * @returns milliseconds since 1970, or `undefined` when the text is no moment between 1970 and the year 9999
 */
export function parseMoment(text: string, now: number, calendar: ZonedCalendar): number | undefined {
  const time = readMoment(text, now, calendar);
  return time === undefined || time < 0 || time > TIME_MS_MAX ? undefined : time;
}

function readMoment(text: string, now: number, calendar: ZonedCalendar): number | undefined {
  if (text === 'now') return now;
  if (text === 'yesterday') {
    const { year, month, day } = calendar.fieldsAt(now);
    return calendar.timeOf({ ...MIDNIGHT, year, month, day }) - 1;
  }
  const ago = AGO.exec(text);
  if (ago !== null) return agoMoment(Number(ago[1]), ago[2] ?? '', { now, calendar });
  const iso = ISO.exec(text);
  return iso === null ? undefined : isoMoment(iso.slice(1), calendar);
}
