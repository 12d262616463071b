import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { packHeader, SAMPLE_PACKS } from '../../test/support/format-samples.ts';
import { bitFlips, truncations } from '../../test/support/mutations.ts';
import { concatBytes } from '../bytes/bytes.ts';
import { PackBuilder } from './pack-builder.ts';
import { PACK_FOOTER_BYTES } from './pack-footer.ts';
import { openRecord, RECORD_TRAILER_BYTES } from './pack-frame.ts';
import { encodePackHeader, PACK_HEADER_BYTES } from './pack-header.ts';
import { decodePack } from './pack-reader.ts';

function packOf({ header, records }: (typeof SAMPLE_PACKS)['data' | 'meta' | 'journal']): Uint8Array {
  const builder = new PackBuilder(header);
  for (const record of records) builder.add(record);
  return builder.finish().bytes;
}

/** Opens everything there is in a pack. */
function readAll(bytes: Uint8Array): void {
  const { header, items } = decodePack(bytes);
  for (const item of items) {
    openRecord(header, item, bytes.subarray(item.offset, item.offset + item.storedLength + RECORD_TRAILER_BYTES));
  }
}

const PACK = packOf(SAMPLE_PACKS.data);

describe('a whole pack', () => {
  it.each(Object.entries(SAMPLE_PACKS))('of class %s notices every flipped bit', (_, sample) => {
    for (const { bit, bytes } of bitFlips(packOf(sample))) {
      expect(
        outcomeOf(() => readAll(bytes)),
        `bit ${bit}`,
      ).toBe('corrupt/PACK_CORRUPT');
    }
  });

  it('notices every lost byte, at the end and at the front', () => {
    for (const bytes of truncations(PACK)) expect(outcomeOf(() => decodePack(bytes))).toBe('corrupt/PACK_CORRUPT');
    expect(outcomeOf(() => decodePack(PACK.subarray(1)))).toBe('corrupt/PACK_CORRUPT');
  });

  it('notices bytes that are not its own', () => {
    const twice = concatBytes([PACK, PACK]);
    const more = concatBytes([PACK, new Uint8Array(1)]);
    const inside = concatBytes([
      PACK.subarray(0, PACK_HEADER_BYTES),
      new Uint8Array(1),
      PACK.subarray(PACK_HEADER_BYTES),
    ]);
    for (const bytes of [twice, more, inside]) expect(outcomeOf(() => decodePack(bytes))).toBe('corrupt/PACK_CORRUPT');
  });

  it('notices the header, or the end, of another pack', () => {
    const otherHeader = concatBytes([encodePackHeader(packHeader('data', 9)), PACK.subarray(PACK_HEADER_BYTES)]);
    const other = packOf(SAMPLE_PACKS.meta);
    const otherEnd = concatBytes([PACK.subarray(0, -PACK_FOOTER_BYTES), other.subarray(-PACK_FOOTER_BYTES)]);
    for (const bytes of [otherHeader, otherEnd]) {
      expect(outcomeOf(() => decodePack(bytes))).toBe('corrupt/PACK_CORRUPT');
    }
  });
});
