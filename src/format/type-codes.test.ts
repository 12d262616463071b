import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { packClassCode, packClassOf, recordKindCode, recordKindOf } from './type-codes.ts';
import type { PackClass, RecordKind } from './types.ts';

describe('the numbers in the layouts', () => {
  it.each<[PackClass, number]>([
    ['data', 1],
    ['meta', 2],
    ['journal', 3],
    ['checkpoint', 4],
  ])('stand for pack class %s: %i', (name, code) => {
    expect(packClassCode(name)).toBe(code);
    expect(packClassOf(code)).toBe(name);
  });

  it.each<[RecordKind, number]>([
    ['chunk', 1],
    ['manifest', 2],
    ['journal', 3],
    ['checkpoint', 4],
  ])('stand for record kind %s: %i', (name, code) => {
    expect(recordKindCode(name)).toBe(code);
    expect(recordKindOf(code)).toBe(name);
  });

  it.each([0, 5, 255])('of a later version are not damage: %i', (code) => {
    expect(outcomeOf(() => packClassOf(code))).toBe('unsupported/FORMAT_UNSUPPORTED');
    expect(outcomeOf(() => recordKindOf(code))).toBe('unsupported/FORMAT_UNSUPPORTED');
  });

  it('are given for known names only', () => {
    expect(outcomeOf(() => packClassCode('toString' as PackClass))).toBe('internal/INVARIANT_BROKEN');
    expect(outcomeOf(() => recordKindCode('blob' as RecordKind))).toBe('internal/INVARIANT_BROKEN');
  });
});
