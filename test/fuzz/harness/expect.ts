/** What checks of targets are made of; cheaper than a test runner's, for they run hundreds of thousands of times. */
import { isDeepStrictEqual } from 'node:util';
import { equalBytes } from '../../../src/bytes/bytes.ts';
import { CheckFailed } from './fuzz-target.ts';

export function mustHold(condition: boolean, statement: string): asserts condition {
  if (!condition) throw new CheckFailed(statement);
}

export function mustBeBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  mustHold(equalBytes(actual, expected), `${what} is other bytes than were read`);
}

export function mustEqual(actual: unknown, expected: unknown, what: string): void {
  mustHold(isDeepStrictEqual(actual, expected), `${what} is not what was read`);
}

/** The same with one zero: JSON has two, which mean the same number, and writes one. */
export function mustMean(actual: unknown, expected: unknown, what: string): void {
  mustEqual(withOneZero(actual), withOneZero(expected), what);
}

function withOneZero(value: unknown): unknown {
  if (value === 0) return 0;
  if (Array.isArray(value)) return value.map(withOneZero);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withOneZero(one)]));
}
