import { copyJson, isJsonObject, type JsonObject } from './json-value.ts';
import { objectInvalid } from './object-error.ts';

/**
 * Metadata as an object holds it: a frozen copy, or nothing where it is empty.
 * @throws `invalid/OBJECT_INVALID`
 */
export function copyMetadata(metadata: JsonObject | undefined): JsonObject | undefined {
  if (metadata === undefined) return undefined;
  const copy = copyJson(metadata, 'metadata');
  if (!isJsonObject(copy)) throw objectInvalid('metadata', 'must be a JSON object');
  return Object.keys(copy).length === 0 ? undefined : copy;
}
