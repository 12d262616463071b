import { type BigIntStats, constants, lstat as lstatWithCallback } from 'node:fs';
import * as fs from 'node:fs/promises';
import { writeAll } from './whole-io.ts';

/** What a name in a folder stands for; `special` is a socket, a pipe or a device. */
export type NodeKind = 'file' | 'folder' | 'link' | 'special';

/** What is known of a file, folder or symbolic link without reading it. */
export interface NodeStat {
  readonly kind: NodeKind;
  /** Permission bits with setuid, setgid and sticky: `0o7777`. */
  readonly mode: number;
  readonly size: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly ino: bigint;
  readonly dev: bigint;
  readonly nlink: number;
  /** Bytes that the file takes on its disk; fewer than `size` when it has holes. */
  readonly allocated: number;
}

/** An open file or folder. Unlike a path, it cannot come to mean something else meanwhile. */
export interface NodeHandle {
  /** May be short like the system's own; nothing read is the end. */
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  stat(): Promise<NodeStat>;
  /** Writes all of the bytes. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  truncate(size: number): Promise<void>;
  chmod(mode: number): Promise<void>;
  /** Sets when it was changed and read, as closely as `storableTimeNs` says. */
  setTime(mtimeNs: bigint): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** A file that was read at once. */
export interface WholeFile {
  readonly before: NodeStat;
  readonly after: NodeStat;
  readonly bytes: Uint8Array;
}

/**
 * The seam through which folders of the user's are read and written. Paths are bytes, because not every name is text;
 * nothing here follows a symbolic link at the end of a path. Errors are Node's system errors.
 */
export interface FolderSystem {
  realpath(path: Buffer): Promise<Buffer>;
  /**
   * Names in a folder, in no order, as text of one character per byte: their order is that of the bytes, and 100,000 of
   * them are made, kept and sorted in half the time of buffers.
   */
  readdir(path: Buffer): Promise<string[]>;
  lstat(path: Buffer): Promise<NodeStat>;
  /** `lstat` of many, side by side: for each path what is known, or the system's error. */
  lstatAll(paths: readonly Buffer[]): Promise<(NodeStat | Error)[]>;
  readlink(path: Buffer): Promise<Buffer>;
  /** Makes a file for writing, of mode 0600; fails with `EEXIST` when the name is taken. */
  create(path: Buffer): Promise<NodeHandle>;
  /** Opens a file or folder to read it, to flush it or to set its mode and time. Fails with `ELOOP` for a symbolic link. */
  open(path: Buffer): Promise<NodeHandle>;
  /** Makes one folder; fails with `EEXIST` when the name is taken. */
  mkdir(path: Buffer, mode: number): Promise<void>;
  symlink(target: Buffer, path: Buffer): Promise<void>;
  link(existing: Buffer, path: Buffer): Promise<void>;
  rename(from: Buffer, to: Buffer): Promise<void>;
  unlink(path: Buffer): Promise<void>;
  rmdir(path: Buffer): Promise<void>;
  /** The time of a symbolic link itself. */
  setLinkTime(path: Buffer, mtimeNs: bigint): Promise<void>;
}

const NS_PER_SECOND = 1_000_000_000n;
/** Bytes of the blocks that `stat` counts in, whatever those of the file system are. */
const STAT_BLOCK_BYTES = 512;
/**
 * Measured on 80,000 files with a warm cache: callbacks 0.3 s, promises 0.65 s, `lstatSync` 0.14 s. The last would hold
 * up the process for as long as a slow disk or a network takes.
 */
const LSTAT_PARALLEL = 32;

/** Seconds as decimal text: Node takes a negative number for "now", but not a text. */
export function secondsText(timeNs: bigint): string {
  const positive = timeNs < 0n ? -timeNs : timeNs;
  const fraction = String(positive % NS_PER_SECOND).padStart(9, '0');
  return `${timeNs < 0n ? '-' : ''}${positive / NS_PER_SECOND}.${fraction}`;
}

/**
 * The time that is stored when this one is set. Node hands times to the system as floating-point seconds, which in our
 * century are exact to 238 nanoseconds; whole seconds are exact.
 */
export function storableTimeNs(timeNs: bigint): bigint {
  const seconds = Number(secondsText(timeNs));
  const whole = Math.trunc(seconds);
  return BigInt(whole) * NS_PER_SECOND + BigInt(Math.trunc((seconds - whole) * 1e9));
}

function kindOf(stats: BigIntStats): NodeKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  return stats.isSymbolicLink() ? 'link' : 'special';
}

export function nodeStat(stats: BigIntStats): NodeStat {
  return {
    kind: kindOf(stats),
    mode: Number(stats.mode & 0o7777n),
    size: Number(stats.size),
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    ino: stats.ino,
    dev: stats.dev,
    nlink: Number(stats.nlink),
    allocated: Number(stats.blocks) * STAT_BLOCK_BYTES,
  };
}

function lstatAll(paths: readonly Buffer[]): Promise<(NodeStat | Error)[]> {
  return new Promise((resolve) => {
    const results: (NodeStat | Error)[] = new Array(paths.length);
    let next = 0;
    let done = 0;
    const step = (): void => {
      const index = next;
      const path = paths[index];
      if (path === undefined) return;
      next += 1;
      lstatWithCallback(path, { bigint: true }, (error, stats) => {
        results[index] = error ?? nodeStat(stats);
        done += 1;
        if (done === paths.length) resolve(results);
        else step();
      });
    };
    if (paths.length === 0) resolve(results);
    for (let started = 0; started < LSTAT_PARALLEL; started += 1) step();
  });
}

function nodeHandle(handle: fs.FileHandle): NodeHandle {
  return {
    read: (buffer, offset, length, position) => handle.read(buffer, offset, length, position),
    stat: async () => nodeStat(await handle.stat({ bigint: true })),
    write: (bytes, position) => writeAll(handle, bytes, position),
    truncate: (size) => handle.truncate(size),
    chmod: (mode) => handle.chmod(mode),
    setTime: (mtimeNs) => {
      const text = secondsText(mtimeNs);
      return handle.utimes(text, text);
    },
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

/** Windows has no such flag: there a link is noticed by `lstat` alone. */
export const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;
/** A pipe is opened at once, whether or not anybody writes to it. */
export const NO_WAIT = constants.O_NONBLOCK ?? 0;

/** The real one. */
export const nodeFolderSystem: FolderSystem = {
  realpath: (path) => fs.realpath(path, { encoding: 'buffer' }),
  readdir: (path) => fs.readdir(path, { encoding: 'latin1' }),
  lstat: async (path) => nodeStat(await fs.lstat(path, { bigint: true })),
  lstatAll,
  readlink: (path) => fs.readlink(path, { encoding: 'buffer' }),
  create: async (path) => nodeHandle(await fs.open(path, 'wx', 0o600)),
  // Not waiting: a pipe that somebody put in the place of a file would keep us until somebody writes to it.
  open: async (path) => nodeHandle(await fs.open(path, constants.O_RDONLY | NO_FOLLOW | NO_WAIT)),
  mkdir: (path, mode) => fs.mkdir(path, mode),
  symlink: (target, path) => fs.symlink(target, path),
  link: (existing, path) => fs.link(existing, path),
  rename: (from, to) => fs.rename(from, to),
  unlink: (path) => fs.unlink(path),
  rmdir: (path) => fs.rmdir(path),
  setLinkTime: (path, mtimeNs) => {
    const text = secondsText(mtimeNs);
    return fs.lutimes(path, text, text);
  },
};
