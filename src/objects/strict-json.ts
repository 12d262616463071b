/**
 * JSON that people and programs hand in: any spelling of RFC 8259, but nothing that would be read as something else than
 * it says. Stricter than `JSON.parse` where that keeps the last of two values, or rounds, without a word.
 */

import { visit } from 'jsonc-parser';
import { argumentTypeError } from '../errors/argument-error.ts';
import { JSON_DOCUMENT_BYTES_MAX } from '../limits.ts';
import { parseText, textOf } from './canonical-json.ts';
import { checkJsonDepth } from './json-depth.ts';
import { copyJson, type JsonValue } from './json-value.ts';
import { objectInvalid } from './object-error.ts';

/** An integer as JSON spells it, without fraction and exponent. */
const INTEGER = /^-?\d+$/;

/**
 * Reads a JSON document in any spelling. A name that stands twice in one object, `__proto__` for a name, lone
 * surrogates, numbers beyond a double (1e400), integers that a double would round, and documents nested deeper than
 * `OBJECT_DEPTH_MAX` are refused.
 * @param document text, or UTF-8 without a byte order mark; at most `JSON_DOCUMENT_BYTES_MAX`
 * @param what what it should be, for messages; default `JSON`
 * @returns the value, frozen all through
 * @throws `invalid/OBJECT_INVALID`; TypeError when the document is neither text nor bytes
 */
export function parseJsonStrict(document: string | Uint8Array, what = 'JSON'): JsonValue {
  if (typeof document !== 'string' && !(document instanceof Uint8Array)) {
    throw argumentTypeError('document', 'text or a Uint8Array', document);
  }
  if (document.length > JSON_DOCUMENT_BYTES_MAX) {
    throw objectInvalid(what, `has more than ${JSON_DOCUMENT_BYTES_MAX} bytes`);
  }
  const text = typeof document === 'string' ? document : textOf(document, what);
  checkJsonDepth(text, what);
  const value = parseText(text, what);
  checkSpelling(text, what);
  return copyJson(value, what);
}

/** What a parsed value no longer shows. The visitor is lenient, but the text is known to be JSON. */
function checkSpelling(text: string, what: string): void {
  const open: Set<string>[] = [];
  const placed = (line: number, column: number) => `line ${line + 1}, column ${column + 1}`;
  visit(
    text,
    {
      onObjectBegin: () => {
        open.push(new Set());
      },
      onObjectProperty: (name, _offset, _length, line, column) => {
        const names = open.at(-1);
        if (names?.has(name)) throw objectInvalid(what, `has a name twice in one object (${placed(line, column)})`);
        names?.add(name);
      },
      onObjectEnd: () => {
        open.pop();
      },
      onLiteralValue: (value, offset, length, line, column) => {
        if (typeof value !== 'number' || Number.isSafeInteger(value) || !Number.isFinite(value)) return;
        const spelling = text.slice(offset, offset + length);
        // What a program writes for a double above 2^53 may have other digits than the double, but only it is read so.
        if (spelling === JSON.stringify(value)) return;
        if (INTEGER.test(spelling) && BigInt(spelling) !== BigInt(value)) {
          throw objectInvalid(what, `holds an integer that would be rounded (${placed(line, column)})`);
        }
      },
    },
    { disallowComments: true },
  );
}
