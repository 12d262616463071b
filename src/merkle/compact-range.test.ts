import { existsSync, readFileSync } from 'node:fs';
import { sha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../bytes/bytes.ts';
import { isStoreError } from '../errors/store-error.ts';
import { asDigest, type Digest } from '../hash/index.ts';
import { CompactRange } from './compact-range.ts';
import { createTreeHashing } from './tree-hashing.ts';

const hashing = createTreeHashing('sha256');

/**
 * Leaves of the test tree of Certificate Transparency, which the vectors of transparency-dev/merkle prove things about.
 */
const CT_LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => hashing.hashLeaf(Buffer.from(hex, 'hex')));

/** Its tree hashes over the first 0 to 8 leaves, from the tests of transparency-dev/merkle at 417fb0c. */
const CT_TREE_HASHES = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function treeHash(leaves: readonly Digest[]): Digest {
  const range = new CompactRange(hashing);
  for (const leaf of leaves) range.append(leaf);
  return range.treeHash();
}

/** Where RFC 9162, section 2.1.1, splits n > 1 leaves: the largest power of two below n. */
function splitOf(leafCount: number): number {
  let split = 1;
  while (split * 2 < leafCount) split *= 2;
  return split;
}

/** MTH of RFC 9162, section 2.1.1, as it is written there, over leaf hashes and an independent SHA-256. */
function referenceTreeHash(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256(new Uint8Array(0));
  if (leaves.length === 1) return leaves[0] as Uint8Array;
  const split = splitOf(leaves.length);
  const parts = [referenceTreeHash(leaves.slice(0, split)), referenceTreeHash(leaves.slice(split))];
  return sha256(concatBytes([new Uint8Array([1]), ...parts]));
}

/** PATH of RFC 9162, section 2.1.3.1, over the tree hashes of the code under test. */
function inclusionPath(leaves: readonly Digest[], index: number): Digest[] {
  if (leaves.length <= 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split
    ? [...inclusionPath(left, index), treeHash(right)]
    : [...inclusionPath(right, index - split), treeHash(left)];
}

function leavesOf(count: number): Digest[] {
  return Array.from({ length: count }, (_, index) => hashing.hashLeaf(Buffer.from(`leaf ${index}`)));
}

const VECTORS = new URL('../../../shared/vectors/merkle/', import.meta.url);
const hasVectors = existsSync(VECTORS);
if (!hasVectors) {
  console.warn('Merkle vectors skipped: put testdata of transparency-dev/merkle (417fb0c) at ../shared/vectors/merkle');
}

function readVector<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(name, VECTORS), 'utf8')) as T;
}

interface InclusionVector {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly root: string;
  readonly leafHash: string;
  readonly proof: readonly string[] | null;
}

interface ConsistencyVector {
  readonly size1: number;
  readonly size2: number;
  readonly root1: string;
  readonly root2: string;
}

describe('the tree hash', () => {
  it.each(
    CT_TREE_HASHES.map((expected, leafCount) => ({ leafCount, expected })),
  )('over $leafCount leaves is the published one', ({ leafCount, expected }) => {
    expect(hex(treeHash(CT_LEAVES.slice(0, leafCount)))).toBe(expected);
  });

  it.skipIf(!hasVectors).each([0, 1, 2, 3, 4])('and its paths are those of published inclusion proof %i', (number) => {
    const vector = readVector<InclusionVector>(`inclusion/${number}/happy-path.json`);
    const leaves = CT_LEAVES.slice(0, vector.treeSize);
    expect(Buffer.from(leaves[vector.leafIdx] as Digest).toString('base64')).toBe(vector.leafHash);
    expect(Buffer.from(treeHash(leaves)).toString('base64')).toBe(vector.root);
    const path = inclusionPath(leaves, vector.leafIdx).map((node) => Buffer.from(node).toString('base64'));
    expect(path).toEqual(vector.proof ?? []);
  });

  it.skipIf(!hasVectors).each([0, 1, 2, 3, 4])('is both roots of published consistency proof %i', (number) => {
    const vector = readVector<ConsistencyVector>(`consistency/${number}/happy-path.json`);
    expect(Buffer.from(treeHash(CT_LEAVES.slice(0, vector.size1))).toString('base64')).toBe(vector.root1);
    expect(Buffer.from(treeHash(CT_LEAVES.slice(0, vector.size2))).toString('base64')).toBe(vector.root2);
  });

  it('is that of RFC 9162 written down as recursion, for every prefix while growing', () => {
    const range = new CompactRange(hashing);
    const leaves = leavesOf(130);
    for (const [index, leaf] of leaves.entries()) {
      expect(hex(range.treeHash())).toBe(hex(referenceTreeHash(leaves.slice(0, index))));
      range.append(leaf);
      expect(range.leafCount).toBe(index + 1);
    }
  });

  it('is owned by the caller', () => {
    const range = new CompactRange(hashing);
    const leaf = CT_LEAVES[1]?.slice() as Digest;
    range.append(leaf);
    leaf.fill(0);
    range.treeHash().fill(0);
    expect(range.treeHash()).toEqual(CT_LEAVES[1]);
  });
});

describe('a subtree', () => {
  it('counts like its leaves, wherever RFC 9162 has a node', () => {
    const counts = fc.integer({ min: 0, max: 300 });
    const choices = fc.array(fc.nat(8), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(counts, choices, (leafCount, sizes) => {
        const leaves = leavesOf(leafCount);
        const range = new CompactRange(hashing);
        for (let turn = 0; range.leafCount < leafCount; turn += 1) {
          const start = range.leafCount;
          let size = 2 ** (sizes[turn % sizes.length] ?? 0);
          while (start % size !== 0) size /= 2;
          const group = leaves.slice(start, start + size);
          range.append(treeHash(group), group.length);
        }
        expect(hex(range.treeHash())).toBe(hex(referenceTreeHash(leaves)));
      }),
    );
  });

  it('may be the whole tree, whatever its size', () => {
    for (const leafCount of [1, 2, 3, 5, 8, 100]) {
      const range = new CompactRange(hashing);
      range.append(treeHash(leavesOf(leafCount)), leafCount);
      expect(range.treeHash()).toEqual(treeHash(leavesOf(leafCount)));
      expect(range.leafCount).toBe(leafCount);
    }
  });

  it.each([
    [1, 2],
    [2, 3],
    [2, 4],
    [4, 5],
    [6, 3],
    [12, 8],
  ])('after %i leaves is refused with %i', (before, leafCount) => {
    const range = new CompactRange(hashing);
    for (const leaf of leavesOf(before)) range.append(leaf);
    const unchanged = range.treeHash();
    expect(() => range.append(unchanged, leafCount)).toThrow(RangeError);
    expect(range.leafCount).toBe(before);
    expect(range.treeHash()).toEqual(unchanged);
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 53, '2'])('is refused with %o leaves', (leafCount) => {
    const range = new CompactRange(hashing);
    expect(() => range.append(CT_LEAVES[0] as Digest, leafCount as number)).toThrow(/leafCount must be/);
  });

  it('that is not complete ends the tree', () => {
    const range = new CompactRange(hashing);
    range.append(treeHash(leavesOf(3)), 3);
    try {
      range.append(CT_LEAVES[0] as Digest);
      expect.unreachable();
    } catch (error) {
      expect(isStoreError(error, 'CHUNKS_INVALID')).toBe(true);
    }
    expect(range.treeHash()).toEqual(treeHash(leavesOf(3)));
  });

  it('never takes a tree past the largest safe count', () => {
    const range = new CompactRange(hashing);
    const half = CT_LEAVES[0] as Digest;
    range.append(half, 2 ** 52);
    expect(() => range.append(half, 2 ** 52)).toThrow(RangeError);
    range.append(half, 2 ** 51);
    expect(range.leafCount).toBe(2 ** 52 + 2 ** 51);
    expect(range.treeHash()).toEqual(hashing.hashNode(half, half));
  });

  it('must be a digest of the length of the algorithm', () => {
    const range = new CompactRange(hashing);
    try {
      range.append(asDigest(new Uint8Array(64)));
      expect.unreachable();
    } catch (error) {
      expect(isStoreError(error, 'DIGEST_INVALID')).toBe(true);
    }
  });
});
