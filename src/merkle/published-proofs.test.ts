/**
 * Proofs of transparency-dev/merkle at 417fb0c, testdata/inclusion/2 and testdata/consistency/3, with the mutations
 * they are published with. All of them: test/vectors/merkle.test.ts.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { toHex, utf8Encode } from '../bytes/bytes.ts';
import type { Digest } from '../hash/index.ts';
import { type ConsistencyPath, verifyConsistencyPath } from './consistency-path.ts';
import { createShardTree } from './create-tree.ts';
import { type InclusionPath, verifyInclusionPath } from './inclusion-path.ts';
import { createTreeHashing } from './tree-hashing.ts';

const hashing = createTreeHashing('sha256');

function digest(base64: string): Digest {
  return new Uint8Array(Buffer.from(base64, 'base64')) as Digest;
}

const GARBAGE = digest('');
const ROOT_OF_2 = digest('+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU=');
const ROOT_OF_5 = digest('Tju7H3tHjc/nH7YxYxUZo7yhLJrvyhYSv85ME6hiZNQ=');
const ROOT_OF_8 = digest('XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=');
const LEAF_5 = digest('QnGia+DYqE8L1UyMMC58s6O10fpngKQLzOKHNHfatlg=');
const LEAF_4 = digest('vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=');
const PATH_OF_LEAF_5 = [
  LEAF_4,
  digest('yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA='),
  digest('037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc='),
];
const PATH_FROM_2_TO_5 = [digest('Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4='), LEAF_4];

function bitFlipped(node: Digest | undefined): Digest {
  return node?.with(0, (node[0] ?? 0) ^ 8) as Digest;
}

describe('a published inclusion proof, of leaf 5 of 8,', () => {
  const good: InclusionPath = { leafHash: LEAF_5, leafIndex: 5, leafCount: 8, path: PATH_OF_LEAF_5 };

  it('is accepted', () => {
    expect(verifyInclusionPath(hashing, good, ROOT_OF_8)).toBe(true);
  });

  const mutations: readonly (readonly [string, Partial<InclusionPath>])[] = [
    ['leafIdx plus @1', { leafIndex: 6 }],
    ['leafIdx sub @1', { leafIndex: 4 }],
    ['leafIdx XOR @2', { leafIndex: 7 }],
    ['treeSize mul @2', { leafCount: 16 }],
    ['treeSize div @2', { leafCount: 4 }],
    ['wrong leaf', { leafHash: digest('V3JvbmdMZWFm') }],
    ['trailing garbage', { path: [...PATH_OF_LEAF_5, GARBAGE] }],
    ['trailing root', { path: [...PATH_OF_LEAF_5, ROOT_OF_8] }],
    ['preceding garbage', { path: [GARBAGE, ...PATH_OF_LEAF_5] }],
    ['preceding root', { path: [ROOT_OF_8, ...PATH_OF_LEAF_5] }],
    ['removed component', { path: PATH_OF_LEAF_5.slice(0, 2) }],
    ['modified proof[1] bit @3', { path: PATH_OF_LEAF_5.with(1, bitFlipped(PATH_OF_LEAF_5[1])) }],
  ];

  it.each(mutations)('is refused with the mutation: %s', (_, mutation) => {
    expect(verifyInclusionPath(hashing, { ...good, ...mutation }, ROOT_OF_8)).toBe(false);
  });

  it('is refused for a random and an empty root', () => {
    expect(verifyInclusionPath(hashing, good, bitFlipped(ROOT_OF_8))).toBe(false);
    expect(verifyInclusionPath(hashing, good, GARBAGE)).toBe(false);
  });
});

describe('a published consistency proof, of 2 leaves and 5,', () => {
  const [first, second] = [
    { leafCount: 2, treeHash: ROOT_OF_2 },
    { leafCount: 5, treeHash: ROOT_OF_5 },
  ];
  const good: ConsistencyPath = { first, second, path: PATH_FROM_2_TO_5 };

  it('is accepted', () => {
    expect(verifyConsistencyPath(hashing, good)).toBe(true);
  });

  const mutations: readonly (readonly [string, Partial<ConsistencyPath>])[] = [
    ['size1 XOR @2', { first: { ...first, leafCount: 0 } }],
    ['size1 plus @1', { first: { ...first, leafCount: 3 } }],
    ['size1 sub @1', { first: { ...first, leafCount: 1 } }],
    ['size2 mul @2', { second: { ...second, leafCount: 10 } }],
    ['size2 div @2', { second: { ...second, leafCount: 2 } }],
    ['wrong root1', { first: { ...first, treeHash: digest('V3JvbmdSb290') } }],
    ['wrong root2', { second: { ...second, treeHash: digest('V3JvbmdSb290') } }],
    ['swapped roots', { first: { ...first, treeHash: ROOT_OF_5 }, second: { ...second, treeHash: ROOT_OF_2 } }],
    ['empty proof', { path: [] }],
    ['trailing garbage', { path: [...PATH_FROM_2_TO_5, GARBAGE] }],
    ['trailing root1', { path: [...PATH_FROM_2_TO_5, ROOT_OF_2] }],
    ['preceding root2', { path: [ROOT_OF_5, ...PATH_FROM_2_TO_5] }],
    ['truncated proof', { path: PATH_FROM_2_TO_5.slice(0, 1) }],
    ['modified proof[0] bit @4', { path: PATH_FROM_2_TO_5.with(0, bitFlipped(PATH_FROM_2_TO_5[0])) }],
  ];

  it.each(mutations)('is refused with the mutation: %s', (_, mutation) => {
    expect(verifyConsistencyPath(hashing, { ...good, ...mutation })).toBe(false);
  });
});

describe('the root of a tree', () => {
  it('is the tree hash bound to length and number of leaves, as docs/format.md words it', () => {
    const tree = createShardTree(['ab', 'c', 'def'].map(utf8Encode), { algorithm: 'sha256' });
    const leaf = (text: string) => sha256(Buffer.from(`\0${text}`));
    const node = (left: Uint8Array, right: Uint8Array) => sha256(Buffer.concat([Buffer.from([1]), left, right]));
    const treeHash = node(node(leaf('ab'), leaf('c')), leaf('def'));
    const sizes = Buffer.alloc(17, 0);
    sizes[0] = 3;
    sizes.writeBigUInt64LE(6n, 1);
    sizes.writeBigUInt64LE(3n, 9);
    expect(toHex(tree.treeHash())).toBe(toHex(treeHash));
    expect(tree.root()).toBe(`sha256:${toHex(sha256(Buffer.concat([sizes, treeHash])))}`);
  });
});
