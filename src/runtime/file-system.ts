import * as fs from 'node:fs/promises';
import path from 'node:path';

/** One open file. Positions are absolute; reads and writes may be short like the system's own. */
export interface FileHandle {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  write(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>;
  /** Flushes content and metadata of the file to stable storage. */
  sync(): Promise<void>;
  stat(): Promise<FileStat>;
  close(): Promise<void>;
}

/** What is known of a file without reading it. */
export interface FileStat {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
  /** Type and permission bits as POSIX has them. */
  readonly mode: number;
  isFile(): boolean;
  isDirectory(): boolean;
}

/** A name in a folder. */
export interface DirectoryItem {
  readonly name: string;
  isFile(): boolean;
  isDirectory(): boolean;
}

/**
 * The seam through which Holdfast touches files it writes, so that tests can fail, cut or record every call.
 * Errors are Node's system errors with `code` (`ENOENT`, `ENOSPC`, ...).
 */
export interface FileSystem {
  /** `r` read, `wx` create for writing and fail if it exists, `r+` read and write an existing file. */
  open(path: string, flags: 'r' | 'wx' | 'r+'): Promise<FileHandle>;
  rename(from: string, to: string): Promise<void>;
  /** Makes a second name for a file; fails with `EEXIST` when the name is taken: create-exactly-once. */
  link(existing: string, name: string): Promise<void>;
  unlink(path: string): Promise<void>;
  rmdir(path: string): Promise<void>;
  /** Makes a folder and those above it; one that is there is fine. */
  mkdir(path: string): Promise<void>;
  readdir(path: string): Promise<DirectoryItem[]>;
  stat(path: string): Promise<FileStat>;
  /** Resolves when this user may make and remove names in the folder; else `EACCES`, `EPERM` or `EROFS`. */
  checkWritable(path: string): Promise<void>;
  /** Makes names created, renamed or removed in the folder survive a crash. */
  syncDirectory(path: string): Promise<void>;
  /** Bytes free for this process on the file system that holds the path. */
  freeBytes(path: string): Promise<number>;
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await fs.open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a folder and those above it. Not `recursive` of Node: that tries for ever where `/proc` says ENOENT. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await fs.mkdir(folder);
  } catch (error) {
    const parent = path.dirname(folder);
    if (systemCode(error) !== 'ENOENT' || parent === folder) return await acceptFolder(folder, error);
    await makeFolder(parent);
    await fs.mkdir(folder).catch((again: unknown) => acceptFolder(folder, again));
  }
}

/** What kept a folder from being made is no failure when the folder is there. */
async function acceptFolder(folder: string, error: unknown): Promise<void> {
  const found = await fs.stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) throw error;
}

/** The real file system. */
export const nodeFileSystem: FileSystem = {
  open: (path, flags) => fs.open(path, flags, 0o600) as unknown as Promise<FileHandle>,
  rename: (from, to) => fs.rename(from, to),
  link: (existing, name) => fs.link(existing, name),
  unlink: (path) => fs.unlink(path),
  rmdir: (path) => fs.rmdir(path),
  mkdir: makeFolder,
  readdir: (path) => fs.readdir(path, { withFileTypes: true }),
  stat: (path) => fs.stat(path),
  checkWritable: (path) => fs.access(path, fs.constants.W_OK | fs.constants.X_OK),
  syncDirectory,
  freeBytes: async (path) => {
    const space = await fs.statfs(path);
    return space.bavail * space.bsize;
  },
};

/** Code of a system error (`ENOENT`, `ENOSPC`, ...), or `undefined` for anything else. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** Whether there is anything at the path. @throws the system's error when that cannot be told */
export async function exists(path: string, fileSystem: FileSystem = nodeFileSystem): Promise<boolean> {
  try {
    await fileSystem.stat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
