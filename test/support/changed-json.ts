/** Copies of a JSON document that differ from it in one place, for readers that must refuse every one. */
import { isStoreError } from '../../src/errors/store-error.ts';

/** One changed copy. */
export interface ChangedJson {
  /** Where, and what was done there. */
  readonly what: string;
  readonly value: unknown;
}

/** Every kind of change at every place: other, missing, superfluous, moved, of another type. */
export function* changedJson(value: unknown, place = 'it'): Generator<ChangedJson> {
  const original = JSON.stringify(value);
  for (const change of changesOf(value, place)) if (JSON.stringify(change.value) !== original) yield change;
}

function* changesOf(value: unknown, place: string): Generator<ChangedJson> {
  yield { what: `${place} is null`, value: null };
  if (typeof value === 'number') yield* changedNumber(value, place);
  else if (typeof value === 'string') yield* changedText(value, place);
  else if (Array.isArray(value)) yield* changedArray(value, place);
  else if (typeof value === 'object' && value !== null) yield* changedObject(value, place);
}

function* changedNumber(value: number, place: string): Generator<ChangedJson> {
  const others = [value + 1, value - 1, 2 * value, Math.floor(value / 2), 0, value + 0.5, 2 ** 53, `${value}`, [value]];
  for (const other of others) yield { what: `${place} is ${JSON.stringify(other)}`, value: other };
}

function* changedText(value: string, place: string): Generator<ChangedJson> {
  for (const at of new Set([0, value.length >> 1, value.length - 1])) {
    const other = value[at] === '0' ? '1' : '0';
    yield { what: `${place} has another character at ${at}`, value: value.slice(0, at) + other + value.slice(at + 1) };
  }
  yield { what: `${place} is upper case`, value: value.toUpperCase() };
  yield { what: `${place} is longer`, value: `${value}0` };
  yield { what: `${place} is shorter`, value: value.slice(0, -1) };
  yield { what: `${place} is empty`, value: '' };
  yield { what: `${place} is a number`, value: 1 };
}

function* changedArray(value: readonly unknown[], place: string): Generator<ChangedJson> {
  for (const [index, element] of value.entries()) {
    yield { what: `${place} lacks ${index}`, value: value.toSpliced(index, 1) };
    yield { what: `${place} has ${index} twice`, value: value.toSpliced(index, 0, element) };
    if (index > 0)
      yield { what: `${place} has ${index} moved`, value: value.toSpliced(index, 1).toSpliced(0, 0, element) };
    for (const change of changedJson(element, `${place}.${index}`)) {
      yield { what: change.what, value: value.with(index, change.value) };
    }
  }
  yield { what: `${place} has one more`, value: [...value, '00'.repeat(32)] };
  yield { what: `${place} is an object`, value: { ...value } };
}

function* changedObject(value: object, place: string): Generator<ChangedJson> {
  yield { what: `${place} has a superfluous member`, value: { ...value, more: 1 } };
  for (const [name, member] of Object.entries(value)) {
    const rest = Object.fromEntries(Object.entries(value).filter(([other]) => other !== name));
    yield { what: `${place} lacks ${name}`, value: rest };
    for (const change of changedJson(member, `${place}.${name}`)) {
      yield { what: change.what, value: { ...value, [name]: change.value } };
    }
  }
}

/** Whether a proof is refused: answered with `false`, no proof at all, or one of another version. Any other error is thrown on. */
export function isRefused(verify: () => boolean): boolean {
  try {
    return !verify();
  } catch (error) {
    if (isStoreError(error, 'PROOF_INVALID', 'FORMAT_UNSUPPORTED')) return true;
    throw error;
  }
}
