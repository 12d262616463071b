import { nodeFileSystem, systemCode } from '../runtime/file-system.ts';

/** How `link` says that the file system has no hard links (link(2)), as those of most memory sticks have not. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

/**
 * Gives a file a second name, which must be free. Where there can be no second name it becomes the only one.
 * @throws the system's error, `EEXIST` when the name is taken
 */
export async function addName(file: string, name: string): Promise<void> {
  try {
    await nodeFileSystem.link(file, name);
  } catch (error) {
    if (!NO_LINKS.has(systemCode(error))) throw error;
    await nodeFileSystem.rename(file, name);
  }
}
