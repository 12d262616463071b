import { describe, expect, it } from 'vitest';
import { discardBytes } from './discard.ts';

describe('memory that is given back', () => {
  it('is gone from the array', () => {
    const bytes = new Uint8Array(100_000).fill(7);
    discardBytes(bytes);
    expect(bytes).toHaveLength(0);
    expect(bytes.buffer.detached).toBe(true);
  });

  it('stays where somebody else may look at it', () => {
    const all = new Uint8Array(100).fill(7);
    const part = all.subarray(10, 20);
    discardBytes(part);
    expect(part).toEqual(new Uint8Array(10).fill(7));
    const shared = new Uint8Array(new SharedArrayBuffer(100));
    discardBytes(shared);
    expect(shared).toHaveLength(100);
  });
});
