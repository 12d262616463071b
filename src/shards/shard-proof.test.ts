import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { testSet } from '../../test/support/spreads.ts';
import { formatDigest } from '../hash/index.ts';
import { encodeShardSet } from './encode-shard-set.ts';
import { withoutBytes } from './placed-set.ts';
import { formatShardSetRoot, proveShard, verifyShardProof } from './shard-proof.ts';
import type { ShardSet } from './shard-set.ts';

const SET = testSet('5+4');
const ROOT = formatShardSetRoot(SET);

function bytesOf({ shards }: ShardSet, index: number): Uint8Array {
  return shards[index]?.bytes as Uint8Array;
}

describe('the proof of a shard', () => {
  it('needs no bytes to be made, and holds for the bytes and the digest of the shard', () => {
    for (const [index, { digest }] of SET.shards.entries()) {
      const proof = JSON.stringify(proveShard(withoutBytes(SET), index));
      expect(verifyShardProof(proof, ROOT, { index, bytes: bytesOf(SET, index) })).toBe(true);
      expect(verifyShardProof(proof, ROOT, { index, digest: formatDigest('blake3', digest) })).toBe(true);
    }
  });

  it('does not hold for another shard, place, length or root', () => {
    const proof = proveShard(SET, 3);
    const bytes = bytesOf(SET, 3);
    expect(verifyShardProof(proof, ROOT, { index: 4, bytes })).toBe(false);
    expect(verifyShardProof(proof, ROOT, { index: 99, bytes })).toBe(false);
    expect(verifyShardProof(proof, ROOT, { index: 3, bytes: bytesOf(SET, 4) })).toBe(false);
    expect(verifyShardProof(proof, ROOT, { index: 3, bytes: bytes.subarray(1) })).toBe(false);
    expect(verifyShardProof(proof, formatShardSetRoot(testSet('5+4', { seed: 2 })), { index: 3, bytes })).toBe(false);
    const digest = formatDigest('sha256', SET.shards[3]?.digest as typeof SET.digest);
    expect(verifyShardProof(proof, ROOT, { index: 3, digest })).toBe(false);
  });

  it('does not hold with any number of it changed', () => {
    const proof = proveShard(SET, 3);
    const shard = { index: 3, bytes: bytesOf(SET, 3) };
    for (const change of [
      { size: proof.size + 9 },
      { size: proof.size - 1 },
      { chunkCount: 8 },
      { chunkCount: 0 },
      { index: 4 },
      { offset: proof.offset + 1 },
      { chunks: [] },
      { chunks: [...proof.chunks, ...proof.chunks] },
      { chunks: [{ ...proof.chunks[0], length: 201 }] },
      { path: proof.path.slice(1) },
      { path: [...proof.path].reverse() },
    ]) {
      expect(verifyShardProof({ ...proof, ...change } as typeof proof, ROOT, shard)).toBe(false);
    }
  });

  it('is made and holds for any set', () => {
    const sets = fc.record({
      k: fc.integer({ min: 1, max: 9 }),
      m: fc.integer({ min: 0, max: 9 }),
      content: fc.uint8Array({ minLength: 1, maxLength: 40 }),
      algorithm: fc.constantFrom('blake3' as const, 'sha256' as const),
    });
    fc.assert(
      fc.property(sets, fc.nat(), ({ content, algorithm, ...redundancy }, at) => {
        const set = encodeShardSet(content, redundancy, { algorithm });
        const index = at % set.shards.length;
        const shard = { index, bytes: bytesOf(set, index) };
        expect(verifyShardProof(proveShard(set, index), formatShardSetRoot(set), shard)).toBe(true);
      }),
    );
  });

  it.each<[string, () => unknown, string]>([
    ['a shard that the set has not', () => proveShard(SET, 9), 'RangeError'],
    ['a set that is none', () => proveShard({ ...SET, id: '' }, 1), 'invalid/SHARD_SET_INVALID'],
    [
      'a root that is not of its digests',
      () => proveShard({ ...SET, root: SET.digest }, 1),
      'corrupt/SHARD_SET_CORRUPT',
    ],
    ['empty shards', () => proveShard(testSet('2+1', { bytes: 0 }), 1), 'RangeError'],
  ])('cannot be made of %s', (_, prove, outcome) => {
    expect(outcomeOf(prove)).toBe(outcome);
  });

  it.each<[string, () => unknown, string]>([
    ['a proof', () => verifyShardProof('{}', ROOT, { index: 0, bytes: bytesOf(SET, 0) }), 'invalid/PROOF_INVALID'],
    ['a root', () => verifyShardProof(proveShard(SET, 0), 'x', { index: 1, digest: ROOT }), 'invalid/DIGEST_INVALID'],
    ['a digest', () => verifyShardProof(proveShard(SET, 0), ROOT, { index: 0, digest: 'x' }), 'invalid/DIGEST_INVALID'],
    ['bytes', () => verifyShardProof(proveShard(SET, 0), ROOT, { index: 0, bytes: 'x' as never }), 'TypeError'],
    ['an index', () => verifyShardProof(proveShard(SET, 0), ROOT, { index: -1, digest: ROOT }), 'RangeError'],
  ])('is not verified with what is not %s', (_, verify, outcome) => {
    expect(outcomeOf(verify)).toBe(outcome);
  });
});
