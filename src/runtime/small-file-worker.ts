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
import { serveCalls } from './worker-rpc.ts';
import { encodeError, Transferred } from './worker-wire.ts';

/** Paths cross as text of one character per byte. */
function nativePath(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}

function readFile({ path, room }: ReadRequest, into: Uint8Array): ReadReply {
  let file: number | undefined;
  try {
    file = openSync(nativePath(path), constants.O_RDONLY | NO_FOLLOW | NO_WAIT);
    const before = nodeStat(fstatSync(file, { bigint: true }));
    const length = fill(file, into.subarray(0, room));
    return { length, before, after: nodeStat(fstatSync(file, { bigint: true })) };
  } catch (error) {
    return { length: 0, error: encodeError(error) };
  } finally {
    if (file !== undefined) closeSync(file);
  }
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

function writeFile(request: WriteRequest, bytes: Uint8Array): WriteReply {
  const temporary = nativePath(request.temporary);
  let made = false;
  try {
    const file = openSync(temporary, 'wx', 0o600);
    made = true;
    try {
      writeFacts(file, request, bytes);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, nativePath(request.path));
    return undefined;
  } catch (error) {
    if (made) removeIfThere(temporary);
    return { error: encodeError(error) };
  }
}

function writeFacts(file: number, { mode, mtimeNs, sync }: WriteRequest, bytes: Uint8Array): void {
  let written = 0;
  // The system may take less than it is given, as at the edge of a full disk: what is left is offered again.
  while (written < bytes.length) written += writeSync(file, bytes, written, bytes.length - written, written);
  // The mode after the content, as writing takes setuid away; a file that nobody may read stays so for all its life.
  const time = secondsText(mtimeNs);
  futimesSync(file, time, time);
  fchmodSync(file, mode);
  if (sync) fsyncSync(file);
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
  const buffer = args[1] as Uint8Array<ArrayBuffer>;
  let end = 0;
  if (method === 'read') {
    const replies = (args[0] as readonly ReadRequest[]).map((request) => {
      const reply = readFile(request, buffer.subarray(end));
      end += reply.length;
      return reply;
    });
    return new Transferred({ replies, buffer }, [buffer.buffer]);
  }
  const replies = (args[0] as readonly WriteRequest[]).map((request) => {
    const bytes = buffer.subarray(end, end + request.length);
    end += request.length;
    return writeFile(request, bytes);
  });
  return new Transferred({ replies, buffer }, [buffer.buffer]);
});
