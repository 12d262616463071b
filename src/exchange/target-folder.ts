/**
 * A folder that is made for another system, file by file, so that it is either marked as unfinished or whole.
 *
 * The mark is a file that the layout does not have. It is written first and removed last: a folder without it that
 * holds anything belongs to somebody else, who may have changed it since, and is not touched.
 */
import path from 'node:path';
import { equalBytes, utf8Encode } from '../bytes/bytes.ts';
import { isStoreError, storeError } from '../errors/store-error.ts';
import { type FileSystem, systemCode } from '../runtime/file-system.ts';
import { randomId } from '../runtime/random.ts';
import { readAll, writeAll } from '../runtime/whole-io.ts';

const MARK = '.holdfast-export';
const TEMPORARY = /^\.holdfast-[0-9a-f-]+\.tmp$/;
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);
const DENIED: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS']);
const WRONG_PLACE: ReadonlySet<string> = new Set(['ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'EINVAL', 'ELOOP', 'EEXIST']);

function writeError(file: string, error: unknown): unknown {
  const system = systemCode(error);
  if (system === undefined || isStoreError(error)) return error;
  const options = { details: { path: file, system }, cause: error };
  if (FULL.has(system)) return storeError('DISK_FULL', `${file}: no space left on the disk`, options);
  if (DENIED.has(system)) {
    return storeError('PERMISSION_DENIED', `${file}: the system does not permit it (${system})`, options);
  }
  if (WRONG_PLACE.has(system)) return storeError('LOCATION_INVALID', `${file} cannot be written (${system})`, options);
  return storeError('BACKEND_IO', `${file}: the disk failed (${system})`, options);
}

export class TargetFolder {
  readonly root: string;
  /** An export that was interrupted left something here. */
  readonly resumed: boolean;
  readonly #fileSystem: FileSystem;
  readonly #folders = new Map<string, Promise<void>>();

  private constructor(root: string, resumed: boolean, fileSystem: FileSystem) {
    this.root = root;
    this.resumed = resumed;
    this.#fileSystem = fileSystem;
  }

  /**
   * Opens an empty folder, makes an absent one, or goes on with one that carries the same mark.
   * @param mark what is made, so that nothing else is mixed into it
   * @throws `invalid/LOCATION_INVALID` for a folder that holds anything else
   */
  static async open(root: string, mark: string, fileSystem: FileSystem): Promise<TargetFolder> {
    try {
      await fileSystem.mkdir(root);
      const names = (await fileSystem.readdir(root)).map(({ name }) => name);
      const resumed = names.includes(MARK);
      const folder = new TargetFolder(root, resumed, fileSystem);
      if (!resumed && !names.every((name) => TEMPORARY.test(name))) {
        throw storeError('LOCATION_INVALID', `${root} is not empty; export into a new folder`, {
          details: { path: root },
        });
      }
      // What a killed process was writing; nobody else writes here.
      for (const name of names.filter((one) => TEMPORARY.test(one))) await fileSystem.unlink(folder.path(name));
      if (!resumed) await folder.#begin(mark);
      else if (!(await folder.#holds(MARK, utf8Encode(mark)))) {
        throw storeError('LOCATION_INVALID', `${root} holds another export that was not finished; remove it first`, {
          details: { path: root },
        });
      }
      return folder;
    } catch (error) {
      throw writeError(root, error);
    }
  }

  path(name: string): string {
    return path.join(this.root, ...name.split('/'));
  }

  async #begin(mark: string): Promise<void> {
    await this.write(MARK, utf8Encode(mark));
    await this.#fileSystem.syncDirectory(path.dirname(path.resolve(this.root)));
    await this.#fileSystem.syncDirectory(this.root);
  }

  /** Removes the mark: the folder is whole. */
  async finish(): Promise<void> {
    try {
      await this.#fileSystem.syncDirectory(this.root);
      await this.#fileSystem.unlink(this.path(MARK));
      await this.#fileSystem.syncDirectory(this.root);
    } catch (error) {
      throw writeError(this.root, error);
    }
  }

  /** Whether names that differ in case alone are one name here. */
  async foldsCase(): Promise<boolean> {
    try {
      await this.#fileSystem.stat(this.path(MARK.toUpperCase()));
      return true;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return false;
      throw writeError(this.root, error);
    }
  }

  /** Writes a file under its name once its bytes are durable; the name is after `sync`. Makes the folders above it. */
  async write(name: string, bytes: Uint8Array): Promise<void> {
    const target = this.path(name);
    const temporary = this.path(`.holdfast-${randomId()}.tmp`);
    try {
      await this.#makeFolder(path.posix.dirname(name));
      await this.#fill(temporary, bytes);
      await this.#fileSystem.rename(temporary, target);
    } catch (error) {
      // The failure to tell is the one before; what stays is removed when the export goes on.
      await this.#fileSystem.unlink(temporary).catch(() => undefined);
      throw writeError(target, error);
    }
  }

  /** As `write`, unless an export before has written the very same: then it is read instead. */
  async writeOnce(name: string, bytes: Uint8Array): Promise<void> {
    if (this.resumed && (await this.#holds(name, bytes))) return;
    await this.write(name, bytes);
  }

  async #fill(file: string, bytes: Uint8Array): Promise<void> {
    const handle = await this.#fileSystem.open(file, 'wx');
    try {
      await writeAll(handle, bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  async #holds(name: string, bytes: Uint8Array): Promise<boolean> {
    let handle: Awaited<ReturnType<FileSystem['open']>>;
    try {
      handle = await this.#fileSystem.open(this.path(name), 'r');
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return false;
      throw writeError(this.path(name), error);
    }
    try {
      if ((await handle.stat()).size !== bytes.length) return false;
      const there = new Uint8Array(bytes.length);
      return (await readAll(handle, there)) === there.length && equalBytes(there, bytes);
    } catch (error) {
      throw writeError(this.path(name), error);
    } finally {
      await handle.close();
    }
  }

  async #makeFolder(name: string): Promise<void> {
    if (name === '.') return;
    const making = this.#folders.get(name) ?? this.#fileSystem.mkdir(this.path(name));
    this.#folders.set(name, making);
    await making;
  }

  /** Makes the names of everything written so far durable. */
  async sync(): Promise<void> {
    const made = new Set(['.']);
    for (const folder of this.#folders.keys()) {
      for (let name = folder; name !== '.'; name = path.posix.dirname(name)) made.add(name);
    }
    try {
      for (const name of made) await this.#fileSystem.syncDirectory(this.path(name));
    } catch (error) {
      throw writeError(this.root, error);
    }
  }

  /** Names at the root, the mark not among them. */
  async names(): Promise<readonly string[]> {
    try {
      return (await this.#fileSystem.readdir(this.root)).map(({ name }) => name).filter((name) => name !== MARK);
    } catch (error) {
      throw writeError(this.root, error);
    }
  }

  async remove(name: string): Promise<void> {
    try {
      await this.#fileSystem.unlink(this.path(name));
    } catch (error) {
      throw writeError(this.path(name), error);
    }
  }

  /** Removes a folder and all files below it, links and not what they lead to. One that is not there is fine. */
  async removeFolder(name: string): Promise<void> {
    const emptied: string[] = [];
    try {
      const open = [this.path(name)];
      for (let at = open.pop(); at !== undefined; at = open.pop()) {
        emptied.push(at);
        for (const item of await this.#itemsOf(at)) {
          const file = path.join(at, item.name);
          if (item.isDirectory()) open.push(file);
          else await this.#fileSystem.unlink(file);
        }
      }
      for (const at of emptied.reverse()) {
        await this.#fileSystem.rmdir(at).catch((error: unknown) => {
          if (systemCode(error) !== 'ENOENT') throw error;
        });
      }
    } catch (error) {
      throw writeError(this.path(name), error);
    }
  }

  async #itemsOf(folder: string) {
    try {
      return await this.#fileSystem.readdir(folder);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    }
  }
}
