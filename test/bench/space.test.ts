import { describe, expect, it } from 'vitest';
import { likeness, recordsOf, tryWay } from '../../bench/space/ways.ts';
import { noise } from '../support/contents.ts';

describe('likeness', () => {
  it('is that of content which is shifted and cut, and not of other content', () => {
    const content = noise(20_000, 1);
    // Of random windows the least lies in the middle with a chance of nine in ten; this seed has it there.
    expect(likeness(content.subarray(1001, 19_003))).toBe(likeness(content));
    expect(likeness(noise(20_000, 2))).not.toBe(likeness(content));
  });
});

describe('recordsOf', () => {
  it('loses nothing, and closes a record once it is large enough', () => {
    const chunks = [300, 300, 500, 100].map((bytes) => noise(bytes, bytes));
    const records = recordsOf(chunks, 600);
    expect(records.map(({ length }) => length)).toEqual([600, 600]);
    expect(Buffer.concat(records)).toEqual(Buffer.concat(chunks));
    expect(recordsOf(chunks, 700).map(({ length }) => length)).toEqual([1100, 100]);
  });
});

describe('tryWay', () => {
  const chunks = Array.from({ length: 40 }, (_, nth) => Buffer.concat([noise(3000, nth % 4), noise(500, 100 + nth)]));
  const way = { level: 1, recordBytes: 30_000, order: 'content' } as const;

  it('counts the dictionary, and finds what similar chunks share', () => {
    const few = { ...way, recordBytes: 10_000 };
    expect(tryWay({ ...few, order: 'similar' }, chunks).storedBytes).toBeLessThan(tryWay(few, chunks).storedBytes);
    const dictionary = tryWay({ ...way, recordBytes: 3000, dictionaryBytes: 8192 }, chunks).storedBytes;
    expect(dictionary).toBeLessThan(tryWay({ ...way, recordBytes: 3000 }, chunks).storedBytes);
    expect(dictionary).toBeGreaterThan(8192);
  });
});
