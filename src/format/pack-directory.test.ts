import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { packHeader, patternBytes } from '../../test/support/format-samples.ts';
import { bitFlips } from '../../test/support/mutations.ts';
import { sampleKey, sealedHeader } from '../../test/support/sealed-samples.ts';
import { concatBytes } from '../bytes/bytes.ts';
import { PACK_BYTES_MAX, RECORD_PLAIN_BYTES_MAX } from '../limits.ts';
import { type CborValue, decodeCbor, encodeCbor } from './cbor.ts';
import { failWith } from './damage.ts';
import { decodeDirectory, encodeDirectory } from './pack-directory.ts';
import type { PackFooter } from './pack-footer.ts';
import { sealDirectory } from './pack-frame.ts';
import type { DirectoryItem } from './types.ts';

const HEADER = packHeader('data', 3);
const SEALED = sealedHeader('data', 3);

/** Records of 100, 7 and 50 stored bytes with 2, 1 and 3 items. */
const ITEMS: readonly DirectoryItem[] = [
  { ordinal: 0, kind: 'chunk', offset: 128, storedLength: 100, plainLength: 300, codec: 1 },
  { ordinal: 1, kind: 'manifest', offset: 244, storedLength: 7, plainLength: 9, codec: 0 },
  { ordinal: 2, kind: 'journal', offset: 267, storedLength: 50, plainLength: 60, codec: 255 },
].flatMap((record) => {
  const lengths = [[299, 1], [9], [10, 20, 30]][record.ordinal] ?? [];
  return lengths.map((length, index): DirectoryItem => {
    const inner = lengths.slice(0, index).reduce((sum, one) => sum + one, 0);
    return { ...record, inner, length, id: patternBytes(32, 10 * record.ordinal + index) } as DirectoryItem;
  });
});
const BYTES = encodeDirectory(ITEMS, HEADER).bytes;
const FOOTER: PackFooter = {
  directoryOffset: 333,
  directoryLength: BYTES.length,
  recordCount: 3,
  itemCount: 6,
  paddingLength: 0,
};

type Columns = readonly [number, number[], number[], number[], number[], number[], number[], Uint8Array];
const COLUMNS = decodeCbor(BYTES.subarray(0, -16), failWith('PACK_CORRUPT', 'sample')) as Columns;

function framed(value: CborValue): Uint8Array {
  const content = encodeCbor(value);
  return concatBytes([content, sealDirectory(HEADER, content).trailer]);
}

/** What comes of a directory with these values, trailer and length in the footer made to fit. */
function forgedOutcome(value: CborValue, footer: Partial<PackFooter> = {}): string {
  const bytes = framed(value);
  return outcomeOf(() => decodeDirectory(bytes, HEADER, { ...FOOTER, directoryLength: bytes.length, ...footer }));
}

describe('a pack directory', () => {
  it('reads back every item, with the offsets it does not store', () => {
    expect(decodeDirectory(BYTES, HEADER, FOOTER)).toEqual(ITEMS);
  });

  it('may be empty', () => {
    const bytes = encodeDirectory([], HEADER).bytes;
    const footer = { ...FOOTER, directoryOffset: 128, directoryLength: bytes.length, recordCount: 0, itemCount: 0 };
    expect(decodeDirectory(bytes, HEADER, footer)).toEqual([]);
  });

  it('is padded in sealed packs alone, and there with zeros alone', () => {
    expect(encodeDirectory(ITEMS, HEADER, () => 7)).toEqual({ bytes: BYTES, paddingLength: 0 });
    const identity = { ...SEALED, key: sampleKey(SEALED) };
    expect(encodeDirectory(ITEMS, identity)).toMatchObject({ paddingLength: 0 });
    for (const [padding, outcome] of [
      [[0, 0, 0], 'no error'],
      [[0, 0, 1], 'corrupt/PACK_CORRUPT'],
      [[1, 0, 0], 'corrupt/PACK_CORRUPT'],
    ] as const) {
      const { content, trailer } = sealDirectory(
        identity,
        concatBytes([encodeCbor(COLUMNS), Uint8Array.from(padding)]),
      );
      const bytes = concatBytes([content, trailer]);
      const footer = { ...FOOTER, directoryLength: bytes.length, paddingLength: 3 };
      expect(outcomeOf(() => decodeDirectory(bytes, identity, footer))).toBe(outcome);
    }
  });

  it('is columns', () => {
    const ids = concatBytes(ITEMS.map((item) => item.id));
    expect(COLUMNS).toEqual([
      1,
      [100, 7, 50],
      [300, 9, 60],
      [1, 0, 255],
      [1, 2, 3],
      [2, 1, 3],
      [299, 1, 9, 10, 20, 30],
      ids,
    ]);
  });

  it('notices every flipped bit', () => {
    for (const { bit, bytes } of bitFlips(BYTES)) {
      expect(
        outcomeOf(() => decodeDirectory(bytes, HEADER, FOOTER)),
        `bit ${bit}`,
      ).toBe('corrupt/PACK_CORRUPT');
    }
  });

  it('belongs to its pack and has the length the footer says', () => {
    expect(outcomeOf(() => decodeDirectory(BYTES, packHeader('data', 4), FOOTER))).toBe('corrupt/PACK_CORRUPT');
    const longer = concatBytes([BYTES, Uint8Array.of(0)]);
    expect(outcomeOf(() => decodeDirectory(longer, HEADER, FOOTER))).toBe('corrupt/PACK_CORRUPT');
    expect(outcomeOf(() => decodeDirectory(BYTES.subarray(1), HEADER, FOOTER))).toBe('corrupt/PACK_CORRUPT');
  });

  it.each<[string, number, CborValue, string]>([
    ['its own values', 0, 1, 'no error'],
    ['version 2', 0, 2, 'unsupported/FORMAT_UNSUPPORTED'],
    ['records that end before the directory', 1, [100, 7, 49], 'corrupt/PACK_CORRUPT'],
    ['records that reach into the directory', 1, [100, 7, 51], 'corrupt/PACK_CORRUPT'],
    ['an empty record', 1, [100, 0, 57], 'corrupt/PACK_CORRUPT'],
    ['a record larger than a pack', 1, [100, 7, PACK_BYTES_MAX + 1], 'corrupt/PACK_CORRUPT'],
    ['more stored lengths than records', 1, [100, 7, 25, 9], 'corrupt/PACK_CORRUPT'],
    ['plain bytes above the limit', 2, [300, 9, RECORD_PLAIN_BYTES_MAX + 1], 'corrupt/PACK_CORRUPT'],
    ['items that do not add up', 2, [300, 9, 61], 'corrupt/PACK_CORRUPT'],
    ['more plain lengths than records', 2, [300, 9, 60, 1], 'corrupt/PACK_CORRUPT'],
    ['more kinds than records', 4, [1, 2, 3, 1], 'corrupt/PACK_CORRUPT'],
    ['more item counts than records', 5, [2, 1, 3, 1], 'corrupt/PACK_CORRUPT'],
    ['a codec of two bytes', 3, [1, 0, 256], 'corrupt/PACK_CORRUPT'],
    ['an unknown kind', 4, [1, 2, 5], 'unsupported/FORMAT_UNSUPPORTED'],
    ['a record without items', 5, [3, 0, 3], 'corrupt/PACK_CORRUPT'],
    ['items shared out otherwise', 5, [1, 2, 3], 'corrupt/PACK_CORRUPT'],
    ['fewer items than there are', 5, [2, 1, 2], 'corrupt/PACK_CORRUPT'],
    ['more items than there are', 5, [2, 1, 4], 'corrupt/PACK_CORRUPT'],
    ['an item of no bytes', 6, [300, 0, 9, 10, 20, 30], 'corrupt/PACK_CORRUPT'],
    ['too few lengths', 6, [299, 1, 9, 10, 50], 'corrupt/PACK_CORRUPT'],
    ['an id cut short', 7, patternBytes(191, 1), 'corrupt/PACK_CORRUPT'],
    ['ids that are no bytes', 7, 'x', 'corrupt/PACK_CORRUPT'],
  ])('that was written with %s and a good trailer', (_, column, value, outcome) => {
    expect(forgedOutcome(COLUMNS.with(column, value as never))).toBe(outcome);
  });

  it('that was written with an item that belongs to no record and a good trailer is damage', () => {
    expect(forgedOutcome(COLUMNS.with(2, [300, 9, 30]).with(5, [2, 1, 2]))).toBe('corrupt/PACK_CORRUPT');
  });

  it.each<[string, CborValue]>([
    ['a value too few', COLUMNS.slice(0, -1)],
    ['a value too many', [...COLUMNS, 0]],
    ['no array', new Map()],
    ['nothing', null],
  ])('that was written as %s and a good trailer is damage', (_, value) => {
    expect(forgedOutcome(value)).toBe('corrupt/PACK_CORRUPT');
  });

  it.each([
    { recordCount: 2 },
    { recordCount: 4 },
    { itemCount: 5 },
    { itemCount: 7 },
    { directoryOffset: 334 },
  ])('does not fit a footer with %o', (change) => {
    expect(forgedOutcome(COLUMNS, change)).toBe('corrupt/PACK_CORRUPT');
  });

  it('gives items or its error for whatever has a good trailer', () => {
    const column = fc.array(fc.oneof(fc.nat(300), fc.maxSafeInteger()), { maxLength: 4 });
    const columns = fc.tuple(column, column, column, column, column, column, fc.uint8Array({ maxLength: 128 }));
    fc.assert(
      fc.property(columns, fc.nat(4), fc.nat(4), (values, recordCount, itemCount) => {
        const outcome = forgedOutcome([1, ...values], { recordCount, itemCount });
        expect(['no error', 'corrupt/PACK_CORRUPT', 'unsupported/FORMAT_UNSUPPORTED']).toContain(outcome);
      }),
    );
  });
});
