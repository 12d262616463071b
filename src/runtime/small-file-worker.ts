/**
 * Reads and writes small files one after the other, in a thread that may wait: each asynchronous call of Node costs more
 * than all of reading a small file that the system has in memory does.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  futimesSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { NO_FOLLOW, NO_WAIT, nodeStat, secondsText } from './folder-system.ts';
import type { ReadReply, ReadRequest } from './small-file-reader.ts';
import type { WriteReply, WriteRequest } from './small-file-writer.ts';
import { STAT_COLUMNS, STAT_PAIR_COLUMNS, writeStat } from './stat-columns.ts';
import { serveCalls } from './worker-rpc.ts';
import { encodeError, Transferred, type WireError } from './worker-wire.ts';

/** Paths cross as text of one character per byte. */
function nativePath(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}

/** @param stats where the facts of before and after go, from `at` on */
function readFile(path: string, into: Uint8Array, { stats, at }: { stats: BigInt64Array; at: number }): number {
  const file = openSync(nativePath(path), constants.O_RDONLY | NO_FOLLOW | NO_WAIT);
  try {
    writeStat(stats, at, nodeStat(fstatSync(file, { bigint: true })));
    const length = fill(file, into);
    writeStat(stats, at + STAT_COLUMNS, nodeStat(fstatSync(file, { bigint: true })));
    return length;
  } finally {
    closeSync(file);
  }
}

function readFiles({ paths, rooms }: ReadRequest, buffer: Uint8Array<ArrayBuffer>): ReadReply {
  const stats = new BigInt64Array(paths.length * STAT_PAIR_COLUMNS);
  const errors = new Map<number, WireError>();
  let end = 0;
  const lengths = paths.map((path, index) => {
    try {
      const length = readFile(path, buffer.subarray(end, end + (rooms[index] ?? 0)), {
        stats,
        at: index * STAT_PAIR_COLUMNS,
      });
      end += length;
      return length;
    } catch (error) {
      errors.set(index, encodeError(error));
      return 0;
    }
  });
  return { lengths, stats, errors, buffer };
}

function fill(file: number, into: Uint8Array): number {
  let filled = 0;
  // There is room for one byte more than the file should have: a read that leaves it empty met the end.
  while (filled < Math.max(1, into.length - 1)) {
    const read = readSync(file, into, filled, into.length - filled, filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

/** What one file is written with. */
interface WrittenFile {
  readonly path: Buffer;
  readonly temporary: Buffer;
  readonly bytes: Uint8Array;
  readonly mode: number;
  readonly mtimeNs: bigint;
  readonly sync: boolean;
}

function writeFiles(request: WriteRequest, buffer: Uint8Array<ArrayBuffer>): WriteReply {
  const errors = new Map<number, WireError>();
  let end = 0;
  for (const [index, path] of request.paths.entries()) {
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    const length = request.lengths[index] as number;
    try {
      writeFile({
        path: nativePath(path),
        temporary: nativePath(`${folder}${request.temporary}-${index}.tmp`),
        bytes: buffer.subarray(end, end + length),
        mode: request.modes[index] as number,
        mtimeNs: request.mtimesNs[index] as bigint,
        sync: request.syncs[index] === 1,
      });
    } catch (error) {
      errors.set(index, encodeError(error));
    }
    end += length;
  }
  return { errors, buffer };
}

function writeFile(written: WrittenFile): void {
  const { path, temporary } = written;
  let made = false;
  try {
    const file = openSync(temporary, 'wx', 0o600);
    made = true;
    try {
      writeFacts(file, written);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    if (made) removeIfThere(temporary);
    throw error;
  }
}

function writeFacts(file: number, { bytes, mode, mtimeNs, sync }: WrittenFile): void {
  let written = 0;
  // The system may take less than it is given, as at the edge of a full disk: what is left is offered again.
  while (written < bytes.length) written += writeSync(file, bytes, written, bytes.length - written, written);
  // The mode after the content, as writing takes setuid away; a file that nobody may read stays so for all its life.
  const time = secondsText(mtimeNs);
  futimesSync(file, time, time);
  fchmodSync(file, mode);
  if (sync) fsyncSync(file);
}

function syncFiles(paths: readonly string[], msMax: number): { tried: number; errors: ReadonlyMap<number, WireError> } {
  const errors = new Map<number, WireError>();
  const until = performance.now() + msMax;
  let tried = 0;
  while (tried < paths.length && (tried === 0 || performance.now() < until)) {
    try {
      const file = openSync(nativePath(paths[tried] as string), constants.O_RDONLY | NO_FOLLOW | NO_WAIT);
      try {
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    } catch (error) {
      errors.set(tried, encodeError(error));
    }
    tried += 1;
  }
  return { tried, errors };
}

/** The failure to tell is the one before; what stays says by its name what it is. */
function removeIfThere(path: Buffer): void {
  try {
    unlinkSync(path);
  } catch {
    // Nothing more can be done about it.
  }
}

serveCalls(async ({ method, args }) => {
  if (method === 'sync') return new Transferred(syncFiles(args[0] as readonly string[], args[1] as number), []);
  const buffer = args[1] as Uint8Array<ArrayBuffer>;
  const reply =
    method === 'read' ? readFiles(args[0] as ReadRequest, buffer) : writeFiles(args[0] as WriteRequest, buffer);
  return new Transferred(reply, [buffer.buffer]);
});
