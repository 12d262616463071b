import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { concatBytes } from '../bytes/bytes.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import type { Redundancy } from './redundancy.ts';
import { createShardDecoder } from './shard-decoder.ts';
import { createShardEncoder, type ShardBlock } from './shard-encoder.ts';
import { shardBytesOf, streamShardBytes } from './stripe-layout.ts';

interface Stream extends Redundancy {
  readonly columnBytes: number;
  readonly content: Uint8Array;
}

function encode({ content, columnBytes, ...redundancy }: Stream, pushes: readonly number[]): ShardBlock[] {
  const encoder = createShardEncoder(redundancy, { columnBytes });
  const blocks: ShardBlock[] = [];
  let from = 0;
  for (const bytes of [...pushes, content.length]) {
    blocks.push(...encoder.push(content.subarray(from, from + bytes)));
    from += bytes;
  }
  blocks.push(...encoder.finish());
  expect(encoder.length).toBe(content.length);
  return blocks;
}

/** What each shard holds in the end. */
function wholeShards(blocks: readonly ShardBlock[], count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => concatBytes(blocks.map(({ shards }) => shards[index]!)));
}

const streams: fc.Arbitrary<Stream> = fc
  .record({
    k: fc.integer({ min: 1, max: 6 }),
    m: fc.integer({ min: 0, max: 4 }),
    columnBytes: fc.integer({ min: 1, max: 40 }),
    blocks: fc.integer({ min: 0, max: 3 }),
    delta: fc.integer({ min: -3, max: 3 }),
    seed: fc.nat(),
  })
  .map(({ k, m, columnBytes, blocks, delta, seed }) => {
    const length = Math.max(0, blocks * k * columnBytes + delta);
    return { k, m, columnBytes, content: seededRandom(seed).bytes(length) };
  });

describe('a stream of shards', () => {
  it('has the layout of the documentation', () => {
    const content = Uint8Array.of(10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20);
    const blocks = encode({ k: 2, m: 1, columnBytes: 4, content }, [3, 3]);
    expect(blocks.map(({ offset }) => offset)).toEqual([0, 4]);
    const [first, second] = wholeShards(blocks, 3);
    expect(first).toEqual(Uint8Array.of(10, 11, 12, 13, 18, 19));
    expect(second).toEqual(Uint8Array.of(14, 15, 16, 17, 20, 0));
  });

  it('gives the same shards however it is pushed, as long as was said', () => {
    fc.assert(
      fc.property(streams, fc.array(fc.nat(50), { maxLength: 8 }), (stream, pushes) => {
        const count = stream.k + stream.m;
        const shards = wholeShards(encode(stream, pushes), count);
        expect(shards).toEqual(wholeShards(encode(stream, []), count));
        expect(shards[0]).toHaveLength(streamShardBytes(stream.content.length, stream.k, stream));
      }),
    );
  });

  it('reads back from any k shards, others in every block', () => {
    fc.assert(
      fc.property(streams, fc.nat(), (stream, seed) => {
        const { k, m, columnBytes, content } = stream;
        const shards = wholeShards(encode(stream, []), k + m);
        const random = seededRandom(seed);
        const decoder = createShardDecoder({ k, m }, { length: content.length, columnBytes });
        const parts: Uint8Array[] = [];
        for (let { next } = decoder; next; { next } = decoder) {
          const { offset, length } = next;
          const order = shards.map((_, index) => ({ index, rank: random.next() })).sort((a, b) => a.rank - b.rank);
          const kept = order.slice(0, k).map(({ index }) => index);
          const columns = shards.map((shard) => shard.subarray(offset, offset + length));
          parts.push(decoder.push(columns.map((bytes, index) => (kept.includes(index) ? bytes : undefined))));
        }
        expect(concatBytes(parts)).toEqual(content);
      }),
    );
  });

  it('of no content has no blocks and is complete at once', () => {
    expect(encode({ k: 3, m: 2, columnBytes: 4, content: new Uint8Array(0) }, [])).toEqual([]);
    expect(createShardDecoder({ k: 3, m: 2 }, { length: 0 }).next).toBeUndefined();
  });
});

describe('the bytes of a shard', () => {
  it.each([
    [0, 3, 0],
    [1, 3, 1],
    [9, 3, 3],
    [10, 3, 4],
  ])('of %i bytes over %i are %i', (length, k, bytes) => {
    expect(shardBytesOf(length, k)).toBe(bytes);
  });

  it('are none of impossible lengths and counts', () => {
    expect(() => shardBytesOf(-1, 3)).toThrow(RangeError);
    expect(() => shardBytesOf(1, 0)).toThrow(RangeError);
    expect(() => streamShardBytes(1, 256)).toThrow(RangeError);
    expect(() => streamShardBytes(1.5, 2)).toThrow(RangeError);
  });
});

describe('an encoder', () => {
  it('has columns of 64 KiB when nobody asks for others', () => {
    const [block] = createShardEncoder({ k: 2, m: 1 }).push(new Uint8Array(200_000));
    expect(block?.shards.map((shard) => shard.length)).toEqual([65_536, 65_536, 65_536]);
  });

  it('refuses what cannot be', () => {
    const encoder = createShardEncoder({ k: 2, m: 1 });
    expect(() => encoder.push('text' as never)).toThrow(TypeError);
    encoder.finish();
    expect(outcomeOf(() => encoder.push(new Uint8Array(1)))).toBe('invalid/SHARDS_INVALID');
    expect(outcomeOf(() => encoder.finish())).toBe('invalid/SHARDS_INVALID');
    expect(() => createShardEncoder({ k: 2, m: 1 }, { columnBytes: 0 })).toThrow(RangeError);
    expect(() => createShardEncoder({ k: 2, m: 1 }, { columnBytes: 2 ** 24 + 1 })).toThrow(RangeError);
    expect(outcomeOf(() => createShardEncoder({ k: 0, m: 1 }))).toBe('invalid/REDUNDANCY_INVALID');
  });
});

describe('a decoder', () => {
  const part = (bytes: number) => new Uint8Array(bytes);

  it('refuses what cannot be, and stays where it was', () => {
    const decoder = createShardDecoder({ k: 2, m: 1 }, { length: 10, columnBytes: 4 });
    for (const [shards, outcome] of [
      [[part(4), undefined, undefined], 'corrupt/SHARDS_INSUFFICIENT'],
      [[undefined, undefined, undefined], 'corrupt/SHARDS_INSUFFICIENT'],
      [[part(5), part(5), undefined], 'invalid/SHARDS_INVALID'],
      [[part(4), part(3), undefined], 'invalid/SHARDS_INVALID'],
      [[part(4), part(4)], 'invalid/SHARDS_INVALID'],
    ] as const) {
      expect(outcomeOf(() => decoder.push(shards))).toBe(outcome);
      expect(decoder.next).toEqual({ offset: 0, length: 4 });
    }
    decoder.push([part(4), part(4), undefined]);
    expect(decoder.next).toEqual({ offset: 4, length: 1 });
    decoder.push([part(1), undefined, part(1)]);
    expect(outcomeOf(() => decoder.push([part(1), part(1), part(1)]))).toBe('invalid/SHARDS_INVALID');
  });

  it('needs a length', () => {
    expect(() => createShardDecoder({ k: 2, m: 1 }, {} as never)).toThrow(TypeError);
    expect(() => createShardDecoder({ k: 2, m: 1 }, undefined as never)).toThrow(TypeError);
    expect(() => createShardDecoder({ k: 2, m: 1 }, { length: -1 })).toThrow(RangeError);
  });
});
