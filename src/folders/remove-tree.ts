import type { FolderSystem } from '../runtime/folder-system.ts';
import { identityOf, joinPath, nameBytes } from './scanned.ts';

/**
 * Removes a file, a link, or a folder with all that is in it; no link is followed. What `avoid` names stays, with the
 * folders around it.
 * @param avoid identities, see `identityOf`
 * @returns whether the path itself is gone
 * @throws the system's error; what was removed by then is gone
 */
export async function removeTree(system: FolderSystem, root: Buffer, avoid: ReadonlySet<string>): Promise<boolean> {
  const stack: { readonly path: Buffer; readonly emptied: boolean }[] = [{ path: root, emptied: false }];
  /** Paths of folders that hold something which stays, as text of one character per byte. */
  const kept = new Set<string>();
  const stays = (path: Buffer): void => {
    for (let end = path.length; end >= root.length; end = path.lastIndexOf(0x2f, end - 1)) {
      kept.add(path.toString('latin1', 0, end));
      if (end === root.length) break;
    }
  };
  for (let next = stack.pop(); next; next = stack.pop()) {
    if (next.emptied) {
      if (!kept.has(next.path.toString('latin1'))) await system.rmdir(next.path);
      continue;
    }
    const stat = await system.lstat(next.path);
    if (avoid.has(identityOf(stat))) {
      stays(next.path);
    } else if (stat.kind === 'folder') {
      stack.push({ path: next.path, emptied: true });
      const folder = next.path;
      stack.push(
        ...(await system.readdir(folder)).map((name) => ({ path: joinPath(folder, nameBytes(name)), emptied: false })),
      );
    } else {
      await system.unlink(next.path);
    }
  }
  return !kept.has(root.toString('latin1'));
}
