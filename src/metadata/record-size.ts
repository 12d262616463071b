import { storeError } from '../errors/store-error.ts';
import type { Operation } from '../format/types.ts';
import { RECORD_OPERATIONS_BYTES_MAX, RECORD_OPERATIONS_VALUES_MAX } from '../limits.ts';

/** Framing of one operation, its seal included, and what one of its values takes beside its own bytes. */
const OPERATION_BYTES = 80;
const VALUE_BYTES = 9;

/** What operations take in a journal record, at most; packs aside, which whoever asks for a commit counts. */
export interface RecordSize {
  readonly bytes: number;
  /** Values of CBOR. */
  readonly values: number;
}

function plusOperation(size: RecordSize, operation: Operation): RecordSize {
  let { bytes, values } = size;
  bytes += OPERATION_BYTES;
  values += 1;
  for (const value of Object.values(operation) as readonly unknown[]) {
    values += 1;
    bytes += VALUE_BYTES;
    if (value instanceof Uint8Array) bytes += value.length;
    else if (typeof value === 'string') bytes += 4 * value.length;
    else if (Array.isArray(value)) {
      values += value.length;
      bytes += VALUE_BYTES * value.length;
    }
  }
  return { bytes, values };
}

/**
 * What a request's operations make of a record. One change may record many: those that keep versions of a family.
 * @throws `invalid/BATCH_TOO_LARGE` when a record could not hold them
 */
export function plusOperations(size: RecordSize, operations: readonly Operation[]): RecordSize {
  const { bytes, values } = operations.reduce(plusOperation, size);
  if (bytes <= RECORD_OPERATIONS_BYTES_MAX && values <= RECORD_OPERATIONS_VALUES_MAX) return { bytes, values };
  throw storeError('BATCH_TOO_LARGE', 'the changes do not fit the journal record of one commit', {
    details: { size: bytes },
  });
}
