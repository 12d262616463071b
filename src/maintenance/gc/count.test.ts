import { describe, expect, it } from 'vitest';
import { encodeManifestNode, plainIds } from '../../format/index.ts';
import { GC_COUNT_ROWS, GC_ITEMS } from '../../limits.ts';
import type { UncountedRow } from '../../metadata/index.ts';
import { type CountContext, countStep } from './count.ts';

/** A step over so many manifest nodes that came to be needed, each of which names so many chunks. */
async function step(rows: number, chunks: number) {
  const lengths = Array.from({ length: chunks }, () => 1);
  const node = encodeManifestNode({ type: 'leaf', start: 0, lengths, digests: new Uint8Array(32 * chunks) });
  const waiting = Array.from({ length: rows }, (_, index): UncountedRow => {
    return {
      number: index + 1,
      kind: 'node',
      value: new Uint8Array(32),
      change: 1,
      namespace: 0,
      epoch: 1,
      parked: false,
    };
  });
  const counted: number[] = [];
  const context = {
    metadata: {
      uncountedReferences: async ({ limit }: { limit: number }) => waiting.slice(0, limit),
      countReferences: async (some: readonly { number: number }[]) =>
        void counted.push(...some.map(({ number }) => number)),
    },
    contentOf: () => ({ ids: plainIds, reader: { readNode: async () => node } }),
    signal: new AbortController().signal,
  };
  const { found } = await countStep(context as unknown as CountContext);
  return { found, counted: counted.length };
}

describe('a step of counting', () => {
  it('says whether it ended with what waits, or with what one step takes', async () => {
    expect(await step(0, 1)).toEqual({ found: 'nothing', counted: 0 });
    expect(await step(GC_COUNT_ROWS - 1, 1)).toEqual({ found: 'some', counted: GC_COUNT_ROWS - 1 });
    expect(await step(GC_COUNT_ROWS + 1, 1)).toEqual({ found: 'all it takes', counted: GC_COUNT_ROWS });
  });

  it('takes no more nodes than name what fits a transaction, and says that more may wait', async () => {
    expect(await step(3, GC_ITEMS)).toEqual({ found: 'all it takes', counted: 1 });
    expect(await step(9, GC_ITEMS / 2)).toEqual({ found: 'all it takes', counted: 2 });
    expect(await step(1, GC_ITEMS / 2)).toEqual({ found: 'some', counted: 1 });
  });
});
