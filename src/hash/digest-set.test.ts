import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/bytes.ts';
import { seededRandom } from '../testing/index.ts';
import { DigestSet } from './digest-set.ts';
import { blake3 } from './index.ts';

function digestOf(number: number): Uint8Array {
  return blake3(new TextEncoder().encode(String(number)));
}

describe('a set of digests', () => {
  it('knows what was added, and nothing else, however it grows', () => {
    const random = seededRandom(4);
    const set = new DigestSet(Number.POSITIVE_INFINITY);
    const model = new Set<string>();
    for (let step = 0; step < 20_000; step += 1) {
      const digest = digestOf(random.integer(12_000));
      expect(set.has(digest)).toBe(model.has(toHex(digest)));
      expect(set.add(digest)).toBe(!model.has(toHex(digest)));
      model.add(toHex(digest));
    }
    expect(set.size).toBe(model.size);
  });

  it('takes digests that begin with zeros, and tells them apart', () => {
    const set = new DigestSet(Number.POSITIVE_INFINITY);
    const zeros = new Uint8Array(32);
    const other = zeros.with(15, 1);
    expect(set.has(zeros)).toBe(false);
    expect([set.add(zeros), set.add(zeros), set.add(other), set.has(other)]).toEqual([true, false, true, true]);
  });

  it('keeps no more than it may', () => {
    const set = new DigestSet(300);
    for (let number = 0; number < 1000; number += 1) set.add(digestOf(number));
    expect(set.size).toBe(300);
    expect(set.has(digestOf(299))).toBe(true);
    expect(set.has(digestOf(300))).toBe(false);
  });
});
