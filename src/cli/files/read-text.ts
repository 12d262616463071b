import { readFile } from 'node:fs/promises';
import { fileError } from '../file-error.ts';

/**
 * A file of the user's as text.
 * @throws `not-found/SOURCE_NOT_FOUND`, `denied/PERMISSION_DENIED`, as `fileError` says
 */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw fileError(error, file, 'read');
  }
}
