import { argumentTypeError } from '../errors/argument-error.ts';
import { storeError } from '../errors/store-error.ts';
import { REF_NAME_BYTES_MAX } from '../limits.ts';

/** The word that addresses use for the snapshot stamped last. */
export const LATEST = 'latest';

/** C0, DEL and C1: they would change what a terminal shows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
/** What addresses put behind a name, and what shells and patterns read in their own way. */
const RESERVED = /[\\:~^?*[]|@\{/;
const WHOLE_ID = /^[0-9a-f]{64}$/i;

/** Says what is wrong with a name, or nothing. */
function complaint(name: string): string | undefined {
  if (name === '') return 'it is empty';
  // Before anything that looks at every character: nobody's megabyte is searched for nothing.
  if (name.length > REF_NAME_BYTES_MAX || Buffer.byteLength(name) > REF_NAME_BYTES_MAX) {
    return `it is longer than ${REF_NAME_BYTES_MAX} bytes`;
  }
  if (!name.isWellFormed()) return 'it holds half of a surrogate pair, which is no text';
  if (CONTROL.test(name)) return 'it holds a control character';
  const reserved = RESERVED.exec(name);
  if (reserved !== null) return `it holds ${reserved[0]}`;
  if (name.trim() !== name) return 'it begins or ends with a space';
  if (name === LATEST) return `${LATEST} stands for the snapshot stamped last`;
  if (WHOLE_ID.test(name)) return 'it would be taken for the id of an object';
  for (const component of name.split('/')) {
    if (component === '') return 'a part of it between slashes is empty';
    if (component === '.' || component === '..') return `a part of it is ${component}`;
  }
  return undefined;
}

/** What an error may repeat of a text from outside. */
export function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80).toWellFormed()}...` : text.toWellFormed();
}

/** Whether a text may be the name of a ref. */
export function isRefName(name: string): boolean {
  return complaint(name) === undefined;
}

/**
 * Checks the name of a ref: 1 to 256 bytes of UTF-8, parts separated by `/` of which none is empty, `.` or `..`; no
 * control characters, none of `\ : ~ ^ ? * [` and no `@{`; no space at either end; neither `latest` nor 64 hex digits.
 * Names are never rewritten: two that differ in a single byte are two refs.
 * @returns the name
 * @throws `invalid/REF_INVALID`; TypeError when it is not text
 */
export function checkRefName(name: unknown): string {
  if (typeof name !== 'string') throw argumentTypeError('name', 'a string', name);
  const wrong = complaint(name);
  if (wrong === undefined) return name;
  const actual = shortened(name);
  throw storeError('REF_INVALID', `${JSON.stringify(actual)} cannot name a ref: ${wrong}`, { details: { actual } });
}
