/**
 * Byte ranges.
 * @see RFC 9110, section 14: what cannot be parsed is no range, what asks for too much is refused (14.2, 17.15)
 */
import { storeError } from '../../errors/store-error.ts';
import { SERVER_RANGES_MAX } from '../../limits.ts';

export interface Range {
  readonly offset: number;
  /** Above 0. */
  readonly length: number;
}

const SPEC = /^\s*(\d{0,16})-(\d{0,16})\s*$/;
const UNIT = /^\s*bytes\s*=(.*)$/is;

function resolve(first: string, last: string, size: number): Range | undefined {
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? undefined : { offset: size - length, length };
  }
  const offset = Number(first);
  if (offset >= size) return undefined;
  const end = last === '' ? size : Math.min(Number(last) + 1, size);
  return { offset, length: end - offset };
}

function refused(message: string, size: number): Error {
  return storeError('RANGE_INVALID', message, { details: { size } });
}

/**
 * @returns the ranges of a `Range` field that lie in content of `size` bytes, in the order asked; `undefined` when it says
 *   none, and everything is to be sent
 * @throws `invalid/RANGE_INVALID` when none lies in it, and for ranges that are many or overlap
 */
export function parseRanges(field: string | null, size: number): readonly Range[] | undefined {
  const specs = UNIT.exec(field ?? '')?.[1]?.split(',');
  if (specs === undefined) return undefined;
  if (specs.length > SERVER_RANGES_MAX) throw refused(`at most ${SERVER_RANGES_MAX} ranges are sent at once`, size);
  const ranges: Range[] = [];
  for (const spec of specs) {
    const [, first, last] = SPEC.exec(spec) ?? [];
    if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
    if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
    const range = resolve(first, last, size);
    if (range) ranges.push(range);
  }
  if (ranges.length === 0) throw refused(`the range is not within the ${size} bytes`, size);
  const sorted = ranges.toSorted((a, b) => a.offset - b.offset);
  // Ranges that overlap make a small request a large answer.
  if (sorted.some(({ offset }, index) => index > 0 && endOf(sorted[index - 1]) > offset))
    throw refused('the ranges overlap', size);
  return ranges;
}

function endOf(range: Range | undefined): number {
  return range === undefined ? 0 : range.offset + range.length;
}

/** @example formatContentRange({ offset: 0, length: 10 }, 100) // 'bytes 0-9/100' */
export function formatContentRange({ offset, length }: Range, size: number): string {
  return `bytes ${offset}-${offset + length - 1}/${size}`;
}
