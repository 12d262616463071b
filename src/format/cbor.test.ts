import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { CBOR_DEPTH_MAX, CBOR_ITEMS_MAX } from '../limits.ts';
import { type CborValue, decodeCbor, encodeCbor } from './cbor.ts';
import { failWith } from './damage.ts';

const fail = failWith('JOURNAL_CORRUPT', 'test value');

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function unhex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
}

function outcome(bytes: Uint8Array): string {
  return outcomeOf(() => decodeCbor(bytes, fail));
}

/** Those of RFC 8949, appendix A, that are made of what Holdfast uses. */
const RFC_EXAMPLES: readonly (readonly [string, CborValue])[] = [
  ['00', 0],
  ['17', 23],
  ['1818', 24],
  ['1903e8', 1000],
  ['1a000f4240', 1_000_000],
  ['1b000000e8d4a51000', 1_000_000_000_000],
  ['20', -1],
  ['3903e7', -1000],
  ['f6', null],
  ['40', new Uint8Array(0)],
  ['4401020304', Uint8Array.of(1, 2, 3, 4)],
  ['60', ''],
  ['6449455446', 'IETF'],
  ['62c3bc', 'ü'],
  ['64f0908591', '𐅑'],
  ['80', []],
  ['8301820203820405', [1, [2, 3], [4, 5]]],
  ['98190102030405060708090a0b0c0d0e0f101112131415161718181819', Array.from({ length: 25 }, (_, i) => i + 1)],
  ['a0', new Map()],
  ['a56161614161626142616361436164614461656145', new Map([...'abcde'].map((name) => [name, name.toUpperCase()]))],
];

const values = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    fc.maxSafeInteger(),
    fc.uint8Array({ maxLength: 40 }),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .uniqueArray(fc.tuple(fc.string({ unit: 'binary' }), tie('value')), { selector: ([name]) => name, maxLength: 5 })
      .map((pairs) => new Map(pairs)),
  ),
})).value;

describe('CBOR', () => {
  it.each(RFC_EXAMPLES)('of RFC 8949, appendix A: %s', (encoded, value) => {
    expect(hex(encodeCbor(value))).toBe(encoded);
    expect(decodeCbor(unhex(encoded), fail)).toEqual(value);
  });

  it('reads back what it wrote, and only so', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = encodeCbor(value);
        const decoded = decodeCbor(bytes, fail);
        expect(decoded).toEqual(value);
        expect(encodeCbor(decoded as CborValue)).toEqual(bytes);
      }),
    );
  });

  it('orders the names of a map by their encoded bytes, whatever the order they were given in', () => {
    const names = ['z', 'aa', 'b', 'é', ''];
    const forwards = encodeCbor(new Map(names.map((name, index) => [name, index])));
    const backwards = encodeCbor(new Map(names.map((name, index) => [name, index] as const).reverse()));
    expect(hex(forwards)).toBe('a56004616202617a006261610162c3a903');
    expect(backwards).toEqual(forwards);
  });

  it('keeps a name that is special in JavaScript an ordinary one', () => {
    const bytes = encodeCbor(new Map([['__proto__', 'x']]));
    expect(decodeCbor(bytes, fail)).toEqual(new Map([['__proto__', 'x']]));
  });

  it.each([0, 1, 100, 300, 10_000])('is written into memory of its own: %i bytes', (length) => {
    const bytes = encodeCbor([new Uint8Array(length)]);
    expect(Buffer.isBuffer(bytes)).toBe(false);
    expect(bytes.buffer.byteLength).toBe(bytes.length);
  });

  it('hands out bytes that share no memory with the input, even with a pooled one', () => {
    const pooled = Buffer.from(encodeCbor([Uint8Array.of(1, 2, 3)]));
    const [bytes] = decodeCbor(pooled, fail) as [Uint8Array];
    pooled.fill(0);
    expect(bytes).toEqual(Uint8Array.of(1, 2, 3));
  });
});

describe('a CBOR decoder', () => {
  it.each([
    ['nothing', ''],
    ['a value and more', '00 00'],
    ['an integer longer than need be', '18 17'],
    ['a length longer than need be', '58 01 00'],
    ['an array length longer than need be', '98 01 00'],
    ['an array of indefinite length', '9f 00 ff'],
    ['bytes of indefinite length', '5f 41 00 ff'],
    ['text of indefinite length', '7f 61 61 ff'],
    ['a map of indefinite length', 'bf ff'],
    ['a lone break', 'ff'],
    ['names out of order', 'a2 61 62 00 61 61 00'],
    ['a name that comes twice', 'a2 61 61 00 61 61 01'],
    ['undefined', 'f7'],
    ['true', 'f5'],
    ['false', 'f4'],
    ['not a number', 'f9 7e 00'],
    ['infinity', 'f9 7c 00'],
    ['a whole number as a float', 'f9 3c 00'],
    ['minus zero', 'f9 80 00'],
    ['a half', 'f9 38 00'],
    ['a half in double precision', 'fb 3f e0 00 00 00 00 00 00'],
    ['2^53', '1b 00 20 00 00 00 00 00 00'],
    ['2^64-1', '1b ff ff ff ff ff ff ff ff'],
    ['a tag', 'c0 60'],
    ['a tagged big number', 'c2 41 01'],
    ['an unassigned simple value', 'f8 20'],
    ['an argument of reserved size', '1c'],
    ['text that is not UTF-8', '61 ff'],
    ['an encoded surrogate', '63 ed a0 80'],
    ['an array cut short', '82 00'],
    ['a map cut short', 'a1 61 61'],
    ['bytes cut short', '42 00'],
    ['an integer cut short', '19 00'],
  ])('takes no %s', (_, encoded) => {
    expect(outcome(unhex(encoded))).toBe('corrupt/JOURNAL_CORRUPT');
  });

  it('keeps a byte order mark inside text', () => {
    expect(decodeCbor(unhex('63 ef bb bf'), fail)).toBe('\ufeff');
  });

  it.each([
    '9a ff ff ff ff',
    '9b 00 1f ff ff ff ff ff ff',
    '5a ff ff ff ff',
    'ba ff ff ff ff',
    '7b 00 1f ff ff ff ff ff ff',
  ])('believes no length that the input does not hold: %s', (encoded) => {
    expect(outcome(unhex(encoded))).toBe('corrupt/JOURNAL_CORRUPT');
  });

  it('nests as deep as its limit and no deeper, however deep the input', () => {
    const nested = (depth: number) => Uint8Array.from([...Array(depth - 1).fill(0x81), 0x80]);
    expect(outcome(nested(CBOR_DEPTH_MAX))).toBe('no error');
    expect(outcome(nested(CBOR_DEPTH_MAX + 1))).toBe('corrupt/JOURNAL_CORRUPT');
    // Maps of one member each, whose key is the text `a`; the innermost is empty.
    const maps = (depth: number) => Uint8Array.from([...Array(depth - 1).fill([0xa1, 0x61, 0x61]), 0xa0].flat());
    expect(outcome(maps(CBOR_DEPTH_MAX))).toBe('no error');
    expect(outcome(maps(CBOR_DEPTH_MAX + 1))).toBe('corrupt/JOURNAL_CORRUPT');
    expect(outcome(new Uint8Array(2_000_000).fill(0x81))).toBe('corrupt/JOURNAL_CORRUPT');
  });

  it('counts depth by what is open, not by what came before', () => {
    const wide: CborValue = Array.from({ length: 50 }, () => [[[[]]]]);
    expect(decodeCbor(encodeCbor(wide), fail)).toEqual(wide);
    const pairs = new Map([['a', [new Map([['b', [[]]]])]]]);
    expect(decodeCbor(encodeCbor(pairs), fail)).toEqual(pairs);
  });

  it('builds no more values than its limit', () => {
    const items = (count: number) => encodeCbor(Array(count - 1).fill(0));
    expect(outcome(items(CBOR_ITEMS_MAX))).toBe('no error');
    expect(outcome(items(CBOR_ITEMS_MAX + 1))).toBe('corrupt/JOURNAL_CORRUPT');
  });

  it('gives for any bytes a value that encodes to them, or its error', () => {
    const nearly = fc.tuple(values, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
      const bytes = encodeCbor(value).slice();
      bytes[at % bytes.length] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), nearly), (bytes) => {
        let value: unknown;
        const result = outcomeOf(() => {
          value = decodeCbor(bytes, fail);
        });
        if (result === 'no error') expect(encodeCbor(value as CborValue)).toEqual(bytes);
        else expect(result).toBe('corrupt/JOURNAL_CORRUPT');
      }),
      { numRuns: 1000 },
    );
  });
});
