import { argumentRangeError, argumentTypeError } from '../errors/argument-error.ts';
import { isKeyLabel } from '../format/config-keys.ts';

/** Checks the label of a slot or writer. @throws TypeError for what is no text, RangeError for other text */
export function checkLabel(label: unknown): string {
  if (typeof label !== 'string') throw argumentTypeError('label', 'text', label);
  if (!isKeyLabel(label)) throw argumentRangeError('label', '1 to 64 characters without control characters', label);
  return label;
}
