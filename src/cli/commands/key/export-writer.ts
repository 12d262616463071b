import { isStoreError } from '../../../errors/store-error.ts';
import type { Store } from '../../../index.ts';
import type { ReservedFile } from '../../files/secret-file.ts';
import { loadLibrary } from '../../library.ts';

/** Who is let in. */
interface NewWriter {
  readonly label: string;
  readonly namespace?: string;
  readonly signal?: AbortSignal;
}

type WriterKeys = Pick<Store['keys'], 'exportWriter' | 'removeWriter'>;

/**
 * Lets a writer in and writes its credential, which is nowhere else: when that fails nobody has it, and the writer is
 * taken out again.
 * @param onLeft told when the writer could not be taken out
 * @throws what making the credential and writing it throw
 */
export async function exportWriterTo(
  file: ReservedFile,
  parts: { readonly keys: WriterKeys; readonly onLeft: () => void },
  writer: NewWriter,
): Promise<void> {
  const { keys, onLeft } = parts;
  const credential = await keys.exportWriter(writer).catch(async (error: unknown) => {
    await file.drop();
    throw error;
  });
  try {
    await file.write(credential);
  } catch (error) {
    if (!(await takeOut(keys, credential))) onLeft();
    throw error;
  }
}

/** @returns false when it cannot be done */
async function takeOut(keys: WriterKeys, credential: string): Promise<boolean> {
  const { importSeed, parseWriterCredential } = await loadLibrary();
  const { signingSeed } = parseWriterCredential(credential);
  try {
    await keys.removeWriter(importSeed('ed25519', signingSeed).fingerprint);
    return true;
  } catch (error) {
    // The caller is to learn why the credential could not be written.
    if (isStoreError(error)) return false;
    throw error;
  } finally {
    signingSeed.fill(0);
  }
}
