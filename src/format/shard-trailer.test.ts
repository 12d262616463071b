import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caught, outcomeOf } from '../../test/support/caught.ts';
import { patternBytes, shardHeader } from '../../test/support/format-samples.ts';
import { bitFlips, patched, truncations } from '../../test/support/mutations.ts';
import { concatBytes } from '../bytes/bytes.ts';
import { StoreError } from '../errors/store-error.ts';
import { PACK_BYTES_MAX, SHARD_BLOCK_BYTES, STRIPE_SHARDS_MAX } from '../limits.ts';
import { checkOf } from './check.ts';
import { blockDigests, shardRoot } from './shard-digests.ts';
import {
  decodeShardTrailer,
  encodeShardTrailer,
  rootAt,
  SHARD_TAIL_BYTES,
  shardTrailerBytes,
  verifyShardBlock,
} from './shard-trailer.ts';

const DATA = patternBytes(2 * SHARD_BLOCK_BYTES + 5, 1);
const HEADER = shardHeader({ packBytes: DATA.length, index: 1, m: 2 });
const DIGESTS = blockDigests(DATA);
const ROOTS = concatBytes([patternBytes(32, 2), shardRoot(HEADER, DIGESTS), patternBytes(32, 3)]);
const TRAILER = { digests: DIGESTS, roots: ROOTS };
const ENCODED = encodeShardTrailer(TRAILER);

/** The encoded trailer with another tail, and a check that fits. */
function forged(offset: number, patch: readonly number[]): Uint8Array {
  const tail = patched(ENCODED.subarray(-SHARD_TAIL_BYTES), offset, patch).subarray(0, 32);
  return concatBytes([ENCODED.subarray(0, -SHARD_TAIL_BYTES), tail, checkOf(ROOTS, tail)]);
}

describe('a shard trailer', () => {
  it('is block digests, roots and a tail', () => {
    expect(ENCODED).toHaveLength((3 + 3) * 32 + SHARD_TAIL_BYTES);
    expect(shardTrailerBytes(HEADER)).toBe(ENCODED.length);
    expect(ENCODED.subarray(0, 96)).toEqual(DIGESTS);
    expect(ENCODED.subarray(96, 192)).toEqual(ROOTS);
  });

  it('reads back from the end of whatever it ends, with its header or without', () => {
    const blob = concatBytes([patternBytes(33, 5), ENCODED]);
    expect(decodeShardTrailer(blob)).toEqual(TRAILER);
    expect(decodeShardTrailer(blob, HEADER)).toEqual(TRAILER);
  });

  it('shares no memory with what it was read from', () => {
    const bytes = Buffer.from(ENCODED);
    const trailer = decodeShardTrailer(bytes, HEADER);
    bytes.fill(0);
    expect(trailer).toEqual(TRAILER);
  });

  it('notices every flipped bit when its header is known', () => {
    for (const { bit, bytes } of bitFlips(ENCODED)) {
      expect(
        outcomeOf(() => decodeShardTrailer(bytes, HEADER)),
        `bit ${bit}`,
      ).toBe('corrupt/SHARD_CORRUPT');
    }
  });

  it('notices every flipped bit in roots and tail without its header', () => {
    for (const { bit, bytes } of bitFlips(ENCODED)) {
      const outcome = outcomeOf(() => decodeShardTrailer(bytes));
      expect(outcome, `bit ${bit}`).toBe(bit < 8 * DIGESTS.length ? 'no error' : 'corrupt/SHARD_CORRUPT');
    }
  });

  it('notices every lost byte', () => {
    for (const bytes of truncations(ENCODED)) {
      expect(outcomeOf(() => decodeShardTrailer(bytes))).toBe('corrupt/SHARD_CORRUPT');
    }
  });

  it.each([
    ['index', { ...HEADER, index: 0 }],
    ['stripe', { ...HEADER, stripeId: patternBytes(16, 9) }],
    ['count of shards', { ...HEADER, m: 1 }],
    ['size', shardHeader({ packBytes: 10, index: 1, m: 2 })],
  ])('does not fit a header with another %s', (_, header) => {
    const error = caught(() => decodeShardTrailer(ENCODED, header));
    expect(error).toBeInstanceOf(StoreError);
    expect((error as StoreError).code).toBe('SHARD_CORRUPT');
    expect((error as StoreError).details).toEqual({ packId: Buffer.from(header.pack).toString('hex') });
  });

  it.each([
    ['version 2', 8, [2], 'unsupported/FORMAT_UNSUPPORTED'],
    ['an incompatible bit', 14, [1], 'unsupported/FORMAT_UNSUPPORTED'],
    ['another magic', 0, [0], 'corrupt/SHARD_CORRUPT'],
    ['a reserved byte', 24, [1], 'corrupt/SHARD_CORRUPT'],
    ['no shards', 20, [0], 'corrupt/SHARD_CORRUPT'],
    ['more shards than a stripe has', 20, [0, 1], 'corrupt/SHARD_CORRUPT'],
    ['more blocks than a blob has', 16, [0xff, 0xff, 0xff, 0xff], 'corrupt/SHARD_CORRUPT'],
    ['more blocks than there are bytes', 16, [0, 4], 'corrupt/SHARD_CORRUPT'],
  ])('that was written with %s and a good check', (_, offset, patch, outcome) => {
    expect(outcomeOf(() => decodeShardTrailer(forged(offset, patch)))).toBe(outcome);
  });

  it.each([
    [1, 1, 'no error'],
    [1, STRIPE_SHARDS_MAX, 'no error'],
    [Math.ceil(PACK_BYTES_MAX / SHARD_BLOCK_BYTES), 1, 'no error'],
    [1, 0, 'corrupt/SHARD_CORRUPT'],
    [1, STRIPE_SHARDS_MAX + 1, 'corrupt/SHARD_CORRUPT'],
    [Math.ceil(PACK_BYTES_MAX / SHARD_BLOCK_BYTES) + 1, 1, 'corrupt/SHARD_CORRUPT'],
  ])('of %i blocks and %i shards, with a good check', (blocks, shards, outcome) => {
    const counts = [blocks & 0xff, blocks >> 8, 0, 0, shards & 0xff, shards >> 8, 0, 0];
    const tail = patched(ENCODED.subarray(-SHARD_TAIL_BYTES), 16, counts).subarray(0, 32);
    const roots = new Uint8Array(32 * shards);
    const bytes = concatBytes([new Uint8Array(32 * blocks), roots, tail, checkOf(roots, tail)]);
    expect(outcomeOf(() => decodeShardTrailer(bytes))).toBe(outcome);
  });

  it('gives a trailer or its error for any bytes', () => {
    const tails = fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.nat(48), fc.uint8Array({ maxLength: 4 }));
    fc.assert(
      fc.property(tails, ([front, offset, patch]) => {
        const tail = patched(
          concatBytes([ENCODED, new Uint8Array(4)]),
          ENCODED.length - SHARD_TAIL_BYTES + offset,
          patch,
        );
        const bytes = concatBytes([front, tail.subarray(0, ENCODED.length)]);
        expect(['no error', 'corrupt/SHARD_CORRUPT']).toContain(outcomeOf(() => decodeShardTrailer(bytes, HEADER)));
      }),
    );
  });

  it('has a root for every shard and no more', () => {
    expect(rootAt(ROOTS, 2)).toEqual(patternBytes(32, 3));
    expect(outcomeOf(() => rootAt(ROOTS, 3))).toBe('internal/INVARIANT_BROKEN');
  });
});

describe('a shard block', () => {
  function block(index: number): Uint8Array {
    return DATA.subarray(index * SHARD_BLOCK_BYTES, (index + 1) * SHARD_BLOCK_BYTES);
  }

  it('is checked without the rest of the shard', () => {
    for (const index of [0, 1, 2]) verifyShardBlock(TRAILER, index, block(index));
  });

  it.each([
    ['another block', 0, block(1)],
    ['a block cut short', 1, block(1).subarray(1)],
    ['a changed block', 2, patched(block(2), 0, [0])],
    ['a block after the last', 3, new Uint8Array(0)],
    ['a block before the first', -1, block(0)],
  ])('is not %s', (_, index, bytes) => {
    const error = caught(() => verifyShardBlock(TRAILER, index, bytes));
    expect(error).toBeInstanceOf(StoreError);
    expect((error as StoreError).code).toBe('SHARD_CORRUPT');
    expect((error as StoreError).details).toEqual({ offset: index * SHARD_BLOCK_BYTES, length: bytes.length });
  });
});
