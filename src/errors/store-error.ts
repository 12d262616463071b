import { ERROR_CODES, type ErrorCode, type ErrorKind } from './codes.ts';

/**
 * What an error is about; each code documents in `docs/errors.md` which of these it fills in. Never holds content or
 * secrets.
 */
export interface ErrorDetails {
  readonly key?: string;
  readonly parent?: string;
  readonly path?: string;
  readonly backend?: string;
  readonly backendKey?: string;
  readonly packId?: string;
  readonly digest?: string;
  readonly object?: string;
  readonly field?: string;
  readonly expected?: string | number;
  readonly actual?: string | number;
  readonly offset?: number;
  readonly length?: number;
  readonly size?: number;
  readonly count?: number;
  readonly setting?: string;
  readonly capability?: string;
  readonly commit?: number;
  readonly system?: string;
  readonly table?: string;
  readonly namespace?: string | number;
  readonly epoch?: number;
  readonly session?: string;
}

/** What an error carries beside code and message. */
export interface StoreErrorOptions {
  readonly details?: ErrorDetails;
  readonly cause?: unknown;
  /** True when the same call may succeed later without any change by the caller; default: kind is `unavailable`. */
  readonly retry?: boolean;
}

/** A backend module may have another copy of this package; its errors are store errors as well. */
const BRAND = Symbol.for('holdfast.StoreError');

/**
 * Base of every error Holdfast throws, apart from `TypeError` and `RangeError` for arguments of the wrong type or range
 * and the caller's own abort reason. Switch on `kind` to act, on `code` to know the cause; `message` is for people.
 */
export class StoreError extends Error {
  readonly kind: ErrorKind;
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly retry: boolean;

  constructor(code: ErrorCode, message: string, options: StoreErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.kind = ERROR_CODES[code];
    this.details = Object.freeze({ ...options.details });
    this.retry = options.retry ?? this.kind === 'unavailable';
    this.name = new.target.name;
  }

  get [BRAND](): true {
    return true;
  }
}

export class InvalidError extends StoreError {}
export class NotFoundError extends StoreError {}
export class ConflictError extends StoreError {}
export class DeniedError extends StoreError {}
export class CorruptError extends StoreError {}
export class UnavailableError extends StoreError {}
export class ExhaustedError extends StoreError {}
export class UnsupportedError extends StoreError {}
export class ClosedError extends StoreError {}
export class InternalError extends StoreError {}

const CLASS_OF_KIND: Readonly<Record<ErrorKind, typeof StoreError>> = {
  invalid: InvalidError,
  'not-found': NotFoundError,
  conflict: ConflictError,
  denied: DeniedError,
  corrupt: CorruptError,
  unavailable: UnavailableError,
  exhausted: ExhaustedError,
  unsupported: UnsupportedError,
  closed: ClosedError,
  internal: InternalError,
};

/** Makes the error of a code, in the class of its kind. The one way errors are made inside Holdfast. */
export function storeError(code: ErrorCode, message: string, options?: StoreErrorOptions): StoreError {
  return new CLASS_OF_KIND[ERROR_CODES[code]](code, message, options);
}

export function isStoreError(value: unknown, ...codes: readonly ErrorCode[]): value is StoreError {
  const isOne = typeof value === 'object' && value !== null && BRAND in value;
  return isOne && (codes.length === 0 || codes.includes((value as StoreError).code));
}

/**
 * States what the code around it makes true.
 * @throws `internal/INVARIANT_BROKEN` when it is not: a bug in Holdfast, never the caller's mistake
 */
export function invariant(condition: unknown, statement: string): asserts condition {
  if (!condition) throw storeError('INVARIANT_BROKEN', `broken invariant: ${statement}`);
}
