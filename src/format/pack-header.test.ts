import { describe, expect, it } from 'vitest';
import { caught, outcomeOf } from '../../test/support/caught.ts';
import { packHeader, patternBytes } from '../../test/support/format-samples.ts';
import { bitFlips, patched, truncations } from '../../test/support/mutations.ts';
import { sealedHeader } from '../../test/support/sealed-samples.ts';
import { StoreError } from '../errors/store-error.ts';
import { checkOf } from './check.ts';
import { decodePackHeader, encodePackHeader, PACK_HEADER_BYTES, type PackHeader } from './pack-header.ts';

const HEADER = packHeader('meta', 7);
const ENCODED = encodePackHeader(HEADER);

/** The encoded header with other bytes in it and a check that fits them: what only malice or another version writes. */
function forged(offset: number, patch: readonly number[]): Uint8Array {
  const content = patched(ENCODED, offset, patch).subarray(0, PACK_HEADER_BYTES - 16);
  return Buffer.concat([content, checkOf(content)]);
}

function decodeOutcome(bytes: Uint8Array): string {
  return outcomeOf(() => decodePackHeader(bytes));
}

describe('a pack header', () => {
  it.each<PackHeader>([
    HEADER,
    packHeader('data', 0),
    packHeader('journal', 2 ** 40),
    { ...HEADER, namespace: 0xffff_ffff },
    { ...HEADER, features: { compatible: 5, readOnlyCompatible: 0 } },
  ])('reads back: %#', (header) => {
    const bytes = encodePackHeader(header);
    expect(bytes).toHaveLength(PACK_HEADER_BYTES);
    expect(decodePackHeader(bytes)).toEqual(header);
  });

  it('shares no memory with what it was read from, and ignores what follows', () => {
    const bytes = Buffer.concat([ENCODED, patternBytes(50, 1)]);
    const header = decodePackHeader(bytes);
    bytes.fill(0);
    expect(header).toEqual(HEADER);
  });

  it('notices every flipped bit', () => {
    for (const { bit, bytes } of bitFlips(ENCODED))
      expect(decodeOutcome(bytes), `bit ${bit}`).toBe('corrupt/PACK_CORRUPT');
  });

  it('notices when it is cut short', () => {
    for (const bytes of truncations(ENCODED)) expect(decodeOutcome(bytes)).toBe('corrupt/PACK_CORRUPT');
  });

  it.each([
    ['version 2', 8, [2], 'unsupported/FORMAT_UNSUPPORTED'],
    ['an incompatible bit', 14, [1], 'unsupported/FORMAT_UNSUPPORTED'],
    ['an unknown class', 64, [9], 'unsupported/FORMAT_UNSUPPORTED'],
    ['an unknown key mode', 65, [2], 'unsupported/FORMAT_UNSUPPORTED'],
    ['the key mode of sealed packs alone', 65, [1], 'unsupported/FORMAT_UNSUPPORTED'],
    ['the key mode and suite of sealed packs, but no epoch', 65, [1, 1], 'corrupt/PACK_CORRUPT'],
    ['another suite', 66, [1], 'unsupported/FORMAT_UNSUPPORTED'],
    ['a key epoch', 60, [1], 'corrupt/PACK_CORRUPT'],
    ['a reserved byte before the salt', 67, [1], 'corrupt/PACK_CORRUPT'],
    ['a salt', 72, [1], 'corrupt/PACK_CORRUPT'],
    ['a reserved byte after the salt', 111, [1], 'corrupt/PACK_CORRUPT'],
    ['the session of another pack', 48, [0xff], 'corrupt/PACK_CORRUPT'],
    ['another store', 16, [0xff], 'no error'],
    ['a compatible bit', 10, [1], 'no error'],
    ['a read-only-compatible bit', 12, [1], 'no error'],
  ])('that was written with %s and a good check: %i %o %s', (_, offset, patch, outcome) => {
    expect(decodeOutcome(forged(offset, patch))).toBe(outcome);
  });

  it('says where the damage is', () => {
    const error = caught(() => decodePackHeader(patched(ENCODED, 70, [1])));
    expect(error).toBeInstanceOf(StoreError);
    expect((error as StoreError).details).toEqual({ offset: 0 });
  });

  it.each<[string, Partial<PackHeader>, string]>([
    ['a store id of another length', { store: new Uint8Array(15) }, 'internal/INVARIANT_BROKEN'],
    ['a pack id of another length', { pack: HEADER.pack.subarray(0, 15) }, 'internal/INVARIANT_BROKEN'],
    ['the session of another pack', { session: new Uint8Array(8) }, 'internal/INVARIANT_BROKEN'],
    ['a key epoch', { epoch: 1 }, 'internal/INVARIANT_BROKEN'],
    ['a namespace that does not fit', { namespace: 2 ** 32 }, 'RangeError'],
    [
      'read-only-compatible bits',
      { features: { compatible: 0, readOnlyCompatible: 1 } },
      'unsupported/FORMAT_UNSUPPORTED',
    ],
  ])('is not written with %s', (_, change, outcome) => {
    expect(outcomeOf(() => encodePackHeader({ ...HEADER, ...change }))).toBe(outcome);
  });

  describe('of a sealed pack', () => {
    const SEALED = sealedHeader('data', 3, { namespace: 7 });
    const BYTES = encodePackHeader(SEALED);

    it('reads back, with its salt', () => {
      expect(decodePackHeader(BYTES)).toEqual(SEALED);
      expect([...BYTES.subarray(65, 67)]).toEqual([1, 1]);
    });

    it('notices every flipped bit', () => {
      for (const { bit, bytes } of bitFlips(BYTES))
        expect(decodeOutcome(bytes), `bit ${bit}`).toBe('corrupt/PACK_CORRUPT');
    });

    it.each<[string, Partial<PackHeader>]>([
      ['without an epoch', { epoch: 0 }],
      ['with a short salt', { salt: patternBytes(31, 1) }],
      ['as a plain one', { keyMode: 'plain' }],
    ])('is not written %s', (_, change) => {
      expect(outcomeOf(() => encodePackHeader({ ...SEALED, ...change }))).toBe('internal/INVARIANT_BROKEN');
    });
  });
});
