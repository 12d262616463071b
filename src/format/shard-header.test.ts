import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { patternBytes, shardHeader } from '../../test/support/format-samples.ts';
import { bitFlips, patched, truncations } from '../../test/support/mutations.ts';
import { concatBytes } from '../bytes/bytes.ts';
import { PACK_BYTES_MAX } from '../limits.ts';
import { checkOf } from './check.ts';
import { decodeShardHeader, encodeShardHeader, SHARD_HEADER_BYTES, type ShardHeader } from './shard-header.ts';

const HEADER = shardHeader({ packBytes: 1001, index: 3, k: 3, m: 2 });
const ENCODED = encodeShardHeader(HEADER);

function forged(offset: number, patch: readonly number[]): Uint8Array {
  const content = patched(ENCODED, offset, patch).subarray(0, SHARD_HEADER_BYTES - 16);
  return concatBytes([content, checkOf(content)]);
}

function decodeOutcome(bytes: Uint8Array): string {
  return outcomeOf(() => decodeShardHeader(bytes));
}

describe('a shard header', () => {
  it('reads back for every shape of stripe', () => {
    const shapes = fc
      .tuple(fc.integer({ min: 1, max: 255 }), fc.nat(254), fc.nat(254), fc.nat(PACK_BYTES_MAX))
      .map(([k, m, index, packBytes]) => {
        const parity = Math.min(m, 255 - k);
        return shardHeader({ packBytes, k, m: parity, index: index % (k + parity) });
      });
    fc.assert(
      fc.property(shapes, (header) => {
        const bytes = encodeShardHeader(header);
        expect(bytes).toHaveLength(SHARD_HEADER_BYTES);
        expect(decodeShardHeader(bytes)).toEqual(header);
      }),
    );
  });

  it('keeps compatible feature bits', () => {
    const header = { ...HEADER, features: { compatible: 3, readOnlyCompatible: 4 } };
    expect(decodeShardHeader(encodeShardHeader(header))).toEqual(header);
  });

  it('shares no memory with what it was read from, and ignores what follows', () => {
    const bytes = Buffer.concat([ENCODED, patternBytes(50, 1)]);
    const header = decodeShardHeader(bytes);
    bytes.fill(0);
    expect(header).toEqual(HEADER);
  });

  it('notices every flipped bit and every lost byte', () => {
    for (const { bit, bytes } of bitFlips(ENCODED))
      expect(decodeOutcome(bytes), `bit ${bit}`).toBe('corrupt/SHARD_CORRUPT');
    for (const bytes of truncations(ENCODED)) expect(decodeOutcome(bytes)).toBe('corrupt/SHARD_CORRUPT');
  });

  it.each([
    ['version 2', 8, [2], 'unsupported/FORMAT_UNSUPPORTED'],
    ['an incompatible bit', 14, [1], 'unsupported/FORMAT_UNSUPPORTED'],
    ['a matrix of the future', 64, [2], 'unsupported/FORMAT_UNSUPPORTED'],
    ['copies for three data shards', 64, [0], 'corrupt/SHARD_CORRUPT'],
    ['an index beyond the stripe', 65, [5], 'corrupt/SHARD_CORRUPT'],
    ['the last index', 65, [4], 'no error'],
    ['no data shards', 66, [0], 'corrupt/SHARD_CORRUPT'],
    ['more shards than a field has elements', 67, [253], 'corrupt/SHARD_CORRUPT'],
    ['a reserved byte', 68, [1], 'corrupt/SHARD_CORRUPT'],
    ['a pack size that needs other shards', 72, [0xeb], 'corrupt/SHARD_CORRUPT'],
    ['another pack size with the same shards', 72, [0xea], 'no error'],
    ['a pack size beyond 2^53-1', 72, Array(8).fill(0xff), 'corrupt/SHARD_CORRUPT'],
    ['a shard size', 80, [0], 'corrupt/SHARD_CORRUPT'],
    ['a reserved byte at the end', 111, [1], 'corrupt/SHARD_CORRUPT'],
  ])('that was written with %s and a good check', (_, offset, patch, outcome) => {
    expect(decodeOutcome(forged(offset, patch))).toBe(outcome);
  });

  it('names no pack larger than packs can be', () => {
    const packBytes = PACK_BYTES_MAX + 1;
    const shardBytes = Math.ceil(packBytes / 3);
    const sizes = Buffer.alloc(16);
    sizes.writeBigUInt64LE(BigInt(packBytes));
    sizes.writeBigUInt64LE(BigInt(shardBytes), 8);
    expect(decodeOutcome(forged(72, [...sizes]))).toBe('corrupt/SHARD_CORRUPT');
    expect(outcomeOf(() => encodeShardHeader({ ...HEADER, packBytes, shardBytes }))).toBe('RangeError');
  });

  it.each<[string, Partial<ShardHeader>, string]>([
    ['a short store id', { store: new Uint8Array(15) }, 'internal/INVARIANT_BROKEN'],
    ['a short pack id', { pack: new Uint8Array(15) }, 'internal/INVARIANT_BROKEN'],
    ['a short stripe id', { stripeId: new Uint8Array(15) }, 'internal/INVARIANT_BROKEN'],
    ['the wrong shard size', { shardBytes: 333 }, 'internal/INVARIANT_BROKEN'],
    ['the wrong matrix', { matrix: 0 }, 'internal/INVARIANT_BROKEN'],
    ['no data shards', { k: 0 }, 'RangeError'],
    ['too many shards', { m: 253 }, 'RangeError'],
    ['an index beyond the stripe', { index: 5 }, 'RangeError'],
  ])('is not written with %s', (_, change, outcome) => {
    expect(outcomeOf(() => encodeShardHeader({ ...HEADER, ...change }))).toBe(outcome);
  });
});
