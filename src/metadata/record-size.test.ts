import { describe, expect, it } from 'vitest';
import { patternBytes } from '../../test/support/format-samples.ts';
import { encodeJournalRecord, type Operation } from '../format/index.ts';
import { RECORD_OPERATIONS_BYTES_MAX, RECORD_OPERATIONS_VALUES_MAX } from '../limits.ts';
import { plusOperations } from './record-size.ts';

const NOTHING = { bytes: 0, values: 0 };
const KEY = new Uint8Array(1000).fill(97);

describe('the size of a record', () => {
  it.each<[string, Operation]>([
    ['a kept version', { type: 'version-keep', key: KEY, first: 2 ** 40 }],
    ['a message', { type: 'ref-set', key: KEY, target: undefined, message: 'é'.repeat(500) }],
    ['numbers', { type: 'history-forget', history: 'move', key: KEY, numbers: Array(4096).fill(2 ** 50) }],
    ['an entry', { type: 'entry-put', key: KEY, entry: patternBytes(9000, 1), modified: 2 ** 40 }],
  ])('is at least what its operations take: %s', (_, operation) => {
    const operations = Array<Operation>(50).fill(operation);
    const head = { commit: 1, previous: new Uint8Array(32), incarnation: new Uint8Array(16), time: 0 };
    const { bytes } = plusOperations(NOTHING, operations);
    expect(encodeJournalRecord({ ...head, operations }).length).toBeLessThan(bytes);
    expect(bytes).toBeLessThan(50 * 60_000);
  });

  it.each([
    ['bytes', { bytes: RECORD_OPERATIONS_BYTES_MAX - 1000, values: 0 }],
    ['values', { bytes: 0, values: RECORD_OPERATIONS_VALUES_MAX - 3 }],
  ])('has a bound of its %s', (_, size) => {
    const keep: Operation = { type: 'version-keep', key: KEY, first: 1 };
    expect(() => plusOperations(size, [keep])).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'BATCH_TOO_LARGE' }),
    );
    expect(plusOperations(size, [])).toEqual(size);
  });
});
