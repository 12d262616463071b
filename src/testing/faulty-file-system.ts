import { relative } from 'node:path';
import type { FileHandle, FileSystem } from '../runtime/file-system.ts';
import { FaultSchedule, type FaultTiming } from './fault-schedule.ts';

/** Calls that can be made to fail; those of a handle are named after what they do to its file. */
export type FileSystemCall =
  | Exclude<keyof FileSystem, 'stat'>
  | 'stat'
  | 'read'
  | 'write'
  | 'sync'
  | 'handleStat'
  | 'close';

/** Which calls fail, and how. */
export interface FileSystemFault extends FaultTiming {
  readonly call: FileSystemCall | 'any';
  /** System code of the error, as `ENOSPC`, `EIO` or `EACCES`. */
  readonly code: string;
  /** Only calls whose path contains this text. Default: all. */
  readonly path?: string;
  /**
   * `after`: the call does its work and fails nevertheless. `torn`: a write does half of it, and everything else none.
   * Default `before`.
   */
  readonly when?: 'before' | 'after' | 'torn';
  /** Told of each call that is hit, as it fails. */
  readonly onHit?: (call: FileSystemCall, path: string) => void;
}

/** A call: its work, what half of it is, and what the trace says beside its path. */
interface Act<T> {
  readonly work: () => Promise<T>;
  readonly torn?: () => Promise<T>;
  readonly extra?: string;
  readonly when?: 'after';
}

/** An error like Node's own of a failed system call. */
export function systemError(code: string, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: injected, ${call} '${path}'`), { code, syscall: call, path });
}

/**
 * A file system that fails on command, writes short, and keeps a trace of every call, so that the order of writes,
 * flushes and renames can be compared with a golden one.
 */
export class FaultyFileSystem implements FileSystem {
  /** Calls so far, as `sync .tmp/name`; paths relative to the base. */
  readonly trace: string[] = [];
  /** Most bytes one write or read takes, to exercise short ones. Default: no bound. */
  transferBytesMax = Number.POSITIVE_INFINITY;
  readonly #inner: FileSystem;
  readonly #base: string;
  readonly #faults = new FaultSchedule<FileSystemFault>();

  /** @param base folder that paths in the trace are relative to */
  constructor(inner: FileSystem, base: string) {
    this.#inner = inner;
    this.#base = base;
  }

  fail(fault: FileSystemFault): void {
    this.#faults.add(fault);
  }

  /** Ends all faults: the disk is well again. */
  heal(): void {
    this.#faults.clear();
  }

  async open(path: string, flags: 'r' | 'wx' | 'r+'): Promise<FileHandle> {
    const work = () => this.#inner.open(path, flags);
    const handle = await this.#call('open', path, { work, extra: flags });
    return this.#handle(handle, path);
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call('rename', from, { work: () => this.#inner.rename(from, to), extra: this.#name(to) });
  }

  link(existing: string, name: string): Promise<void> {
    return this.#call('link', existing, { work: () => this.#inner.link(existing, name), extra: this.#name(name) });
  }

  unlink(path: string): Promise<void> {
    return this.#call('unlink', path, () => this.#inner.unlink(path));
  }

  rmdir(path: string): Promise<void> {
    return this.#call('rmdir', path, () => this.#inner.rmdir(path));
  }

  mkdir(path: string): Promise<void> {
    return this.#call('mkdir', path, () => this.#inner.mkdir(path));
  }

  readdir(path: string): ReturnType<FileSystem['readdir']> {
    return this.#call('readdir', path, () => this.#inner.readdir(path));
  }

  stat(path: string): ReturnType<FileSystem['stat']> {
    return this.#call('stat', path, () => this.#inner.stat(path));
  }

  checkWritable(path: string): Promise<void> {
    return this.#call('checkWritable', path, () => this.#inner.checkWritable(path));
  }

  syncDirectory(path: string): Promise<void> {
    return this.#call('syncDirectory', path, () => this.#inner.syncDirectory(path));
  }

  freeBytes(path: string): Promise<number> {
    return this.#call('freeBytes', path, () => this.#inner.freeBytes(path));
  }

  #handle(handle: FileHandle, path: string): FileHandle {
    const short = (length: number) => Math.min(length, this.transferBytesMax);
    return {
      read: (buffer, offset, length, position) =>
        this.#call('read', path, () => handle.read(buffer, offset, short(length), position)),
      write: (buffer, offset, length, position) =>
        this.#call('write', path, {
          work: () => handle.write(buffer, offset, short(length), position),
          torn: () => handle.write(buffer, offset, length >> 1, position),
        }),
      sync: () => this.#call('sync', path, () => handle.sync()),
      stat: () => this.#call('handleStat', path, () => handle.stat()),
      // A handle is closed even when its close is to fail, or every such test would leak one.
      close: () => this.#call('close', path, { work: () => handle.close(), when: 'after' }),
    };
  }

  async #call<T>(call: FileSystemCall, path: string, act: (() => Promise<T>) | Act<T>): Promise<T> {
    const { work, extra, torn, when: forced }: Act<T> = typeof act === 'function' ? { work: act } : act;
    this.trace.push([call, this.#name(path), ...(extra === undefined ? [] : [extra])].join(' '));
    const isAbout = (due: FileSystemFault) =>
      (due.call === call || due.call === 'any') && path.includes(due.path ?? '');
    const fault = this.#faults.due(isAbout);
    if (fault === undefined) return await work();
    const when = forced ?? fault.when ?? 'before';
    if (when === 'after') await work();
    else if (when === 'torn') await torn?.();
    fault.onHit?.(call, path);
    throw systemError(fault.code, call, path);
  }

  #name(path: string): string {
    return relative(this.#base, path) || '.';
  }
}
