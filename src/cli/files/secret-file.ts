import { open, unlink } from 'node:fs/promises';
import path from 'node:path';
import { fileError } from '../file-error.ts';
import { syncFolder } from './atomic-file.ts';

/**
 * Writes a file that only its owner can read, durably, and never over something else: what is lost by overwriting a key
 * is lost for ever.
 * @throws `invalid/LOCATION_INVALID` when there is something of that name, `denied/PERMISSION_DENIED`, `exhausted/DISK_FULL`
 */
export async function writeSecretFile(file: string, content: string | Uint8Array): Promise<void> {
  const handle = await open(file, 'wx', 0o600).catch((error: unknown) => {
    throw fileError(error, file, 'write');
  });
  try {
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await syncFolder(path.dirname(file));
  } catch (error) {
    // Half a secret would be taken for a whole one; the failure to tell is the first.
    await unlink(file).catch(() => undefined);
    throw fileError(error, file, 'write');
  }
}
