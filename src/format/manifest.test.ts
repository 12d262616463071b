import { blake3 } from '@noble/hashes/blake3.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { patternBytes, SAMPLE_INNER, SAMPLE_LEAF } from '../../test/support/format-samples.ts';
import { bitFlips, truncations } from '../../test/support/mutations.ts';
import { equalBytes, toHex } from '../bytes/bytes.ts';
import { CHUNK_BYTES_MAX, MANIFEST_FANOUT, MANIFEST_LEAF_CHUNKS_MAX, MANIFEST_LEVEL_MAX } from '../limits.ts';
import { type CborValue, decodeCbor, encodeCbor } from './cbor.ts';
import { failWith } from './damage.ts';
import {
  decodeManifestNode,
  encodeManifestNode,
  type ManifestChild,
  type ManifestInner,
  type ManifestLeaf,
  type ManifestNode,
  manifestNodeExtent,
  manifestNodeId,
} from './manifest.ts';

const TYPED_OUTCOMES = ['no error', 'corrupt/MANIFEST_CORRUPT', 'unsupported/FORMAT_UNSUPPORTED'];
const SAFE_MAX = Number.MAX_SAFE_INTEGER;

function leafOf(start: number, lengths: readonly number[]): ManifestLeaf {
  return { type: 'leaf', start, lengths, digests: patternBytes(32 * lengths.length, 3) };
}

function child(bytes: number, chunks: number): ManifestChild {
  return { id: patternBytes(32, bytes & 0xff), bytes, chunks, hash: patternBytes(32, chunks & 0xff) };
}

const leaves = fc
  .tuple(fc.nat(2 ** 50), fc.array(fc.integer({ min: 1, max: CHUNK_BYTES_MAX }), { maxLength: 60 }))
  .map(([start, lengths]) => leafOf(lengths.length > 0 ? start : 0, lengths));
const inners = fc
  .tuple(
    fc.integer({ min: 1, max: MANIFEST_LEVEL_MAX }),
    fc.array(fc.tuple(fc.integer({ min: 1, max: MANIFEST_LEAF_CHUNKS_MAX }), fc.nat(CHUNK_BYTES_MAX - 1)), {
      minLength: 1,
      maxLength: 60,
    }),
  )
  .map(([level, sizes]): ManifestInner => {
    const children = sizes.map(([chunks, extra]) => child(chunks * (1 + extra), chunks));
    return { type: 'inner', level, children };
  });

function valuesOf(node: ManifestNode): readonly CborValue[] {
  return decodeCbor(encodeManifestNode(node), failWith('MANIFEST_CORRUPT', 'sample')) as readonly CborValue[];
}

/** What comes of a node with one other value, written by somebody who did not check it. */
function forgedOutcome(node: ManifestNode, index: number, value: CborValue): string {
  return outcomeOf(() => decodeManifestNode(encodeCbor(valuesOf(node).with(index, value))));
}

describe('a manifest node', () => {
  it('reads back', () => {
    fc.assert(
      fc.property(fc.oneof(leaves, inners), (node) => {
        expect(decodeManifestNode(encodeManifestNode(node))).toEqual(node);
      }),
    );
  });

  it.each<[string, ManifestNode]>([
    ['a leaf of empty content', leafOf(0, [])],
    ['a leaf of one byte', leafOf(0, [1])],
    ['a leaf of as many chunks as may be', leafOf(5, Array(MANIFEST_LEAF_CHUNKS_MAX).fill(64))],
    ['a leaf that ends at 2^53-1', leafOf(SAFE_MAX - 10, [4, 6])],
    ['an inner node of one child', { type: 'inner', level: 1, children: [child(1, 1)] }],
    [
      'an inner node of as many children as may be',
      { type: 'inner', level: 1, children: Array(MANIFEST_FANOUT).fill(child(4096 * 64, 4096)) },
    ],
    ['a full child of a leaf', { type: 'inner', level: 1, children: [child(4096 * CHUNK_BYTES_MAX, 4096)] }],
    ['a top node over everything', { type: 'inner', level: 4, children: [child(SAFE_MAX, 2 ** 42)] }],
  ])('reads back: %s', (_, node) => {
    expect(decodeManifestNode(encodeManifestNode(node))).toEqual(node);
  });

  it('covers what it lists', () => {
    expect(manifestNodeExtent(SAMPLE_LEAF)).toEqual({ bytes: 391, chunks: 3 });
    expect(manifestNodeExtent(SAMPLE_INNER)).toEqual({ bytes: 2 ** 41 + 391, chunks: 4_194_307 });
    expect(manifestNodeExtent(leafOf(0, []))).toEqual({ bytes: 0, chunks: 0 });
  });

  it('is named by BLAKE3 of its bytes', () => {
    const bytes = encodeManifestNode(SAMPLE_LEAF);
    expect(toHex(manifestNodeId(bytes))).toBe(toHex(blake3(bytes)));
  });

  it('shares no memory with what it was read from', () => {
    for (const node of [SAMPLE_LEAF, SAMPLE_INNER]) {
      const bytes = Buffer.from(encodeManifestNode(node));
      const decoded = decodeManifestNode(bytes);
      bytes.fill(0);
      expect(decoded).toEqual(node);
    }
  });

  it.each<[string, ManifestNode]>([
    ['leaf', SAMPLE_LEAF],
    ['inner node', SAMPLE_INNER],
  ])('has another encoding for every other value: a flipped bit of a %s is noticed or read faithfully', (_, node) => {
    for (const { bit, bytes } of bitFlips(encodeManifestNode(node))) {
      let decoded: ManifestNode | undefined;
      const outcome = outcomeOf(() => {
        decoded = decodeManifestNode(bytes);
      });
      expect(TYPED_OUTCOMES, `bit ${bit}`).toContain(outcome);
      if (decoded) expect(equalBytes(encodeManifestNode(decoded), bytes), `bit ${bit}`).toBe(true);
    }
  });

  it('notices when it is cut short', () => {
    for (const node of [SAMPLE_LEAF, SAMPLE_INNER]) {
      for (const bytes of truncations(encodeManifestNode(node))) {
        expect(outcomeOf(() => decodeManifestNode(bytes))).toBe('corrupt/MANIFEST_CORRUPT');
      }
    }
  });
});

describe('a leaf', () => {
  it.each<[string, number, CborValue, string]>([
    ['version 2', 0, 2, 'unsupported/FORMAT_UNSUPPORTED'],
    ['a level above all', 1, MANIFEST_LEVEL_MAX + 1, 'corrupt/MANIFEST_CORRUPT'],
    ['a negative start', 2, -1, 'corrupt/MANIFEST_CORRUPT'],
    ['an end beyond 2^53-1', 2, SAFE_MAX - 390, 'corrupt/MANIFEST_CORRUPT'],
    ['an empty chunk', 3, [15, 0, 376], 'corrupt/MANIFEST_CORRUPT'],
    ['a chunk larger than chunks are', 3, [15, 16, CHUNK_BYTES_MAX + 1], 'corrupt/MANIFEST_CORRUPT'],
    ['fewer digests than chunks', 3, [15, 16, 300, 60], 'corrupt/MANIFEST_CORRUPT'],
    ['more digests than chunks', 3, [15, 376], 'corrupt/MANIFEST_CORRUPT'],
    ['no digests', 4, null, 'corrupt/MANIFEST_CORRUPT'],
  ])('that was written with %s', (_, index, value, outcome) => {
    expect(forgedOutcome(SAMPLE_LEAF, index, value)).toBe(outcome);
  });

  it('of too many chunks, or of none after the front, is damage', () => {
    const count = MANIFEST_LEAF_CHUNKS_MAX + 1;
    const crowded = encodeCbor([1, 0, 0, Array(count).fill(64), new Uint8Array(32 * count)]);
    expect(outcomeOf(() => decodeManifestNode(crowded))).toBe('corrupt/MANIFEST_CORRUPT');
    const void1 = encodeCbor([1, 0, 1, [], new Uint8Array(0)]);
    expect(outcomeOf(() => decodeManifestNode(void1))).toBe('corrupt/MANIFEST_CORRUPT');
  });

  it.each<[string, ManifestNode]>([
    ['an empty chunk', leafOf(0, [0])],
    ['too large a chunk', leafOf(0, [CHUNK_BYTES_MAX + 1])],
    ['a digest too few', { ...leafOf(0, [1, 2]), digests: new Uint8Array(32) }],
    ['too many chunks', leafOf(0, Array(MANIFEST_LEAF_CHUNKS_MAX + 1).fill(1))],
  ])('is not written with %s', (_, node) => {
    expect(outcomeOf(() => encodeManifestNode(node))).toBe('internal/INVARIANT_BROKEN');
  });
});

describe('an inner node', () => {
  it.each<[string, number, CborValue, string]>([
    ['no children', 2, [], 'corrupt/MANIFEST_CORRUPT'],
    ['a child without bytes', 2, [2 ** 41, 0], 'corrupt/MANIFEST_CORRUPT'],
    ['a child with fewer bytes than chunks', 2, [2 ** 41, 2], 'corrupt/MANIFEST_CORRUPT'],
    ['a child with more bytes than its chunks hold', 2, [2 ** 41, 3 * CHUNK_BYTES_MAX + 1], 'corrupt/MANIFEST_CORRUPT'],
    ['a child with all that its chunks hold', 2, [2 ** 41, 3 * CHUNK_BYTES_MAX], 'no error'],
    ['more than 2^53-1 bytes', 2, [2 ** 47 - 1, SAFE_MAX], 'corrupt/MANIFEST_CORRUPT'],
    ['a child without chunks', 3, [4_194_304, 0], 'corrupt/MANIFEST_CORRUPT'],
    ['a child of more chunks than its level holds', 3, [4096 * 1024 + 1, 3], 'corrupt/MANIFEST_CORRUPT'],
    ['a chunk count too many', 3, [4_194_304, 3, 1], 'corrupt/MANIFEST_CORRUPT'],
    ['an id cut short', 4, patternBytes(63, 1), 'corrupt/MANIFEST_CORRUPT'],
    ['a hash too many', 5, patternBytes(96, 1), 'corrupt/MANIFEST_CORRUPT'],
  ])('that was written with %s', (_, index, value, outcome) => {
    expect(forgedOutcome(SAMPLE_INNER, index, value)).toBe(outcome);
  });

  it('of too many children is damage', () => {
    const count = MANIFEST_FANOUT + 1;
    const ids = new Uint8Array(32 * count);
    const bytes = encodeCbor([1, 1, Array(count).fill(64), Array(count).fill(1), ids, ids]);
    expect(outcomeOf(() => decodeManifestNode(bytes))).toBe('corrupt/MANIFEST_CORRUPT');
  });

  it.each<[string, ManifestInner]>([
    ['level 0', { type: 'inner', level: 0, children: [child(1, 1)] }],
    ['more than 2^53-1 bytes', { type: 'inner', level: 4, children: Array(2).fill(child(SAFE_MAX, 2 ** 42)) }],
    [
      'a short id after a whole one',
      { ...SAMPLE_INNER, children: [child(1, 1), { ...child(1, 1), id: new Uint8Array(16) }] },
    ],
    ['a level above all', { ...SAMPLE_INNER, level: MANIFEST_LEVEL_MAX + 1 }],
    ['no children', { ...SAMPLE_INNER, children: [] }],
    ['an empty child', { ...SAMPLE_INNER, children: [child(0, 0)] }],
    ['a short id', { ...SAMPLE_INNER, children: [{ ...child(1, 1), id: new Uint8Array(16) }] }],
    ['a short hash', { ...SAMPLE_INNER, children: [{ ...child(1, 1), hash: new Uint8Array(16) }] }],
    ['more bytes than its chunks hold', { ...SAMPLE_INNER, children: [child(CHUNK_BYTES_MAX + 1, 1)] }],
  ])('is not written with %s', (_, node) => {
    expect(outcomeOf(() => encodeManifestNode(node))).toBe('internal/INVARIANT_BROKEN');
  });
});
