import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packOf, striped } from '../../test/support/metadata-samples.ts';
import { fromHex, toHex } from '../bytes/bytes.ts';
import { decodeShards, encodeLocalColumns, localColumnsProblem, type PlacedPack } from './shard-columns.ts';

const K = 2;

function packAt(places: readonly number[] | undefined, more: Partial<PlacedPack> = {}): PlacedPack {
  return { descriptor: striped(packOf(1, []), K, places ?? 3).pack, dropped: false, ...more };
}

const columnsOf = (pack: PlacedPack) => {
  const [shards = null, margin = null, verifiedAt = null] = encodeLocalColumns(pack);
  return { shards, margin, verified_at: verifiedAt };
};

describe('the columns of where shards lie', () => {
  it('are these bytes', () => {
    const { shards } = columnsOf(packAt([1, 0, 0xabcd], { verified: [0x0102_0304_0506, 0, 1] }));
    expect(toHex(shards as Uint8Array)).toBe('0100060504030201' + '0000000000000000' + 'cdab010000000000');
    expect(decodeShards(fromHex('0100060504030201cdab010000000000') ?? null, 2)).toEqual({
      places: [1, 0xabcd],
      verified: [0x0102_0304_0506, 1],
    });
  });

  it('give back what was written', () => {
    const place = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
    const time = fc.oneof(fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 1), fc.nat({ max: 2 ** 48 - 1 }));
    const shards = fc.array(fc.tuple(place, time), { minLength: K, maxLength: 255 });
    fc.assert(
      fc.property(shards, (all) => {
        const [places, verified] = [all.map(([one]) => one), all.map(([, one]) => one)];
        const written = columnsOf(packAt(places, { verified }));
        expect(decodeShards(written.shards, places.length)).toEqual({ places, verified });
        expect(localColumnsProblem(written, packAt(places, { verified }))).toBeUndefined();
      }),
    );
  });

  it.each([
    { what: 'unknown places', pack: packAt(undefined), margin: null, verifiedAt: 0 },
    { what: 'every shard', pack: packAt([1, 2, 3]), margin: null, verifiedAt: 0 },
    { what: 'no shard', pack: packAt([0, 0, 0]), margin: -2, verifiedAt: null },
    { what: 'as many shards as are needed', pack: packAt([1, 0, 3]), margin: 0, verifiedAt: 0 },
    {
      what: 'shards verified at times',
      pack: packAt([1, 0, 3], { verified: [9, 0, 7] }),
      ...{ margin: 0, verifiedAt: 7 },
    },
    { what: 'a dropped pack', pack: packAt([1, 0, 3], { dropped: true }), margin: null, verifiedAt: 0 },
  ])('follow from $what', ({ pack, margin, verifiedAt }) => {
    expect(columnsOf(pack)).toMatchObject({ margin, verified_at: verifiedAt });
  });

  it.each([
    null,
    'text',
    7,
    new Uint8Array(0),
    new Uint8Array(23),
    new Uint8Array(16),
    new Uint8Array(32),
  ])('that are malformed are unknown places (%s)', (column) => {
    expect(decodeShards(column, 3)).toBeUndefined();
    const found = localColumnsProblem({ shards: column, margin: null, verified_at: 0 }, packAt(undefined));
    expect(found).toBe(column === null ? undefined : 'the places of its shards are malformed');
  });

  it.each([
    { column: 'margin', value: 1 },
    { column: 'margin', value: null },
    { column: 'margin', value: 'text' },
    { column: 'verified_at', value: 1 },
    { column: 'verified_at', value: null },
  ])('that do not follow from each other are told ($column $value)', ({ column, value }) => {
    const pack = packAt([1, 0, 3]);
    expect(localColumnsProblem({ ...columnsOf(pack), [column]: value }, pack)).toContain('does not follow');
  });

  it.each([[[1, 2, -1]], [[1, 2, 65_536]], [[1, 2, 0.5]]])('refuse places that there are none of (%s)', (places) => {
    expect(() => encodeLocalColumns(packAt(places))).toThrow(expect.objectContaining({ code: 'INVARIANT_BROKEN' }));
  });

  it('refuse more or fewer places than shards', () => {
    const { descriptor } = packAt([1, 2, 3]);
    for (const places of [[1, 2], [1, 2, 3, 4], []]) {
      const pack = { descriptor: { ...descriptor, places }, dropped: false };
      expect(() => encodeLocalColumns(pack)).toThrow(expect.objectContaining({ code: 'INVARIANT_BROKEN' }));
    }
  });
});
