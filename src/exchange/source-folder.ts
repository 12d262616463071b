/** Reads a folder that another system wrote, and that nobody vouches for: nothing in it leads out of it. */
import { constants } from 'node:fs';
import { lstat, open, opendir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { concatBytes, copyBytes, utf8Decode } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { readFileBytes } from '../runtime/file-reader.ts';
import { type FileHandle, type FileSystem, nodeFileSystem, systemCode } from '../runtime/file-system.ts';

/** A regular file below the folder, or something in its place that is none. */
export type FoundFile = { readonly name: string } | { readonly name: string; readonly error: unknown };

/** A link is no file of the folder; a pipe in the place of a file must not make its reader wait. Absent on Windows. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

const notFollowing: FileSystem = {
  ...nodeFileSystem,
  open: async (file) => (await open(file, OPEN_FLAGS)) as unknown as FileHandle,
};

/** What a failure to read something of the folder means; anything that is no system error comes back as it is. */
function readError(file: string, error: unknown): unknown {
  const system = systemCode(error);
  if (system === undefined) return error;
  const options = { details: { path: file, system }, cause: error };
  if (system === 'EACCES' || system === 'EPERM') {
    return storeError('PERMISSION_DENIED', `${file} may not be read by this user`, options);
  }
  if (system === 'ENOENT') return storeError('SOURCE_NOT_FOUND', `${file} does not exist`, options);
  return storeError('SOURCE_INVALID', `${file} cannot be read (${system})`, options);
}

function notAFile(file: string): Error {
  return storeError('SOURCE_INVALID', `${file} is not a regular file; links are not followed`, {
    details: { path: file },
  });
}

/** Names below the root are relative and separated by `/`; who asks has checked that they do not leave it. */
export class SourceFolder {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  /** @throws `not-found/SOURCE_NOT_FOUND`, `denied/PERMISSION_DENIED`, `invalid/SOURCE_INVALID` for what is no folder */
  static async open(folder: string): Promise<SourceFolder> {
    // The one link that is followed is the one that the caller named.
    const found = await stat(folder).catch((error: unknown) => {
      throw readError(folder, error);
    });
    if (found.isDirectory()) return new SourceFolder(folder);
    throw storeError('SOURCE_INVALID', `${folder} is not a folder`, { details: { path: folder } });
  }

  path(name: string): string {
    return path.join(this.root, ...name.split('/'));
  }

  /** Whether there is a folder of this name, and not a link to one. */
  async hasFolder(name: string): Promise<boolean> {
    return (await this.#lstat(name))?.isDirectory() === true;
  }

  /** Size of a regular file, or `undefined` when there is nothing. @throws for what is no file or cannot be seen */
  async sizeOf(name: string): Promise<number | undefined> {
    const found = await this.#lstat(name);
    if (found !== undefined && !found.isFile()) throw notAFile(this.path(name));
    return found?.size;
  }

  async #lstat(name: string) {
    try {
      return await lstat(this.path(name));
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw readError(this.path(name), error);
    }
  }

  /**
   * The bytes of a regular file in pieces of up to 1 MiB, each valid until the next one is asked for.
   * @throws `not-found/SOURCE_NOT_FOUND`, `denied/PERMISSION_DENIED`, `invalid/SOURCE_INVALID`
   */
  async *pieces(name: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    if ((await this.sizeOf(name)) === undefined) {
      const file = this.path(name);
      throw storeError('SOURCE_NOT_FOUND', `${file} does not exist`, { details: { path: file } });
    }
    try {
      yield* readFileBytes(this.path(name), { fileSystem: notFollowing, ...(signal && { signal }) });
    } catch (error) {
      throw readError(this.path(name), error);
    }
  }

  /** A whole file. @throws as `pieces`; `invalid/SOURCE_INVALID` when it is larger than `bytesMax` */
  async bytes(name: string, bytesMax: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const piece of this.pieces(name, signal)) {
      size += piece.length;
      if (size > bytesMax) {
        const details = { path: this.path(name), size };
        throw storeError('SOURCE_INVALID', `${this.path(name)} is larger than ${bytesMax} bytes`, { details });
      }
      parts.push(copyBytes(piece));
    }
    return concatBytes(parts);
  }

  /** Names directly in a folder, in no order and without holding them all. A folder that is not there has none. */
  async *names(name: string): AsyncGenerator<string> {
    if (!(await this.hasFolder(name))) return;
    try {
      for await (const item of await opendir(this.path(name))) yield item.name;
    } catch (error) {
      throw readError(this.path(name), error);
    }
  }

  /**
   * Every regular file below a folder by its name within: of each folder in byte order, before those below. What is neither file nor folder, cannot be
   * looked into, or has a name that is not UTF-8 comes with an error instead.
   */
  async *walk(folder: string, signal: AbortSignal | undefined): AsyncGenerator<FoundFile> {
    const open = [''];
    for (let below = open.pop(); below !== undefined; below = open.pop()) {
      signal?.throwIfAborted();
      const items = await this.#itemsOf(folder, below);
      if ('error' in items) {
        yield { name: below, error: items.error };
        continue;
      }
      const folders: string[] = [];
      for (const { bytes, isFile, isFolder } of items.found) {
        const name = decodeName(bytes);
        const shown = `${below}${name ?? Buffer.from(bytes).toString()}`;
        if (name === undefined) yield { name: shown, error: notUtf8(this.path(`${folder}/${shown}`)) };
        else if (isFolder) folders.push(`${shown}/`);
        else if (isFile) yield { name: shown };
        else yield { name: shown, error: notAFile(this.path(`${folder}/${shown}`)) };
      }
      open.push(...folders.reverse());
    }
  }

  async #itemsOf(folder: string, below: string) {
    const at = path.join(this.path(folder), ...below.split('/'));
    try {
      const found = await readdir(at, { withFileTypes: true, encoding: 'buffer' });
      found.sort((a, b) => Buffer.compare(a.name, b.name));
      return {
        found: found.map((item) => ({ bytes: item.name, isFile: item.isFile(), isFolder: item.isDirectory() })),
      };
    } catch (error) {
      const meaning = readError(at, error);
      if (meaning === error) throw error;
      return { error: meaning };
    }
  }
}

function decodeName(bytes: Uint8Array): string | undefined {
  try {
    return utf8Decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function notUtf8(file: string): Error {
  return storeError('KEY_INVALID', `${file}: the name is not UTF-8, and keys are`, { details: { path: file } });
}
