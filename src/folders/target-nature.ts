import { systemCode } from '../runtime/file-system.ts';
import { type FolderSystem, nodeFolderSystem } from '../runtime/folder-system.ts';
import { randomId } from '../runtime/random.ts';
import { joinPath } from './scanned.ts';

/** Which names a file system takes for one and the same. */
export interface TargetNature {
  /** `README` and `readme`. */
  readonly foldsCase: boolean;
  /** An é of one character and an e with an accent put on it. */
  readonly foldsForms: boolean;
}

/** What a folder that must not be touched is taken for: the habit of the platform. */
export function usualNature(platform: string): TargetNature {
  return { foldsCase: platform === 'darwin' || platform === 'win32', foldsForms: platform === 'darwin' };
}

async function isThere(system: FolderSystem, path: Buffer): Promise<boolean> {
  try {
    await system.lstat(path);
    return true;
  } catch (error) {
    // What a file system says of a form that it does not take.
    if (['ENOENT', 'EILSEQ', 'EINVAL'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
}

/**
 * Tries out how a folder compares names, with a file that is removed again.
 * @throws the system's error
 */
export async function probeTarget(folder: Buffer, system: FolderSystem = nodeFolderSystem): Promise<TargetNature> {
  const name = `.holdfast-${randomId()}-\u00e9.tmp`;
  const at = (text: string): Buffer => joinPath(folder, Buffer.from(text));
  await (await system.create(at(name))).close();
  try {
    return {
      foldsCase: await isThere(system, at(name.replace('holdfast', 'HOLDFAST'))),
      foldsForms: await isThere(system, at(name.normalize('NFD'))),
    };
  } finally {
    await system.unlink(at(name));
  }
}

/**
 * What two names have in common when a file system takes them for one. It says so of some that a file system tells
 * apart (ß and ss): refusing one of them is better than losing one.
 */
export function foldName(name: Buffer, nature: TargetNature): string {
  if (!nature.foldsCase && !nature.foldsForms) return name.toString('latin1');
  const text = nature.foldsForms ? name.toString('utf8').normalize('NFC') : name.toString('utf8');
  return nature.foldsCase ? text.toUpperCase().toLowerCase() : text;
}
