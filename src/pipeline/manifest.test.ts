import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/bytes.ts';
import { isStoreError } from '../errors/store-error.ts';
import { type EntryValue, manifestNodeId } from '../format/index.ts';
import { asDigest, blake3 } from '../hash/index.ts';
import { CHUNK_BYTES_MAX, MANIFEST_INLINE_BYTES_MAX, MANIFEST_LEAF_CHUNKS_MAX } from '../limits.ts';
import { createMerkleBuilder } from '../merkle/index.ts';
import { INLINE_MANIFEST_CHUNKS, inlineManifest, ManifestBuilder } from './manifest-builder.ts';
import { type ManifestGap, type ManifestRange, readManifest, readManifestPast } from './manifest-reader.ts';

/** Chunks of given lengths with digests made of their numbers. */
function digestOfNumber(index: number): Uint8Array {
  return blake3(new Uint8Array(new Uint32Array([index]).buffer));
}

async function build(lengths: readonly number[]) {
  const nodes = new Map<string, Uint8Array>();
  const builder = new ManifestBuilder(async (id, bytes) => {
    nodes.set(toHex(id), bytes);
  });
  for (const [index, length] of lengths.entries()) await builder.add(length, digestOfNumber(index));
  const finished = await builder.finish();
  const value: EntryValue = { ...finished, digest: blake3(new Uint8Array()), attributes: {} };
  const loads: string[] = [];
  const load = async (id: Uint8Array): Promise<Uint8Array> => {
    loads.push(toHex(id));
    const bytes = nodes.get(toHex(id));
    if (!bytes) throw new Error('no such node');
    return bytes;
  };
  return { value, nodes, loads, load };
}

async function read(built: Awaited<ReturnType<typeof build>>, range?: ManifestRange) {
  return await Array.fromAsync(readManifest(built.value, built.load, range));
}

function rootOf(lengths: readonly number[]): string {
  const tree = createMerkleBuilder();
  let offset = 0;
  for (const [index, length] of lengths.entries()) {
    tree.addLeaf(offset, length, asDigest(digestOfNumber(index)));
    offset += length;
  }
  return toHex(tree.root(offset));
}

const TWO_LEAVES = Array.from({ length: MANIFEST_LEAF_CHUNKS_MAX + 3 }, (_, index) => 1 + (index % 7));

describe('a manifest', () => {
  it('of few chunks at hand is what a builder comes to, and rides in the entry whatever their lengths', async () => {
    const most = Array.from({ length: INLINE_MANIFEST_CHUNKS }, () => CHUNK_BYTES_MAX);
    for (const lengths of [[], [5], [1, 2, 3], [7, 7, 7, 7], most]) {
      let offset = 0;
      const chunks = lengths.map((length, index) => {
        offset += length;
        return { offset: offset - length, length, digest: asDigest(digestOfNumber(index)) };
      });
      const { digest: _, attributes: __, ...built } = (await build(lengths)).value;
      expect(inlineManifest(chunks)).toEqual(built);
    }
  });

  it('of empty content is an inline leaf without chunks', async () => {
    const built = await build([]);
    expect(built.value).toMatchObject({ size: 0, chunkCount: 0 });
    expect('inline' in built.value.manifest).toBe(true);
    expect(await read(built)).toEqual([]);
  });

  it('gives its chunks back in order with their places', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: CHUNK_BYTES_MAX }), { minLength: 1, maxLength: 40 }),
        async (lengths) => {
          const built = await build(lengths);
          const chunks = await read(built);
          expect(chunks.map((chunk) => chunk.length)).toEqual(lengths);
          expect(chunks.map((chunk) => chunk.index)).toEqual([...lengths.keys()]);
          let offset = 0;
          for (const chunk of chunks) {
            expect(chunk.offset).toBe(offset);
            expect(toHex(chunk.digest)).toBe(toHex(digestOfNumber(chunk.index)));
            offset += chunk.length;
          }
          expect(toHex(built.value.root)).toBe(rootOf(lengths));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('rides in the entry while it is small, and is stored when it is not', async () => {
    const small = await build([1, 2, 3]);
    expect([small.nodes.size, 'inline' in small.value.manifest]).toEqual([0, true]);
    const large = await build(Array.from({ length: MANIFEST_INLINE_BYTES_MAX / 32 }, () => 1));
    expect([large.nodes.size, 'id' in large.value.manifest]).toEqual([1, true]);
    expect(await read(large)).toHaveLength(MANIFEST_INLINE_BYTES_MAX / 32);
  });

  it('of more chunks than a leaf takes is a tree with the Merkle root of its chunks', async () => {
    const built = await build(TWO_LEAVES);
    // The node above both is small enough to ride in the entry.
    expect(built.nodes.size).toBe(2);
    expect(toHex(built.value.root)).toBe(rootOf(TWO_LEAVES));
    expect((await read(built)).map((chunk) => chunk.length)).toEqual(TWO_LEAVES);
  });

  it('loads only the nodes on the way to a range', async () => {
    const built = await build(TWO_LEAVES);
    const { size } = built.value;
    expect((await read(built, { offset: size - 1, end: size })).map((chunk) => chunk.index)).toEqual([
      TWO_LEAVES.length - 1,
    ]);
    expect(built.loads).toHaveLength(1);
    expect(await read(built, { offset: 5, end: 5 })).toEqual([]);
  });

  it('refuses a node that is not what its id says', async () => {
    const built = await build(TWO_LEAVES);
    const [id, bytes] = [...built.nodes][0] as [string, Uint8Array];
    const damaged = new Uint8Array(bytes);
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    built.nodes.set(id, damaged);
    await expect(read(built)).rejects.toSatisfy((error) => isStoreError(error, 'MANIFEST_CORRUPT'));
  });

  it('is read past nodes that are damaged or not there, and says what they are about', async () => {
    const built = await build([...TWO_LEAVES, ...TWO_LEAVES]);
    const whole = await read(built);
    const [first, second, third] = [...built.nodes.keys()] as [string, string, string];
    expect(built.nodes.size).toBe(3);
    built.nodes.set(second, new Uint8Array(built.nodes.get(second) ?? []).fill(1, 5));
    const readPast = async (): Promise<readonly [readonly number[], readonly ManifestGap[]]> => {
      const gaps: ManifestGap[] = [];
      const chunks = readManifestPast(built.value, built.load, (gap) => void gaps.push(gap));
      return [await Array.fromAsync(chunks, (chunk) => chunk.index), gaps];
    };
    const [indexes, gaps] = await readPast();
    const start = whole[MANIFEST_LEAF_CHUNKS_MAX]?.offset ?? 0;
    const end = whole[2 * MANIFEST_LEAF_CHUNKS_MAX]?.offset ?? 0;
    expect(indexes).toEqual([...whole.keys()].filter((index) => index < 4096 || index >= 8192));
    expect(gaps).toMatchObject([
      { index: 4096, chunks: 4096, offset: start, length: end - start, error: { code: 'MANIFEST_CORRUPT' } },
    ]);
    built.nodes.delete(first);
    built.nodes.delete(third);
    const [none, all] = await readPast();
    expect(none).toEqual([]);
    expect(all.reduce((sum, { length }) => sum + length, 0)).toBe(built.value.size);
    const stop = new Error('enough');
    const stopped = readManifestPast(built.value, built.load, () => {
      throw stop;
    });
    await expect(Array.fromAsync(stopped)).rejects.toBe(stop);
  });

  it('with a damaged top is a gap as large as the entry', async () => {
    const built = await build(TWO_LEAVES);
    const value = { ...built.value, size: built.value.size + 1 };
    const gaps: ManifestGap[] = [];
    expect(await Array.fromAsync(readManifestPast(value, built.load, (gap) => void gaps.push(gap)))).toEqual([]);
    expect(gaps).toMatchObject([{ offset: 0, length: value.size, index: 0, chunks: value.chunkCount }]);
  });

  it('refuses a sound node in the place of another', async () => {
    const built = await build(TWO_LEAVES);
    const other = await build(TWO_LEAVES.map((length) => length + 1));
    const swapped = { ...built, value: { ...built.value, manifest: other.value.manifest }, load: other.load };
    await expect(read(swapped)).rejects.toSatisfy((error) => isStoreError(error, 'MANIFEST_CORRUPT'));
    for (const [id, bytes] of built.nodes) expect(toHex(manifestNodeId(bytes))).toBe(id);
  });
});
