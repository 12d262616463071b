import { storeError } from '../errors/store-error.ts';

/** What a put would change, against what may be held. */
export interface QuotaDemand {
  /** Absent where room is asked for without a value. */
  readonly key?: string;
  /** Bytes held now, values being written included. */
  readonly usedBytes: number;
  /** Size of the value less the size of the one it replaces. */
  readonly growthBytes: number;
  readonly quotaBytes: number;
}

/** True when the value still fits; a value that does not make things worse always does. */
export function fitsQuota(demand: QuotaDemand): boolean {
  return demand.growthBytes <= 0 || demand.usedBytes + demand.growthBytes <= demand.quotaBytes;
}

export function quotaError(demand: QuotaDemand): Error {
  const { key, usedBytes, growthBytes, quotaBytes } = demand;
  const message = `${growthBytes} more bytes pass the quota of ${quotaBytes} bytes, of which ${usedBytes} are used`;
  return storeError('QUOTA_EXCEEDED', message, {
    details: {
      ...(key !== undefined && { backendKey: key }),
      size: growthBytes,
      expected: quotaBytes,
      actual: usedBytes,
    },
  });
}
