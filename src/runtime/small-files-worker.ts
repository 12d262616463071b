/**
 * Reads small files one after the other, in a thread that may wait: each asynchronous call of Node costs more than all of
 * reading a small file that the system has in memory does.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { SMALL_FILE_BYTES_MAX } from '../limits.ts';
import { serveCalls } from './worker-rpc.ts';
import { Transferred } from './worker-wire.ts';

/** Opening a pipe must not wait for its writer. Of no meaning for files, and unknown to Windows. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** @returns its length, or `undefined` for what is to be read in the ordinary way, which tells what is wrong with it */
function readInto(into: Uint8Array, path: string): number | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, OPEN_FLAGS);
    const before = fstatSync(file);
    if (!before.isFile() || before.size > SMALL_FILE_BYTES_MAX) return undefined;
    // One byte more than it has: what grows meanwhile is noticed.
    const length = fill(file, into.subarray(0, before.size + 1));
    const after = fstatSync(file);
    const isUnchanged = length === before.size && after.size === length && after.mtimeMs === before.mtimeMs;
    return isUnchanged ? length : undefined;
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function fill(file: number, into: Uint8Array): number {
  let filled = 0;
  while (filled < into.length) {
    const read = readSync(file, into, filled, into.length - filled, filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

serveCalls(async ({ args }) => {
  const [paths, buffer] = args as [readonly string[], Uint8Array<ArrayBuffer>];
  let end = 0;
  const lengths = paths.map((path) => {
    const length = readInto(buffer.subarray(end), path);
    end += length ?? 0;
    return length;
  });
  return new Transferred({ lengths, buffer }, [buffer.buffer]);
});
