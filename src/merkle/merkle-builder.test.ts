import { blake2b } from '@noble/hashes/blake2.js';
import { blake3 as nobleBlake3 } from '@noble/hashes/blake3.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { sha3_256 } from '@noble/hashes/sha3.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../bytes/bytes.ts';
import { isStoreError } from '../errors/store-error.ts';
import { asDigest, blake3, type Digest, type DigestAlgorithm, digestOf } from '../hash/index.ts';
import type { MerkleLeaf } from './chunk-leaf.ts';
import { createMerkleBuilder, merkleRoot } from './merkle-builder.ts';

const ORACLES: Readonly<Record<DigestAlgorithm, (bytes: Uint8Array) => Uint8Array>> = {
  blake3: (bytes) => nobleBlake3(bytes),
  sha256,
  sha512,
  'sha3-256': sha3_256,
  'blake2b-256': (bytes) => blake2b(bytes, { dkLen: 32 }),
};
const ALGORITHMS = Object.keys(ORACLES) as DigestAlgorithm[];

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function u64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** The root as `chunk-leaf.ts` words it: recursion over lists, independent hashes. */
function referenceRoot(algorithm: DigestAlgorithm, leaves: readonly MerkleLeaf[], totalLength: number): Uint8Array {
  const hash = (...parts: Uint8Array[]): Uint8Array => ORACLES[algorithm](concatBytes(parts));
  const tree = (from: readonly MerkleLeaf[]): Uint8Array => {
    const [first] = from;
    if (!first) return hash();
    if (from.length === 1) return hash(new Uint8Array([0]), u64(first.offset), u64(first.length), first.digest);
    let split = 1;
    while (split * 2 < from.length) split *= 2;
    return hash(new Uint8Array([1]), tree(from.slice(0, split)), tree(from.slice(split)));
  };
  return hash(new Uint8Array([2]), u64(totalLength), u64(leaves.length), tree(leaves));
}

function layOut(
  lengths: readonly number[],
  algorithm: DigestAlgorithm = 'blake3',
): { readonly leaves: readonly MerkleLeaf[]; readonly totalLength: number } {
  let totalLength = 0;
  const leaves = lengths.map((length, index) => {
    const offset = totalLength;
    totalLength += length;
    return { offset, length, digest: digestOf(algorithm, Buffer.from(`chunk ${index} of ${length}`)) };
  });
  return { leaves, totalLength };
}

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return isStoreError(error) ? error.code : String(error);
  }
  return 'nothing thrown';
}

const lengthLists = fc.array(fc.integer({ min: 1, max: 2 ** 40 }), { maxLength: 40 });

describe('the root of an entry', () => {
  it.each(ALGORITHMS)('is the one its format describes, with %s', (algorithm) => {
    fc.assert(
      fc.property(lengthLists, (lengths) => {
        const { leaves, totalLength } = layOut(lengths, algorithm);
        expect(hex(merkleRoot(leaves, totalLength, algorithm))).toBe(
          hex(referenceRoot(algorithm, leaves, totalLength)),
        );
      }),
    );
  });

  it('uses BLAKE3 when no algorithm is named', () => {
    const { leaves, totalLength } = layOut([5, 6]);
    expect(merkleRoot(leaves, totalLength)).toEqual(merkleRoot(leaves, totalLength, 'blake3'));
    expect(createMerkleBuilder().algorithm).toBe('blake3');
  });

  // Roots of format version 1; they never change.
  it.each([
    [[], '3404cbd8af5c83050101ff4e98e074adc86f072d622bab477ba687eb0def2252'],
    [[1], '194862c2e7f94aae2e158c56105f30fa1893f9545b334de720375518573f97d3'],
    [[5, 7, 2 ** 40], '55180d5a8c52514d2ac0248b402f5323fc2fdb843b706c3f9d6798728ffb0719'],
  ])('keeps its bytes for chunks of %j bytes', (lengths, expected) => {
    const { leaves, totalLength } = layOut(lengths);
    expect(hex(merkleRoot(leaves, totalLength))).toBe(expected);
  });

  it('tells a, b, c from a, b, c, c, which a tree that pairs an odd node with itself does not', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((text) => digestOf('sha256', Buffer.from(text))) as [Digest, Digest, Digest];
    const three = [a, b, c].map((digest, index) => ({ offset: index, length: 1, digest }));
    const four = [a, b, c, c].map((digest, index) => ({ offset: index, length: 1, digest }));
    expect(merkleRoot(three, 3, 'sha256')).not.toEqual(merkleRoot(four, 4, 'sha256'));
  });

  it('is not a node: the root of a subtree cannot stand for it', () => {
    const { leaves, totalLength } = layOut([3, 4]);
    const builder = createMerkleBuilder();
    for (const leaf of leaves) builder.addLeaf(leaf.offset, leaf.length, leaf.digest);
    expect(builder.root(totalLength)).not.toEqual(builder.treeHash());
  });

  it('changes with every field of every chunk', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 2, max: 9 }), { minLength: 2, maxLength: 9 }),
        fc.nat(),
        (lengths, pick) => {
          const { leaves, totalLength } = layOut(lengths);
          const root = merkleRoot(leaves, totalLength);
          const at = pick % (leaves.length - 1);
          const moved = lengths.with(at, (lengths[at] ?? 0) - 1).with(at + 1, (lengths[at + 1] ?? 0) + 1);
          const border = layOut(moved).leaves.map((leaf, index) => ({
            ...leaf,
            digest: leaves[index]?.digest as Digest,
          }));
          const digest = leaves.with(at, { ...(leaves[at] as MerkleLeaf), digest: blake3(Buffer.from('other')) });
          expect(merkleRoot(border, totalLength)).not.toEqual(root);
          expect(merkleRoot(digest, totalLength)).not.toEqual(root);
        },
      ),
    );
  });
});

describe('a Merkle builder', () => {
  it('takes manifest leaves by their tree hash as if each chunk had been added', () => {
    const groups = fc.constantFrom(1, 2, 4, 8, 16);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 70 }),
        groups,
        (lengths, size) => {
          const { leaves, totalLength } = layOut(lengths);
          const whole = createMerkleBuilder();
          for (let start = 0; start < leaves.length; start += size) {
            const group = createMerkleBuilder();
            for (const leaf of leaves.slice(start, start + size)) group.addLeaf(leaf.offset, leaf.length, leaf.digest);
            whole.addSubtree(group.treeHash(), group.leafCount);
          }
          expect(whole.leafCount).toBe(leaves.length);
          expect(whole.root(totalLength)).toEqual(merkleRoot(leaves, totalLength));
        },
      ),
    );
  });

  it('goes on with chunks after subtrees and checks where the last one ends', () => {
    const { leaves, totalLength } = layOut([4, 4, 4]);
    const group = createMerkleBuilder();
    for (const leaf of leaves.slice(0, 2)) group.addLeaf(leaf.offset, leaf.length, leaf.digest);
    const whole = createMerkleBuilder().addSubtree(group.treeHash(), 2);
    whole.addLeaf(8, 4, leaves[2]?.digest as Digest);
    expect(whole.root(totalLength)).toEqual(merkleRoot(leaves, totalLength));
    expect(codeOf(() => whole.root(totalLength + 1))).toBe('CHUNKS_INVALID');
  });

  it('can be asked before the end and goes on', () => {
    const { leaves } = layOut([2, 3, 4]);
    const builder = createMerkleBuilder();
    let end = 0;
    for (const [index, leaf] of leaves.entries()) {
      builder.addLeaf(leaf.offset, leaf.length, leaf.digest);
      end += leaf.length;
      expect(builder.root(end)).toEqual(merkleRoot(leaves.slice(0, index + 1), end));
    }
  });

  it.each([
    ['a gap', 6],
    ['an overlap', 4],
    ['a step back', 0],
  ])('refuses %s between chunks and is unchanged', (_what, offset) => {
    const digest = blake3(Buffer.from('x'));
    const builder = createMerkleBuilder().addLeaf(0, 5, digest);
    const before = builder.root(5);
    expect(codeOf(() => builder.addLeaf(offset, 2, digest))).toBe('CHUNKS_INVALID');
    expect(builder.root(5)).toEqual(before);
    expect(builder.addLeaf(5, 2, digest).leafCount).toBe(2);
  });

  it('gives no root of chunks that do not cover the entry', () => {
    const digest = blake3(Buffer.from('x'));
    expect(codeOf(() => createMerkleBuilder().root(1))).toBe('CHUNKS_INVALID');
    expect(codeOf(() => createMerkleBuilder().addLeaf(0, 5, digest).root(4))).toBe('CHUNKS_INVALID');
    expect(codeOf(() => createMerkleBuilder().addLeaf(0, 5, digest).root(6))).toBe('CHUNKS_INVALID');
    expect(codeOf(() => createMerkleBuilder().addLeaf(1, 5, digest).root(6))).toBe('CHUNKS_INVALID');
  });

  it('refuses chunks after a subtree that is not complete', () => {
    const digest = blake3(Buffer.from('x'));
    const builder = createMerkleBuilder().addSubtree(digest, 3);
    expect(codeOf(() => builder.addLeaf(0, 1, digest))).toBe('CHUNKS_INVALID');
    expect(codeOf(() => builder.addSubtree(digest, 1))).toBe('CHUNKS_INVALID');
    expect(builder.leafCount).toBe(3);
  });

  it('refuses digests of another length', () => {
    const long = asDigest(new Uint8Array(64));
    expect(codeOf(() => createMerkleBuilder().addLeaf(0, 1, long))).toBe('DIGEST_INVALID');
    expect(codeOf(() => createMerkleBuilder().addSubtree(long, 1))).toBe('DIGEST_INVALID');
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('refuses %d as a size', (size) => {
    const digest = blake3(Buffer.from('x'));
    expect(() => createMerkleBuilder().addLeaf(size, 1, digest)).toThrow(/offset must be/);
    expect(() => createMerkleBuilder().addLeaf(0, size, digest)).toThrow(/length must be/);
    expect(() => createMerkleBuilder().root(size)).toThrow(/totalLength must be/);
  });

  it('refuses empty chunks and ends beyond the largest safe offset', () => {
    const digest = blake3(Buffer.from('x'));
    expect(() => createMerkleBuilder().addLeaf(0, 0, digest)).toThrow(RangeError);
    expect(() => createMerkleBuilder().addLeaf(Number.MAX_SAFE_INTEGER, 1, digest)).toThrow(RangeError);
  });

  it('refuses algorithms that it does not know', () => {
    expect(() => createMerkleBuilder('md5' as DigestAlgorithm)).toThrow(RangeError);
    expect(() => createMerkleBuilder(5 as unknown as DigestAlgorithm)).toThrow(TypeError);
  });
});
