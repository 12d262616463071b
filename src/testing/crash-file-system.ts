import { basename, dirname, sep } from 'node:path';
import type { DirectoryItem, FileHandle, FileStat, FileSystem } from '../runtime/file-system.ts';
import { systemError } from './faulty-file-system.ts';
import type { SeededRandom } from './seeded-random.ts';

interface CrashFile {
  readonly kind: 'file';
  readonly ino: number;
  bytes: Uint8Array;
  synced: Uint8Array;
}

interface CrashFolder {
  readonly kind: 'folder';
  readonly ino: number;
  names: Map<string, CrashNode>;
  synced: Map<string, CrashNode>;
}

type CrashNode = CrashFile | CrashFolder;

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

  constructor() {
    this.#root = this.#folder();
  }

  /** Calls that changed or flushed something so far: the points at which the power can go. */
  get calls(): number {
    return this.#calls;
  }

  /** Lets `count` more changing calls happen; the one after them and all others fail, as for a process that is gone. */
  cutPowerAfter(count: number): void {
    this.#callsUntilCut = this.#calls + count;
  }

  /** Power is back: keeps what was flushed, and of the rest what chance says. Handles of before must not be used. */
  restart(random: SeededRandom): void {
    this.#callsUntilCut = Number.POSITIVE_INFINITY;
    this.#root = this.#survivor(this.#root, random, new Map()) as CrashFolder;
  }

  async open(path: string, flags: 'r' | 'wx' | 'r+'): Promise<FileHandle> {
    if (flags === 'wx') {
      this.#change('open', path);
      const { folder, name } = this.#parent('open', path);
      if (folder.names.has(name)) throw systemError('EEXIST', 'open', path);
      const empty = new Uint8Array(0);
      folder.names.set(name, { kind: 'file', ino: this.#ino(), bytes: empty, synced: empty });
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
    source.folder.names.delete(source.name);
    target.folder.names.set(target.name, node);
  }

  async link(existing: string, name: string): Promise<void> {
    this.#change('link', name);
    const node = this.#find('link', existing);
    const target = this.#parent('link', name);
    if (target.folder.names.has(target.name)) throw systemError('EEXIST', 'link', name);
    target.folder.names.set(target.name, node);
  }

  async unlink(path: string): Promise<void> {
    this.#change('unlink', path);
    if (this.#find('unlink', path).kind === 'folder') throw systemError('EISDIR', 'unlink', path);
    const { folder, name } = this.#parent('unlink', path);
    folder.names.delete(name);
  }

  async rmdir(path: string): Promise<void> {
    this.#change('rmdir', path);
    const node = this.#find('rmdir', path);
    if (node.kind === 'file') throw systemError('ENOTDIR', 'rmdir', path);
    if (node.names.size > 0) throw systemError('ENOTEMPTY', 'rmdir', path);
    const { folder, name } = this.#parent('rmdir', path);
    folder.names.delete(name);
  }

  /** Makes the folders above it too, as the real one does. */
  async mkdir(path: string): Promise<void> {
    this.#change('mkdir', path);
    let folder = this.#root;
    for (const name of path.split(sep).filter((part) => part !== '')) {
      const next = folder.names.get(name) ?? this.#folder();
      if (next.kind === 'file') throw systemError('EEXIST', 'mkdir', path);
      folder.names.set(name, next);
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

  async syncDirectory(path: string): Promise<void> {
    this.#change('syncDirectory', path);
    const node = this.#find('syncDirectory', path);
    if (node.kind === 'file') throw systemError('ENOTDIR', 'syncDirectory', path);
    node.synced = new Map(node.names);
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
        const grown = new Uint8Array(Math.max(file.bytes.length, position + length));
        grown.set(file.bytes);
        grown.set(buffer.subarray(offset, offset + length), position);
        file.bytes = grown;
        return { bytesWritten: length };
      },
      sync: async () => {
        this.#change('sync', path);
        file.synced = file.bytes;
      },
      stat: async () => statOf(file),
      close: async () => undefined,
    };
  }

  #survivor(node: CrashNode, random: SeededRandom, seen: Map<CrashNode, CrashNode>): CrashNode {
    const known = seen.get(node);
    if (known) return known;
    if (node.kind === 'file') {
      const bytes = survivingBytes(node, random);
      const file: CrashFile = { kind: 'file', ino: node.ino, bytes, synced: bytes };
      seen.set(node, file);
      return file;
    }
    const names = new Map<string, CrashNode>();
    for (const name of new Set([...node.synced.keys(), ...node.names.keys()])) {
      const kept = random.integer(2) === 0 ? node.synced.get(name) : node.names.get(name);
      if (kept) names.set(name, this.#survivor(kept, random, seen));
    }
    const folder: CrashFolder = { kind: 'folder', ino: node.ino, names, synced: new Map(names) };
    seen.set(node, folder);
    return folder;
  }

  #folder(): CrashFolder {
    return { kind: 'folder', ino: this.#ino(), names: new Map(), synced: new Map() };
  }

  #ino(): number {
    this.#nodes += 1;
    return this.#nodes;
  }

  #find(call: string, path: string): CrashNode {
    let node: CrashNode = this.#root;
    for (const name of path.split(sep).filter((part) => part !== '')) {
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
    this.#calls += 1;
  }
}

function kindOf(node: CrashNode): { isFile(): boolean; isDirectory(): boolean } {
  return { isFile: () => node.kind === 'file', isDirectory: () => node.kind === 'folder' };
}

function statOf(node: CrashNode): FileStat {
  const size = node.kind === 'file' ? node.bytes.length : 0;
  return { size, mtimeMs: 0, ctimeMs: 0, ino: node.ino, mode: 0o600, ...kindOf(node) };
}

/** Unflushed content may be all there, not there, or there with holes: its length is kept before its bytes. */
function survivingBytes(file: CrashFile, random: SeededRandom): Uint8Array {
  if (file.bytes === file.synced) return file.synced;
  const choice = random.integer(4);
  if (choice === 0) return file.synced;
  if (choice === 1) return file.bytes;
  if (choice === 2) return file.bytes.slice(0, random.integer(file.bytes.length + 1));
  return file.bytes.map((byte) => (random.integer(2) === 0 ? 0 : byte));
}
