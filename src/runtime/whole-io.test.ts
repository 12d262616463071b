import { expect, it } from 'vitest';
import { readAll, writeAll } from './whole-io.ts';

/** A file in memory that takes and gives three bytes at a time. */
function hesitantFile(content: Uint8Array) {
  const bytes = Buffer.alloc(64);
  bytes.set(content);
  let size = content.length;
  return {
    content: () => bytes.subarray(0, size),
    async read(into: Uint8Array, offset: number, length: number, position: number) {
      const part = bytes.subarray(position, Math.min(position + Math.min(length, 3), size));
      into.set(part, offset);
      return { bytesRead: part.length };
    },
    async write(from: Uint8Array, offset: number, length: number, position: number) {
      const part = from.subarray(offset, offset + Math.min(length, 3));
      bytes.set(part, position);
      size = Math.max(size, position + part.length);
      return { bytesWritten: part.length };
    },
  };
}

it('writes all bytes from a position on, however few the system takes at once', async () => {
  const file = hesitantFile(Buffer.from('0123'));
  await writeAll(file, Buffer.from('abcdefgh'), 2);
  expect(file.content().toString()).toBe('01abcdefgh');
});

it('reads all that was asked for, or up to the end, however little the system gives at once', async () => {
  const file = hesitantFile(Buffer.from('0123456789'));
  const bytes = Buffer.alloc(8);
  expect(await readAll(file, bytes, { position: 1 })).toBe(8);
  expect(bytes.toString()).toBe('12345678');
  expect(await readAll(file, bytes, { position: 5 })).toBe(5);
});

it('fails, rather than trying for ever, where the system takes nothing', async () => {
  const stuck = { write: async () => ({ bytesWritten: 0 }) };
  await expect(writeAll(stuck, Buffer.from('a'))).rejects.toMatchObject({ code: 'INVARIANT_BROKEN' });
});

it('stops between reads when the signal fires', async () => {
  const file = hesitantFile(Buffer.from('0123'));
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(readAll(file, Buffer.alloc(4), { signal })).rejects.toThrow('enough');
});
