/** The marks of a move on the backends that it goes from and to. */
import type { Backend } from '../../backend/contract.ts';
import { isStoreError, storeError } from '../../errors/store-error.ts';
import {
  decodeMigrationMark,
  decodeMovedMark,
  encodeMigrationMark,
  encodeMovedMark,
  MIGRATION_KEY,
  type MigrationMark,
  MOVED_KEY,
  type MovedMark,
} from '../../format/index.ts';

/** Blobs that are no part of the store that is moved. */
export const MARK_KEYS: ReadonlySet<string> = new Set([MIGRATION_KEY, MOVED_KEY]);

/**
 * @returns `undefined` where no move to this backend began
 * @throws `conflict/TARGET_EXISTS` for a mark that is damaged
 */
export async function readMark(target: Backend): Promise<MigrationMark | undefined> {
  const bytes = await target.get(MIGRATION_KEY);
  if (bytes === undefined) return undefined;
  try {
    return decodeMigrationMark(bytes);
  } catch (cause) {
    if (!isStoreError(cause, 'CONFIG_CORRUPT')) throw cause;
    const message = `${MIGRATION_KEY} at the target is damaged: empty the target and begin again`;
    throw storeError('TARGET_EXISTS', message, { cause, details: { backendKey: MIGRATION_KEY } });
  }
}

export async function writeMark(target: Backend, mark: MigrationMark): Promise<void> {
  await target.put(MIGRATION_KEY, encodeMigrationMark(mark));
}

export async function removeMark(target: Backend): Promise<void> {
  await target.delete(MIGRATION_KEY);
}

/** Says at the source where its store went. */
export async function writeMoved(source: Backend, mark: MovedMark): Promise<void> {
  await source.put(MOVED_KEY, encodeMovedMark(mark));
}

/** Whether a move to a place came so far that it told the source of it. @throws as `decodeMovedMark` */
export async function hasMoved(source: Backend, to: string): Promise<boolean> {
  const bytes = await source.get(MOVED_KEY);
  return bytes !== undefined && decodeMovedMark(bytes).to === to;
}
