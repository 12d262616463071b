import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { concatBytes, fromHex, toHex } from '../bytes/bytes.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { twinKernel } from './kernel/gf-twin.ts';
import { parseRedundancy, type Redundancy } from './redundancy.ts';
import { createReedSolomon, createReedSolomonOver } from './reed-solomon.ts';

function arrays(count: number, length: number): Uint8Array[] {
  return Array.from({ length: count }, () => new Uint8Array(length));
}

/** A whole stripe over seeded data. */
function stripe({ k, m }: Redundancy, length: number, seed = 1): Uint8Array[] {
  const random = seededRandom(seed);
  const shards = Array.from({ length: k + m }, (_, index) =>
    index < k ? random.bytes(length) : new Uint8Array(length),
  );
  createReedSolomon({ k, m }).encode(shards);
  return shards;
}

function copies(shards: readonly Uint8Array[]): Uint8Array[] {
  return shards.map((shard) => new Uint8Array(shard));
}

describe('parity', () => {
  // Digests of the parity that klauspost/reedsolomon 1.9.13, `New(k, m)`, makes of shards of 100 bytes, byte j of data
  // shard i being 31 i + 7 j + 1 modulo 256.
  it.each([
    [1, 3, '8134620fbe0980f918c34b20dacb47173b2c6b9a381a0ac8680951e398aec2b5'],
    [2, 1, '2fbcf59ea72ea5ab2e008595f614d16a96f5ea3da828e53b5475465ac0f275d9'],
    [3, 2, '588df9869b5ff1f2d5340dd9556208d28e1a4485774cf9d18793148234e3b3ca'],
    [4, 2, '15d39bd855aef5dfa6757118c8b18366d4e831e6dbd8812addb3f28cc81c5f5b'],
    [5, 4, '4523536486496efa26091fc371664dceefdd4dfd449fea33421ae110ea4554dd'],
    [7, 8, 'a8e37da28e6477ede3228cfd4444381430c7930d53bf392e0a57c8f2cae47bdd'],
    [10, 4, 'c86f7199592b08d829cfd1d17e79a427aab181c61c4cb42134b233e24ec1e3ba'],
    [20, 20, '4557359b7a649d710a54af009b5cbba7a470fcc0efbab39b6164fc458d771df9'],
    [128, 127, '86a211e39941eb526ccf8f088b7e7dd39d37487987fe0d0603939f89eae5229b'],
    [250, 5, 'fc13ced30738fb3f8d2f41eef9fc08fa19880363f35a0d85f586a2df5b303235'],
    [3, 252, '2195b2561641df7b4516656ba8df77c58b12b432783f4d94193cb00bdf03398c'],
  ])('of %i+%i is that of klauspost/reedsolomon', (k, m, sha256) => {
    const data = arrays(k, 100).map((shard, i) => shard.map((_, j) => 31 * i + 7 * j + 1));
    const shards = [...data, ...arrays(m, 100)];
    createReedSolomon({ k, m }).encode(shards);
    expect(
      createHash('sha256')
        .update(concatBytes(shards.slice(k)))
        .digest('hex'),
    ).toBe(sha256);
  });

  // The golden vector of klauspost/reedsolomon's and Backblaze's tests ("one encode").
  it('of the published 5+5 vector is the published one', () => {
    const data = ['0001', '0405', '0203', '0607', '0809'];
    const parity = ['0c0d', '0a0b', '0e0f', '5a5b', '5e5f'];
    const shards = [...data.map((hex) => fromHex(hex)!), ...arrays(5, 2)];
    createReedSolomon({ k: 5, m: 5 }).encode(shards);
    expect(shards.slice(5).map(toHex)).toEqual(parity);
    expect(createReedSolomon({ k: 5, m: 5 }).verify(shards)).toBe(true);
  });

  it('of one data shard is a copy of it', () => {
    const shards = stripe({ k: 1, m: 3 }, 33);
    for (const shard of shards) expect(shard).toEqual(shards[0]);
  });

  it('is none without parity shards, and empty for empty ones', () => {
    createReedSolomon({ k: 4, m: 0 }).encode(arrays(4, 10));
    createReedSolomon({ k: 4, m: 2 }).encode(arrays(6, 0));
    expect(createReedSolomon({ k: 4, m: 0 }).verify(arrays(4, 10))).toBe(true);
    expect(createReedSolomon({ k: 4, m: 2 }).verify(arrays(6, 0))).toBe(true);
  });

  it('is noticed when any one byte of any shard is wrong', () => {
    const code = createReedSolomon({ k: 3, m: 2 });
    const shards = stripe(code, 70_000);
    expect(code.verify(shards)).toBe(true);
    for (const shard of shards) {
      for (const at of [0, 65_535, 65_536, 69_999]) {
        shard[at]! ^= 1;
        expect(code.verify(shards)).toBe(false);
        shard[at]! ^= 1;
      }
    }
  });
});

describe('reconstructing', () => {
  const lossy = fc
    .record({ k: fc.integer({ min: 1, max: 20 }), m: fc.integer({ min: 1, max: 12 }) })
    .chain(({ k, m }) =>
      fc.record({
        k: fc.constant(k),
        m: fc.constant(m),
        length: fc.integer({ min: 0, max: 200 }),
        lost: fc.shuffledSubarray([...Array(k + m).keys()], { minLength: 1, maxLength: m }),
        seed: fc.nat(),
      }),
    );

  it('gives back any lost shards, wanted or not, and touches no other', () => {
    fc.assert(
      fc.property(lossy, fc.nat(), ({ lost, length, seed, ...redundancy }, choice) => {
        const whole = stripe(redundancy, length, seed);
        const wanted = lost.slice(0, 1 + (choice % lost.length));
        const shards: (Uint8Array | undefined)[] = copies(whole);
        for (const index of lost) shards[index] = wanted.includes(index) ? new Uint8Array(length).fill(9) : undefined;
        createReedSolomon(redundancy).reconstruct(shards, wanted);
        for (const [index, shard] of shards.entries()) if (shard) expect(shard).toEqual(whole[index]);
      }),
      { numRuns: 200 },
    );
  });

  it('of a range of columns is what it is of the whole, and leaves the other columns', () => {
    const ranges = fc.tuple(fc.nat(200), fc.nat(200)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
    fc.assert(
      fc.property(lossy, ranges, ({ lost, length, seed, ...redundancy }, [from, to]) => {
        const [start, end] = [Math.min(from, length), Math.min(to, length)];
        const whole = stripe(redundancy, length, seed);
        const shards = copies(whole);
        for (const index of lost) shards[index]!.fill(9);
        createReedSolomon(redundancy).reconstruct(shards, lost, { offset: start, length: end - start });
        for (const index of lost) {
          const expected = new Uint8Array(length).fill(9);
          expected.set(whole[index]!.subarray(start, end), start);
          expect(shards[index]).toEqual(expected);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('works on columns that were fetched alone', () => {
    const whole = stripe({ k: 3, m: 2 }, 100_000);
    const part = whole.map((shard) => shard.slice(70_001, 70_101));
    const rebuilt = new Uint8Array(100);
    createReedSolomon({ k: 3, m: 2 }).reconstruct([rebuilt, undefined, part[2], part[3], part[4]], [0]);
    expect(rebuilt).toEqual(part[0]);
  });

  it('gives the same over the twin', () => {
    const code = createReedSolomonOver({ k: 5, m: 4 }, twinKernel);
    const whole = stripe(code, 1000);
    const shards = copies(whole);
    for (const index of [0, 3, 6, 8]) shards[index]!.fill(0);
    code.reconstruct(shards, [8, 0, 6, 3]);
    expect(shards).toEqual(whole);
  });

  it('does nothing when nothing is missing', () => {
    const whole = stripe({ k: 2, m: 1 }, 5);
    const shards = copies(whole);
    createReedSolomon({ k: 2, m: 1 }).reconstruct(shards, []);
    expect(shards).toEqual(whole);
  });
});

describe('1,000 random redundancies', () => {
  it('lose as much as they may and get it all back', () => {
    const seed = 20_261_121;
    const random = seededRandom(seed);
    for (let round = 0; round < 1000; round += 1) {
      const k = 1 + random.integer(1 + random.integer(254));
      const m = random.integer(Math.min(40, 256 - k));
      const length = 1 + random.integer(24);
      const whole = stripe({ k, m }, length, round);
      const order = whole.map((_, index) => ({ index, rank: random.next() })).sort((a, b) => a.rank - b.rank);
      const lost = order.slice(0, m).map(({ index }) => index);
      const shards = copies(whole);
      for (const index of lost) shards[index]!.fill(0);
      createReedSolomon({ k, m }).reconstruct(shards, lost);
      const where = `seed ${seed}, round ${round}: ${k}+${m}, lost ${lost.join(' ')}`;
      expect(toHex(concatBytes(shards)) === toHex(concatBytes(whole)), where).toBe(true);
    }
  });
});

describe('bad input', () => {
  const code = createReedSolomon(parseRedundancy('3+2'));
  const good = () => stripe({ k: 3, m: 2 }, 8);
  const withShard = (index: number, shard: unknown) => good().with(index, shard as Uint8Array);

  it.each<[string, () => unknown, string]>([
    ['a redundancy without data', () => createReedSolomon({ k: 0, m: 2 }), 'invalid/REDUNDANCY_INVALID'],
    ['256 shards', () => createReedSolomon({ k: 200, m: 56 }), 'invalid/REDUNDANCY_INVALID'],
    ['a shard too few', () => code.encode(good().slice(1)), 'invalid/SHARDS_INVALID'],
    ['a shard too many', () => code.verify([...good(), new Uint8Array(8)]), 'invalid/SHARDS_INVALID'],
    ['a short shard', () => code.encode(withShard(4, new Uint8Array(7))), 'invalid/SHARDS_INVALID'],
    ['a long shard', () => code.reconstruct(withShard(0, new Uint8Array(9)), [1]), 'invalid/SHARDS_INVALID'],
    ['a lost shard without array', () => code.reconstruct(withShard(0, undefined), [0]), 'invalid/SHARDS_INVALID'],
    ['three lost of 3+2', () => code.reconstruct(good(), [0, 1, 2]), 'corrupt/SHARDS_INSUFFICIENT'],
    ['two lost, one absent', () => code.reconstruct(withShard(4, undefined), [0, 1]), 'corrupt/SHARDS_INSUFFICIENT'],
  ])('such as %s is refused', (_, call, outcome) => {
    expect(outcomeOf(call)).toBe(outcome);
  });

  it.each<[string, () => unknown]>([
    ['an absent shard to encode', () => code.encode(withShard(0, undefined))],
    ['text for a shard', () => code.verify(withShard(1, 'text'))],
    ['no list of shards', () => code.encode('shards' as never)],
    ['no list of indexes', () => code.reconstruct(good(), 1 as never)],
    ['text for an index', () => code.reconstruct(good(), ['0' as never])],
  ])('such as %s is a TypeError', (_, call) => {
    expect(call).toThrow(TypeError);
  });

  it.each<[string, () => unknown]>([
    ['an index past the last shard', () => code.reconstruct(good(), [5])],
    ['columns past the end', () => code.reconstruct(good(), [0], { offset: 4, length: 5 })],
    ['columns before the start', () => code.reconstruct(good(), [0], { offset: -1, length: 2 })],
  ])('such as %s is a RangeError', (_, call) => {
    expect(call).toThrow(RangeError);
  });

  it('leaves every array as it was', () => {
    const shards = good();
    const before = copies(shards);
    outcomeOf(() => code.reconstruct(shards, [0, 1, 2]));
    outcomeOf(() => code.reconstruct(shards, [0, 5]));
    expect(shards).toEqual(before);
  });
});
