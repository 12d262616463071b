/** Checks what callers say of versions. */
import { argumentRangeError, argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import type { KeepVersions as KeepChange } from '../metadata/contract.ts';
import { parseTime } from './arguments.ts';
import type { VersionForgetRules } from './version-types.ts';

/** A version that is asked for, well-formed; times in milliseconds since 1970. */
export type WantedVersion = { readonly prefix: string } | { readonly number: number } | { readonly at: number };

/** What is to be forgotten: by rules, or by number. */
export type Forgetting = VersionForgetRules | { readonly numbers: ReadonlySet<number> };

const ID_PREFIX = /^[0-9a-f]{4,64}$/;

/** @throws `TypeError`, `RangeError` */
export function checkKeepVersions(value: unknown, parameter: string): KeepChange {
  if (value === 'none') return value;
  if (typeof value !== 'object' || value === null)
    throw argumentTypeError(parameter, "'none' or a policy such as { last: 10 }", value);
  const { last, forMs } = value as { last?: unknown; forMs?: unknown };
  return {
    ...(last !== undefined && { last: checkInteger(`${parameter}.last`, last, { min: 0 }) }),
    ...(forMs !== undefined && { forMs: checkInteger(`${parameter}.forMs`, forMs, { min: 0 }) }),
  };
}

/** @throws `TypeError`, `RangeError`; `invalid/DIGEST_INVALID` for what begins no version id */
export function checkWhich(which: unknown): WantedVersion {
  if (typeof which !== 'object' || which === null)
    throw argumentTypeError('which', 'an object with version, number or at', which);
  const { version, number, at } = which as Partial<Record<'version' | 'number' | 'at', unknown>>;
  if ([version, number, at].filter((one) => one !== undefined).length !== 1)
    throw argumentRangeError('which', 'one of version, number and at', which);
  if (number !== undefined) return { number: checkInteger('which.number', number, { min: 1 }) };
  if (at !== undefined) return { at: parseTime(at, 'which.at') };
  if (typeof version !== 'string') throw argumentTypeError('which.version', 'a version or its beginning', version);
  const prefix = version.toLowerCase();
  if (ID_PREFIX.test(prefix)) return { prefix };
  throw storeError('DIGEST_INVALID', 'the beginning of a version has 4 to 64 digits of hex', {
    details: { digest: version.slice(0, 80) },
  });
}

/** What was asked for, as errors say it. */
export function wantedText(wanted: WantedVersion): string {
  if ('prefix' in wanted) return wanted.prefix;
  return 'number' in wanted ? `number ${wanted.number}` : new Date(wanted.at).toISOString();
}

/** @throws `TypeError`; `RangeError` when no rule is given: nobody forgets everything by leaving something out */
export function checkRules({ last, olderThanMs }: VersionForgetRules): VersionForgetRules {
  if (last === undefined && olderThanMs === undefined)
    throw argumentRangeError('last', 'given, or olderThanMs; { last: 0 } forgets every earlier version', last);
  return {
    ...(last !== undefined && { last: checkInteger('last', last, { min: 0 }) }),
    ...(olderThanMs !== undefined && { olderThanMs: checkInteger('olderThanMs', olderThanMs, { min: 0 }) }),
  };
}

/** @throws `TypeError`, `RangeError` */
export function checkForgetting(which: VersionForgetRules | { readonly numbers: readonly number[] }): Forgetting {
  if (typeof which !== 'object' || which === null) throw argumentTypeError('which', 'rules or numbers', which);
  const { numbers, ...rules } = which as VersionForgetRules & { readonly numbers?: readonly number[] };
  if (numbers === undefined) return checkRules(rules);
  const { last, olderThanMs } = rules;
  if (last !== undefined || olderThanMs !== undefined)
    throw argumentRangeError('numbers', 'left out beside last and olderThanMs', numbers);
  if (!Array.isArray(numbers)) throw argumentTypeError('numbers', 'an array of numbers', numbers);
  return { numbers: new Set(numbers.map((number) => checkInteger('numbers', number, { min: 1 }))) };
}
