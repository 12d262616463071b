import { storeError } from '../errors/store-error.ts';
import type { JsonObject, JsonValue } from '../objects/index.ts';
import { type PythonJson, PythonNumber } from './python-json.ts';

/** A number whose text is another one now: the value is the same, or it became text. */
export interface NumberChange {
  readonly before: string;
  readonly after: string;
}

/** How to convert, and who is told of numbers that change. */
export interface ConvertContext {
  /** Integers that no double holds: refused, or kept as text. */
  readonly numbers: 'exact' | 'text';
  readonly onChange: (change: NumberChange) => void;
}

const INTEGER = /^-?[0-9]+$/;

function convertNumber({ text }: PythonNumber, { numbers, onChange }: ConvertContext): number | string {
  const value = Number(text);
  if (INTEGER.test(text) && !Number.isSafeInteger(value)) {
    if (numbers === 'text') {
      onChange({ before: text, after: JSON.stringify(text) });
      return text;
    }
    const shown = text.length > 40 ? `${text.slice(0, 40)}...` : text;
    throw storeError('IMPORT_UNSUPPORTED', `the integer ${shown} is beyond 2^53 - 1 and cannot be kept as a number`);
  }
  // JSON.stringify is how RFC 8785 writes numbers; it has one zero.
  const after = JSON.stringify(value);
  if (after !== text) onChange({ before: text, after });
  return value;
}

/**
 * Gives the value with its numbers as doubles.
 * @throws `unsupported/IMPORT_UNSUPPORTED` for an integer beyond 2^53 - 1, unless it is to be text
 */
export function convertJson(value: PythonJson, context: ConvertContext): JsonValue {
  if (value instanceof PythonNumber) return convertNumber(value, context);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((one) => convertJson(one, context));
  return convertFields(value as { readonly [name: string]: PythonJson }, context);
}

/** As `convertJson`, of an object. A field `__proto__` stays a field. */
export function convertFields(value: { readonly [name: string]: PythonJson }, context: ConvertContext): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, convertJson(one, context)]));
}
