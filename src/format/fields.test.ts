import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { failWith } from './damage.ts';
import { Fields } from './fields.ts';

const fail = failWith('ENTRY_CORRUPT', 'entry');

function fields(...values: readonly unknown[]): Fields {
  return new Fields(values, fail);
}

describe('fields', () => {
  it('are taken in order, and must all be taken', () => {
    const some = fields(1, Uint8Array.of(2), [3], [4, 5], null, 6);
    expect(some.integer('a')).toBe(1);
    expect(some.bytes('b', 1)).toEqual(Uint8Array.of(2));
    expect(some.list('c')).toEqual([3]);
    expect(some.integers('d', { count: 2 })).toEqual([4, 5]);
    expect(some.nullable('e', () => some.integer('e'))).toBeUndefined();
    expect(outcomeOf(() => some.end())).toBe('corrupt/ENTRY_CORRUPT');
    expect(some.nullable('f', () => some.integer('f'))).toBe(6);
    some.end();
  });

  it.each<[string, (some: Fields) => unknown, readonly unknown[]]>([
    ['an end too early', (some) => some.any('x'), []],
    ['text for an integer', (some) => some.integer('x'), ['1']],
    ['a fraction', (some) => some.integer('x'), [0.5]],
    ['true for an integer', (some) => some.integer('x'), [true]],
    ['an integer that is not safe', (some) => some.integer('x'), [2 ** 53]],
    ['a negative integer', (some) => some.integer('x'), [-1]],
    ['an integer above its bound', (some) => some.integer('x', { max: 3 }), [4]],
    ['an integer below its bound', (some) => some.integer('x', { min: 3 }), [2]],
    ['text for bytes', (some) => some.bytes('x', 1), ['a']],
    ['bytes too short', (some) => some.bytes('x', 2), [new Uint8Array(1)]],
    ['bytes too long', (some) => some.bytesBetween('x', { min: 0, max: 1 }), [new Uint8Array(2)]],
    ['bytes for a list', (some) => some.list('x'), [new Uint8Array(2)]],
    ['a list of another length', (some) => some.integers('x', { count: 1 }), [[1, 2]]],
    ['a list with another thing in it', (some) => some.integers('x'), [[1, null]]],
    ['a list with a value out of bounds', (some) => some.integers('x', { max: 1 }), [[1, 2]]],
    ['null where nothing may be missing', (some) => some.any('x') ?? some.integer('y'), [null, null]],
  ])('take no %s', (_, take, values) => {
    expect(outcomeOf(() => take(fields(...values)))).toBe('corrupt/ENTRY_CORRUPT');
  });

  it('are an array', () => {
    expect(outcomeOf(() => new Fields(new Map(), fail))).toBe('corrupt/ENTRY_CORRUPT');
  });

  it('tell a version of the future from damage', () => {
    expect(outcomeOf(() => fields(1).version('entry', 1))).toBe('no error');
    expect(outcomeOf(() => fields(2).version('entry', 1))).toBe('unsupported/FORMAT_UNSUPPORTED');
    expect(outcomeOf(() => fields(0).version('entry', 1))).toBe('corrupt/ENTRY_CORRUPT');
    expect(outcomeOf(() => fields('1').version('entry', 1))).toBe('corrupt/ENTRY_CORRUPT');
  });
});
