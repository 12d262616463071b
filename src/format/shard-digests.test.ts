import { blake3 } from '@noble/hashes/blake3.js';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { patternBytes, shardHeader } from '../../test/support/format-samples.ts';
import { toHex, utf8Encode } from '../bytes/bytes.ts';
import { SHARD_BLOCK_BYTES } from '../limits.ts';
import { blockDigests, shardBlockCount, shardRoot } from './shard-digests.ts';
import { encodeShardHeader } from './shard-header.ts';

describe('the blocks of a shard', () => {
  it.each([
    [0, 0],
    [1, 1],
    [SHARD_BLOCK_BYTES, 1],
    [SHARD_BLOCK_BYTES + 1, 2],
    [3 * SHARD_BLOCK_BYTES, 3],
  ])('in %i bytes are %i', (bytes, count) => {
    expect(shardBlockCount(bytes)).toBe(count);
    expect(blockDigests(new Uint8Array(bytes))).toHaveLength(32 * count);
  });

  it('are digested one by one, the last one short', () => {
    const data = patternBytes(SHARD_BLOCK_BYTES + 100, 1);
    const expected = [data.subarray(0, SHARD_BLOCK_BYTES), data.subarray(SHARD_BLOCK_BYTES)].map((block) =>
      blake3(block),
    );
    expect(toHex(blockDigests(data))).toBe(toHex(Buffer.concat(expected)));
  });
});

describe('the root of a shard', () => {
  const data = patternBytes(100, 1);
  const digests = blockDigests(data);
  const header = shardHeader({ packBytes: 100, m: 2 });

  it('is BLAKE3 over marker, header and block digests', () => {
    const parts = [utf8Encode('holdfast shard root v1'), encodeShardHeader(header), digests];
    expect(toHex(shardRoot(header, digests))).toBe(toHex(blake3(Buffer.concat(parts))));
  });

  it('is another one for every index and encoding of the same data', () => {
    const others = [
      header,
      { ...header, index: 1 },
      { ...header, m: 1 },
      { ...header, stripeId: patternBytes(16, 77) },
      { ...header, pack: patternBytes(16, 78) },
      { ...header, store: patternBytes(16, 79) },
    ];
    expect(new Set(others.map((one) => toHex(shardRoot(one, digests)))).size).toBe(others.length);
  });

  it('takes a digest of every block', () => {
    expect(outcomeOf(() => shardRoot(header, new Uint8Array(64)))).toBe('internal/INVARIANT_BROKEN');
  });
});
