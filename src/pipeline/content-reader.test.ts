import { describe, expect, it } from 'vitest';
import { fetchAhead } from './content-reader.ts';
import type { ManifestChunk } from './manifest-reader.ts';

async function* chunksOf(lengths: readonly number[]): AsyncGenerator<ManifestChunk> {
  let offset = 0;
  for (const [index, length] of lengths.entries()) {
    yield { index, offset, length, digest: new Uint8Array(32) };
    offset += length;
  }
}

/** What is fetched, batch by batch, when the reader has taken so many batches. */
async function fetched(lengths: readonly number[], { taken, bytes }: { taken: number; bytes: number }) {
  const batches: number[][] = [];
  const all = fetchAhead(
    chunksOf(lengths),
    async (batch) => {
      batches.push(batch.map(({ length }) => length));
      return batch;
    },
    bytes,
  );
  for (let batch = 0; batch < taken; batch += 1) await all.next();
  await all.return(undefined);
  return batches;
}

describe('fetchAhead', () => {
  it('holds the batch in use and one ahead, in half of the bytes each', async () => {
    const lengths = [3, 3, 3, 3, 3, 3, 3];
    expect(await fetched(lengths, { taken: 1, bytes: 12 })).toEqual([
      [3, 3],
      [3, 3],
    ]);
    expect(await fetched(lengths, { taken: 2, bytes: 12 })).toEqual([
      [3, 3],
      [3, 3],
      [3, 3],
    ]);
    expect(await fetched(lengths, { taken: 9, bytes: 12 })).toEqual([[3, 3], [3, 3], [3, 3], [3]]);
  });

  it('takes a chunk at a time where there is room for none', async () => {
    expect(await fetched([5, 1, 9], { taken: 1, bytes: 0 })).toEqual([[5], [1]]);
  });

  it('fetches nothing before it is asked', async () => {
    expect(await fetched([5, 1, 9], { taken: 0, bytes: 8 })).toEqual([]);
  });
});
