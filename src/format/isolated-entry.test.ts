import { blake3 as nobleBlake3 } from '@noble/hashes/blake3.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caught, outcomeOf } from '../../test/support/caught.ts';
import { EMPTY_ENTRY, FULL_ENTRY, patternBytes } from '../../test/support/format-samples.ts';
import { bitFlips, truncations } from '../../test/support/mutations.ts';
import {
  countingRandom,
  ISOLATED,
  RING,
  SAMPLE_SEALED_ENTRY,
  sampleSchedule,
} from '../../test/support/sealed-samples.ts';
import { BinaryWriter } from '../bytes/binary-writer.ts';
import { toHex, utf8Encode } from '../bytes/bytes.ts';
import { EnvelopeSealer } from '../crypto/envelope.ts';
import { type CborValue, decodeCbor, encodeCbor } from './cbor.ts';
import { failWith } from './damage.ts';
import { encodeEntry, entryVersion } from './entry.ts';
import { decodeEntryRow, type IsolatedEntry, openIsolatedEntry, sealIsolatedEntry } from './isolated-entry.ts';
import { KeySchedule } from './key-schedule.ts';

const SCHEDULE = sampleSchedule();
const VALUES = decodeCbor(SAMPLE_SEALED_ENTRY, failWith('ENTRY_CORRUPT', 'sample')) as readonly CborValue[];

function isolatedOf(bytes: Uint8Array): IsolatedEntry {
  const row = decodeEntryRow(bytes);
  if (!('isolated' in row)) throw new Error('the sample is isolated');
  return row.isolated;
}

const ENTRY = isolatedOf(SAMPLE_SEALED_ENTRY);
const openOutcome = (entry: IsolatedEntry): string => outcomeOf(() => openIsolatedEntry(entry, SCHEDULE));

describe('an isolated entry', () => {
  it('opens to its value', () => {
    expect(openIsolatedEntry(ENTRY, SCHEDULE)).toEqual(FULL_ENTRY);
    const { entry } = sealIsolatedEntry(EMPTY_ENTRY, {
      namespace: ISOLATED,
      schedule: SCHEDULE,
      random: countingRandom(1),
    });
    expect(openIsolatedEntry(isolatedOf(entry), SCHEDULE)).toEqual(EMPTY_ENTRY);
  });

  it('shows its size, its namespace and a keyed version', () => {
    const key = SCHEDULE.isolatedVersionKey(ISOLATED);
    expect(ENTRY).toMatchObject({ namespace: ISOLATED, size: FULL_ENTRY.size });
    expect(toHex(ENTRY.version)).toBe(toHex(nobleBlake3(entryVersion(FULL_ENTRY), { key })));
    const hex = toHex(SAMPLE_SEALED_ENTRY);
    for (const plain of [FULL_ENTRY.digest, FULL_ENTRY.root, entryVersion(FULL_ENTRY)])
      expect(hex).not.toContain(toHex(plain).slice(0, 16));
  });

  it('has the same version for the same value, and another envelope', () => {
    const isolation = { namespace: ISOLATED, schedule: SCHEDULE };
    const one = sealIsolatedEntry(FULL_ENTRY, { ...isolation, random: countingRandom(1) });
    const two = sealIsolatedEntry(FULL_ENTRY, { ...isolation, random: countingRandom(2) });
    expect(one.version).toEqual(two.version);
    expect(one.version).toEqual(isolatedOf(one.entry).version);
    expect(one.entry).not.toEqual(two.entry);
  });

  it('cannot be opened once its key is gone, or by the key of another', () => {
    expect(outcomeOf(() => openIsolatedEntry(ENTRY, new KeySchedule(RING)))).toBe('denied/NAMESPACE_KEY_GONE');
    const other = new KeySchedule(RING);
    other.learn(ISOLATED, patternBytes(32, 66));
    expect(outcomeOf(() => openIsolatedEntry(ENTRY, other))).toBe('corrupt/ENTRY_CORRUPT');
  });

  it.each<[string, Partial<IsolatedEntry>]>([
    ['size', { size: FULL_ENTRY.size + 1 }],
    ['version', { version: patternBytes(32, 6) }],
  ])('shows the %s of its value, whatever was sealed with its key', (_, change) => {
    const shown = { ...ENTRY, ...change };
    const aad = new BinaryWriter(26 + 4 + 32 + 8).put(utf8Encode('holdfast isolated entry v1')).u32(ISOLATED);
    aad.put(shown.version).u64(shown.size);
    const sealer = new EnvelopeSealer(SCHEDULE.isolatedEntryKey(ISOLATED), countingRandom(3));
    const sealed = sealer.seal(encodeEntry(FULL_ENTRY), aad.bytes);
    expect(caught(() => openIsolatedEntry({ ...shown, sealed }, SCHEDULE))).toMatchObject({
      ...{ code: 'ENTRY_CORRUPT', message: expect.stringContaining('show') },
    });
  });

  it.each<[string, Partial<IsolatedEntry>]>([
    ['size', { size: 5 }],
    ['version', { version: patternBytes(32, 5) }],
    ['sealed value', { sealed: isolatedOf(sealedOf()).sealed }],
  ])('does not open with another %s', (_, change) => {
    expect(openOutcome({ ...ENTRY, ...change })).toBe('corrupt/ENTRY_CORRUPT');
  });

  it('notices every flipped bit and every lost byte', () => {
    for (const { bit, bytes } of bitFlips(SAMPLE_SEALED_ENTRY)) {
      const outcome = outcomeOf(() => openIsolatedEntry(isolatedOf(bytes), SCHEDULE));
      // A flip may lead to a namespace without a key, to another version of the format, or past the sample's own check.
      const expected = ['corrupt/ENTRY_CORRUPT', 'denied/NAMESPACE_KEY_GONE', 'unsupported/FORMAT_UNSUPPORTED'];
      expect(expected, `bit ${bit}`).toContain(outcome);
    }
    for (const bytes of truncations(SAMPLE_SEALED_ENTRY))
      expect(outcomeOf(() => decodeEntryRow(bytes))).toBe('corrupt/ENTRY_CORRUPT');
  });

  it.each<[string, number, CborValue, string]>([
    ['its own values', 0, 2, 'no error'],
    ['version 3', 0, 3, 'unsupported/FORMAT_UNSUPPORTED'],
    ['a namespace that is not isolated', 1, 7, 'corrupt/ENTRY_CORRUPT'],
    ['a namespace beyond u32', 1, 2 ** 32, 'corrupt/ENTRY_CORRUPT'],
    ['a short version', 2, patternBytes(31, 1), 'corrupt/ENTRY_CORRUPT'],
    ['a negative size', 3, -1, 'corrupt/ENTRY_CORRUPT'],
    ['an empty envelope', 4, patternBytes(40, 1), 'corrupt/ENTRY_CORRUPT'],
    ['a huge envelope', 4, new Uint8Array(100_000), 'corrupt/ENTRY_CORRUPT'],
  ])('that was written with %s', (_, index, value, outcome) => {
    expect(outcomeOf(() => decodeEntryRow(encodeCbor(VALUES.with(index, value))))).toBe(outcome);
  });

  it('stands beside entries that are not', () => {
    expect(decodeEntryRow(encodeEntry(FULL_ENTRY))).toEqual({ value: FULL_ENTRY });
    expect(outcomeOf(() => decodeEntryRow(encodeCbor([...VALUES, 0])))).toBe('corrupt/ENTRY_CORRUPT');
    expect(outcomeOf(() => decodeEntryRow(new Uint8Array(0)))).toBe('corrupt/ENTRY_CORRUPT');
  });

  it('gives a row or its error for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(['no error', 'corrupt/ENTRY_CORRUPT', 'unsupported/FORMAT_UNSUPPORTED']).toContain(
          outcomeOf(() => decodeEntryRow(bytes)),
        );
      }),
    );
  });
});

function sealedOf(): Uint8Array {
  const isolation = { namespace: ISOLATED, schedule: SCHEDULE, random: countingRandom(3) };
  return sealIsolatedEntry({ ...FULL_ENTRY, contentType: 'text/html' }, isolation).entry;
}
