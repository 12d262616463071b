/** What our-storage promises of its codec and its shard sets (OS-1 to OS-18, OS-24), and what it gets wrong there. */
import { describe, expect, it } from 'vitest';
import {
  createReedSolomon,
  createShardDecoder,
  createShardEncoder,
  gfDivide,
  gfMultiply,
  gfPower,
  parseRedundancy,
  REDUNDANCY_PRESETS,
  type Redundancy,
  redundancyFigures,
} from '../../src/erasure/index.ts';
import { blake3, digestOf } from '../../src/hash/index.ts';
import {
  decodeShardSet,
  encodeShardSet,
  formatShardSet,
  parseShardSet,
  repairShardSet,
  type ShardSet,
  shardSetRoot,
  verifyShardSet,
} from '../../src/shards/index.ts';
import { outcomeOf } from '../support/caught.ts';
import { noise, text } from '../support/contents.ts';

const CONTENT = text('belief data to protect');

/** The set without the shards of these indexes. */
function without(set: ShardSet, ...lost: readonly number[]): ShardSet {
  const shards = set.shards.map((shard, index) => (lost.includes(index) ? { ...shard, bytes: undefined } : shard));
  return { ...set, shards };
}

/** The set with the bytes of these shards changed. */
function corrupted(set: ShardSet, ...wrong: readonly number[]): ShardSet {
  const flip = (bytes: Uint8Array | undefined) => bytes?.map((byte) => byte ^ 1);
  const shards = set.shards.map((one, index) => (wrong.includes(index) ? { ...one, bytes: flip(one.bytes) } : one));
  return { ...set, shards };
}

function subsets(count: number, size: number, from = 0): number[][] {
  if (size === 0) return [[]];
  const firsts = Array.from({ length: count - from }, (_, index) => from + index);
  return firsts.flatMap((first) => subsets(count, size - 1, first + 1).map((rest) => [first, ...rest]));
}

describe('the codec of our-storage', () => {
  it('OS-1 takes k and m from a level or from numbers', () => {
    expect(createReedSolomon(REDUNDANCY_PRESETS.personal)).toMatchObject({ k: 3, m: 2 });
    expect(createReedSolomon({ k: 4, m: 3 })).toMatchObject({ k: 4, m: 3 });
  });

  it('OS-2 refuses no data shards and more than 255 shards; no parity at all is allowed, it is "none"', () => {
    for (const impossible of [
      { k: 0, m: 3 },
      { k: 200, m: 56 },
      { k: 3, m: -1 },
    ]) {
      expect(outcomeOf(() => createReedSolomon(impossible))).toBe('invalid/REDUNDANCY_INVALID');
    }
    expect(createReedSolomon({ k: 200, m: 55 }).k).toBe(200);
  });

  it.each([
    ['minimal', 3, 1, 50],
    ['personal', 5, 2, 66.67],
    ['federation', 9, 4, 80],
    ['paranoid', 15, 8, 114.29],
  ] as const)('OS-3 has the level %s of %i shards, of which %i may be lost', (preset, shards, lossesMax, percent) => {
    const figures = redundancyFigures(REDUNDANCY_PRESETS[preset]);
    expect(figures).toMatchObject({ shards, lossesMax, m: lossesMax, k: shards - lossesMax });
    expect(figures.overheadPercent).toBeCloseTo(percent, 2);
  });

  it('OS-4 reads levels in any case, and names them all when it knows none', () => {
    expect(parseRedundancy('Federation')).toEqual({ k: 5, m: 4 });
    expect(parseRedundancy('4+3')).toEqual({ k: 4, m: 3 });
    expect(() => parseRedundancy('extreme')).toThrow(/none, minimal, personal, federation, paranoid/);
  });

  it('OS-5 computes in GF(2^8) of 0x11D', () => {
    expect([gfMultiply(3, 7), gfMultiply(15, 100), gfMultiply(200, 255)]).toEqual([9, 38, 248]);
    expect([50, 127, 255, 2].map((element) => gfDivide(1, element))).toEqual([111, 252, 253, 142]);
    expect([gfPower(2, 8), gfPower(3, 255), gfPower(0, 0), gfPower(0, 3)]).toEqual([29, 1, 1, 0]);
    expect(() => gfDivide(5, 0)).toThrow(RangeError);
  });

  it('OS-6 is systematic; the parity is another than theirs, because with theirs some subsets cannot be decoded', () => {
    const shards = [[1], [0], [0], [0], [0]].map((bytes) => Uint8Array.from(bytes));
    createReedSolomon({ k: 3, m: 2 }).encode(shards);
    expect(shards.map(([byte]) => byte)).toEqual([1, 0, 0, 1, 15]);
  });

  it('OS-7 cuts content into parts of ceil(length / k), padded with zeros at the end; empty content works', () => {
    const { shards } = encodeShardSet(CONTENT, { k: 3, m: 2 });
    expect(shards.map(({ bytes }) => bytes?.length)).toEqual([8, 8, 8, 8, 8]);
    expect(shards[2]?.bytes).toEqual(Uint8Array.of(...text('rotect'), 0, 0));
    const empty = encodeShardSet(new Uint8Array(0), { k: 3, m: 2 });
    expect(empty.shards.map(({ bytes }) => bytes?.length)).toEqual([0, 0, 0, 0, 0]);
    expect(decodeShardSet(without(empty, 0, 1)).content).toHaveLength(0);
  });
});

describe('the shard sets of our-storage', () => {
  const set = encodeShardSet(CONTENT, { k: 3, m: 2 }, { subject: '6ba7b810-9dad-11d1-80b4-00c04fd430c8' });

  it('OS-8 know of each shard its index, its digest, its bytes and where it lies', () => {
    expect(set.shards[4]?.digest).toEqual(blake3(set.shards[4]!.bytes!));
    const placed = {
      ...set,
      shards: set.shards.map((one, at) => ({ ...one, location: { backend: 'a', key: `${at}` } })),
    };
    expect(parseShardSet(formatShardSet(placed)).shards[4]?.location).toEqual({ backend: 'a', key: '4' });
  });

  it('OS-9 can be tied to something of the caller', () => {
    expect(set.subject).toBe('6ba7b810-9dad-11d1-80b4-00c04fd430c8');
  });

  it('OS-10 say size, digest, content type, root and time', () => {
    expect(set).toMatchObject({ size: 22, contentType: 'application/octet-stream', digest: blake3(CONTENT) });
    expect(Date.parse(set.created)).toBeGreaterThan(0);
    expect(set.root).toEqual(
      shardSetRoot(
        set.shards.map(({ digest }) => digest),
        8,
        'blake3',
      ),
    );
  });

  it('OS-11 tell what is there, what is missing, whether that is enough, and which level they are', () => {
    const report = verifyShardSet(without(set, 1, 4));
    expect(report).toMatchObject({ good: [0, 2, 3], missing: [1, 4], canDecode: true, lossesLeft: 0 });
    expect(redundancyFigures(set.redundancy).preset).toBe('personal');
  });

  it('OS-12 are JSON and back', () => {
    expect(parseShardSet(formatShardSet(without(set, 2)))).toEqual(without(set, 2));
  });

  it('OS-13 decode from any k good shards, and say how many are wanting when there are fewer', () => {
    for (const kept of subsets(5, 3)) {
      const lost = [0, 1, 2, 3, 4].filter((index) => !kept.includes(index));
      expect(decodeShardSet(without(set, ...lost)).content).toEqual(CONTENT);
      expect(decodeShardSet(corrupted(set, ...lost)).content).toEqual(CONTENT);
    }
    expect(() => decodeShardSet(corrupted(without(set, 0, 1), 2))).toThrow(
      expect.objectContaining({ code: 'SHARDS_INSUFFICIENT', details: { expected: 3, actual: 2 } }),
    );
  });

  it('OS-14 tell which shards were used, which were not, and how long it took', () => {
    const decoded = decodeShardSet(corrupted(without(set, 0), 3));
    expect(decoded).toMatchObject({ used: [1, 2, 4], missing: [0], corrupt: [3] });
    expect(decoded.elapsedMs).toBeGreaterThanOrEqual(0);
  });

  it('OS-15 tell whether k good shards are left, and whether they really give the content', () => {
    expect(verifyShardSet(corrupted(set, 0, 1)).canDecode).toBe(true);
    expect(verifyShardSet(corrupted(set, 0, 1, 2)).canDecode).toBe(false);
    expect(verifyShardSet({ ...set, digest: blake3(text('other')) }).canDecode).toBe(false);
  });

  it('OS-16 are repaired, and keep what was good, content type and root included', () => {
    const { set: whole, repaired } = repairShardSet(corrupted(without(set, 0), 4));
    expect(repaired).toEqual([0, 4]);
    expect({ ...whole, verified: set.verified }).toEqual(set);
    expect(outcomeOf(() => repairShardSet(without(set, 0, 1, 2)))).toBe('corrupt/SHARDS_INSUFFICIENT');
  });

  it('OS-17 have figures, with the name of the level if there is one', () => {
    expect(redundancyFigures({ k: 10, m: 5 })).toMatchObject({ preset: undefined, shards: 15, overheadPercent: 50 });
  });

  it('OS-18 have errors for too few shards and for corrupt data, of one kind', () => {
    expect(outcomeOf(() => decodeShardSet(without(set, 0, 1, 2)))).toBe('corrupt/SHARDS_INSUFFICIENT');
    expect(outcomeOf(() => decodeShardSet({ ...set, digest: blake3(text('x')) }))).toBe('corrupt/SHARD_SET_CORRUPT');
  });

  it('OS-24 have a report that is good only when nothing is missing, nothing corrupt and the root is right', () => {
    expect(verifyShardSet(set)).toMatchObject({ isWhole: true, rootMatches: true, corrupt: [], missing: [] });
    expect(verifyShardSet(without(set, 3))).toMatchObject({ isWhole: false, canDecode: true });
    expect(verifyShardSet({ ...set, root: blake3(text('x')) })).toMatchObject({ isWhole: false, rootMatches: false });
  });
});

describe('what our-storage gets wrong about shards', () => {
  it.each<[Redundancy, number[]]>([
    [{ k: 5, m: 4 }, [0, 3, 5, 6, 7]],
    [{ k: 5, m: 4 }, [2, 4, 5, 6, 7]],
    [{ k: 7, m: 8 }, [0, 1, 2, 4, 8, 9, 12]],
  ])('for %j the shards %j are singular: here they decode', (redundancy, kept) => {
    const whole = encodeShardSet(noise(1000), redundancy);
    const lost = whole.shards.map((_, index) => index).filter((index) => !kept.includes(index));
    expect(decodeShardSet(without(whole, ...lost)).content).toEqual(noise(1000));
  });

  it('one forged shard among the first k makes decoding fail: here others are tried', () => {
    const set = encodeShardSet(CONTENT, { k: 3, m: 2 }, { algorithm: 'sha256' });
    const forged = text('8 bytes!');
    const shards = set.shards.with(1, { bytes: forged, digest: digestOf('sha256', forged) });
    expect(decodeShardSet({ ...set, shards }).content).toEqual(CONTENT);
    expect(verifyShardSet({ ...set, shards })).toMatchObject({ isWhole: false, corrupt: [1], rootMatches: false });
  });

  it('holds the whole object in memory: here shards stream, and any k give the content back', () => {
    const content = noise(100_000);
    const encoder = createShardEncoder({ k: 7, m: 8 }, { columnBytes: 1000 });
    const blocks = [...encoder.push(content.subarray(0, 33_333)), ...encoder.push(content.subarray(33_333))];
    blocks.push(...encoder.finish());
    const decoder = createShardDecoder({ k: 7, m: 8 }, { length: encoder.length, columnBytes: 1000 });
    const parts = blocks.map(({ shards }) => decoder.push(shards.map((one, index) => (index < 8 ? undefined : one))));
    expect(decoder.next).toBeUndefined();
    expect(Buffer.concat(parts).equals(content)).toBe(true);
  });

  it('survives 1 MiB with the shards 0 and 3 lost, and eight of fifteen, not nine', () => {
    const large = encodeShardSet(noise(1 << 20), REDUNDANCY_PRESETS.personal);
    expect(Buffer.compare(decodeShardSet(without(large, 0, 3)).content, noise(1 << 20))).toBe(0);
    const paranoid = encodeShardSet(CONTENT, REDUNDANCY_PRESETS.paranoid);
    expect(decodeShardSet(without(paranoid, 0, 1, 2, 3, 4, 5, 6, 7)).content).toEqual(CONTENT);
    expect(outcomeOf(() => decodeShardSet(without(paranoid, 0, 1, 2, 3, 4, 5, 6, 7, 8)))).toBe(
      'corrupt/SHARDS_INSUFFICIENT',
    );
  });
});
