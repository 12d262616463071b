import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { patched } from '../../test/support/mutations.ts';
import { BinaryWriter } from '../bytes/binary-writer.ts';
import { failWith } from './damage.ts';
import { type FeatureBits, PRELUDE_BYTES, readPrelude, refuseReadOnlyFeatures, writePrelude } from './prelude.ts';

const LAYOUT = { magic: 'HOLDTEST', version: 3, component: 'test' };
const fail = failWith('PACK_CORRUPT', 'test');

function prelude(features?: FeatureBits): Uint8Array {
  const writer = new BinaryWriter(PRELUDE_BYTES);
  writePrelude(writer, LAYOUT, features);
  return writer.bytes;
}

function read(bytes: Uint8Array, intact = true): FeatureBits | undefined {
  return readPrelude(bytes, LAYOUT, { fail, intact: () => intact });
}

describe('a prelude', () => {
  it('is magic, version and three fields of feature bits, little-endian', () => {
    const bytes = prelude({ compatible: 0x0102, readOnlyCompatible: 0x0304 });
    expect(Buffer.from(bytes).toString('hex')).toBe('484f4c44544553540300020104030000');
  });

  it('reads back the bits that may be met unknown', () => {
    expect(read(prelude())).toBeUndefined();
    for (const features of [
      { compatible: 1, readOnlyCompatible: 0x8000 },
      { compatible: 2, readOnlyCompatible: 0 },
      { compatible: 0, readOnlyCompatible: 2 },
    ])
      expect(read(prelude(features))).toEqual(features);
  });

  it.each([
    ['an incompatible bit', 14, [1]],
    ['the highest incompatible bit', 15, [0x80]],
    ['an older version', 8, [2]],
    ['a newer version', 8, [4]],
    ['a version of the far future', 9, [1]],
  ])('with %s is unsupported while its check holds, and damage when not', (_, offset, patch) => {
    const bytes = patched(prelude(), offset, patch);
    expect(outcomeOf(() => read(bytes))).toBe('unsupported/FORMAT_UNSUPPORTED');
    expect(outcomeOf(() => read(bytes, false))).toBe('corrupt/PACK_CORRUPT');
  });

  it('with another magic is damage, whatever its check says', () => {
    expect(outcomeOf(() => read(patched(prelude(), 7, [0])))).toBe('corrupt/PACK_CORRUPT');
  });

  it('that is cut short is damage', () => {
    expect(outcomeOf(() => read(prelude().subarray(0, 15)))).toBe('corrupt/PACK_CORRUPT');
  });

  it('forbids a writer what only a newer one could keep', () => {
    expect(outcomeOf(() => refuseReadOnlyFeatures('test', undefined))).toBe('no error');
    expect(outcomeOf(() => refuseReadOnlyFeatures('test', { compatible: 1, readOnlyCompatible: 0 }))).toBe('no error');
    const features = { compatible: 0, readOnlyCompatible: 1 };
    expect(outcomeOf(() => refuseReadOnlyFeatures('test', features))).toBe('unsupported/FORMAT_UNSUPPORTED');
  });
});
