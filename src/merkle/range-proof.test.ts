import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { changedJson, isRefused } from '../../test/support/changed-json.ts';
import { asDigest, blake3, type Digest, digestOf, formatDigest } from '../hash/index.ts';
import { PROOF_CHUNKS_MAX } from '../limits.ts';
import type { MerkleLeaf } from './chunk-leaf.ts';
import { createMerkleBuilder, merkleRoot } from './merkle-builder.ts';
import { createRangeDataCheck, verifyRangeData } from './range-data.ts';
import { type ByteRange, coveredRange, parseRangeProof, type RangeProof, verifyRangeProof } from './range-proof.ts';
import { createRangeProver, proveRange } from './range-prover.ts';

/** Content cut into chunks of given lengths. */
function entryOf(lengths: readonly number[]) {
  const size = lengths.reduce((sum, length) => sum + length, 0);
  const content = Uint8Array.from({ length: size }, (_, index) => (index * 31) ^ (index >> 3));
  let end = 0;
  const leaves = lengths.map((length): MerkleLeaf => {
    const offset = end;
    end += length;
    return { offset, length, digest: blake3(content.subarray(offset, end)) };
  });
  return { content, leaves, size, root: formatDigest('blake3', merkleRoot(leaves, size)) };
}

const lengthLists = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 70 });

function rangeIn(size: number, [from, share]: readonly [number, number]): ByteRange {
  const offset = Math.floor(from * size);
  return { offset, length: Math.ceil(share * (size - offset)) };
}

const shares = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }));

describe('a range proof', () => {
  it('proves any range of any entry, with the chunks that it touches and no more', () => {
    fc.assert(
      fc.property(lengthLists, shares, (lengths, share) => {
        const { leaves, size, root } = entryOf(lengths);
        const range = rangeIn(size, share);
        const proof = proveRange(leaves, range);
        expect(verifyRangeProof(proof, root, range)).toBe(true);
        expect(verifyRangeProof(JSON.stringify(proof), root)).toBe(true);
        const end = range.offset + range.length;
        const touched = leaves.filter((leaf) => leaf.offset < end && leaf.offset + leaf.length > range.offset);
        expect(proof.chunks.length).toBe(range.length === 0 ? 0 : touched.length);
        expect(proof.path.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(lengths.length + 1)));
      }),
    );
  });

  it('proves every range of chunks in entries of up to 17 chunks', () => {
    for (let count = 1; count <= 17; count += 1) {
      const { leaves, root } = entryOf(Array(count).fill(2));
      for (let first = 0; first < count; first += 1) {
        for (let end = first + 1; end <= count; end += 1) {
          const range = { offset: 2 * first + 1, length: 2 * (end - first) - 1 };
          if (!verifyRangeProof(proveRange(leaves, range), root, range)) expect.fail(`${first} to ${end} of ${count}`);
        }
      }
    }
  });

  it.each([
    ['of one chunk', [5], { offset: 1, length: 3 }],
    ['in the middle', [3, 4, 5, 6, 7], { offset: 4, length: 9 }],
    ['at the front', [3, 4, 5], { offset: 0, length: 1 }],
    ['at the end', [3, 4, 5, 1], { offset: 12, length: 1 }],
    ['of everything', [3, 4, 5], { offset: 0, length: 12 }],
    ['that is empty', [3, 4, 5], { offset: 5, length: 0 }],
    ['of an empty entry', [], { offset: 0, length: 0 }],
  ])('%s is refused with anything changed', (_, lengths, range) => {
    const { leaves, root } = entryOf(lengths);
    const proof = proveRange(leaves, range);
    expect(verifyRangeProof(proof, root, range)).toBe(true);
    for (const { what, value } of changedJson(proof)) {
      expect(
        isRefused(() => verifyRangeProof(value as RangeProof, root, range)),
        what,
      ).toBe(true);
      expect(
        isRefused(() => verifyRangeProof(value as RangeProof, root)),
        what,
      ).toBe(true);
    }
  });

  it('is refused with anything changed, whatever entry and range', () => {
    const cases = fc.tuple(lengthLists, shares, fc.nat());
    fc.assert(
      fc.property(cases, ([lengths, share, pick]) => {
        const { leaves, size, root } = entryOf(lengths);
        const range = rangeIn(size, share);
        const changes = [...changedJson(proveRange(leaves, range))];
        const change = changes[pick % changes.length];
        return isRefused(() => verifyRangeProof(change?.value as RangeProof, root, range));
      }),
      { numRuns: 300 },
    );
  });

  it('is refused for another root, and for any range that touches other chunks', () => {
    const { leaves, root } = entryOf([3, 4, 5, 6]);
    const proof = proveRange(leaves, { offset: 4, length: 5 });
    const isProven = (offset: number, length: number) => verifyRangeProof(proof, root, { offset, length });
    expect([isProven(4, 5), isProven(3, 9), isProven(6, 2)]).toEqual([true, true, true]);
    expect([isProven(2, 5), isProven(7, 2), isProven(3, 4), isProven(3, 10), isProven(4, 0)]).toEqual(
      Array(5).fill(false),
    );
    expect([isProven(18, 1), isProven(4, 100)]).toEqual([false, false]);
    expect(verifyRangeProof(proof, entryOf([3, 4, 5, 7]).root)).toBe(false);
    for (const offset of [-1, 0.5, 2 ** 53]) expect(() => isProven(offset, 1)).toThrow(RangeError);
  });

  it('refuses a chunk at another place, even where its content is repeated', () => {
    const { leaves, root } = entryOf([4, 4, 4, 4]);
    const same = leaves.map((leaf) => ({ ...leaf, digest: blake3(new Uint8Array(4)) }));
    const sameRoot = formatDigest('blake3', merkleRoot(same, 16));
    const proof = proveRange(same, { offset: 4, length: 4 });
    expect(verifyRangeProof(proof, sameRoot)).toBe(true);
    expect(verifyRangeProof({ ...proof, offset: 8 }, sameRoot)).toBe(false);
    expect(verifyRangeProof({ ...proof, index: 2, offset: 8 }, sameRoot)).toBe(false);
    expect(verifyRangeProof(proof, root)).toBe(false);
  });

  it('of an empty range proves the size, wherever it lies inside the entry', () => {
    const { leaves, root } = entryOf([3, 4, 5]);
    const proof = proveRange(leaves, { offset: 12, length: 0 });
    expect(proof).toMatchObject({ size: 12, chunkCount: 3, index: 0, offset: 0, chunks: [] });
    expect(proof.path).toHaveLength(1);
    expect(verifyRangeProof(proof, root, { offset: 12, length: 0 })).toBe(true);
    expect(verifyRangeProof(proof, root, { offset: 13, length: 0 })).toBe(false);
    expect(verifyRangeProof(proof, root, { offset: 0, length: 1 })).toBe(false);
  });

  it('believes no root that binds another end than that of its last chunk', () => {
    const { leaves } = entryOf([3, 4]);
    const builder = createMerkleBuilder();
    for (const { offset, length, digest } of leaves) builder.addLeaf(offset, length, digest);
    const range = createMerkleBuilder().addSubtree(builder.treeHash(), 2);
    const lie = formatDigest('blake3', range.root(9));
    const proof = { ...proveRange(leaves, { offset: 0, length: 7 }), size: 9 };
    expect(verifyRangeProof(proof, lie)).toBe(false);
    const hidden = { ...proveRange(leaves, { offset: 0, length: 0 }), size: 0 };
    expect(verifyRangeProof(hidden, formatDigest('blake3', range.root(0)))).toBe(false);
  });

  it('is small: two hashes a level at most, for a chunk among a million', () => {
    const count = 1_000_000;
    const prover = createRangeProver({ totalLength: count, leafCount: count, range: { offset: 654_321, length: 1 } });
    const builder = createMerkleBuilder();
    const digest = blake3(new Uint8Array(1));
    const chunk = (offset: number) => createMerkleBuilder().addLeaf(offset, 1, digest).treeHash();
    const subtree = (start: number, size: number): Digest =>
      size === 1 ? chunk(start) : asDigest(digestOf('blake3', new Uint8Array([start % 251, size % 251])));
    // Nobody needs a million leaves to prove one: everything but its neighbours goes in as whole subtrees.
    const grow = (start: number, size: number): void => {
      if (size > 1 && start <= 654_321 && 654_321 < start + size) {
        const half = 2 ** Math.ceil(Math.log2(size) - 1);
        grow(start, half);
        grow(start + half, size - half);
      } else if (start === 654_321) {
        prover.addChunk(1, digest);
        builder.addLeaf(start, 1, digest);
      } else {
        prover.addSubtree(subtree(start, size), { length: size, leafCount: size });
        builder.addSubtree(subtree(start, size), size);
      }
    };
    grow(0, count);
    const proof = prover.finish();
    const root = formatDigest('blake3', builder.root(count));
    expect(verifyRangeProof(proof, root, { offset: 654_321, length: 1 })).toBe(true);
    expect(proof.path.length).toBeLessThanOrEqual(20);
    expect(JSON.stringify(proof).length).toBeLessThan(2000);
  });

  it('that cannot be read is named so', () => {
    const { leaves, root } = entryOf([3, 4]);
    const proof = proveRange(leaves, { offset: 0, length: 1 });
    for (const value of ['', '{}', '[]', 'null', JSON.stringify({ ...proof, version: '2' })]) {
      expect(outcomeOf(() => parseRangeProof(value))).toBe('invalid/PROOF_INVALID');
    }
    const later = JSON.stringify({ ...proof, version: 2 });
    expect(outcomeOf(() => parseRangeProof(later))).toBe('unsupported/FORMAT_UNSUPPORTED');
    expect(outcomeOf(() => verifyRangeProof({ ...proof, algorithm: 'sha512' }, root))).toBe('invalid/PROOF_INVALID');
    expect(outcomeOf(() => verifyRangeProof(proof, 'root'))).toBe('invalid/DIGEST_INVALID');
  });
});

describe('a range prover', () => {
  const digest = blake3(new Uint8Array(1));

  it('makes no proof over the end', () => {
    const { leaves } = entryOf([3, 4]);
    for (const [offset, length] of [
      [0, 8],
      [8, 0],
      [7, 1],
      [2 ** 52, 2 ** 52],
    ] as const) {
      expect(outcomeOf(() => proveRange(leaves, { offset, length }))).toBe('invalid/RANGE_INVALID');
    }
    expect(() => proveRange(leaves, { offset: -1, length: 1 })).toThrow(RangeError);
    expect(() => proveRange(leaves, { offset: 0, length: 0.5 })).toThrow(RangeError);
  });

  it('takes the whole entry, in order, and nothing else', () => {
    const { leaves } = entryOf([3, 4, 5]);
    const range = { offset: 0, length: 1 };
    expect(outcomeOf(() => proveRange(leaves.toReversed(), range))).toBe('invalid/CHUNKS_INVALID');
    const prover = () => createRangeProver({ totalLength: 12, leafCount: 3, range });
    expect(outcomeOf(() => prover().addChunk(3, digest).finish())).toBe('invalid/CHUNKS_INVALID');
    expect(outcomeOf(() => prover().addChunk(13, digest))).toBe('invalid/CHUNKS_INVALID');
    expect(outcomeOf(() => prover().addChunk(0, digest))).toBe('RangeError');
    expect(outcomeOf(() => prover().addChunk(1, new Uint8Array(64) as Digest))).toBe('invalid/DIGEST_INVALID');
    expect(outcomeOf(() => prover().addSubtree(digest, { length: 2, leafCount: 2 }))).toBe('invalid/CHUNKS_INVALID');
    expect(outcomeOf(() => createRangeProver({ totalLength: 5, leafCount: 0, range }))).toBe('RangeError');
  });

  it('names a bounded number of chunks', () => {
    const count = PROOF_CHUNKS_MAX + 1;
    const prover = createRangeProver({ totalLength: count, leafCount: count, range: { offset: 0, length: count } });
    for (let chunk = 0; chunk < PROOF_CHUNKS_MAX; chunk += 1) prover.addChunk(1, digest);
    expect(outcomeOf(() => prover.addChunk(1, digest))).toBe('invalid/RANGE_INVALID');
  });

  it.each(['sha256', 'sha512'] as const)('works with %s too', (algorithm) => {
    const leaves = [0, 1, 2].map((offset) => ({ offset, length: 1, digest: digestOf(algorithm, new Uint8Array(1)) }));
    const proof = proveRange(leaves, { offset: 1, length: 1 }, algorithm);
    expect(verifyRangeProof(proof, formatDigest(algorithm, merkleRoot(leaves, 3, algorithm)))).toBe(true);
    expect(verifyRangeData(proof, formatDigest(algorithm, merkleRoot(leaves, 3, algorithm)), new Uint8Array(1))).toBe(
      true,
    );
  });
});

describe('the data of a range proof', () => {
  const { content, leaves, root } = entryOf([3, 4, 5, 6]);
  const proof = proveRange(leaves, { offset: 4, length: 5 });
  const { offset, length } = coveredRange(proof);
  const data = content.subarray(offset, offset + length);

  it('is that of whole chunks', () => {
    expect({ offset, length }).toEqual({ offset: 3, length: 9 });
    expect(verifyRangeData(proof, root, data)).toBe(true);
  });

  it('is refused with a byte changed, missing, superfluous or moved', () => {
    for (const index of data.keys()) {
      expect(verifyRangeData(proof, root, data.with(index, (data[index] ?? 0) ^ 1))).toBe(false);
      expect(verifyRangeData(proof, root, data.subarray(0, index))).toBe(false);
    }
    expect(verifyRangeData(proof, root, content.subarray(offset, offset + length + 1))).toBe(false);
    expect(verifyRangeData(proof, root, content.subarray(offset + 1, offset + length + 1))).toBe(false);
  });

  it('may arrive in any pieces', () => {
    const cuts = fc.array(fc.integer({ min: 0, max: data.length }), { maxLength: 6 });
    fc.assert(
      fc.property(cuts, (at) => {
        const check = createRangeDataCheck(proof, root);
        let start = 0;
        for (const end of [...at.sort((a, b) => a - b), data.length]) {
          check.update(data.subarray(start, end));
          start = end;
        }
        expect(check.finish()).toBe(true);
      }),
    );
  });

  it('proves nothing with a proof that proves nothing', () => {
    expect(verifyRangeData({ ...proof, offset: 4 }, root, data)).toBe(false);
    const empty = proveRange([], { offset: 0, length: 0 });
    expect(verifyRangeData(empty, formatDigest('blake3', merkleRoot([], 0)), new Uint8Array(0))).toBe(true);
    expect(verifyRangeData(empty, root, new Uint8Array(0))).toBe(false);
  });

  it('is asked for once', () => {
    const check = createRangeDataCheck(proof, root);
    expect(() => check.update('x' as unknown as Uint8Array)).toThrow(TypeError);
    check.finish();
    expect(outcomeOf(() => check.finish())).toBe('invalid/HASHER_FINISHED');
    expect(outcomeOf(() => check.update(data))).toBe('invalid/HASHER_FINISHED');
  });
});
