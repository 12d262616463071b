/** Times as objects hold them: text with nanoseconds in UTC, years 0001 to 9999, one spelling for each time. */

import { argumentRangeError } from '../errors/argument-error.ts';
import type { Check } from './shape.ts';

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z$/;
const NANOSECONDS_PER_SECOND = 1_000_000_000n;
const MILLISECONDS_PER_SECOND = 1000n;
const YEAR_1_MS = Date.parse('0001-01-01T00:00:00.000Z');
const YEAR_10000_MS = Date.parse('+010000-01-01T00:00:00.000Z');

/**
 * Spells a time.
 * @param nanoseconds since 1970, as `stat` gives them with `bigint: true`
 * @throws RangeError outside the years 0001 to 9999
 */
export function formatObjectTime(nanoseconds: bigint): string {
  const fraction = BigInt.asUintN(64, modulo(nanoseconds, NANOSECONDS_PER_SECOND));
  const milliseconds = Number(((nanoseconds - fraction) / NANOSECONDS_PER_SECOND) * MILLISECONDS_PER_SECOND);
  if (milliseconds < YEAR_1_MS || milliseconds >= YEAR_10000_MS) {
    throw argumentRangeError('nanoseconds', 'a time from year 1 to 9999', nanoseconds);
  }
  return `${new Date(milliseconds).toISOString().slice(0, 19)}.${fraction.toString().padStart(9, '0')}Z`;
}

/** @returns nanoseconds since 1970, or `undefined` when the text is no time in this spelling */
export function parseObjectTime(text: string): bigint | undefined {
  const [, seconds = '', fraction = ''] = TIME.exec(text) ?? [];
  const milliseconds = millisecondsOf(seconds);
  if (milliseconds === undefined) return undefined;
  return (BigInt(milliseconds) / MILLISECONDS_PER_SECOND) * NANOSECONDS_PER_SECOND + BigInt(fraction);
}

export const isTime: Check = (value) =>
  typeof value === 'string' && millisecondsOf(TIME.exec(value)?.[1] ?? '') !== undefined
    ? undefined
    : 'must be a time with nanoseconds, such as 2026-01-31T12:00:00.000000000Z';

let last: { readonly seconds: string; readonly milliseconds: number | undefined } = { seconds: '', milliseconds: undefined };

/** Of a time without fraction; one that the calendar does not have would be read as another. */
function millisecondsOf(seconds: string): number | undefined {
  // Times of one folder are often the same; looking one up in the calendar costs more than all else of a child.
  if (seconds === last.seconds) return last.milliseconds;
  last = { seconds, milliseconds: lookUp(seconds) };
  return last.milliseconds;
}

function lookUp(seconds: string): number | undefined {
  const milliseconds = Date.parse(`${seconds}.000Z`);
  if (Number.isNaN(milliseconds) || milliseconds < YEAR_1_MS) return undefined;
  return new Date(milliseconds).toISOString().startsWith(`${seconds}.`) ? milliseconds : undefined;
}

function modulo(value: bigint, divisor: bigint): bigint {
  const rest = value % divisor;
  return rest < 0n ? rest + divisor : rest;
}
