import { blake3 } from '@noble/hashes/blake3.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caught, outcomeOf } from '../../test/support/caught.ts';
import { patternBytes, SAMPLE_RECORD } from '../../test/support/format-samples.ts';
import { bitFlips, truncations } from '../../test/support/mutations.ts';
import { SAMPLE_SEALED_RECORD } from '../../test/support/sealed-samples.ts';
import { equalBytes, toHex, utf8Encode } from '../bytes/bytes.ts';
import { StoreError } from '../errors/store-error.ts';
import { JOURNAL_RECORD_BYTES_MAX } from '../limits.ts';
import { type CborValue, decodeCbor, encodeCbor } from './cbor.ts';
import { failWith } from './damage.ts';
import { decodeJournalRecord, encodeJournalRecord, journalRecordDigest } from './journal.ts';
import type { JournalRecord } from './types.ts';

const ENCODED = encodeJournalRecord(SAMPLE_RECORD);
const VALUES = decodeCbor(ENCODED, failWith('JOURNAL_CORRUPT', 'sample')) as readonly CborValue[];
const TYPED_OUTCOMES = [
  'no error',
  'corrupt/JOURNAL_CORRUPT',
  'unsupported/OPERATION_UNSUPPORTED',
  'unsupported/FORMAT_UNSUPPORTED',
];

describe('a journal record', () => {
  it('reads back with every operation there is', () => {
    expect(decodeJournalRecord(ENCODED)).toEqual(SAMPLE_RECORD);
  });

  it('reads back with none', () => {
    const record: JournalRecord = {
      ...SAMPLE_RECORD,
      commit: 1,
      previous: new Uint8Array(32),
      time: 0,
      operations: [],
    };
    expect(decodeJournalRecord(encodeJournalRecord(record))).toEqual(record);
  });

  it('of a sealed store reads back with the operations that plain ones have not', () => {
    const bytes = encodeJournalRecord(SAMPLE_SEALED_RECORD);
    expect(decodeJournalRecord(bytes)).toEqual(SAMPLE_SEALED_RECORD);
    const { sealed: _, ...plain } = SAMPLE_SEALED_RECORD;
    expect(outcomeOf(() => encodeJournalRecord(plain))).toBe('internal/INVARIANT_BROKEN');
  });

  it('is of version 2 in a sealed store even when nothing else tells', () => {
    const record: JournalRecord = { ...SAMPLE_RECORD, operations: [], sealed: true };
    const bytes = encodeJournalRecord(record);
    expect(bytes[1]).toBe(2);
    expect(decodeJournalRecord(bytes)).toEqual(record);
    expect(encodeJournalRecord({ ...SAMPLE_RECORD, operations: [] })[1]).toBe(1);
  });

  it('of a sealed store with a flipped bit is noticed, or read faithfully', () => {
    for (const { bit, bytes } of bitFlips(encodeJournalRecord(SAMPLE_SEALED_RECORD))) {
      let record: JournalRecord | undefined;
      const outcome = outcomeOf(() => {
        record = decodeJournalRecord(bytes);
      });
      expect(TYPED_OUTCOMES, `bit ${bit}`).toContain(outcome);
      if (record) expect(equalBytes(encodeJournalRecord(record), bytes), `bit ${bit}`).toBe(true);
    }
  });

  it('is named by BLAKE3 of its bytes', () => {
    expect(toHex(journalRecordDigest(ENCODED))).toBe(toHex(blake3(ENCODED)));
  });

  it('shares no memory with what it was read from', () => {
    const bytes = Buffer.from(ENCODED);
    const record = decodeJournalRecord(bytes);
    bytes.fill(0);
    expect(record).toEqual(SAMPLE_RECORD);
  });

  it('with a flipped bit is noticed, or read faithfully under another digest', () => {
    const digest = journalRecordDigest(ENCODED);
    for (const { bit, bytes } of bitFlips(ENCODED)) {
      let record: JournalRecord | undefined;
      const outcome = outcomeOf(() => {
        record = decodeJournalRecord(bytes);
      });
      expect(TYPED_OUTCOMES, `bit ${bit}`).toContain(outcome);
      if (record) expect(equalBytes(encodeJournalRecord(record), bytes), `bit ${bit}`).toBe(true);
      expect(equalBytes(journalRecordDigest(bytes), digest), `bit ${bit}`).toBe(false);
    }
  });

  it('notices when it is cut short', () => {
    for (const bytes of truncations(ENCODED)) {
      expect(outcomeOf(() => decodeJournalRecord(bytes))).toBe('corrupt/JOURNAL_CORRUPT');
    }
  });

  it.each<[string, number, CborValue, string]>([
    ['version 3', 0, 3, 'unsupported/FORMAT_UNSUPPORTED'],
    ['commit 0', 1, 0, 'corrupt/JOURNAL_CORRUPT'],
    ['a short digest', 2, patternBytes(31, 1), 'corrupt/JOURNAL_CORRUPT'],
    ['a short incarnation', 3, patternBytes(8, 1), 'corrupt/JOURNAL_CORRUPT'],
    ['a time before 1970', 4, -1, 'corrupt/JOURNAL_CORRUPT'],
    ['operations that are no list', 5, new Map(), 'corrupt/JOURNAL_CORRUPT'],
    ['an operation that is no list', 5, [null], 'corrupt/JOURNAL_CORRUPT'],
    ['an operation of the future', 5, [[3, utf8Encode('a')], [99]], 'unsupported/OPERATION_UNSUPPORTED'],
  ])('that was written with %s', (_, index, value, outcome) => {
    expect(outcomeOf(() => decodeJournalRecord(encodeCbor(VALUES.with(index, value))))).toBe(outcome);
  });

  it('with a value too few or too many is damage', () => {
    for (const values of [VALUES.slice(0, -1), [...VALUES, 0]]) {
      expect(outcomeOf(() => decodeJournalRecord(encodeCbor(values)))).toBe('corrupt/JOURNAL_CORRUPT');
    }
  });

  it('says which commit a damaged operation belongs to', () => {
    const error = caught(() => decodeJournalRecord(encodeCbor(VALUES.with(5, [[3, new Uint8Array(0)]]))));
    expect(error).toBeInstanceOf(StoreError);
    expect((error as StoreError).details).toEqual({ commit: 42 });
  });

  it('has a largest size', () => {
    const put = (bytes: number): JournalRecord => {
      const operation = { type: 'entry-put', key: utf8Encode('a'), entry: new Uint8Array(bytes), modified: 0 } as const;
      return { ...SAMPLE_RECORD, operations: [operation] };
    };
    const frame = encodeJournalRecord(put(2 ** 17)).length - 2 ** 17;
    const largest = encodeJournalRecord(put(JOURNAL_RECORD_BYTES_MAX - frame));
    expect(largest).toHaveLength(JOURNAL_RECORD_BYTES_MAX);
    expect(outcomeOf(() => decodeJournalRecord(largest))).toBe('no error');
    expect(outcomeOf(() => encodeJournalRecord(put(JOURNAL_RECORD_BYTES_MAX - frame + 1)))).toBe('RangeError');
    const longer = new Uint8Array(JOURNAL_RECORD_BYTES_MAX + 1);
    expect(outcomeOf(() => decodeJournalRecord(longer))).toBe('corrupt/JOURNAL_CORRUPT');
  });

  it.each<[string, Partial<JournalRecord>, string]>([
    ['commit 0', { commit: 0 }, 'RangeError'],
    ['half a millisecond', { time: 0.5 }, 'RangeError'],
    ['a time before 1970', { time: -1 }, 'RangeError'],
    ['a short digest', { previous: new Uint8Array(16) }, 'internal/INVARIANT_BROKEN'],
    ['a short incarnation', { incarnation: new Uint8Array(8) }, 'internal/INVARIANT_BROKEN'],
  ])('is not written with %s', (_, change, outcome) => {
    expect(outcomeOf(() => encodeJournalRecord({ ...SAMPLE_RECORD, ...change }))).toBe(outcome);
  });

  it('gives a record or its error for any values in its place', () => {
    const leaf = fc.oneof(fc.nat(10), fc.maxSafeInteger(), fc.uint8Array({ maxLength: 40 }), fc.constant(null));
    const operation = fc.tuple(
      fc.integer({ min: 0, max: 9 }),
      fc.array(fc.oneof(leaf, fc.array(leaf)), { maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 4 }), (operations) => {
        const values = operations.map(([code, rest]): CborValue => [code, ...rest]);
        const bytes = encodeCbor(VALUES.with(5, values));
        expect(TYPED_OUTCOMES).toContain(outcomeOf(() => decodeJournalRecord(bytes)));
      }),
    );
  });
});
