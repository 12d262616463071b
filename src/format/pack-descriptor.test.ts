import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { DATA_DESCRIPTOR, JOURNAL_DESCRIPTOR, patternBytes } from '../../test/support/format-samples.ts';
import type { CborValue } from './cbor.ts';
import { failWith } from './damage.ts';
import { packDescriptorFromCbor, packDescriptorToCbor } from './pack-descriptor.ts';
import type { PackDescriptor } from './types.ts';

const fail = failWith('JOURNAL_CORRUPT', 'journal record');
const DATA_VALUES = packDescriptorToCbor(DATA_DESCRIPTOR, 1) as readonly CborValue[];
const JOURNAL_VALUES = packDescriptorToCbor(JOURNAL_DESCRIPTOR, 1) as readonly CborValue[];

function outcome(values: CborValue): string {
  return outcomeOf(() => packDescriptorFromCbor(values, 1, fail));
}

describe('a pack descriptor', () => {
  it.each([
    DATA_DESCRIPTOR,
    JOURNAL_DESCRIPTOR,
    { ...DATA_DESCRIPTOR, class: 'meta' as const },
  ])('reads back: %#', (pack) => {
    expect(packDescriptorFromCbor(packDescriptorToCbor(pack, 1), 1, fail)).toEqual(pack);
  });

  it.each<[string, number, CborValue, string]>([
    ['a short id', 0, patternBytes(15, 1), 'corrupt/JOURNAL_CORRUPT'],
    ['an unknown class', 1, 5, 'unsupported/FORMAT_UNSUPPORTED'],
    ['a negative size', 2, -1, 'corrupt/JOURNAL_CORRUPT'],
    ['a size that is no number', 3, '1', 'corrupt/JOURNAL_CORRUPT'],
    ['a short stripe id', 4, [patternBytes(15, 1), 1, 0, patternBytes(32, 1)], 'corrupt/JOURNAL_CORRUPT'],
    ['no data shards', 4, [patternBytes(16, 1), 0, 1, patternBytes(32, 1)], 'corrupt/JOURNAL_CORRUPT'],
    ['too many shards', 4, [patternBytes(16, 1), 128, 128, new Uint8Array(256 * 32)], 'corrupt/JOURNAL_CORRUPT'],
    ['as many shards as may be', 4, [patternBytes(16, 1), 128, 127, new Uint8Array(255 * 32)], 'no error'],
    ['a root too few', 4, [patternBytes(16, 1), 1, 1, patternBytes(32, 1)], 'corrupt/JOURNAL_CORRUPT'],
    ['a stripe with more to it', 4, [patternBytes(16, 1), 1, 0, patternBytes(32, 1), 0], 'corrupt/JOURNAL_CORRUPT'],
    ['a place in the journal for data', 5, [patternBytes(16, 1), 1, 1], 'corrupt/JOURNAL_CORRUPT'],
  ])('that was written with %s', (_, index, value, expected) => {
    expect(outcome(DATA_VALUES.with(index, value))).toBe(expected);
  });

  it.each<[string, CborValue, string]>([
    ['no place', null, 'corrupt/JOURNAL_CORRUPT'],
    ['a place that ends before it begins', [patternBytes(16, 1), 2, 1], 'corrupt/JOURNAL_CORRUPT'],
    ['a short incarnation', [patternBytes(15, 1), 1, 1], 'corrupt/JOURNAL_CORRUPT'],
    ['commit 0', [patternBytes(16, 1), 0, 1], 'corrupt/JOURNAL_CORRUPT'],
    ['one commit', [patternBytes(16, 1), 7, 7], 'no error'],
    ['an end before its beginning', [patternBytes(16, 1), 7, 6], 'corrupt/JOURNAL_CORRUPT'],
    ['a place with more to it', [patternBytes(16, 1), 1, 1, 1], 'corrupt/JOURNAL_CORRUPT'],
  ])('of a journal pack that was written with %s', (_, place, expected) => {
    expect(outcome(JOURNAL_VALUES.with(5, place))).toBe(expected);
  });

  it('with a value too few or too many, or no array, is damage', () => {
    for (const values of [DATA_VALUES.slice(0, -1), [...DATA_VALUES, null], null, new Map()]) {
      expect(outcome(values)).toBe('corrupt/JOURNAL_CORRUPT');
    }
  });

  const { stripe } = DATA_DESCRIPTOR;
  it.each<[string, PackDescriptor]>([
    ['a short id', { ...DATA_DESCRIPTOR, id: new Uint8Array(8) }],
    ['a short stripe id', { ...DATA_DESCRIPTOR, stripe: { ...stripe, id: new Uint8Array(8) } }],
    ['a root too many', { ...DATA_DESCRIPTOR, stripe: { ...stripe, roots: new Uint8Array(64) } }],
    ['a place in the journal for data', { ...JOURNAL_DESCRIPTOR, class: 'data' }],
    ['a journal pack without a place', { ...DATA_DESCRIPTOR, class: 'journal' }],
  ])('is not written with %s', (_, pack) => {
    expect(outcomeOf(() => packDescriptorToCbor(pack, 1))).toBe('internal/INVARIANT_BROKEN');
  });

  describe('of a sealed store', () => {
    const seal = { namespace: 7, epoch: 2, salt: patternBytes(32, 5) };
    const SEALED: PackDescriptor = { ...DATA_DESCRIPTOR, seal };
    const SEALED_VALUES = packDescriptorToCbor(SEALED, 2) as readonly CborValue[];

    it.each([SEALED, { ...JOURNAL_DESCRIPTOR, seal }, DATA_DESCRIPTOR])('reads back: %#', (pack) => {
      expect(packDescriptorFromCbor(packDescriptorToCbor(pack, 2), 2, fail)).toEqual(pack);
    });

    it('has a value more, which plain stores neither read nor write', () => {
      expect(SEALED_VALUES).toHaveLength(7);
      expect(SEALED_VALUES.slice(0, -1)).toEqual(DATA_VALUES);
      expect(outcome(SEALED_VALUES)).toBe('corrupt/JOURNAL_CORRUPT');
      expect(outcomeOf(() => packDescriptorFromCbor(DATA_VALUES, 2, fail))).toBe('corrupt/JOURNAL_CORRUPT');
      expect(outcomeOf(() => packDescriptorToCbor(SEALED, 1))).toBe('internal/INVARIANT_BROKEN');
    });

    it.each<[string, CborValue]>([
      ['epoch 0', [7, 0, seal.salt]],
      ['a namespace beyond u32', [2 ** 32, 1, seal.salt]],
      ['a short salt', [7, 2, patternBytes(31, 5)]],
      ['a value too many', [7, 2, seal.salt, 0]],
      ['no array', seal.salt],
    ])('is damage with %s in its seal', (_, value) => {
      const values = SEALED_VALUES.with(6, value);
      expect(outcomeOf(() => packDescriptorFromCbor(values, 2, fail))).toBe('corrupt/JOURNAL_CORRUPT');
    });

    it.each<[string, Partial<typeof seal>, string]>([
      ['epoch 0', { epoch: 0 }, 'RangeError'],
      ['a negative namespace', { namespace: -1 }, 'RangeError'],
      ['a short salt', { salt: patternBytes(16, 5) }, 'internal/INVARIANT_BROKEN'],
    ])('is not written with %s in its seal', (_, change, expected) => {
      const pack = { ...SEALED, seal: { ...seal, ...change } };
      expect(outcomeOf(() => packDescriptorToCbor(pack, 2))).toBe(expected);
    });
  });
});
