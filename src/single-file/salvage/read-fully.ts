import type { FileHandle } from '../../runtime/file-system.ts';

/** Fills an array with the bytes at a position. @returns false when the file ends before it is full */
export async function fill(file: FileHandle, position: number, bytes: Uint8Array): Promise<boolean> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, position + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}

/** Bytes at a position; `undefined` when the file ends before them. */
export async function readFully(file: FileHandle, position: number, length: number): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(length);
  return (await fill(file, position, bytes)) ? bytes : undefined;
}
