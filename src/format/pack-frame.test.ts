import { blake3 } from '@noble/hashes/blake3.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caught, outcomeOf } from '../../test/support/caught.ts';
import { packHeader, patternBytes } from '../../test/support/format-samples.ts';
import { bitFlips } from '../../test/support/mutations.ts';
import { sampleKey, sealedHeader } from '../../test/support/sealed-samples.ts';
import { concatBytes, toHex } from '../bytes/bytes.ts';
import { StoreError } from '../errors/store-error.ts';
import { openRecord, type RecordFrame, sealDirectory, sealFooter, sealRecord } from './pack-frame.ts';

const HEADER = packHeader('data', 3);
const STORED = patternBytes(20, 9);
const FRAME: RecordFrame = { ordinal: 5, kind: 'manifest', codec: 1, plainLength: 77, storedLength: 20 };
const POSITION = { ...FRAME, offset: 4096 };
const BYTES = concatBytes([STORED, sealRecord(HEADER, FRAME, STORED).trailer]);

describe('a record', () => {
  it('is bound to its place by 60 bytes and BLAKE3', () => {
    const aad = Buffer.alloc(60);
    aad.set(HEADER.store, 4);
    aad.set(HEADER.pack, 28);
    aad.writeUInt16LE(1, 0);
    aad.writeUInt32LE(5, 44);
    aad.writeUInt16LE(2, 48);
    aad.writeUInt16LE(1, 50);
    aad.writeUInt32LE(77, 52);
    aad.writeUInt32LE(20, 56);
    expect(toHex(sealRecord(HEADER, FRAME, STORED).trailer)).toBe(
      toHex(blake3(Buffer.concat([aad, STORED])).subarray(0, 16)),
    );
  });

  it('opens to a view of its stored bytes, also among others in one buffer', () => {
    const buffer = concatBytes([patternBytes(7, 1), BYTES, patternBytes(9, 2)]);
    const stored = openRecord(HEADER, POSITION, buffer.subarray(7, 7 + BYTES.length));
    expect(stored).toEqual(STORED);
    expect(stored.buffer).toBe(buffer.buffer);
  });

  it('opens for any stored bytes and place', () => {
    const frames = fc.record({
      ordinal: fc.nat(65_535),
      kind: fc.constantFrom('chunk', 'manifest', 'journal'),
      codec: fc.nat(255),
      plainLength: fc.integer({ min: 1, max: 2 ** 25 }),
    });
    fc.assert(
      fc.property(frames, fc.uint8Array({ minLength: 1, maxLength: 300 }), (frame, stored) => {
        const whole: RecordFrame = { ...frame, storedLength: stored.length };
        const bytes = concatBytes([stored, sealRecord(HEADER, whole, stored).trailer]);
        expect(openRecord(HEADER, { ...whole, offset: 128 }, bytes)).toEqual(stored);
      }),
    );
  });

  it('notices every flipped bit, and says where it is', () => {
    for (const { bytes } of bitFlips(BYTES)) {
      const error = caught(() => openRecord(HEADER, POSITION, bytes));
      expect(error).toBeInstanceOf(StoreError);
      const { code, details } = error as StoreError;
      expect({ code, details }).toEqual({
        code: 'PACK_CORRUPT',
        details: { packId: toHex(HEADER.pack), offset: 4096 },
      });
    }
  });

  it.each([
    ['store', { ...HEADER, store: patternBytes(16, 99) }, {}],
    ['pack', { ...HEADER, pack: patternBytes(16, 99) }, {}],
    ['namespace', { ...HEADER, namespace: 1 }, {}],
    ['epoch', { ...HEADER, epoch: 1 }, {}],
    ['ordinal', HEADER, { ordinal: 6 }],
    ['kind', HEADER, { kind: 'chunk' as const }],
    ['codec', HEADER, { codec: 0 }],
    ['plain length', HEADER, { plainLength: 78 }],
  ])('does not open under another %s', (_, identity, change) => {
    expect(outcomeOf(() => openRecord(identity, { ...POSITION, ...change }, BYTES))).toBe('corrupt/PACK_CORRUPT');
  });

  it.each([
    ['a byte short', BYTES.subarray(0, -1), 20],
    ['a byte long', concatBytes([BYTES, Uint8Array.of(0)]), 20],
    ['empty', new Uint8Array(0), 20],
    ['of another stored length', BYTES.subarray(0, -1), 19],
  ])('does not open when %s', (_, bytes, storedLength) => {
    expect(outcomeOf(() => openRecord(HEADER, { ...POSITION, storedLength }, bytes))).toBe('corrupt/PACK_CORRUPT');
  });
});

describe('a record of a sealed pack', () => {
  const SEALED = sealedHeader('data', 3);
  const IDENTITY = { ...SEALED, key: sampleKey(SEALED) };
  const { content, trailer } = sealRecord(IDENTITY, FRAME, STORED);

  it.each([
    ['a byte short', concatBytes([content, trailer]).subarray(0, -1)],
    ['a byte long', concatBytes([content, trailer, Uint8Array.of(0)])],
    ['empty', new Uint8Array(0)],
  ])('does not open when %s', (_, bytes) => {
    expect(openRecord(IDENTITY, POSITION, concatBytes([content, trailer]))).toEqual(STORED);
    expect(outcomeOf(() => openRecord(IDENTITY, POSITION, bytes))).toBe('corrupt/PACK_CORRUPT');
  });

  it('is neither made nor opened without a key, and one of a plain pack not with one', () => {
    for (const identity of [SEALED, { ...HEADER, key: IDENTITY.key }]) {
      expect(outcomeOf(() => sealRecord(identity, FRAME, STORED))).toBe('internal/INVARIANT_BROKEN');
      expect(outcomeOf(() => openRecord(identity, POSITION, BYTES))).toBe('internal/INVARIANT_BROKEN');
    }
  });
});

describe('the frames of one pack', () => {
  it('cannot stand for each other', () => {
    const frame: RecordFrame = { ordinal: 0, kind: 'chunk', codec: 0, plainLength: 20, storedLength: 20 };
    const trailers = [
      sealRecord(HEADER, frame, STORED).trailer,
      sealRecord(HEADER, { ...frame, kind: 'manifest' }, STORED).trailer,
      sealRecord(HEADER, { ...frame, kind: 'journal' }, STORED).trailer,
      sealDirectory(HEADER, STORED).trailer,
      sealFooter(HEADER, STORED.subarray(0, 16), STORED.subarray(16)).trailer,
    ];
    expect(new Set(trailers.map(toHex)).size).toBe(trailers.length);
  });
});
