/** Times as objects hold them: text with nanoseconds in UTC, years 0001 to 9999, one spelling for each time. */

import { argumentRangeError } from '../errors/argument-error.ts';
import type { Check } from './shape.ts';

const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{9})Z$/;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const NANOSECONDS_PER_SECOND = 1_000_000_000n;
const MILLISECONDS_PER_SECOND = 1000;
const YEAR_1_SECONDS = Date.parse('0001-01-01T00:00:00.000Z') / MILLISECONDS_PER_SECOND;
const YEAR_10000_SECONDS = Date.parse('+010000-01-01T00:00:00.000Z') / MILLISECONDS_PER_SECOND;

/**
 * Spells a time.
 * @param nanoseconds since 1970, as `stat` gives them with `bigint: true`
 * @throws RangeError outside the years 0001 to 9999
 */
export function formatObjectTime(nanoseconds: bigint): string {
  const rest = nanoseconds % NANOSECONDS_PER_SECOND;
  const fraction = rest < 0n ? rest + NANOSECONDS_PER_SECOND : rest;
  const seconds = Number((nanoseconds - fraction) / NANOSECONDS_PER_SECOND);
  if (seconds < YEAR_1_SECONDS || seconds >= YEAR_10000_SECONDS) {
    throw argumentRangeError('nanoseconds', 'a time from year 1 to 9999', nanoseconds);
  }
  const text = new Date(seconds * MILLISECONDS_PER_SECOND).toISOString().slice(0, 19);
  return `${text}.${fraction.toString().padStart(9, '0')}Z`;
}

/** @returns nanoseconds since 1970, or `undefined` when the text is no time in this spelling */
export function parseObjectTime(text: string): bigint | undefined {
  if (!isObjectTime(text)) return undefined;
  const seconds = Date.parse(`${text.slice(0, 19)}.000Z`) / MILLISECONDS_PER_SECOND;
  return BigInt(seconds) * NANOSECONDS_PER_SECOND + BigInt(text.slice(20, 29));
}

export const isTime: Check = (value) =>
  typeof value === 'string' && isObjectTime(value)
    ? undefined
    : 'must be a time with nanoseconds, such as 2026-01-31T12:00:00.000000000Z';

/** A time that the calendar does not have would be read as another one. */
function isObjectTime(text: string): boolean {
  const found = TIME.exec(text);
  if (found === null) return false;
  const year = Number(found[1]);
  const month = Number(found[2]);
  const day = Number(found[3]);
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0);
  return year > 0 && day > 0 && day <= days && Number(found[4]) < 24 && Number(found[5]) < 60 && Number(found[6]) < 60;
}
