import { storeError } from '../../errors/store-error.ts';
import type { Session } from '../session.ts';
import { STDIN_FILE } from './declared-secret.ts';
import { readStdinSecret } from './opening.ts';
import { readPassphraseFile } from './passphrase-file.ts';
import { askNewSecret } from './prompt.ts';

/** Where a passphrase that is to be set comes from. */
export interface NewPassphraseFlags {
  readonly newPassphraseFile?: string;
}

/**
 * A passphrase that is to be set: from a file, else HOLDFAST_NEW_PASSPHRASE, else asked for twice.
 * @throws `denied/KEY_REQUIRED` where nobody can be asked
 */
export async function newPassphrase(session: Session, flags: NewPassphraseFlags): Promise<string> {
  const { newPassphraseFile: file } = flags;
  if (file === STDIN_FILE) return readStdinSecret(session);
  if (file !== undefined) return readPassphraseFile(file);
  const fromEnvironment = process.env.HOLDFAST_NEW_PASSPHRASE;
  if (fromEnvironment) return fromEnvironment;
  const typed = await askNewSecret('New passphrase', session);
  if (typed !== undefined) return typed;
  throw storeError(
    'KEY_REQUIRED',
    'there is no terminal to ask for the new passphrase: give --new-passphrase-file FILE or HOLDFAST_NEW_PASSPHRASE',
  );
}
