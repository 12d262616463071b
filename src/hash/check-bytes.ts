import { types } from 'node:util';
import { argumentTypeError } from '../errors/argument-error.ts';

/**
 * Checks that an argument is a `Uint8Array` (a `Buffer` is one). The native hashers also accept text and numbers and
 * would hash them in their own way, so nothing else may reach them.
 * @throws TypeError naming the parameter
 */
export function checkBytes(parameter: string, value: unknown): Uint8Array {
  if (!types.isUint8Array(value)) throw argumentTypeError(parameter, 'a Uint8Array', value);
  return value;
}
