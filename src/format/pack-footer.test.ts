import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { packHeader, patternBytes } from '../../test/support/format-samples.ts';
import { bitFlips, patched, truncations } from '../../test/support/mutations.ts';
import { sampleKey, sealedHeader } from '../../test/support/sealed-samples.ts';
import { concatBytes } from '../bytes/bytes.ts';
import { PACK_BYTES_MAX, PACK_ITEMS_MAX, PACK_RECORDS_MAX, RECORD_ITEMS_MAX } from '../limits.ts';
import { decodePackFooter, encodePackFooter, PACK_FOOTER_BYTES, type PackFooter, packBytesOf } from './pack-footer.ts';
import { sealFooter } from './pack-frame.ts';

const HEADER = packHeader('data', 3);
const FOOTER: PackFooter = {
  directoryOffset: 5000,
  directoryLength: 300,
  recordCount: 2,
  itemCount: 7,
  paddingLength: 0,
};
const SEALED = sealedHeader('data', 3);
const ENCODED = encodePackFooter(FOOTER, HEADER);

function decodeOutcome(bytes: Uint8Array): string {
  return outcomeOf(() => decodePackFooter(bytes, HEADER));
}

describe('a pack footer', () => {
  it('reads back from the end of whatever it ends', () => {
    expect(ENCODED).toHaveLength(PACK_FOOTER_BYTES);
    expect(decodePackFooter(ENCODED, HEADER)).toEqual(FOOTER);
    expect(decodePackFooter(concatBytes([patternBytes(100, 1), ENCODED]), HEADER)).toEqual(FOOTER);
    expect(packBytesOf(FOOTER)).toBe(5364);
  });

  it('belongs to its pack alone', () => {
    expect(outcomeOf(() => decodePackFooter(ENCODED, packHeader('data', 4)))).toBe('corrupt/PACK_CORRUPT');
  });

  it('notices every flipped bit and every lost byte', () => {
    for (const { bit, bytes } of bitFlips(ENCODED))
      expect(decodeOutcome(bytes), `bit ${bit}`).toBe('corrupt/PACK_CORRUPT');
    for (const bytes of truncations(ENCODED)) expect(decodeOutcome(bytes)).toBe('corrupt/PACK_CORRUPT');
  });

  it.each<[string, Partial<PackFooter>, string]>([
    ['a directory in the header', { directoryOffset: 127 }, 'corrupt/PACK_CORRUPT'],
    ['a directory right after the header', { directoryOffset: 128 }, 'no error'],
    ['no room for a directory', { directoryLength: 15 }, 'corrupt/PACK_CORRUPT'],
    ['room for the trailer of a directory alone', { directoryLength: 16 }, 'no error'],
    ['padding', { paddingLength: 1 }, 'corrupt/PACK_CORRUPT'],
    ['the largest pack', { directoryOffset: PACK_BYTES_MAX - 364 }, 'no error'],
    ['a pack that is too large', { directoryOffset: PACK_BYTES_MAX - 363 }, 'corrupt/PACK_CORRUPT'],
    ['an offset beyond all packs', { directoryOffset: Number.MAX_SAFE_INTEGER }, 'corrupt/PACK_CORRUPT'],
    ['fewer items than records', { itemCount: 1 }, 'corrupt/PACK_CORRUPT'],
    ['as many items as records hold', { itemCount: 2 * RECORD_ITEMS_MAX }, 'no error'],
    ['more items than records hold', { itemCount: 2 * RECORD_ITEMS_MAX + 1 }, 'corrupt/PACK_CORRUPT'],
    ['the most records and items', { recordCount: PACK_RECORDS_MAX, itemCount: PACK_ITEMS_MAX }, 'no error'],
    ['too many records', { recordCount: PACK_RECORDS_MAX + 1, itemCount: PACK_ITEMS_MAX }, 'corrupt/PACK_CORRUPT'],
    ['too many items', { recordCount: 1000, itemCount: PACK_ITEMS_MAX + 1 }, 'corrupt/PACK_CORRUPT'],
    ['nothing at all', { recordCount: 0, itemCount: 0 }, 'no error'],
  ])('with %s', (_, change, outcome) => {
    expect(decodeOutcome(encodePackFooter({ ...FOOTER, ...change }, HEADER))).toBe(outcome);
  });

  it.each<[string, Partial<PackFooter>, string]>([
    ['padding', { paddingLength: 1 }, 'no error'],
    ['nothing but padding', { paddingLength: 284 }, 'no error'],
    ['more padding than directory', { paddingLength: 285 }, 'corrupt/PACK_CORRUPT'],
  ])('of a sealed pack with %s', (_, change, outcome) => {
    const identity = { ...SEALED, key: sampleKey(SEALED) };
    const bytes = encodePackFooter({ ...FOOTER, ...change }, identity);
    expect(outcomeOf(() => decodePackFooter(bytes, identity))).toBe(outcome);
  });

  it.each([
    ['version 2', 8, [2], 'unsupported/FORMAT_UNSUPPORTED'],
    ['an incompatible bit', 14, [1], 'unsupported/FORMAT_UNSUPPORTED'],
    ['a reserved byte', 40, [1], 'corrupt/PACK_CORRUPT'],
    ['an offset beyond 2^53-1', 16, Array(8).fill(0xff), 'corrupt/PACK_CORRUPT'],
  ])('that was written with %s and a good check', (_, offset, patch, outcome) => {
    const forged = patched(ENCODED, offset, patch);
    const [prelude, numbers] = [forged.subarray(0, 16), forged.subarray(16, 48)];
    const { trailer } = sealFooter(HEADER, prelude, numbers);
    expect(decodeOutcome(concatBytes([prelude, numbers, trailer]))).toBe(outcome);
  });
});
