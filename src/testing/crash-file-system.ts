import { basename, dirname, sep } from 'node:path';
import type { DirectoryItem, FileHandle, FileStat, FileSystem } from '../runtime/file-system.ts';
import {
  type CrashFile,
  type CrashFolder,
  type CrashNode,
  copyOf,
  flush,
  forget,
  newFile,
  newFolder,
  type Survival,
  setName,
  survivalByChance,
  survivorOf,
  type Unflushed,
  unflushedIn,
  writeTo,
} from './crash-disk.ts';
import { systemError } from './faulty-file-system.ts';
import type { SeededRandom } from './seeded-random.ts';

const FREE_BYTES = 2 ** 40;

/**
 * A file system in memory that loses power like a disk that orders nothing: what was not flushed may be there, or not,
 * or in part, each file and each name by itself. Only `sync` of a file makes its content survive, only `syncDirectory`
 * the names in a folder. Times do not pass in it.
 */
export class CrashFileSystem implements FileSystem {
  #root: CrashFolder;
  #nodes = 0;
  #calls = 0;
  #callsUntilCut = Number.POSITIVE_INFINITY;
  /** Told before each call that changes or flushes something: a point at which the power can go. */
  onChange: ((call: string, path: string) => void) | undefined;

  constructor() {
    this.#root = newFolder(this.#ino());
  }

  /** Calls that changed or flushed something so far: the points at which the power can go. */
  get calls(): number {
    return this.#calls;
  }

  /** What would be in question if the power went now. */
  get unflushed(): readonly Unflushed[] {
    return [...unflushedIn(this.#root)];
  }

  /** The disk as it is now, flushed and not, for somebody else: what one of the two does the other does not see. */
  fork(): CrashFileSystem {
    const copy = new CrashFileSystem();
    copy.#root = copyOf(this.#root);
    copy.#nodes = this.#nodes;
    return copy;
  }

  /** What is left of this disk when the power goes now; this one stays as it is. */
  survivor(survival: Survival): CrashFileSystem {
    const left = new CrashFileSystem();
    left.#root = survivorOf(this.#root, survival);
    left.#nodes = this.#nodes;
    return left;
  }

  /** Every file by its path, with its content as it is read. */
  files(): ReadonlyMap<string, Uint8Array> {
    const files = new Map<string, Uint8Array>();
    const walk = (folder: CrashFolder, path: string): void => {
      for (const [name, node] of folder.names) {
        if (node.kind === 'file') files.set(`${path}${sep}${name}`, node.bytes);
        else walk(node, `${path}${sep}${name}`);
      }
    };
    walk(this.#root, '');
    return files;
  }

  /** Lets `count` more changing calls happen; the one after them and all others fail, as for a process that is gone. */
  cutPowerAfter(count: number): void {
    this.#callsUntilCut = this.#calls + count;
  }

  /** Power is back: keeps what was flushed, and of the rest what chance says. Handles of before must not be used. */
  restart(random: SeededRandom): void {
    this.#callsUntilCut = Number.POSITIVE_INFINITY;
    this.#root = survivorOf(this.#root, survivalByChance(random));
  }

  /**
   * What a failed flush does on many systems: what it was about is still read, but no later flush makes it durable,
   * though it says so.
   */
  forgetUnflushed(path: string): void {
    forget(this.#find('sync', path));
  }

  async open(path: string, flags: 'r' | 'wx' | 'r+'): Promise<FileHandle> {
    if (flags === 'wx') {
      this.#change('open', path);
      const { folder, name } = this.#parent('open', path);
      if (folder.names.has(name)) throw systemError('EEXIST', 'open', path);
      setName(folder, name, newFile(this.#ino()));
    }
    const node = this.#find('open', path);
    if (node.kind === 'folder') throw systemError('EISDIR', 'open', path);
    return this.#handle(node, path);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#change('rename', from);
    const node = this.#find('rename', from);
    const target = this.#parent('rename', to);
    if (target.folder.names.get(target.name)?.kind === 'folder') throw systemError('EISDIR', 'rename', to);
    const source = this.#parent('rename', from);
    setName(source.folder, source.name, undefined);
    setName(target.folder, target.name, node);
  }

  async link(existing: string, name: string): Promise<void> {
    this.#change('link', name);
    const node = this.#find('link', existing);
    const target = this.#parent('link', name);
    if (target.folder.names.has(target.name)) throw systemError('EEXIST', 'link', name);
    setName(target.folder, target.name, node);
  }

  async unlink(path: string): Promise<void> {
    this.#change('unlink', path);
    if (this.#find('unlink', path).kind === 'folder') throw systemError('EISDIR', 'unlink', path);
    const { folder, name } = this.#parent('unlink', path);
    setName(folder, name, undefined);
  }

  async rmdir(path: string): Promise<void> {
    this.#change('rmdir', path);
    const node = this.#find('rmdir', path);
    if (node.kind === 'file') throw systemError('ENOTDIR', 'rmdir', path);
    if (node.names.size > 0) throw systemError('ENOTEMPTY', 'rmdir', path);
    const { folder, name } = this.#parent('rmdir', path);
    setName(folder, name, undefined);
  }

  /** Makes the folders above it too, as the real one does. */
  async mkdir(path: string): Promise<void> {
    this.#change('mkdir', path);
    let folder = this.#root;
    for (const name of partsOf(path)) {
      let next = folder.names.get(name);
      if (next?.kind === 'file') throw systemError('EEXIST', 'mkdir', path);
      if (next === undefined) {
        next = newFolder(this.#ino());
        setName(folder, name, next);
      }
      folder = next;
    }
  }

  async readdir(path: string): Promise<DirectoryItem[]> {
    this.#alive('readdir', path);
    const node = this.#find('readdir', path);
    if (node.kind === 'file') throw systemError('ENOTDIR', 'readdir', path);
    return [...node.names].map(([name, item]) => ({ name, ...kindOf(item) }));
  }

  async stat(path: string): Promise<FileStat> {
    this.#alive('stat', path);
    return statOf(this.#find('stat', path));
  }

  async checkWritable(path: string): Promise<void> {
    this.#alive('access', path);
    this.#find('access', path);
  }

  async syncDirectory(path: string): Promise<void> {
    this.#change('syncDirectory', path);
    const node = this.#find('syncDirectory', path);
    if (node.kind === 'file') throw systemError('ENOTDIR', 'syncDirectory', path);
    flush(node);
  }

  async freeBytes(path: string): Promise<number> {
    this.#alive('freeBytes', path);
    return FREE_BYTES;
  }

  #handle(file: CrashFile, path: string): FileHandle {
    return {
      read: async (buffer, offset, length, position) => {
        this.#alive('read', path);
        const part = file.bytes.subarray(position, position + length);
        buffer.set(part, offset);
        return { bytesRead: part.length };
      },
      write: async (buffer, offset, length, position) => {
        this.#change('write', path);
        writeTo(file, position, buffer.subarray(offset, offset + length));
        return { bytesWritten: length };
      },
      sync: async () => {
        this.#change('sync', path);
        flush(file);
      },
      stat: async () => statOf(file),
      close: async () => undefined,
    };
  }

  #ino(): number {
    this.#nodes += 1;
    return this.#nodes;
  }

  #find(call: string, path: string): CrashNode {
    let node: CrashNode = this.#root;
    for (const name of partsOf(path)) {
      if (node.kind === 'file') throw systemError('ENOTDIR', call, path);
      const next = node.names.get(name);
      if (!next) throw systemError('ENOENT', call, path);
      node = next;
    }
    return node;
  }

  #parent(call: string, path: string): { readonly folder: CrashFolder; readonly name: string } {
    const folder = this.#find(call, dirname(path));
    if (folder.kind === 'file') throw systemError('ENOTDIR', call, path);
    return { folder, name: basename(path) };
  }

  #alive(call: string, path: string): void {
    if (this.#calls >= this.#callsUntilCut) throw systemError('EIO', call, path);
  }

  #change(call: string, path: string): void {
    this.#alive(call, path);
    this.onChange?.(call, path);
    this.#calls += 1;
  }
}

function partsOf(path: string): readonly string[] {
  return path.split(sep).filter((part) => part !== '');
}

function kindOf(node: CrashNode): { isFile(): boolean; isDirectory(): boolean } {
  return { isFile: () => node.kind === 'file', isDirectory: () => node.kind === 'folder' };
}

function statOf(node: CrashNode): FileStat {
  const size = node.kind === 'file' ? node.bytes.length : 0;
  return { size, mtimeMs: 0, ctimeMs: 0, ino: node.ino, mode: 0o600, ...kindOf(node) };
}
