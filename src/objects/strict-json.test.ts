import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { caught, outcomeOf } from '../../test/support/caught.ts';
import { JSON_DOCUMENT_BYTES_MAX } from '../limits.ts';
import { parseJsonStrict } from './strict-json.ts';

const FOLDER = new URL('../../../shared/vectors/json/test_parsing/', import.meta.url);
const hasFolder = existsSync(FOLDER);
if (!hasFolder) {
  console.warn('JSONTestSuite skipped: put test_parsing of nst/JSONTestSuite at ../shared/vectors/json');
}

/** What every parser must take and this one refuses: a document that says a thing twice. */
const REFUSED = ['y_object_duplicated_key.json', 'y_object_duplicated_key_and_value.json'];

describe('parseJsonStrict', () => {
  it.skipIf(!hasFolder)('takes what JSONTestSuite says must be taken, and refuses what must be refused', () => {
    const files = readdirSync(FOLDER);
    const outcomes = files.map((name) => {
      // Not as a URL: some of the names hold characters that mean something there.
      const bytes = readFileSync(path.join(fileURLToPath(FOLDER), name));
      return { name, outcome: outcomeOf(() => parseJsonStrict(new Uint8Array(bytes))) };
    });
    const withOutcome = (letter: string, outcome: string) =>
      outcomes.filter((one) => one.name.startsWith(letter) && one.outcome === outcome).map(({ name }) => name);
    expect(files.filter((name) => name.startsWith('y_')).length).toBe(95);
    expect(files.filter((name) => name.startsWith('n_')).length).toBe(188);
    expect(withOutcome('y', 'invalid/OBJECT_INVALID')).toEqual(REFUSED);
    expect(withOutcome('n', 'no error')).toEqual([]);
    // Never anything but an answer or the one error.
    expect([...new Set(outcomes.map(({ outcome }) => outcome))].sort()).toEqual(['invalid/OBJECT_INVALID', 'no error']);
  });

  it('takes any spelling', () => {
    expect(parseJsonStrict(' {"b" : [1.0, 1e2, -0, "\\u00e9\\/"],\r\n\t"a":{}} ')).toEqual({
      a: {},
      b: [1, 100, 0, 'é/'],
    });
    expect(parseJsonStrict(new TextEncoder().encode('"é"'))).toBe('é');
    expect(parseJsonStrict('{"a":{"x":1},"b":{"x":1}}')).toEqual({ a: { x: 1 }, b: { x: 1 } });
  });

  it('takes integers that a double holds, and refuses those it would round', () => {
    expect(
      parseJsonStrict('[9007199254740992, 143428456216485860, 100000000000000000000, 0.1, 1.00000000000000000001]'),
    ).toHaveLength(5);
    for (const text of ['9007199254740993', '123456789012345678901234567890', '{"a":[-9007199254740993]}']) {
      expect(outcomeOf(() => parseJsonStrict(text))).toBe('invalid/OBJECT_INVALID');
    }
  });

  it.each([
    ['a name twice', '{"a":1,"b":{},"a":2}', 'line 1, column 15'],
    ['a name twice below', '[\n {"a":{"b":1,\n"\\u0062":2}}]', 'line 3, column 1'],
    ['a rounded integer', '\n[9007199254740993]', 'line 2, column 2'],
  ])('says where it found %s, and does not quote it', (_, text, place) => {
    expect(String(caught(() => parseJsonStrict(text, 'bundle')))).toContain(place);
  });

  it.each([
    ['__proto__', '{"a":{"__proto__":{}}}'],
    ['a number beyond all', '1e400'],
    ['a lone surrogate, escaped', '"\\udead"'],
    ['a lone surrogate', '"\ud800"'],
    ['a comment', '[1] // one'],
    ['a comma at the end', '[1,]'],
    ['a byte order mark', '\ufeff[]'],
    ['nothing', ''],
    ['too much', ' '.repeat(JSON_DOCUMENT_BYTES_MAX + 1)],
  ])('refuses %s', (_, text) => {
    expect(outcomeOf(() => parseJsonStrict(text))).toBe('invalid/OBJECT_INVALID');
  });

  it('refuses what is neither text nor bytes', () => {
    expect(outcomeOf(() => parseJsonStrict({} as never))).toBe('TypeError');
  });
});
