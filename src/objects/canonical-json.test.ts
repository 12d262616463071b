import { existsSync, readdirSync, readFileSync } from 'node:fs';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caught, outcomeOf } from '../../test/support/caught.ts';
import { utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import type { StoreError } from '../errors/store-error.ts';
import { OBJECT_BYTES_MAX, OBJECT_DEPTH_MAX } from '../limits.ts';
import { encodeCanonicalJson, parseCanonicalJson, sameJson } from './canonical-json.ts';
import { parseJsonStrict } from './strict-json.ts';

const FOLDER = new URL('../../../shared/vectors/jcs/', import.meta.url);
const hasFolder = existsSync(FOLDER);
if (!hasFolder) {
  console.warn(
    'RFC 8785 vectors skipped: put the testdata of cyberphone/json-canonicalization at ../shared/vectors/jcs',
  );
}

function nested(depth: number, innermost: unknown = 1): unknown {
  let value = innermost;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

function encoded(value: unknown): string {
  return utf8Decode(encodeCanonicalJson(value));
}

function fieldOf(call: () => unknown): string | undefined {
  return (caught(call) as StoreError).details.field;
}

describe('encodeCanonicalJson', () => {
  it('gives the example of RFC 8785, section 3.2.2 to 3.2.4', () => {
    const input =
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
      '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}';
    expect(encoded(JSON.parse(input))).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('sorts names by UTF-16 code units: RFC 8785, section 3.2.3', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
    const value = Object.fromEntries(names.map((name) => [name, 0]));
    const order = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33'];
    expect(encoded(value)).toBe(`{${order.map((name) => `${JSON.stringify(name)}:0`).join(',')}}`);
  });

  // RFC 8785, appendix B: bits of the double, and its spelling.
  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
  ])('spells the double %s as %s', (bits, text) => {
    expect(encoded(Buffer.from(bits, 'hex').readDoubleBE())).toBe(text);
  });

  it.skipIf(!hasFolder)('gives the published bytes, and reads them back', () => {
    const files = readdirSync(new URL('input/', FOLDER));
    expect(files).toHaveLength(6);
    for (const name of files) {
      const hex = readFileSync(new URL(`outhex/${name.replace('.json', '.txt')}`, FOLDER), 'utf8').replace(/\s/g, '');
      const input = parseJsonStrict(readFileSync(new URL(`input/${name}`, FOLDER)));
      const bytes = encodeCanonicalJson(input);
      expect(Buffer.from(bytes).toString('hex'), name).toBe(hex);
      expect(parseCanonicalJson(bytes)).toEqual(input);
    }
  });

  it('agrees with the library on any value, names that look like numbers among them', () => {
    const names = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('10', '9', '0', '01', '4294967295', 'a'));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(null, true, false, 0, -1, 1e21),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.string({ unit: 'binary' }),
        fc.array(tie('value')),
        fc.dictionary(names, tie('value'), { noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(value, (one) => {
        fc.pre(!JSON.stringify(one).includes('__proto__'));
        const text = encoded(one);
        expect(text).toBe(canonicalize(one));
        expect(encoded(parseCanonicalJson(utf8Encode(text)))).toBe(text);
        expect(parseJsonStrict(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  const cycle: unknown[] = [];
  cycle.push({ cycle });
  const bomb = Array.from({ length: 40 }).reduce((inner: unknown) => [inner, inner], 1);
  it.each<readonly [string, unknown, string]>([
    ['nothing', undefined, 'value'],
    ['undefined inside', { a: [1, undefined] }, 'value.a[1]'],
    ['a function', { 'a b': () => 1 }, 'value["a b"]'],
    ['a symbol', [Symbol('s')], 'value[0]'],
    ['a symbol for a name', { a: { [Symbol('s')]: 1 } }, 'value.a'],
    ['a bigint', { a: 1n }, 'value.a'],
    ['not a number', { a: Number.NaN }, 'value.a'],
    ['infinity', [[-Infinity]], 'value[0][0]'],
    ['a lone surrogate', { a: '\ud800' }, 'value.a'],
    ['a lone surrogate in a name', { a: { '\udc00': 1 } }, 'value.a'],
    ['the name __proto__', { a: JSON.parse('{"__proto__":1}') }, 'value.a'],
    ['a date', { a: new Date(0) }, 'value.a'],
    ['a map', [new Map()], 'value[0]'],
    ['bytes', [new Uint8Array(1)], 'value[0]'],
    ['a boxed text', [new String('a')], 'value[0]'],
    ['toJSON', { toJSON: () => 1 }, 'value.toJSON'],
    ['a sparse array', { a: new Array(3) }, 'value.a'],
    ['an array with a name', Object.assign([1], { name: 1 }), 'value'],
    ['a cycle', cycle, 'value[0].cycle'],
    ['what grows without end', bomb, 'value'],
    ['what is too large', 'x'.repeat(OBJECT_BYTES_MAX), 'value'],
    ['what is too large as encoded', '\u0001'.repeat(OBJECT_BYTES_MAX / 4), 'value'],
  ])('refuses %s', (_, value, field) => {
    expect(outcomeOf(() => encodeCanonicalJson(value))).toBe('invalid/OBJECT_INVALID');
    expect(fieldOf(() => encodeCanonicalJson(value))).toBe(field);
  });

  it('takes the deepest value there may be and nothing deeper', () => {
    const deepest = encodeCanonicalJson(nested(OBJECT_DEPTH_MAX));
    expect(parseCanonicalJson(deepest)).toEqual(nested(OBJECT_DEPTH_MAX));
    for (const depth of [OBJECT_DEPTH_MAX + 1, 100_000]) {
      const text = `${'['.repeat(depth)}1${']'.repeat(depth)}`;
      expect(outcomeOf(() => encodeCanonicalJson(nested(depth)))).toBe('invalid/OBJECT_INVALID');
      expect(outcomeOf(() => parseCanonicalJson(utf8Encode(text)))).toBe('invalid/OBJECT_INVALID');
      expect(outcomeOf(() => parseJsonStrict(text))).toBe('invalid/OBJECT_INVALID');
    }
    expect(parseJsonStrict(`"${'['.repeat(1000)}\\"${'['.repeat(1000)}"`)).toHaveLength(2001);
  });

  it('reads every property once, and calls nothing that a value brings along', () => {
    let reads = 0;
    const value = Object.defineProperty({}, 'a', { enumerable: true, get: () => (reads++ === 0 ? 1 : () => 1) });
    expect(encoded(value)).toBe('{"a":1}');
    expect(reads).toBe(1);
  });
});

describe('parseCanonicalJson', () => {
  it.each([
    ['white space', '{"a": 1}'],
    ['a line end', '{"a":1}\n'],
    ['a name twice', '{"a":1,"a":1}'],
    ['a name twice, escaped', '{"a":1,"\\u0061":1}'],
    ['another order', '{"b":1,"a":2}'],
    ['numbers in the order of JavaScript', '{"9":1,"10":1}'],
    ['1.0', '[1.0]'],
    ['1e2', '[1e2]'],
    ['-0', '[-0]'],
    ['a number that rounds', '[9007199254740993]'],
    ['a number beyond all', '[1e400]'],
    ['a needless escape', '["\\u0061"]'],
    ['an escaped slash', '["\\/"]'],
    ['an escaped lone surrogate', '["\\ud800"]'],
    ['__proto__', '{"__proto__":1}'],
    ['a byte order mark', '\ufeff[]'],
    ['nothing', ''],
    ['two values', '1 2'],
    ['no JSON', '{a:1}'],
  ])('refuses %s', (_, text) => {
    expect(outcomeOf(() => parseCanonicalJson(utf8Encode(text)))).toBe('invalid/OBJECT_INVALID');
  });

  it('refuses what is not UTF-8, and what is too large, before anything else', () => {
    for (const bytes of [Uint8Array.of(0x22, 0xff, 0x22), Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)]) {
      expect(outcomeOf(() => parseCanonicalJson(bytes))).toBe('invalid/OBJECT_INVALID');
      expect(outcomeOf(() => parseJsonStrict(bytes))).toBe('invalid/OBJECT_INVALID');
    }
    expect(outcomeOf(() => parseCanonicalJson(new Uint8Array(OBJECT_BYTES_MAX + 1)))).toBe('invalid/OBJECT_INVALID');
  });

  it('gives what cannot be changed', () => {
    const value = parseCanonicalJson(utf8Encode('{"a":[{"b":1}]}')) as { a: { b: number }[] };
    expect(() => value.a.push({ b: 2 })).toThrow(TypeError);
    expect(() => Object.assign(value.a[0] ?? {}, { b: 2 })).toThrow(TypeError);
  });
});

describe('sameJson', () => {
  it('compares values whatever the order of their names', () => {
    expect(sameJson({ a: 1, b: [2] }, { b: [2], a: 1 })).toBe(true);
    expect(sameJson({ a: 1 }, { a: 2 })).toBe(false);
    expect([sameJson(undefined, undefined), sameJson(undefined, null), sameJson(null, null)]).toEqual([
      true,
      false,
      true,
    ]);
  });
});
