import { isJsonObject, type JsonObject, type JsonValue } from './json-value.ts';
import { objectInvalid, type Place } from './object-error.ts';

/** What is wrong with a value, or `undefined`: the rest of a sentence that begins with its place. */
export type Check = (value: JsonValue) => string | undefined;

/** The fields an object may have, and those it must. */
export interface Shape {
  readonly fields: ReadonlyMap<string, Check>;
  readonly required: readonly string[];
}

export function shape(
  required: Readonly<Record<string, Check>>,
  optional: Readonly<Record<string, Check>> = {},
): Shape {
  return {
    fields: new Map([...Object.entries(required), ...Object.entries(optional)]),
    required: Object.keys(required),
  };
}

/**
 * Checks that a value is an object of a shape: all that is required is there, nothing else is but what may be, and every
 * field passes its check.
 * @throws `invalid/OBJECT_INVALID` naming the place
 */
export function checkShape(value: JsonValue | undefined, { fields, required }: Shape, place: Place): JsonObject {
  if (!isJsonObject(value)) throw objectInvalid(place, 'must be a JSON object');
  for (const name of Object.keys(value)) {
    const check = fields.get(name);
    if (check === undefined) throw objectInvalid({ within: place, step: name }, 'is no field of this');
    const problem = check(value[name] as JsonValue);
    if (problem !== undefined) throw objectInvalid({ within: place, step: name }, problem);
  }
  for (const name of required) {
    if (value[name] === undefined) throw objectInvalid({ within: place, step: name }, 'is missing');
  }
  return value;
}

const OBJECT_ID = /^[0-9a-f]{64}$/;

/** Whether a text is the id of an object: 64 digits of lower-case hex. */
export function isObjectId(value: unknown): value is string {
  return typeof value === 'string' && OBJECT_ID.test(value);
}

export const anything: Check = () => undefined;
export const isId: Check = (value) => (isObjectId(value) ? undefined : 'must be 64 digits of lower-case hex');
export const isText: Check = (value) => (typeof value === 'string' ? undefined : 'must be text');
export const isTrue: Check = (value) => (value === true ? undefined : 'must be true, or left out');
export const isObject: Check = (value) => (isJsonObject(value) ? undefined : 'must be a JSON object');
export const isIdList: Check = (value) =>
  Array.isArray(value) && value.every(isObjectId) ? undefined : 'must be a list of ids in lower-case hex';

export function isInteger(min: number, max: number = Number.MAX_SAFE_INTEGER): Check {
  return (value) =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
      ? undefined
      : `must be an integer from ${min} to ${max}`;
}

export function isTextWithin(bytesMin: number, bytesMax: number): Check {
  return (value) => {
    if (typeof value !== 'string') return 'must be text';
    const bytes = Buffer.byteLength(value);
    return bytes >= bytesMin && bytes <= bytesMax ? undefined : `must have ${bytesMin} to ${bytesMax} bytes of UTF-8`;
  };
}
