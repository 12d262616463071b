/** What `TypeError` and `RangeError` carry when Holdfast throws them for an argument. */
export interface ArgumentErrorFields {
  readonly kind: 'invalid';
  readonly code: 'ARGUMENT_INVALID';
  readonly parameter: string;
}

function describe(value: unknown): string {
  if (typeof value === 'string') return value.length > 40 ? 'a long string' : JSON.stringify(value);
  if (value === null || typeof value !== 'object') return String(value);
  return `an instance of ${(value as object).constructor?.name ?? 'Object'}`;
}

function withFields<E extends Error>(error: E, parameter: string): E & ArgumentErrorFields {
  return Object.assign(error, { kind: 'invalid', code: 'ARGUMENT_INVALID', parameter } as const);
}

/** A `TypeError` that names the parameter, what it must be and what it was. */
export function argumentTypeError(
  parameter: string,
  expected: string,
  actual: unknown,
): TypeError & ArgumentErrorFields {
  return withFields(new TypeError(`${parameter} must be ${expected}, got ${describe(actual)}`), parameter);
}

/** A `RangeError` that names the parameter, its legal range and what it was. */
export function argumentRangeError(
  parameter: string,
  expected: string,
  actual: unknown,
): RangeError & ArgumentErrorFields {
  return withFields(new RangeError(`${parameter} must be ${expected}, got ${describe(actual)}`), parameter);
}

/** Checks an integer argument: a `TypeError` for what is no number, a `RangeError` outside `[min, max]`. */
export function checkInteger(
  parameter: string,
  value: unknown,
  bounds: { readonly min: number; readonly max?: number },
): number {
  const max = bounds.max ?? Number.MAX_SAFE_INTEGER;
  if (typeof value !== 'number') throw argumentTypeError(parameter, 'a number', value);
  if (!Number.isSafeInteger(value) || value < bounds.min || value > max) {
    throw argumentRangeError(parameter, `an integer from ${bounds.min} to ${max}`, value);
  }
  return value;
}
