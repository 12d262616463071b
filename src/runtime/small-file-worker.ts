/**
 * Reads small files one after the other, in a thread that may wait: each asynchronous call of Node costs more than all of
 * reading a small file that the system has in memory does.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { NO_FOLLOW, NO_WAIT, nodeStat } from './folder-system.ts';
import type { FileReply, FileRequest } from './small-file-reader.ts';
import { serveCalls } from './worker-rpc.ts';
import { encodeError, Transferred } from './worker-wire.ts';

function readFile({ path, room }: FileRequest, into: Uint8Array): FileReply {
  let file: number | undefined;
  try {
    file = openSync(Buffer.from(path.buffer, path.byteOffset, path.length), constants.O_RDONLY | NO_FOLLOW | NO_WAIT);
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

serveCalls(async ({ args }) => {
  const [requests, buffer] = args as [readonly FileRequest[], Uint8Array<ArrayBuffer>];
  let end = 0;
  const replies = requests.map((request) => {
    const reply = readFile(request, buffer.subarray(end));
    end += reply.length;
    return reply;
  });
  return new Transferred({ replies, buffer }, [buffer.buffer]);
});
