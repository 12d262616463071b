import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { itemsOf, patternBytes, SAMPLE_PACKS, STORED_RECORD } from '../../test/support/format-samples.ts';
import { bitFlips, truncations } from '../../test/support/mutations.ts';
import {
  buildSealed,
  EPOCH,
  SEALED_PACKS,
  SEALED_PLAINTEXTS,
  sampleKey,
  sampleSchedule,
  sealedHeader,
  TENANT,
} from '../../test/support/sealed-samples.ts';
import { concatBytes, toHex } from '../bytes/bytes.ts';
import { padmeBytes } from '../crypto/padme.ts';
import { MIB, PACK_BYTES_MAX, PACK_BYTES_TARGET } from '../limits.ts';
import { PACK_BUFFER_BYTES, PackBuilder, type PackRecord } from './pack-builder.ts';
import { decodeDirectory } from './pack-directory.ts';
import { decodePackFooter, encodePackFooter, PACK_FOOTER_BYTES } from './pack-footer.ts';
import { openRecord, type PackIdentity, RECORD_TRAILER_BYTES, sealDirectory } from './pack-frame.ts';
import { encodePackHeader, PACK_HEADER_BYTES, type PackHeader } from './pack-header.ts';
import { type DecodedPack, decodePack } from './pack-reader.ts';
import type { DirectoryItem } from './types.ts';

const SCHEDULE = sampleSchedule();

function open(bytes: Uint8Array): DecodedPack {
  return decodePack(bytes, (pack) => SCHEDULE.packKey(pack));
}

function frameOf(bytes: Uint8Array, item: DirectoryItem): Uint8Array {
  return bytes.subarray(item.offset, item.offset + item.storedLength + RECORD_TRAILER_BYTES);
}

/** Opens everything there is in a pack. */
function readAll(bytes: Uint8Array): void {
  const { identity, items } = open(bytes);
  for (const item of items) openRecord(identity, item, frameOf(bytes, item));
}

const SAMPLES = Object.entries(SEALED_PACKS).map(([name, { header, records }]) => ({
  name,
  header,
  records,
  bytes: buildSealed(header, records).bytes,
}));
const DATA = buildSealed(SEALED_PACKS.data.header, SEALED_PACKS.data.records).bytes;

describe('a sealed pack', () => {
  it.each(SAMPLES)('of class $name reads back', ({ header, records, bytes }) => {
    const opened = open(bytes);
    expect(opened.header).toEqual(header);
    const expected = records.flatMap((record) => record.items.map((item) => ({ record, item })));
    expect(opened.items.map(({ id, length }) => ({ id, length }))).toEqual(expected.map(({ item }) => item));
    for (const [index, item] of opened.items.entries()) {
      expect(openRecord(opened.identity, item, frameOf(bytes, item))).toEqual(expected[index]?.record.stored);
    }
  });

  it('gives opened records in memory of their own', () => {
    const { identity, items } = open(DATA);
    const opened = openRecord(identity, items[0] as DirectoryItem, frameOf(DATA, items[0] as DirectoryItem));
    expect(opened.buffer).not.toBe(DATA.buffer);
  });

  it('gives back whatever was put in', () => {
    const stored = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 20 });
    fc.assert(
      fc.property(stored, fc.nat(0xffff_ffff), (all, ordinal) => {
        const header = sealedHeader('data', ordinal);
        const records = all.map((bytes): PackRecord => ({ ...STORED_RECORD, stored: bytes }));
        const { bytes } = buildSealed(header, records);
        const { identity, items } = open(bytes);
        const first = items.filter((item) => item.inner === 0);
        expect(first.map((item) => openRecord(identity, item, frameOf(bytes, item)))).toEqual(all);
      }),
      { numRuns: 50 },
    );
  });

  it.each(SAMPLES)('of class $name notices every flipped bit', ({ bytes }) => {
    const outcomes = new Map<string, number>();
    for (const flipped of bitFlips(bytes)) {
      const outcome = outcomeOf(() => readAll(flipped.bytes));
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect([...outcomes.keys()]).toEqual(['corrupt/PACK_CORRUPT']);
  });

  it('notices every lost byte, at the end and at the front', () => {
    for (const bytes of truncations(DATA)) expect(outcomeOf(() => open(bytes))).toBe('corrupt/PACK_CORRUPT');
    expect(outcomeOf(() => open(DATA.subarray(1)))).toBe('corrupt/PACK_CORRUPT');
  });

  it('shows nothing of what it holds: no plaintext, no id, no count', () => {
    for (const { bytes, records, header } of SAMPLES) {
      const hex = toHex(bytes.subarray(PACK_HEADER_BYTES));
      for (const plain of SEALED_PLAINTEXTS) expect(hex).not.toContain(toHex(plain.subarray(0, 8)));
      for (const { id } of records.flatMap((record) => record.items))
        expect(hex).not.toContain(toHex(id.subarray(0, 8)));
      const footer = bytes.subarray(-PACK_FOOTER_BYTES);
      const clear = encodePackFooter(decodePackFooter(bytes, { ...header, key: sampleKey(header) }), {
        ...SAMPLE_PACKS.data.header,
      });
      expect(toHex(footer.subarray(16, 48))).not.toBe(toHex(clear.subarray(16, 48)));
    }
  });

  it('is sealed with other bytes under every salt', () => {
    const header = sealedHeader('data', 1);
    const other = sealedHeader('data', 1, { salt: patternBytes(32, 99) });
    const [one, two] = [header, other].map((each) => toHex(buildSealed(each, [STORED_RECORD]).bytes));
    expect(one?.slice(2 * PACK_HEADER_BYTES, 2 * PACK_HEADER_BYTES + 64)).not.toBe(
      two?.slice(2 * PACK_HEADER_BYTES, 2 * PACK_HEADER_BYTES + 64),
    );
  });
});

describe('the size of a sealed pack', () => {
  it('is one of few: Padmé of what it would have been', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 30 }), (lengths) => {
        const records = lengths.map((length): PackRecord => ({ ...STORED_RECORD, stored: new Uint8Array(length) }));
        const builder = new PackBuilder(sealedHeader('data', 1), { key: sampleKey(sealedHeader('data', 1)) });
        for (const record of records) builder.add(record);
        const promised = builder.bytes;
        const { bytes } = builder.finish();
        expect(padmeBytes(bytes.length)).toBe(bytes.length);
        expect(bytes.length).toBeLessThanOrEqual(promised);
        expect(open(bytes).items).toHaveLength(2 * lengths.length);
      }),
      { numRuns: 50 },
    );
  });

  it('is never beyond what a blob holds', () => {
    const header = sealedHeader('data', 1);
    const builder = new PackBuilder(header, { key: sampleKey(header) });
    const large: PackRecord = {
      kind: 'chunk',
      codec: 0,
      plainLength: 32 * MIB,
      stored: new Uint8Array(31.5 * MIB),
      items: [{ id: patternBytes(32, 1), length: 32 * MIB }],
    };
    for (let count = 0; count < 3; count += 1) builder.add(large);
    expect(padmeBytes(3 * 31.5 * MIB)).toBeGreaterThan(PACK_BYTES_MAX);
    expect(builder.bytes).toBe(PACK_BYTES_MAX);
    const { bytes } = builder.finish();
    expect(bytes.length).toBe(PACK_BYTES_MAX);
    expect(open(bytes).items).toHaveLength(3);
  });

  it('fits the memory that a full pack is given', () => {
    const header = sealedHeader('data', 1);
    const buffer = new Uint8Array(PACK_BUFFER_BYTES);
    const builder = new PackBuilder(header, { key: sampleKey(header), buffer });
    const record: PackRecord = { ...STORED_RECORD, stored: new Uint8Array(MIB) };
    while (!builder.isFull) builder.add(record);
    const { bytes } = builder.finish();
    expect(bytes.length).toBeGreaterThanOrEqual(PACK_BYTES_TARGET);
    expect(bytes.buffer).toBe(buffer.buffer);
  });
});

describe('a frame of a sealed pack', () => {
  const header = SEALED_PACKS.data.header;
  const { identity, items } = open(DATA);
  const item = items[0] as DirectoryItem;
  const frame = frameOf(DATA, item);

  /** As a reader would take the frame that lies there, who knows all keys. */
  function elsewhere(change: Partial<PackHeader>): PackIdentity {
    const moved = { ...header, ...change };
    return { ...moved, key: sampleKey(moved) };
  }

  const PLACES: readonly (readonly [string, PackIdentity])[] = [
    ['store', elsewhere({ store: patternBytes(16, 99) })],
    ['pack', elsewhere({ pack: patternBytes(16, 99) })],
    ['class', elsewhere({ class: 'meta' })],
    ['namespace', elsewhere({ namespace: 0 })],
    ['epoch', elsewhere({ epoch: 1 })],
    ['salt', elsewhere({ salt: patternBytes(32, 99) })],
  ];
  const footer = decodePackFooter(DATA, identity);
  const directory = DATA.subarray(footer.directoryOffset, DATA.length - PACK_FOOTER_BYTES);

  it.each(PLACES)('opens nowhere else: another %s', (_, moved) => {
    expect(outcomeOf(() => openRecord(moved, item, frame))).toBe('corrupt/PACK_CORRUPT');
    expect(outcomeOf(() => decodePackFooter(DATA, moved))).toBe('corrupt/PACK_CORRUPT');
    expect(outcomeOf(() => decodeDirectory(directory, moved, footer))).toBe('corrupt/PACK_CORRUPT');
  });

  // The AAD alone must hold too: here the key is that of the right pack.
  it.each(PLACES.slice(0, -1))('opens nowhere else, even under its own key: another %s', (_, moved) => {
    const forged = { ...moved, ...(identity.key && { key: identity.key }) };
    expect(outcomeOf(() => openRecord(forged, item, frame))).toBe('corrupt/PACK_CORRUPT');
    expect(outcomeOf(() => decodePackFooter(DATA, forged))).toBe('corrupt/PACK_CORRUPT');
    expect(outcomeOf(() => decodeDirectory(directory, forged, footer))).toBe('corrupt/PACK_CORRUPT');
  });

  it.each<[string, Partial<DirectoryItem>]>([
    ['ordinal', { ordinal: 1 }],
    ['kind', { kind: 'manifest' }],
    ['codec', { codec: 1 }],
    ['plain length', { plainLength: 32 }],
  ])('opens under no other %s', (_, change) => {
    expect(outcomeOf(() => openRecord(identity, { ...item, ...change }, frame))).toBe('corrupt/PACK_CORRUPT');
  });

  it('cannot stand for one of another kind', () => {
    // A record of the length and AAD length of a directory: only nonce and mark keep them apart.
    const content = new Uint8Array(item.storedLength);
    const asDirectory = sealDirectory(identity, content);
    const bytes = concatBytes([asDirectory.content, asDirectory.trailer]);
    expect(outcomeOf(() => openRecord(identity, { ...item, ordinal: 0 }, bytes))).toBe('corrupt/PACK_CORRUPT');
  });

  it('of one record does not open in the place of another of the same length', () => {
    const records = [patternBytes(40, 1), patternBytes(40, 2)].map(
      (stored): PackRecord => ({ kind: 'chunk', codec: 0, plainLength: 40, stored, items: itemsOf(stored) }),
    );
    const { bytes } = buildSealed(sealedHeader('data', 5), records);
    const opened = open(bytes);
    const [first, second] = opened.items as [DirectoryItem, DirectoryItem];
    expect(outcomeOf(() => openRecord(opened.identity, first, frameOf(bytes, second)))).toBe('corrupt/PACK_CORRUPT');
  });
});

describe('whole parts of sealed packs', () => {
  const one = buildSealed(sealedHeader('data', 1), [STORED_RECORD]).bytes;

  it.each<[string, PackHeader]>([
    ['pack', sealedHeader('data', 2)],
    ['class', sealedHeader('meta', 1)],
    ['namespace', sealedHeader('data', 1, { namespace: TENANT })],
    ['epoch', sealedHeader('data', 1, { epoch: 1 })],
    ['salt', sealedHeader('data', 1, { salt: patternBytes(32, 99) })],
    ['store', { ...sealedHeader('data', 1), store: patternBytes(16, 99) }],
  ])('do not fit a valid pack of another %s: header, records, directory, footer', (_, header) => {
    const other = buildSealed(header, [STORED_RECORD]).bytes;
    expect(other.length).toBe(one.length);
    const footer = decodePackFooter(one, { ...sealedHeader('data', 1), key: sampleKey(sealedHeader('data', 1)) });
    const cuts = [0, PACK_HEADER_BYTES, footer.directoryOffset, one.length - PACK_FOOTER_BYTES, one.length];
    for (let part = 0; part + 1 < cuts.length; part += 1) {
      const [from, to] = [cuts[part], cuts[part + 1]];
      const spliced = concatBytes([one.subarray(0, from), other.subarray(from, to), one.subarray(to)]);
      expect(
        outcomeOf(() => readAll(spliced)),
        `part ${part}`,
      ).toBe('corrupt/PACK_CORRUPT');
    }
  });

  it('of the other key mode are refused in both kinds of stores', () => {
    const builder = new PackBuilder(SAMPLE_PACKS.data.header);
    builder.add(STORED_RECORD);
    const plain = builder.finish().bytes;
    expect(outcomeOf(() => open(plain))).toBe('corrupt/PACK_CORRUPT');
    expect(outcomeOf(() => decodePack(one))).toBe('corrupt/PACK_CORRUPT');
    const plainHeader = encodePackHeader(SAMPLE_PACKS.data.header);
    const disguised = concatBytes([plainHeader, one.subarray(PACK_HEADER_BYTES)]);
    expect(outcomeOf(() => decodePack(disguised))).toBe('corrupt/PACK_CORRUPT');
  });

  it('are not written without a key, or with one where none belongs', () => {
    const key = sampleKey(sealedHeader('data', 1));
    expect(outcomeOf(() => new PackBuilder(sealedHeader('data', 1)))).toBe('internal/INVARIANT_BROKEN');
    expect(outcomeOf(() => new PackBuilder(SAMPLE_PACKS.data.header, { key }))).toBe('internal/INVARIANT_BROKEN');
  });

  it('ask for keys that are known', () => {
    const unknown = buildSealed(sealedHeader('data', 1, { epoch: EPOCH + 1 }), [STORED_RECORD], patternBytes(32, 1));
    expect(outcomeOf(() => open(unknown.bytes))).toBe('denied/EPOCH_UNKNOWN');
    const gone = buildSealed(sealedHeader('data', 1, { namespace: 8 }), [STORED_RECORD], patternBytes(32, 1));
    expect(outcomeOf(() => open(gone.bytes))).toBe('denied/NAMESPACE_KEY_GONE');
  });
});
