import type { ErrorCode } from '../errors/codes.ts';
import { type ErrorDetails, type StoreError, storeError } from '../errors/store-error.ts';

/** Throws the error that a damaged component of one kind gives; `problem` completes "the <component> ...". */
export type Fail = (problem: string, cause?: unknown) => never;

/** Makes the `Fail` of a component: what it is called in messages, its code, and where it lies. */
export function failWith(code: ErrorCode, component: string, details: ErrorDetails = {}): Fail {
  return (problem, cause) => {
    throw storeError(code, `the ${component} ${problem}`, { details, cause });
  };
}

/** The error for a component that this version must leave alone: sound, but written to rules it does not know. */
export function formatUnsupported(component: string, actual: string | number): StoreError {
  const message = `the ${component} needs a newer version of Holdfast: ${actual} is not known to this one`;
  return storeError('FORMAT_UNSUPPORTED', message, { details: { actual } });
}
