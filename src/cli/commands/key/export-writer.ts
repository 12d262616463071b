import { isStoreError } from '../../../errors/store-error.ts';
import type { Store } from '../../../index.ts';
import type { ReservedFile } from '../../files/secret-file.ts';

/** Who is let in. */
interface NewWriter {
  readonly label: string;
  readonly namespace?: string;
  readonly signal?: AbortSignal;
}

type WriterKeys = Pick<Store['keys'], 'exportWriter' | 'writers' | 'removeWriter'>;

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
  const { keys } = parts;
  const { known, credential } = await make(keys, writer).catch(async (error: unknown) => {
    await file.drop();
    throw error;
  });
  try {
    await file.write(credential);
  } catch (error) {
    if (!(await takeOut(keys, known, writer))) parts.onLeft();
    throw error;
  }
}

async function make(
  keys: WriterKeys,
  writer: NewWriter,
): Promise<{ readonly known: ReadonlySet<string>; readonly credential: string }> {
  const known = await keys.writers({ ...(writer.signal && { signal: writer.signal }) });
  const credential = await keys.exportWriter(writer);
  return { known: new Set(known.map(({ fingerprint }) => fingerprint)), credential };
}

/** @returns false when it cannot be done, or another process let in somebody of this label in the same moment */
async function takeOut(keys: WriterKeys, known: ReadonlySet<string>, { label }: NewWriter): Promise<boolean> {
  try {
    const all = await keys.writers();
    const [made, ...others] = all.filter((one) => one.label === label && !known.has(one.fingerprint));
    if (made === undefined || others.length > 0) return false;
    await keys.removeWriter(made.fingerprint);
    return true;
  } catch (error) {
    // The caller is to learn why the credential could not be written.
    if (isStoreError(error)) return false;
    throw error;
  }
}
