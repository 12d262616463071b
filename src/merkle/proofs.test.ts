/** Inclusion and consistency proofs as documents. */
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { changedJson, isRefused } from '../../test/support/changed-json.ts';
import { utf8Encode } from '../bytes/bytes.ts';
import { MERKLE_DOCUMENT_BYTES_MAX } from '../limits.ts';
import { type ConsistencyProof, parseConsistencyProof, verifyConsistency } from './consistency-proof.ts';
import { createDataTree, createShardTree } from './create-tree.ts';
import { type InclusionProof, parseInclusionProof, verifyInclusion } from './inclusion-proof.ts';
import type { MerkleTree } from './merkle-tree.ts';

const LEAVES = Array.from({ length: 40 }, (_, index) => utf8Encode(`${index}`.repeat(index)));

function treeOf(count: number): MerkleTree {
  return createShardTree(LEAVES.slice(0, count));
}

describe('an inclusion proof', () => {
  it('proves every leaf of trees of every size, as text and as it is', () => {
    for (let count = 1; count <= LEAVES.length; count += 1) {
      const tree = treeOf(count);
      for (const [index, leaf] of LEAVES.slice(0, count).entries()) {
        const proof = tree.proveInclusion(index);
        expect(verifyInclusion(proof, tree.root(), leaf)).toBe(true);
        expect(verifyInclusion(JSON.stringify(proof), tree.root(), leaf)).toBe(true);
      }
    }
  });

  it.each([1, 2, 5, 7, 8])('with anything changed is refused, in a tree of %i', (count) => {
    const tree = treeOf(count);
    for (const index of [0, count - 1]) {
      const proof = tree.proveInclusion(index);
      for (const { what, value } of changedJson(proof)) {
        const check = () => verifyInclusion(value as InclusionProof, tree.root(), LEAVES[index] as Uint8Array);
        expect(isRefused(check), what).toBe(true);
      }
    }
  });

  it('is bound to the number of leaves: leaf 0 has one path in trees of 5 to 8', () => {
    const paths = [5, 6, 7, 8].map((count) => treeOf(count).inclusionPath(0).length);
    expect(new Set(paths).size).toBe(1);
    const proof = treeOf(5).proveInclusion(0);
    const claims = [5, 6, 7, 8].map((leafCount) =>
      verifyInclusion({ ...proof, leafCount }, treeOf(5).root(), LEAVES[0] as Uint8Array),
    );
    expect(claims).toEqual([true, false, false, false]);
  });

  it('is refused for another leaf, root or algorithm', () => {
    const tree = treeOf(6);
    const proof = tree.proveInclusion(2);
    const leaf = LEAVES[2] as Uint8Array;
    expect(verifyInclusion(proof, tree.root(), LEAVES[3] as Uint8Array)).toBe(false);
    expect(verifyInclusion(proof, treeOf(7).root(), leaf)).toBe(false);
    expect(verifyInclusion(proof, tree.root().replace('blake3', 'sha256'), leaf)).toBe(false);
    const other = createShardTree(LEAVES.slice(0, 6), { algorithm: 'sha256' });
    expect(verifyInclusion(proof, other.root(), leaf)).toBe(false);
    expect(verifyInclusion(other.proveInclusion(2), other.root(), leaf)).toBe(true);
    expect(verifyInclusion({ ...other.proveInclusion(2), algorithm: 'blake3' }, other.root(), leaf)).toBe(false);
  });

  it('takes no node of the tree for a leaf', () => {
    const tree = treeOf(4);
    const node = Buffer.concat([tree.leafHash(0), tree.leafHash(1)]);
    const forged = { ...tree.proveInclusion(0), path: tree.proveInclusion(0).path.slice(1) };
    expect(verifyInclusion(forged, tree.root(), node)).toBe(false);
    expect(verifyInclusion({ ...forged, leafCount: 2 }, tree.root(), node)).toBe(false);
  });

  it('proves leaves of data that was cut', () => {
    const data = utf8Encode('the quick brown fox');
    const tree = createDataTree(data, { leafBytes: 4, algorithm: 'sha512' });
    expect(verifyInclusion(tree.proveInclusion(4), tree.root(), data.subarray(16))).toBe(true);
  });

  it('that cannot be read is named so, and nothing of it is quoted', () => {
    const tooLong = JSON.stringify(treeOf(2).proveInclusion(0)) + ' '.repeat(MERKLE_DOCUMENT_BYTES_MAX);
    for (const text of ['', '{', 'null', '[]', '"proof"', '{"type":"holdfast inclusion proof"}', tooLong]) {
      expect(outcomeOf(() => parseInclusionProof(text))).toBe('invalid/PROOF_INVALID');
    }
    const odd = { ...treeOf(2).proveInclusion(0), leafIndex: 'confidential' };
    expect(() => parseInclusionProof(JSON.stringify(odd))).toThrow(/^(?!.*confidential).*leafIndex/);
    const many = { ...treeOf(2).proveInclusion(0), path: Array(100).fill(7) };
    expect(() => parseInclusionProof(JSON.stringify(many))).toThrow(/^.{0,200}$/);
  });

  it('is only read against a root', () => {
    const proof = treeOf(2).proveInclusion(0);
    for (const root of ['', 'blake3', `blake3:${'0'.repeat(63)}`, `BLAKE3:${'0'.repeat(64)}`]) {
      expect(outcomeOf(() => verifyInclusion(proof, root, LEAVES[0] as Uint8Array))).toBe('invalid/DIGEST_INVALID');
    }
    expect(() => verifyInclusion(proof, treeOf(2).root(), '0' as unknown as Uint8Array)).toThrow(TypeError);
  });
});

describe('a consistency proof', () => {
  it('proves every front of trees of every size, as text and as it is', () => {
    for (let count = 1; count <= LEAVES.length; count += 1) {
      const tree = treeOf(count);
      for (let first = 1; first <= count; first += 1) {
        const front = treeOf(first);
        const proof = tree.proveConsistency(front);
        const roots = { first: front.root(), second: tree.root() };
        expect(verifyConsistency(proof, roots)).toBe(true);
        if (first % 7 === 0) expect(verifyConsistency(JSON.stringify(proof), roots)).toBe(true);
      }
    }
  });

  it.each([
    [1, 2],
    [3, 7],
    [4, 7],
    [6, 8],
    [5, 5],
  ])('with anything changed is refused, for %i of %i', (first, second) => {
    const roots = { first: treeOf(first).root(), second: treeOf(second).root() };
    const proof = treeOf(second).proveConsistency(treeOf(first));
    for (const { what, value } of changedJson(proof)) {
      expect(
        isRefused(() => verifyConsistency(value as ConsistencyProof, roots)),
        what,
      ).toBe(true);
    }
  });

  it('is refused when the front was changed, or the roots are swapped', () => {
    const changed = createShardTree(LEAVES.slice(0, 5).with(2, utf8Encode('other')));
    const proof = treeOf(9).proveConsistency(changed);
    expect(verifyConsistency(proof, { first: changed.root(), second: treeOf(9).root() })).toBe(false);
    const good = treeOf(9).proveConsistency(treeOf(5));
    expect(verifyConsistency(good, { first: treeOf(9).root(), second: treeOf(5).root() })).toBe(false);
    const longer = treeOf(9).proveConsistency({ leafCount: 5, totalLength: treeOf(5).totalLength + 1 });
    expect(verifyConsistency(longer, { first: treeOf(5).root(), second: treeOf(9).root() })).toBe(false);
  });

  it('is made for 1 leaf up to all, and no more bytes than there are', () => {
    const tree = treeOf(5);
    const { totalLength } = tree;
    for (const leafCount of [0, 6, 1.5])
      expect(() => tree.proveConsistency({ leafCount, totalLength })).toThrow(RangeError);
    expect(() => tree.proveConsistency({ leafCount: 5, totalLength: totalLength + 1 })).toThrow(RangeError);
  });

  it('that cannot be read is named so', () => {
    for (const text of ['', 'null', JSON.stringify(treeOf(2).proveInclusion(0))]) {
      expect(outcomeOf(() => parseConsistencyProof(text))).toBe('invalid/PROOF_INVALID');
    }
  });
});
