import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { gearTable } from './gear-table.ts';

function entry(table: Uint32Array, byte: number): bigint {
  return (BigInt(table[2 * byte + 1]!) << 32n) | BigInt(table[2 * byte]!);
}

describe('gearTable', () => {
  it('holds the first eight bytes of the MD5 of 64 equal bytes', () => {
    const table = gearTable(0n);
    for (let byte = 0; byte < 256; byte += 1) {
      const digest = createHash('md5').update(new Uint8Array(64).fill(byte)).digest();
      expect(entry(table, byte)).toBe(digest.readBigUInt64BE(0));
    }
  });

  it('is XORed with all 64 bits of the seed', () => {
    const seed = 0xfedc_ba98_7654_3210n;
    const plain = gearTable(0n);
    const seeded = gearTable(seed);
    for (const byte of [0, 1, 127, 128, 255]) expect(entry(seeded, byte)).toBe(entry(plain, byte) ^ seed);
  });
});
