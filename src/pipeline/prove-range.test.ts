import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/bytes.ts';
import { isStoreError } from '../errors/store-error.ts';
import type { EntryValue } from '../format/index.ts';
import { asDigest, blake3, type Digest, formatDigest } from '../hash/index.ts';
import { MANIFEST_LEAF_CHUNKS_MAX } from '../limits.ts';
import { proveRange, verifyRangeProof } from '../merkle/index.ts';
import { ManifestBuilder } from './manifest-builder.ts';
import { proveEntryRange } from './prove-range.ts';

function digestOfNumber(index: number): Digest {
  return blake3(new Uint8Array(new Uint32Array([index]).buffer));
}

/** An entry with chunks of given lengths, and its nodes. */
async function entryOf(lengths: readonly number[]) {
  const nodes = new Map<string, Uint8Array>();
  const builder = new ManifestBuilder(async (id, bytes) => {
    nodes.set(toHex(id), bytes);
  });
  for (const [index, length] of lengths.entries()) await builder.add(length, digestOfNumber(index));
  const value: EntryValue = { ...(await builder.finish()), digest: blake3(new Uint8Array()), attributes: {} };
  const loads: string[] = [];
  const load = async (id: Uint8Array): Promise<Uint8Array> => {
    loads.push(toHex(id));
    const bytes = nodes.get(toHex(id));
    if (!bytes) throw new Error('no such node');
    return bytes;
  };
  let end = 0;
  const leaves = lengths.map((length, index) => {
    const offset = end;
    end += length;
    return { offset, length, digest: digestOfNumber(index) };
  });
  return { value, nodes, loads, load, leaves, root: formatDigest('blake3', asDigest(value.root)) };
}

const LEAF = MANIFEST_LEAF_CHUNKS_MAX;
const THREE_LEAVES = Array.from({ length: 2 * LEAF + 777 }, (_, index) => 1 + (index % 7));

describe('a proof from a manifest', () => {
  it.each([
    ['empty content', [], { offset: 0, length: 0 }],
    ['one chunk', [9], { offset: 3, length: 2 }],
    ['an inline leaf', [3, 4, 5, 6, 7], { offset: 4, length: 9 }],
    ['a range of nothing', [3, 4, 5], { offset: 2, length: 0 }],
  ])('of %s is that from its chunks', async (_, lengths, range) => {
    const { value, load, leaves, root } = await entryOf(lengths);
    const proof = await proveEntryRange(value, load, range);
    expect(proof).toEqual(proveRange(leaves, range));
    expect(verifyRangeProof(proof, root, range)).toBe(true);
  });

  it('of many leaves is that from its chunks, and loads only the nodes that the range touches', async () => {
    const { value, load, loads, leaves, root } = await entryOf(THREE_LEAVES);
    const places = [LEAF - 1, LEAF, 2 * LEAF + 1];
    for (const place of places) {
      loads.length = 0;
      const leaf = leaves[place];
      const range = { offset: leaf?.offset ?? 0, length: leaf?.length ?? 0 };
      const proof = await proveEntryRange(value, load, range);
      expect(proof).toEqual(proveRange(leaves, range));
      expect(proof).toMatchObject({ index: place, chunks: [{ length: range.length }] });
      expect(verifyRangeProof(proof, root, range)).toBe(true);
      expect(loads).toHaveLength('inline' in value.manifest ? 1 : 2);
      expect(proof.path.length).toBeLessThanOrEqual(2 * 14);
    }
  });

  it('of a range over several leaves holds all its chunks', async () => {
    const { value, load, leaves, root } = await entryOf(THREE_LEAVES);
    const [first, last] = [leaves[LEAF - 2], leaves[2 * LEAF + 1]];
    const offset = first?.offset ?? 0;
    const range = { offset, length: (last?.offset ?? 0) - offset + 1 };
    const proof = await proveEntryRange(value, load, range);
    expect(proof).toEqual(proveRange(leaves, range));
    expect(proof.chunks).toHaveLength(LEAF + 4);
    expect(verifyRangeProof(proof, root, range)).toBe(true);
  });

  it('of no bytes loads nothing beneath the top', async () => {
    const { value, load, loads } = await entryOf(THREE_LEAVES);
    expect((await proveEntryRange(value, load, { offset: 7, length: 0 })).path).toHaveLength(1);
    expect(loads.length).toBeLessThanOrEqual(1);
  });

  it('over the end is none', async () => {
    const { value, load } = await entryOf([3, 4]);
    const over = proveEntryRange(value, load, { offset: 3, length: 5 });
    await expect(over).rejects.toSatisfy((error) => isStoreError(error, 'RANGE_INVALID'));
  });

  it('is not made where the manifest has another root than its entry, or another content than its ids', async () => {
    const { value, load, nodes } = await entryOf(THREE_LEAVES);
    const range = { offset: 5, length: 5 };
    const otherRoot = { ...value, root: blake3(new Uint8Array(3)) };
    await expect(proveEntryRange(otherRoot, load, range)).rejects.toMatchObject({ code: 'MANIFEST_CORRUPT' });
    for (const [id, bytes] of nodes) nodes.set(id, bytes.with(-1, (bytes.at(-1) ?? 0) ^ 1));
    await expect(proveEntryRange(value, load, range)).rejects.toMatchObject({ code: 'MANIFEST_CORRUPT' });
  });
});
