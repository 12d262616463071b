import { type FileHandle, open, unlink } from 'node:fs/promises';
import path from 'node:path';
import { fileError } from '../file-error.ts';
import { syncFolder } from './atomic-file.ts';

/** A file of ours that is empty yet, so that nothing is in the way of what it is made for. */
export interface ReservedFile {
  /** Writes it durably; removes it when that fails. To be called once. @throws as `writeSecretFile` */
  write(content: string | Uint8Array): Promise<void>;
  /** Removes it: there is nothing to write. */
  drop(): Promise<void>;
}

/**
 * Makes an empty file that only its owner can read, and never takes one that is there: what is lost by overwriting a
 * key is lost for ever.
 * @throws `invalid/LOCATION_INVALID` when there is something of that name, `denied/PERMISSION_DENIED`,
 *   `exhausted/DISK_FULL`
 */
export async function reserveSecretFile(file: string): Promise<ReservedFile> {
  const handle = await open(file, 'wx', 0o600).catch((error: unknown) => {
    throw fileError(error, file, 'write');
  });
  const drop = async (): Promise<void> => {
    // Half a secret would be taken for a whole one; the failure to tell is the first.
    await unlink(file).catch(() => undefined);
  };
  return {
    async write(content) {
      try {
        await writeAndClose(handle, content);
        await syncFolder(path.dirname(file));
      } catch (error) {
        await drop();
        throw fileError(error, file, 'write');
      }
    },
    async drop() {
      await handle.close();
      await drop();
    },
  };
}

/**
 * Writes a file that only its owner can read, durably, and never over something else.
 * @throws as `reserveSecretFile`
 */
export async function writeSecretFile(file: string, content: string | Uint8Array): Promise<void> {
  const reserved = await reserveSecretFile(file);
  await reserved.write(content);
}

async function writeAndClose(handle: FileHandle, content: string | Uint8Array): Promise<void> {
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
