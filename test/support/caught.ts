import { StoreError } from '../../src/errors/store-error.ts';

/** What a call throws; throws itself when the call does not. */
export function caught(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('the call was expected to throw');
}

/** What a call throws, in short: `corrupt/PACK_CORRUPT`, `RangeError`, …; or that it threw nothing. */
export function outcomeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof StoreError) return `${error.kind}/${error.code}`;
    return error instanceof Error ? error.name : typeof error;
  }
  return 'no error';
}
