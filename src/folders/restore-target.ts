import path from 'node:path';
import { isStoreError, storeError } from '../errors/store-error.ts';
import { systemCode } from '../runtime/file-system.ts';
import { type FolderSystem, nodeFolderSystem } from '../runtime/folder-system.ts';
import { itemError, pathText } from './item-error.ts';
import type { RestoreOptions } from './restore-options.ts';
import { identityOf } from './scanned.ts';
import { probeTarget, type TargetNature, usualNature } from './target-nature.ts';

/** Where a restore writes. */
export interface RestoreTarget {
  readonly system: FolderSystem;
  /** Real path: the caller's own may lead through links. */
  readonly path: Buffer;
  /** False in a dry run of a target that is not there. */
  readonly exists: boolean;
  readonly made: boolean;
  readonly nature: TargetNature;
  /** What is neither replaced nor removed nor written into. */
  readonly avoid: ReadonlySet<string>;
  readonly avoidPaths: readonly Buffer[];
}

async function isFolderThere(system: FolderSystem, path: Buffer): Promise<boolean> {
  try {
    if ((await system.lstat(await system.realpath(path))).kind === 'folder') return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw targetError(error, path);
  }
  throw storeError('LOCATION_INVALID', `${pathText(path)}: is no folder to restore into`, {
    details: { path: pathText(path) },
  });
}

async function avoided(
  system: FolderSystem,
  paths: readonly string[],
): Promise<Pick<RestoreTarget, 'avoid' | 'avoidPaths'>> {
  const avoid = new Set<string>();
  const avoidPaths: Buffer[] = [];
  for (const path of paths) {
    try {
      const real = await system.realpath(Buffer.from(path));
      avoid.add(identityOf(await system.lstat(real)));
      avoidPaths.push(real);
    } catch (error) {
      const told = itemError(error, path, 'read');
      if (!isStoreError(told, 'SOURCE_NOT_FOUND')) throw told;
    }
  }
  return { avoid, avoidPaths };
}

/** Whether a path is another or lies below it. */
export function isWithin(path: Buffer, folder: Buffer): boolean {
  if (!path.subarray(0, folder.length).equals(folder)) return false;
  return path.length === folder.length || folder.at(-1) === 0x2f || path[folder.length] === 0x2f;
}

function parentPath(folder: Buffer): Buffer {
  return Buffer.from(path.dirname(folder.toString('latin1')), 'latin1');
}

/** Makes a folder with those above it, durably if asked for. */
async function makeFolders(system: FolderSystem, folder: Buffer, durable: boolean): Promise<void> {
  const parent = parentPath(folder);
  try {
    await system.mkdir(folder, 0o777);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return;
    if (systemCode(error) !== 'ENOENT' || parent.equals(folder)) throw error;
    await makeFolders(system, parent, durable);
    await system.mkdir(folder, 0o777);
  }
  if (!durable || process.platform === 'win32') return;
  // Opened by its real path, as a link is not followed.
  const handle = await system.open(await system.realpath(parent));
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Here a file in the way is not another item's business: the target is the wrong one. */
function targetError(error: unknown, given: Buffer): unknown {
  const system = systemCode(error);
  if (system !== 'ENOTDIR' && system !== 'EEXIST' && system !== 'ELOOP') return itemError(error, given, 'write');
  const text = pathText(given);
  const details = { path: text, system };
  return storeError('LOCATION_INVALID', `${text}: no folder can be there to restore into`, { details, cause: error });
}

/**
 * Makes the target if need be, and finds out how it compares names.
 * @throws `invalid/LOCATION_INVALID` when it is no folder or lies in what is to be avoided, and what making it fails with
 */
export async function openTarget(given: Buffer, options: RestoreOptions): Promise<RestoreTarget> {
  const system = options.system ?? nodeFolderSystem;
  const there = await isFolderThere(system, given);
  const usual = usualNature(process.platform);
  const around = await avoided(system, options.avoid ?? []);
  if (!there && options.dryRun) {
    return { system, path: given, exists: false, made: false, nature: options.nature ?? usual, ...around };
  }
  try {
    if (!there) await makeFolders(system, given, options.sync !== 'none');
    const path = await system.realpath(given);
    if (around.avoidPaths.some((one) => isWithin(path, one))) {
      throw storeError('LOCATION_INVALID', `${pathText(given)}: lies in the store itself`, {
        details: { path: pathText(given) },
      });
    }
    const nature = options.nature ?? (options.dryRun ? usual : await probeTarget(path, system));
    return { system, path, exists: true, made: !there, nature, ...around };
  } catch (error) {
    throw targetError(error, given);
  }
}

/** Whether what is to be left alone is at a path or below it. */
export function holdsAvoided(target: RestoreTarget, path: Buffer): boolean {
  return target.avoidPaths.some((one) => isWithin(one, path));
}
