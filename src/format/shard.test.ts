import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import {
  packHeader,
  patternBytes,
  SAMPLE_STORE,
  SAMPLE_STRIPE_ID,
  STORED_RECORD,
  shardHeader,
} from '../../test/support/format-samples.ts';
import { bitFlips, patched, truncations } from '../../test/support/mutations.ts';
import { concatBytes, equalBytes, toHex } from '../bytes/bytes.ts';
import { blake3 } from '../hash/index.ts';
import { SHARD_BLOCK_BYTES } from '../limits.ts';
import { PackBuilder } from './pack-builder.ts';
import { assembleShard, encodeShard, encodeStripe, verifyShard } from './shard.ts';
import { blockDigests, shardRoot } from './shard-digests.ts';
import { SHARD_HEADER_BYTES } from './shard-header.ts';

const DATA = patternBytes(200, 1);
const HEADER = shardHeader({ packBytes: 200 });
const IDENTITY = { store: SAMPLE_STORE, pack: HEADER.pack, stripeId: SAMPLE_STRIPE_ID };

describe('the stripe 1+0', () => {
  it.each([
    0,
    1,
    SHARD_BLOCK_BYTES - 1,
    SHARD_BLOCK_BYTES,
    SHARD_BLOCK_BYTES + 1,
    3 * SHARD_BLOCK_BYTES,
  ])('of %i bytes is one shard that holds the pack as it is', (length) => {
    const pack = patternBytes(length, 4);
    const { shards, stripe } = encodeStripe(pack, IDENTITY);
    const { header, data, roots } = verifyShard(shards[0]);
    expect(equalBytes(data, pack)).toBe(true);
    expect(header).toEqual(shardHeader({ packBytes: length }));
    expect(stripe).toEqual({ id: SAMPLE_STRIPE_ID, k: 1, m: 0, roots });
    expect(equalBytes(shards[0].subarray(SHARD_HEADER_BYTES, SHARD_HEADER_BYTES + length), pack)).toBe(true);
  });

  it('is made around a pack that lies in its frame, and nowhere else', () => {
    const builder = new PackBuilder(packHeader('data', 1));
    builder.add(STORED_RECORD);
    const { bytes, frame } = builder.finish();
    const copied = encodeStripe(bytes.slice(), IDENTITY);
    const [larger, elsewhere] = [new Uint8Array(frame.length + 1), new Uint8Array(frame.length)];
    const shifted = larger.subarray(SHARD_HEADER_BYTES + 1, SHARD_HEADER_BYTES + 1 + bytes.length);
    for (const make of [
      () => encodeStripe(bytes, IDENTITY, frame.subarray(1)),
      () => encodeStripe(bytes, IDENTITY, elsewhere),
      () => encodeStripe(shifted, IDENTITY, larger.subarray(0, frame.length)),
    ])
      expect(outcomeOf(make)).toBe('internal/INVARIANT_BROKEN');
    const made = encodeStripe(bytes, IDENTITY, frame);
    expect(made).toEqual(copied);
    expect(made.shards[0].buffer).toBe(frame.buffer);
  });

  // Written once and never to change: the same pack must give the same blob in every version that writes format 1.
  it('of 150,000 bytes is, whole, the blob it always was', () => {
    const [shard] = encodeStripe(patternBytes(150_000, 6), IDENTITY).shards;
    expect(shard).toHaveLength(128 + 150_000 + 4 * 32 + 48);
    expect(toHex(blake3(shard))).toBe('9da4b4e8cad35141fcb8ba7cb5ee164e0a9614cc1ff9501fb0a9d40565fa165e');
  });

  it('is what encodeShard makes of the same pack', () => {
    expect(encodeStripe(DATA, IDENTITY).shards).toEqual([encodeShard(HEADER, DATA)]);
  });
});

describe('the shards of a larger stripe', () => {
  it('tell the roots of all, whatever is in them', () => {
    const shapes = fc.record({
      k: fc.integer({ min: 1, max: 5 }),
      m: fc.nat(4),
      packBytes: fc.oneof(fc.nat(50), fc.integer({ min: 2 * SHARD_BLOCK_BYTES - 3, max: 2 * SHARD_BLOCK_BYTES + 3 })),
    });
    fc.assert(
      fc.property(shapes, ({ k, m, packBytes }) => {
        const headers = Array.from({ length: k + m }, (_, index) => shardHeader({ packBytes, k, m, index }));
        const datas = headers.map(({ shardBytes, index }) => patternBytes(shardBytes, index));
        const digests = datas.map(blockDigests);
        const roots = concatBytes(
          headers.map((header, index) => shardRoot(header, digests[index] ?? new Uint8Array(0))),
        );
        for (const [index, header] of headers.entries()) {
          const data = datas[index] ?? new Uint8Array(0);
          const blob = assembleShard(header, data, { digests: digests[index] ?? new Uint8Array(0), roots });
          const verified = verifyShard(blob);
          expect([verified.header, verified.roots]).toEqual([header, roots]);
          expect(equalBytes(verified.data, data)).toBe(true);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('are not written without roots, or with those of others', () => {
    const header = shardHeader({ packBytes: 200, m: 1 });
    expect(outcomeOf(() => encodeShard(header, DATA))).toBe('internal/INVARIANT_BROKEN');
    expect(outcomeOf(() => encodeShard(header, DATA, patternBytes(64, 1)))).toBe('internal/INVARIANT_BROKEN');
    expect(outcomeOf(() => encodeShard(HEADER, DATA.subarray(1)))).toBe('internal/INVARIANT_BROKEN');
  });

  it('are not written again with what only a newer version keeps', () => {
    const header = { ...HEADER, features: { compatible: 0, readOnlyCompatible: 1 } };
    expect(outcomeOf(() => encodeShard(header, DATA))).toBe('unsupported/FORMAT_UNSUPPORTED');
  });
});

describe('a whole shard', () => {
  const blob = encodeShard(HEADER, DATA);

  it('notices every flipped bit', () => {
    for (const { bit, bytes } of bitFlips(blob)) {
      expect(
        outcomeOf(() => verifyShard(bytes)),
        `bit ${bit}`,
      ).toBe('corrupt/SHARD_CORRUPT');
    }
  });

  it('notices every lost byte, and one too many', () => {
    for (const bytes of truncations(blob)) expect(outcomeOf(() => verifyShard(bytes))).toBe('corrupt/SHARD_CORRUPT');
    expect(outcomeOf(() => verifyShard(concatBytes([blob, Uint8Array.of(0)])))).toBe('corrupt/SHARD_CORRUPT');
  });

  it('notices damage in any block', () => {
    const large = encodeShard(shardHeader({ packBytes: 150_000 }), patternBytes(150_000, 6));
    for (const offset of [0, SHARD_BLOCK_BYTES, 149_999]) {
      const at = SHARD_HEADER_BYTES + offset;
      const damaged = patched(large, at, [(large[at] ?? 0) ^ 0x10]);
      expect(outcomeOf(() => verifyShard(damaged))).toBe('corrupt/SHARD_CORRUPT');
    }
  });

  it('gives its error for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(outcomeOf(() => verifyShard(bytes))).toBe('corrupt/SHARD_CORRUPT');
      }),
    );
  });
});
