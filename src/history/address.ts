/**
 * Addresses of objects as people write them:
 *
 * | part | means |
 * |---|---|
 * | 64 hex digits | the object of that id |
 * | `photos`, `backup/laptop` | what that ref names now |
 * | 4 to 63 hex digits | the object whose id begins so, where no ref has that name |
 * | `latest` | the snapshot stamped last of all refs |
 * | `~`, `~3` | one step, three steps back in the ancestry |
 * | `@{3}` | what the ref named three moves ago; digits alone are always a number of moves |
 * | `@{2026-11-21}`, `@{yesterday}`, `@{3 days ago}` | what the ref named then (`moment-text.ts`) |
 * | `:docs/report.pdf` | what lies at that path in it; everything behind the first colon |
 *
 * Steps follow each other in any number up to 64, the path comes last. What is named is looked up elsewhere: an address
 * that can be read need not lead anywhere. Reading takes time linear in the length of the text.
 */
import { argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import {
  ADDRESS_BACK_MAX,
  ADDRESS_LENGTH_MAX,
  ADDRESS_STEPS_MAX,
  ID_PREFIX_DIGITS_MIN,
  TIME_MS_MAX,
} from '../limits.ts';
import { parseMoment } from './moment-text.ts';
import { isRefName, LATEST, shortened } from './ref-name.ts';
import { createZonedCalendar, type ZonedCalendar } from './zoned-calendar.ts';

export type AddressBase =
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'latest' }
  /** `idPrefix` is set where the name may also be the beginning of an id; a ref of that name goes first. */
  | { readonly kind: 'ref'; readonly name: string; readonly idPrefix?: string };

export type AddressStep =
  /** So many steps back: by parent where there is one, else by the moves of the ref. */
  | { readonly kind: 'back'; readonly count: number }
  /** What the ref named so many moves ago. */
  | { readonly kind: 'moves'; readonly count: number }
  /** What the ref named at a time, milliseconds since 1970. */
  | { readonly kind: 'at'; readonly time: number };

export interface Address {
  readonly base: AddressBase;
  readonly steps: readonly AddressStep[];
  /** Never checked here: keys of entries may hold anything. Empty for the root of a tree. */
  readonly path?: string;
}

export interface AddressOptions {
  /** Milliseconds since 1970; relative times count from here. */
  readonly now: number;
  /** IANA name of the time zone of dates that name none; default `UTC`. */
  readonly timeZone?: string | undefined;
}

const WHOLE_ID = /^[0-9a-f]{64}$/;
const ID_PREFIX = new RegExp(`^[0-9a-f]{${ID_PREFIX_DIGITS_MIN},63}$`);
const DIGITS = /^\d+$/;

function addressInvalid(text: string, wrong: string, offset?: number): Error {
  const actual = shortened(text);
  const details = offset === undefined ? { actual } : { actual, offset };
  return storeError('ADDRESS_INVALID', `${JSON.stringify(actual)} is no address: ${wrong}`, { details });
}

/** Where the base ends: at the first sign that a name cannot hold. */
function baseEnd(text: string): number {
  const end = text.search(/[~:]|@\{/);
  return end === -1 ? text.length : end;
}

function parseBase(text: string, base: string): AddressBase {
  if (base === LATEST) return { kind: 'latest' };
  if (WHOLE_ID.test(base)) return { kind: 'id', id: base };
  if (base === '') throw addressInvalid(text, 'it begins with no id, no ref and not with latest', 0);
  if (!isRefName(base)) throw addressInvalid(text, 'it begins with what is neither an id nor the name of a ref', 0);
  return ID_PREFIX.test(base) ? { kind: 'ref', name: base, idPrefix: base } : { kind: 'ref', name: base };
}

interface Reading {
  readonly text: string;
  readonly now: number;
  readonly calendar: ZonedCalendar;
}

interface ReadStep {
  readonly step: AddressStep;
  readonly end: number;
}

function countOf({ text }: Reading, digits: string, offset: number): number {
  const count = Number(digits);
  if (count > ADDRESS_BACK_MAX) throw addressInvalid(text, `more than ${ADDRESS_BACK_MAX} back`, offset);
  return count;
}

function readBack(reading: Reading, start: number): ReadStep {
  const { text } = reading;
  let end = start + 1;
  while (end < text.length && text[end]! >= '0' && text[end]! <= '9') end += 1;
  const digits = text.slice(start + 1, end);
  return { step: { kind: 'back', count: digits === '' ? 1 : countOf(reading, digits, start) }, end };
}

function readBraces(reading: Reading, start: number): ReadStep {
  const { text, now, calendar } = reading;
  const close = text.indexOf('}', start);
  if (close === -1) throw addressInvalid(text, 'a brace is not closed', start);
  const inside = text.slice(start + 2, close);
  const end = close + 1;
  if (DIGITS.test(inside)) return { step: { kind: 'moves', count: countOf(reading, inside, start) }, end };
  const time = parseMoment(inside, now, calendar);
  if (time === undefined) throw addressInvalid(text, 'in braces stands neither a number nor a time', start);
  return { step: { kind: 'at', time }, end };
}

function readStep(reading: Reading, start: number): ReadStep {
  const { text } = reading;
  if (text[start] === '~') return readBack(reading, start);
  if (text.startsWith('@{', start)) return readBraces(reading, start);
  throw addressInvalid(text, 'behind a step comes another one, or : and a path', start);
}

/**
 * Reads an address; the head of this file has the grammar.
 * @throws `invalid/ADDRESS_INVALID` with the `offset` of what cannot be read; TypeError, RangeError for the options
 */
export function parseAddress(text: unknown, options: AddressOptions): Address {
  if (typeof text !== 'string') throw argumentTypeError('address', 'a string', text);
  const now = checkInteger('now', options.now, { min: 0, max: TIME_MS_MAX });
  const calendar = createZonedCalendar(options.timeZone);
  if (text.length > ADDRESS_LENGTH_MAX)
    throw addressInvalid(text, `it is longer than ${ADDRESS_LENGTH_MAX} characters`);
  if (!text.isWellFormed()) throw addressInvalid(text, 'it holds half of a surrogate pair, which is no text');
  const reading: Reading = { text, now, calendar };
  let offset = baseEnd(text);
  const base = parseBase(text, text.slice(0, offset));
  const steps: AddressStep[] = [];
  while (offset < text.length && text[offset] !== ':') {
    if (steps.length === ADDRESS_STEPS_MAX) throw addressInvalid(text, `more than ${ADDRESS_STEPS_MAX} steps`, offset);
    const { step, end } = readStep(reading, offset);
    steps.push(step);
    offset = end;
  }
  return offset === text.length ? { base, steps } : { base, steps, path: text.slice(offset + 1) };
}

function formatStep(step: AddressStep): string {
  if (step.kind === 'back') return `~${step.count}`;
  return step.kind === 'moves' ? `@{${step.count}}` : `@{${new Date(step.time).toISOString()}}`;
}

/** Writes an address so that `parseAddress` reads it as the same, whatever the time and the time zone then. */
export function formatAddress({ base, steps, path }: Address): string {
  const name = base.kind === 'id' ? base.id : base.kind === 'latest' ? LATEST : base.name;
  return `${name}${steps.map(formatStep).join('')}${path === undefined ? '' : `:${path}`}`;
}
