import { describe, expect, it } from 'vitest';
import { blake3 } from '../../hash/index.ts';
import { digestParts, isInPart } from './digest-parts.ts';

function digestOf(number: number): Uint8Array {
  return blake3(new TextEncoder().encode(String(number)));
}

describe('passes over digests', () => {
  it('have each digest once, and are about as large as they may be', () => {
    const digests = Array.from({ length: 10_000 }, (_, number) => digestOf(number));
    const parts = [...digestParts(digests.length, 1000)];
    const sizes = parts.map((part) => digests.filter((digest) => isInPart(digest, part)).length);
    expect(parts).toHaveLength(10);
    expect(sizes.reduce((a, b) => a + b)).toBe(10_000);
    expect(Math.max(...sizes)).toBeLessThan(1200);
    expect([...digestParts(0)]).toEqual([{ part: 0, parts: 1 }]);
  });
});
