import type { FileHandle } from '../../runtime/file-system.ts';

/** Bytes at a position; `undefined` when the file ends before them. */
export async function readFully(
  file: FileHandle,
  position: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) return undefined;
    done += bytesRead;
  }
  return bytes;
}
