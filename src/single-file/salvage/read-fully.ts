import type { FileHandle } from '../../runtime/file-system.ts';
import { readAll } from '../../runtime/whole-io.ts';

/** Fills an array with the bytes at a position. @returns false when the file ends before it is full */
export async function fill(file: FileHandle, position: number, bytes: Uint8Array): Promise<boolean> {
  return (await readAll(file, bytes, { position })) === bytes.length;
}

/** Bytes at a position; `undefined` when the file ends before them. */
export async function readFully(file: FileHandle, position: number, length: number): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(length);
  return (await fill(file, position, bytes)) ? bytes : undefined;
}
