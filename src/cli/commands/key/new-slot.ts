import { namingFile } from '../../../errors/naming-file.ts';
import type { NewSlot } from '../../../index.ts';
import { readText } from '../../files/read-text.ts';
import { loadLibrary } from '../../library.ts';
import { type NewPassphraseFlags, newPassphrase } from '../../secrets/new-secret.ts';
import type { Session } from '../../session.ts';
import { usageError } from '../../usage-error.ts';

/** What can open a slot, as the command line calls it. */
export const SLOT_KINDS = ['passphrase', 'key-file', 'recipient'] as const;
export type SlotKind = (typeof SLOT_KINDS)[number];

/**
 * The public line that was typed, or that stands in the file of that name.
 * @throws `not-found/SOURCE_NOT_FOUND`, `invalid/CREDENTIAL_INVALID` when it is none
 */
export async function publicLineOf(typed: string): Promise<string> {
  const { parsePublicIdentity } = await loadLibrary();
  const isLine = /^holdfast-\S+ /.test(typed);
  const line = isLine ? typed : await readText(typed);
  try {
    parsePublicIdentity(line);
  } catch (error) {
    throw isLine ? error : namingFile(error, typed);
  }
  return line;
}

/** The slot that is to be added. @throws a usage error where a file is missing or one too many */
export async function newSlotOf(
  session: Session,
  typed: { readonly kind: SlotKind; readonly value: string | undefined },
  flags: NewPassphraseFlags,
): Promise<NewSlot> {
  const { kind, value } = typed;
  if (kind === 'passphrase') {
    if (value !== undefined) throw usageError('a passphrase is no argument: everybody on this machine could read it');
    return { passphrase: await newPassphrase(session, flags) };
  }
  if (value === undefined) throw usageError(`name the ${kind === 'recipient' ? 'recipient' : 'key file'}`);
  return kind === 'key-file' ? { keyFile: value } : { recipient: await publicLineOf(value) };
}
