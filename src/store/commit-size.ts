/** How much of a journal record changes take, estimated before there is one. */
import { storeError } from '../errors/store-error.ts';
import { COMMIT_RECORD_BYTES_MAX } from '../limits.ts';
import type { Change } from '../metadata/contract.ts';

/** Fixed-size fields and framing of one encoded operation, at most. */
const OPERATION_BYTES = 256;

/** At least the bytes these changes take in a journal record. */
export function operationsBytes(changes: readonly Change[]): number {
  let bytes = 0;
  for (const change of changes) {
    bytes += OPERATION_BYTES;
    // Keys count twice where a version of the entry may be kept.
    if (change.type === 'put') bytes += 2 * change.key.length + change.entry.length;
    else if (change.type === 'delete') bytes += 2 * change.key.length;
    else if (change.type === 'object-put') bytes += change.key.length + change.entry.length;
    else if (change.type === 'ref-set') bytes += change.key.length + 4 * change.message.length;
    else if (change.type === 'history-forget') bytes += change.key.length + 9 * change.numbers.length;
    else if (change.type === 'relation-set') bytes += change.child.length + (change.parent?.length ?? 0);
    else if (change.type === 'rename' || change.type === 'copy') bytes += 2 * (change.from.length + change.to.length);
    else if (change.type === 'items-remove') bytes += 34 * change.items.length;
    else if (change.type === 'object-remove') for (const key of change.keys) bytes += OPERATION_BYTES + key.length;
    // Every item of a merge may turn out stale, and is named by its id then.
    else if (change.type === 'pack-merge')
      for (const { items } of change.added) bytes += OPERATION_BYTES + 34 * items.length;
  }
  return bytes;
}

/** @throws `invalid/BATCH_TOO_LARGE` when one commit does not hold that much */
export function checkFitsCommit(bytes: number): void {
  if (bytes <= COMMIT_RECORD_BYTES_MAX) return;
  const message = `the changes take ${bytes} bytes in the journal, at most ${COMMIT_RECORD_BYTES_MAX} go into one commit`;
  throw storeError('BATCH_TOO_LARGE', message, { details: { size: bytes } });
}
