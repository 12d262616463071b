import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { itemsOf, packHeader, patternBytes, SAMPLE_PACKS, STORED_RECORD } from '../../test/support/format-samples.ts';
import {
  KIB,
  MIB,
  PACK_BYTES_MAX,
  PACK_BYTES_TARGET,
  PACK_ITEMS_MAX,
  PACK_RECORDS_MAX,
  RECORD_ITEMS_MAX,
  RECORD_PLAIN_BYTES_MAX,
} from '../limits.ts';
import { PackBuilder, type PackRecord } from './pack-builder.ts';
import { PACK_FOOTER_BYTES } from './pack-footer.ts';
import { openRecord, RECORD_TRAILER_BYTES } from './pack-frame.ts';
import { PACK_HEADER_BYTES } from './pack-header.ts';
import { plainIdentity } from './pack-identity.ts';
import { decodePack } from './pack-reader.ts';

const HEADER = packHeader('data', 1);

/** A record of items of these lengths, stored in any bytes. */
function record(lengths: readonly number[], stored: Uint8Array): PackRecord {
  const items = lengths.map((length, index) => ({ id: patternBytes(32, index), length }));
  const plainLength = lengths.reduce((sum, length) => sum + length, 0);
  return { kind: 'chunk', codec: 0, plainLength, stored, items };
}

const records = fc
  .tuple(
    fc.constantFrom<PackRecord['kind']>('chunk', 'manifest', 'journal'),
    fc.nat(255),
    fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 20 }),
    fc.uint8Array({ minLength: 1, maxLength: 2000 }),
  )
  .map(([kind, codec, lengths, stored]): PackRecord => ({ ...record(lengths, stored), kind, codec }));

describe('a pack', () => {
  it('gives back every record and item that was put in, where it said', () => {
    fc.assert(
      fc.property(fc.array(records, { maxLength: 40 }), (all) => {
        const builder = new PackBuilder(HEADER);
        const added = all.map((one) => builder.add(one));
        const { bytes, items } = builder.finish();
        expect(items).toEqual(added.flat());
        const opened = decodePack(bytes);
        expect(opened).toEqual({ header: HEADER, identity: plainIdentity(HEADER), items });
        for (const [index, one] of all.entries()) {
          const [first] = added[index] ?? [];
          if (first === undefined) throw new Error('a record has items');
          const frame = bytes.subarray(first.offset, first.offset + first.storedLength + RECORD_TRAILER_BYTES);
          expect(openRecord(opened.header, first, frame)).toEqual(one.stored);
        }
      }),
    );
  });

  it.each(Object.entries(SAMPLE_PACKS))('of class %s reads back', (_, { header, records: all }) => {
    const builder = new PackBuilder(header);
    for (const one of all) builder.add(one);
    const { bytes, items } = builder.finish();
    expect(decodePack(bytes)).toEqual({ header, identity: plainIdentity(header), items });
  });

  it('may be empty', () => {
    const { bytes, items } = new PackBuilder(HEADER).finish();
    expect(items).toEqual([]);
    expect(decodePack(bytes).items).toEqual([]);
  });

  it('lets the stored bytes be reused', () => {
    const builder = new PackBuilder(HEADER);
    const stored = patternBytes(100, 1);
    builder.add(record([100], stored));
    stored.fill(0);
    const { bytes } = builder.finish();
    expect(bytes.subarray(PACK_HEADER_BYTES, PACK_HEADER_BYTES + 100)).toEqual(patternBytes(100, 1));
  });
});

describe('a pack builder', () => {
  it('counts what it holds and never promises a smaller pack than it makes', () => {
    fc.assert(
      fc.property(fc.array(records, { maxLength: 40 }), (all) => {
        const builder = new PackBuilder(HEADER);
        for (const one of all) builder.add(one);
        const itemCount = all.reduce((sum, one) => sum + one.items.length, 0);
        expect([builder.recordCount, builder.itemCount]).toEqual([all.length, itemCount]);
        const promised = builder.bytes;
        const { length } = builder.finish().bytes;
        expect(length).toBeLessThanOrEqual(promised);
        expect(promised - length).toBeLessThanOrEqual(64 + 16 * all.length + 5 * itemCount);
      }),
    );
  });

  it('keeps a small pack in little memory', () => {
    const builder = new PackBuilder(HEADER);
    builder.add(STORED_RECORD);
    const { bytes } = builder.finish();
    expect(bytes.length).toBeLessThan(512);
    expect(bytes.buffer.byteLength).toBe(16 * KIB);
  });

  it('allocates for a full pack once, with little to spare', () => {
    const builder = new PackBuilder(HEADER);
    const stored = patternBytes(MIB, 1);
    while (!builder.isFull) builder.add(record([MIB], stored));
    const { bytes } = builder.finish();
    expect(bytes.length).toBeGreaterThanOrEqual(PACK_BYTES_TARGET);
    expect(bytes.buffer.byteLength).toBe(PACK_BYTES_TARGET + 2 * MIB);
  });

  it('grows by few steps, and not beyond what is needed', () => {
    const builder = new PackBuilder(HEADER);
    builder.add(record([20 * KIB], new Uint8Array(20 * KIB)));
    expect(builder.finish().bytes.buffer.byteLength).toBe(64 * KIB);
  });

  it('is full at its target, and not a byte before', () => {
    for (const [missing, isFull] of [
      [0, true],
      [1, false],
    ] as const) {
      const builder = new PackBuilder(HEADER);
      // Beside its stored bytes a record of one item is counted with 70.
      const stored = new Uint8Array(PACK_BYTES_TARGET - builder.bytes - 70 - missing);
      builder.add(record([stored.length], stored));
      expect([builder.bytes, builder.isFull]).toEqual([PACK_BYTES_TARGET - missing, isFull]);
    }
  });

  it('is full by the ids of items before the pack can have too many, and takes no more than those', () => {
    const builder = new PackBuilder(HEADER);
    const lengths = Array<number>(RECORD_ITEMS_MAX).fill(1);
    const full = record(lengths, Uint8Array.of(1));
    while (!builder.isFull) builder.add(full);
    expect(builder.bytes).toBeGreaterThanOrEqual(PACK_BYTES_TARGET);
    while (builder.itemCount + RECORD_ITEMS_MAX <= PACK_ITEMS_MAX) builder.add(full);
    expect(builder.itemCount).toBe(PACK_ITEMS_MAX);
    expect(outcomeOf(() => builder.add(record([1], Uint8Array.of(1))))).toBe('RangeError');
    expect(decodePack(builder.finish().bytes).items).toHaveLength(PACK_ITEMS_MAX);
  });

  it('is full by records, and takes no more than those', () => {
    const builder = new PackBuilder(HEADER);
    const one = record([1], Uint8Array.of(1));
    while (!builder.isFull) builder.add(one);
    expect(builder.recordCount).toBe(PACK_RECORDS_MAX);
    expect(outcomeOf(() => builder.add(one))).toBe('RangeError');
    expect(decodePack(builder.finish().bytes).items).toHaveLength(PACK_RECORDS_MAX);
  });

  it('takes an oversized record, but never beyond the largest pack', () => {
    const builder = new PackBuilder(HEADER);
    const stored = new Uint8Array(RECORD_PLAIN_BYTES_MAX);
    const large = record([RECORD_PLAIN_BYTES_MAX], stored);
    builder.add(large);
    builder.add(large);
    expect(outcomeOf(() => builder.add(large))).toBe('RangeError');
    const rest = PACK_BYTES_MAX - builder.bytes;
    // Beside its stored bytes a record of one item takes a trailer of 16 bytes, and 54 at most in the directory.
    expect(outcomeOf(() => builder.add({ ...large, stored: stored.subarray(0, rest - 69) }))).toBe('RangeError');
    builder.add({ ...large, stored: stored.subarray(0, rest - 70) });
    const { bytes } = builder.finish();
    expect(bytes.length).toBeLessThanOrEqual(PACK_BYTES_MAX);
    expect(decodePack(bytes).items).toHaveLength(3);
  });

  it('is unchanged by a record it refuses', () => {
    const builder = new PackBuilder(HEADER);
    builder.add(STORED_RECORD);
    const before = builder.bytes;
    expect(outcomeOf(() => builder.add({ ...STORED_RECORD, plainLength: 30 }))).toBe('RangeError');
    expect(builder.bytes).toBe(before);
    expect(decodePack(builder.finish().bytes).items).toHaveLength(2);
  });

  it.each<[string, Partial<PackRecord>, string]>([
    ['without items', { items: [] }, 'RangeError'],
    ['of too many items', { items: itemsOf(...Array(RECORD_ITEMS_MAX + 1).fill(Uint8Array.of(1))) }, 'RangeError'],
    ['of too many items that add up', record(Array(RECORD_ITEMS_MAX + 1).fill(1), Uint8Array.of(1)), 'RangeError'],
    ['of items with too many bytes', record([RECORD_PLAIN_BYTES_MAX, 1], Uint8Array.of(1)), 'RangeError'],
    ['with an empty item beside another', record([31, 0], Uint8Array.of(1)), 'RangeError'],
    ['whose items do not add up', { plainLength: 32 }, 'RangeError'],
    ['with an empty item', { items: itemsOf(new Uint8Array(0)), plainLength: 1 }, 'RangeError'],
    ['with too many plain bytes', { plainLength: RECORD_PLAIN_BYTES_MAX + 1 }, 'RangeError'],
    ['without stored bytes', { stored: new Uint8Array(0) }, 'RangeError'],
    ['with a codec of two bytes', { codec: 256 }, 'RangeError'],
    ['with a codec that is no number', { codec: '1' as unknown as number }, 'TypeError'],
    ['with a short id', { items: [{ id: new Uint8Array(31), length: 31 }] }, 'internal/INVARIANT_BROKEN'],
  ])('takes no record %s', (_, change, outcome) => {
    expect(outcomeOf(() => new PackBuilder(HEADER).add({ ...STORED_RECORD, ...change }))).toBe(outcome);
  });

  it('is spent when it is finished', () => {
    const builder = new PackBuilder(HEADER);
    builder.finish();
    expect(outcomeOf(() => builder.add(STORED_RECORD))).toBe('internal/INVARIANT_BROKEN');
    expect(outcomeOf(() => builder.finish())).toBe('internal/INVARIANT_BROKEN');
  });

  it('ends a pack with its footer', () => {
    const { bytes } = new PackBuilder(HEADER).finish();
    expect(Buffer.from(bytes.subarray(-PACK_FOOTER_BYTES)).toString('latin1', 0, 8)).toBe('HOLDFOOT');
  });
});
