import { type StoreError, storeError } from '../errors/store-error.ts';

/** Where in a JSON value something stands: a chain from the inside out, made text only when something is wrong there. */
export interface Place {
  readonly within?: Place;
  readonly step: string | number;
}

const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,39}$/;
const SHOWN_LENGTH = 40;

/** `content.entries[3].mode`; names that are no identifiers stand in brackets, long ones cut short. */
export function formatPlace(place: Place): string {
  const steps: (string | number)[] = [];
  for (let one: Place | undefined = place; one; one = one.within) steps.unshift(one.step);
  const [first = '', ...rest] = steps;
  return `${first}${rest.map(formatStep).join('')}`;
}

function formatStep(step: string | number): string {
  if (typeof step === 'number') return `[${step}]`;
  if (PLAIN_NAME.test(step)) return `.${step}`;
  // toWellFormed: messages are printed and written, where half a character would become something else.
  const shown = step.length > SHOWN_LENGTH ? `${step.slice(0, SHOWN_LENGTH)}…` : step;
  return `[${JSON.stringify(shown.toWellFormed())}]`;
}

/** What is handed in as an object, or as JSON, and is none. */
export function objectInvalid(place: Place | string, problem: string): StoreError {
  const field = typeof place === 'string' ? place : formatPlace(place);
  return storeError('OBJECT_INVALID', `${field} ${problem}`, { details: { field } });
}

/** What was stored under an id and is not what it must be. */
export function objectCorrupt(id: string, problem: string, cause?: unknown): StoreError {
  return storeError('OBJECT_CORRUPT', `object ${id} ${problem}`, { details: { object: id }, cause });
}

/** What another object refers to and nobody can find. */
export function objectMissing(id: string, type: string): StoreError {
  return storeError('OBJECT_MISSING', `${type} ${id} is missing`, { details: { object: id } });
}
