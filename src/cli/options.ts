import { InvalidArgumentError } from 'commander';
import type { KeepVersions } from '../index.ts';

/** Parsers of option values. Each throws commander's error for a value, which names the option by itself (exit 2). */

export function parseCount(text: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('It must be a whole number.');
  return value;
}

/** How many earlier versions to keep: a count, `all` or `none`. */
export function parseKeep(text: string): KeepVersions {
  if (text === 'none') return text;
  if (text === 'all') return {};
  const last = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(last)) throw new InvalidArgumentError('It must be a whole number, "all" or "none".');
  return { last };
}

const UNIT_BYTES: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** A size: bytes, or with a unit in steps of 1,024: `500`, `64KiB`, `10G`. */
export function parseBytes(text: string): number {
  const match = /^(\d{1,15})\s?([KMGT]?)(?:iB|B)?$/i.exec(text);
  const bytes = match ? Number(match[1]) * (UNIT_BYTES[(match[2] ?? '').toUpperCase()] ?? Number.NaN) : Number.NaN;
  if (!Number.isSafeInteger(bytes)) throw new InvalidArgumentError('It must be a size such as 500, 64KiB or 10GiB.');
  return bytes;
}

/** Bytes a second: a size, with or without `/s`. */
export function parseRate(text: string): number {
  const bytes = parseBytes(text.replace(/\/s$/, ''));
  if (bytes === 0) throw new InvalidArgumentError('It must be more than nothing.');
  return bytes;
}

/** A share above 0 and up to 100, such as `5` or `0.5`, with or without `%`. */
export function parsePercent(text: string): number {
  const percent = /^\d{1,3}(?:\.\d{1,6})?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (!(percent > 0 && percent <= 100)) throw new InvalidArgumentError('It must be above 0 and at most 100.');
  return percent;
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time span in milliseconds: `90s`, `15m`, `12h`, `7d`. */
export function parseSpan(text: string): number {
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  if (!match) throw new InvalidArgumentError('It must be a time span such as 90s, 15m, 12h or 7d.');
  return Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? Number.NaN);
}

export interface Range {
  readonly offset: number;
  readonly length?: number;
}

/** `OFFSET:LENGTH`, `OFFSET:` up to the end, `:LENGTH` from the start; bytes. */
export function parseRange(text: string): Range {
  const match = /^(\d{0,15}):(\d{0,15})$/.exec(text);
  if (!match || text === ':') throw new InvalidArgumentError('It must be OFFSET:LENGTH in bytes, for example 1000:50.');
  const offset = Number(match[1] || 0);
  return match[2] ? { offset, length: Number(match[2]) } : { offset };
}

/** Gathers `name=value` of an option that may be repeated; the value may hold further `=`. */
export function collectAttribute(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be NAME=VALUE.');
  const name = text.slice(0, at);
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`"${name}" is given twice.`);
  // A name such as __proto__ must become a field of its own.
  return Object.fromEntries([...Object.entries(before), [name, text.slice(at + 1)]]);
}

/** Gathers the values of an option that may be repeated. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

const TIME = /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** A time of ISO 8601 in UTC: from `2026-01-31` (midnight UTC), `2026-01-31T12:00:00Z` or one with an offset. */
export function parseTime(text: string): string {
  const day = TIME.exec(text)?.[1];
  const time = new Date(day === undefined ? Number.NaN : text);
  // Date takes February 30 for March 2, and some days 0 for others; nobody who types them means that.
  const midnight = new Date(`${day}T00:00Z`);
  const isDay = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(`${day}`);
  if (Number.isNaN(time.getTime()) || !isDay) {
    throw new InvalidArgumentError('It must be a time such as 2026-01-31 or 2026-01-31T12:00:00Z.');
  }
  return time.toISOString();
}
