import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { changedJson } from '../../test/support/changed-json.ts';
import { toHex, utf8Encode } from '../bytes/bytes.ts';
import { asDigest, blake3, DIGEST_ALGORITHMS, type Digest, type DigestAlgorithm, digestOf } from '../hash/index.ts';
import { MERKLE_DOCUMENT_LEAVES_MAX } from '../limits.ts';
import { CompactRange } from './compact-range.ts';
import { verifyConsistencyPath } from './consistency-path.ts';
import { createDataTree, createDigestTree, createShardTree } from './create-tree.ts';
import { verifyInclusionPath } from './inclusion-path.ts';
import { MerkleTree } from './merkle-tree.ts';
import { parseMerkleTree } from './tree-document.ts';
import { createTreeHashing } from './tree-hashing.ts';

const ALGORITHMS = Object.keys(DIGEST_ALGORITHMS) as DigestAlgorithm[];
const LEAVES_MAX = 70;
const hashing = createTreeHashing('sha256');

function shards(...contents: readonly string[]): readonly Uint8Array[] {
  return contents.map(utf8Encode);
}

function numbered(count: number): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, index) => utf8Encode(`leaf ${index}`));
}

const LEAVES = numbered(LEAVES_MAX);
const HASHES = LEAVES.map(hashing.hashLeaf);
const KNOWN = new Map<string, Digest>();

/**
 * MTH of RFC 9162, section 2.1.1, over leaves from `start` to `end`: by the frontier, which has a reference of its own.
 */
function treeHash(start: number, end: number): Digest {
  const known = KNOWN.get(`${start} ${end}`);
  if (known) return known;
  const range = new CompactRange(hashing);
  for (const leaf of HASHES.slice(start, end)) range.append(leaf);
  KNOWN.set(`${start} ${end}`, range.treeHash());
  return range.treeHash();
}

/** The largest power of two below a count of at least 2. */
function splitOf(leafCount: number): number {
  let split = 1;
  while (split * 2 < leafCount) split *= 2;
  return split;
}

/** PATH of RFC 9162, section 2.1.3.1, as it is written there, over leaves from `start` to `end`. */
function pathOf(index: number, start: number, end: number): Digest[] {
  if (end - start <= 1) return [];
  const middle = start + splitOf(end - start);
  return index < middle
    ? [...pathOf(index, start, middle), treeHash(middle, end)]
    : [...pathOf(index, middle, end), treeHash(start, middle)];
}

/** SUBPROOF of RFC 9162, section 2.1.4.1, as it is written there, for the leaves before `first`. */
function subproof(first: number, [start, end]: readonly [number, number], isWhole: boolean): Digest[] {
  if (first === end) return isWhole ? [] : [treeHash(start, end)];
  const middle = start + splitOf(end - start);
  return first <= middle
    ? [...subproof(first, [start, middle], isWhole), treeHash(middle, end)]
    : [...subproof(first, [middle, end], false), treeHash(start, middle)];
}

function hexOf(path: readonly Digest[]): string {
  return path.map(toHex).join(' ');
}

const TREES = Array.from({ length: LEAVES_MAX + 1 }, (_, count) =>
  createShardTree(LEAVES.slice(0, count), { algorithm: 'sha256' }),
);

function treeOf(count: number): MerkleTree {
  return TREES[count] as MerkleTree;
}

describe('a tree', () => {
  it('has the tree hash of RFC 9162, whatever its size', () => {
    for (const [count, tree] of TREES.entries()) {
      expect(tree.leafCount).toBe(count);
      expect(tree.treeHash()).toEqual(treeHash(0, count));
    }
  });

  it('has one level for one leaf or none, three for four, four for five', () => {
    expect([0, 1, 2, 3, 4, 5, 8, 9].map((count) => treeOf(count).height)).toEqual([1, 1, 2, 3, 3, 4, 4, 5]);
  });

  it('of [a,b,c] is not that of [a,b,c,c], which share a root where an odd node is paired with itself', () => {
    const [three, four] = [createShardTree(shards('a', 'b', 'c')), createShardTree(shards('a', 'b', 'c', 'c'))];
    expect(three.treeHash()).not.toEqual(four.treeHash());
    expect(three.root()).not.toBe(four.root());
  });

  it('binds number and length of its leaves in the root', () => {
    const trees = [shards('ab', 'c'), shards('a', 'bc'), shards('abc'), shards('ab', 'c', ''), [], shards('')];
    expect(new Set(trees.map((leaves) => createShardTree(leaves).root())).size).toBe(trees.length);
    const [tree] = TREES.slice(-1) as [MerkleTree];
    const longer = new MerkleTree(hashing, Buffer.concat(HASHES), tree.totalLength + 1);
    expect(longer.treeHash()).toEqual(tree.treeHash());
    expect(longer.root()).not.toBe(tree.root());
  });

  it('knows its leaves, and that there are no others', () => {
    const tree = treeOf(5);
    expect(LEAVES.slice(0, 5).every((leaf, index) => tree.verifyLeaf(index, leaf))).toBe(true);
    expect(tree.leafHash(4)).toEqual(HASHES[4]);
    for (const index of [-1, 5, 0.5, Number.NaN, 2 ** 53]) {
      expect(tree.verifyLeaf(index, LEAVES[0] as Uint8Array)).toBe(false);
      expect(() => tree.leafHash(index)).toThrow(RangeError);
      expect(() => tree.proveInclusion(index)).toThrow(RangeError);
    }
    expect(tree.verifyLeaf(0, LEAVES[1] as Uint8Array)).toBe(false);
    expect(() => tree.verifyLeaf(0, 'leaf 0' as unknown as Uint8Array)).toThrow(TypeError);
  });

  it('hands out copies', () => {
    const tree = createShardTree(LEAVES.slice(0, 3));
    const root = tree.root();
    tree.treeHash().fill(0);
    tree.leafHash(0).fill(0);
    for (const node of tree.inclusionPath(1)) node.fill(0);
    expect(tree.root()).toBe(root);
    expect(tree.proveInclusion(1)).toEqual(createShardTree(LEAVES.slice(0, 3)).proveInclusion(1));
  });
});

describe('paths of a tree', () => {
  it('of inclusion are those of RFC 9162 for every leaf, and verify for no other place', () => {
    for (const tree of TREES) {
      const hashes = HASHES.slice(0, tree.leafCount);
      for (const [leafIndex, leafHash] of hashes.entries()) {
        const path = tree.inclusionPath(leafIndex);
        expect(hexOf(path)).toBe(hexOf(pathOf(leafIndex, 0, tree.leafCount)));
        const inclusion = { leafHash, leafIndex, leafCount: tree.leafCount, path };
        expect(verifyInclusionPath(hashing, inclusion, tree.treeHash())).toBe(true);
        const elsewhere = { ...inclusion, leafIndex: (leafIndex + 1) % tree.leafCount };
        expect(verifyInclusionPath(hashing, elsewhere, tree.treeHash())).toBe(tree.leafCount === 1);
      }
    }
  });

  it('of consistency are those of RFC 9162 for every pair, and verify for no other pair', () => {
    for (const tree of TREES.slice(1)) {
      const second = { leafCount: tree.leafCount, treeHash: tree.treeHash() };
      for (let count = 1; count <= tree.leafCount; count += 1) {
        const path = tree.consistencyPath(count);
        expect(hexOf(path)).toBe(hexOf(subproof(count, [0, tree.leafCount], true)));
        const first = { leafCount: count, treeHash: treeOf(count).treeHash() };
        expect(verifyConsistencyPath(hashing, { first, second, path })).toBe(true);
        const other = { leafCount: count, treeHash: treeOf(count - 1).treeHash() };
        expect(verifyConsistencyPath(hashing, { first: other, second, path })).toBe(false);
        expect(verifyConsistencyPath(hashing, { first: second, second: first, path })).toBe(count === tree.leafCount);
      }
    }
  });

  it('are refused with a hash too many, too few or of another length', () => {
    const tree = treeOf(7);
    const path = tree.inclusionPath(3);
    const inclusion = { leafHash: HASHES[3] as Digest, leafIndex: 3, leafCount: 7, path };
    const isProven = (change: object) => verifyInclusionPath(hashing, { ...inclusion, ...change }, tree.treeHash());
    expect(isProven({})).toBe(true);
    expect(isProven({ path: path.slice(1) })).toBe(false);
    expect(isProven({ path: [...path, path[0]] })).toBe(false);
    expect(isProven({ path: path.with(1, new Uint8Array(31) as Digest) })).toBe(false);
    expect(isProven({ leafHash: new Uint8Array(0) })).toBe(false);
    for (const number of [-1, 0.5, Number.NaN, 2 ** 53, 7]) expect(isProven({ leafIndex: number })).toBe(false);
    for (const number of [-1, 0, 3, 7.5, Number.NaN, 2 ** 53]) expect(isProven({ leafCount: number })).toBe(false);
  });

  it('of consistency are there for 1 leaf up to all', () => {
    for (const count of [0, -1, 8, 1.5, Number.NaN]) expect(() => treeOf(7).consistencyPath(count)).toThrow(RangeError);
    const empty = { leafCount: 0, treeHash: hashing.hashEmpty() };
    expect(verifyConsistencyPath(hashing, { first: empty, second: empty, path: [] })).toBe(false);
  });
});

describe('trees are made', () => {
  it.each(ALGORITHMS)('with %s, from data, digests and shards', (algorithm) => {
    const data = utf8Encode('0123456789');
    const cut = shards('0123', '4567', '89');
    expect(createDataTree(data, { leafBytes: 4, algorithm }).root()).toBe(createShardTree(cut, { algorithm }).root());
    const digests = cut.map((one) => digestOf(algorithm, one));
    const tree = createDigestTree(digests, { algorithm });
    expect(tree.root()).toBe(createShardTree(digests, { algorithm }).root());
    expect(tree.root()).toMatch(new RegExp(`^${algorithm}:`));
    expect(tree.verifyLeaf(2, digests[2] as Digest)).toBe(true);
  });

  it('from data of any length, empty and not whole leaves included', () => {
    const counts = [0, 1, 63, 64, 65, 128].map((bytes) => createDataTree(new Uint8Array(bytes), { leafBytes: 64 }));
    expect(counts.map(({ leafCount }) => leafCount)).toEqual([0, 1, 1, 1, 2, 2]);
    expect(counts.map(({ totalLength }) => totalLength)).toEqual([0, 1, 63, 64, 65, 128]);
    expect(createDataTree(new Uint8Array(65_537)).leafCount).toBe(2);
  });

  it('the same for a leaf that is hashed in pieces as for one that is copied', () => {
    for (const bytes of [8192, 8193]) {
      const leaf = new Uint8Array(bytes).fill(7);
      expect(hashing.hashLeaf(leaf)).toEqual(digestOf('sha256', Buffer.concat([Buffer.alloc(1), leaf])));
    }
  });

  it('from nothing else', () => {
    const data = new Uint8Array(8);
    for (const leafBytes of [0, -1, 1.5, 2 ** 24])
      expect(() => createDataTree(data, { leafBytes })).toThrow(RangeError);
    expect(() => createDataTree('data' as unknown as Uint8Array)).toThrow(TypeError);
    expect(() => createDataTree(data, { algorithm: 'md5' as 'sha256' })).toThrow(RangeError);
    expect(() => createShardTree(data as unknown as Uint8Array[])).toThrow(TypeError);
    expect(() => createShardTree(['a'] as unknown as Uint8Array[])).toThrow(TypeError);
    expect(outcomeOf(() => createDigestTree([new Uint8Array(20) as Digest]))).toBe('invalid/DIGEST_INVALID');
  });
});

describe('the document of a tree', () => {
  it('gives the tree back', () => {
    for (const tree of TREES) {
      const again = parseMerkleTree(JSON.stringify(tree));
      expect(again.toJSON()).toEqual(tree.toJSON());
      expect(again.root()).toBe(tree.root());
    }
    expect(parseMerkleTree(treeOf(7).toJSON()).proveInclusion(3)).toEqual(treeOf(7).proveInclusion(3));
  });

  it('is refused with anything changed', () => {
    const document = treeOf(5).toJSON();
    for (const { what, value } of changedJson(document)) {
      const outcome = outcomeOf(() => parseMerkleTree(value as typeof document));
      expect(outcome, what).toBe(isLater(value) ? 'unsupported/FORMAT_UNSUPPORTED' : 'invalid/PROOF_INVALID');
    }
  });

  /** Of the changes those that make it a document of another version. */
  function isLater(value: unknown): boolean {
    const { type, version } = Object(value) as { readonly type?: unknown; readonly version?: unknown };
    return type === 'holdfast merkle tree' && Number.isSafeInteger(version) && version !== 1;
  }

  it('holds a bounded number of leaves', () => {
    const hashes = new Uint8Array(32 * (MERKLE_DOCUMENT_LEAVES_MAX + 1));
    expect(() => new MerkleTree(hashing, hashes, 0).toJSON()).toThrow(/leafCount must be at most/);
  });

  it('lists the leaf hashes in hex', () => {
    const digests = shards('a', 'b').map((one) => asDigest(blake3(one)));
    const { leaves } = createDigestTree(digests).toJSON();
    expect(leaves).toEqual(digests.map((one) => toHex(createTreeHashing().hashLeaf(one))));
  });
});
