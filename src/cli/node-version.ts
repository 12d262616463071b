import { type StoreError, storeError } from '../errors/store-error.ts';

/** Oldest Node that brings zstd, `node:sqlite` and the rest of what Holdfast uses. */
export const NODE_VERSION_MIN = '24.7';

/**
 * Why a Node of this version cannot run Holdfast, or `undefined` when it can.
 * @param version such as `24.7.0`
 * @returns `unsupported/NODE_UNSUPPORTED`
 */
export function nodeRefusal(version: string): StoreError | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [majorMin = 0, minorMin = 0] = NODE_VERSION_MIN.split('.').map(Number);
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return undefined;
  return storeError(
    'NODE_UNSUPPORTED',
    `needs Node ${NODE_VERSION_MIN} or newer, this is ${version}; see https://nodejs.org`,
    {
      details: { expected: NODE_VERSION_MIN, actual: version },
    },
  );
}
