import { readFile } from 'node:fs/promises';
import type { NewSlot } from '../../../index.ts';
import { fileError, systemCodeOf } from '../../file-error.ts';
import { type NewPassphraseFlags, newPassphrase } from '../../secrets/new-secret.ts';
import type { Session } from '../../session.ts';
import { usageError } from '../../usage-error.ts';

/** What can open a slot, as the command line calls it. */
export const SLOT_KINDS = ['passphrase', 'key-file', 'recipient'] as const;
export type SlotKind = (typeof SLOT_KINDS)[number];

/** The public line that was typed, or that stands in the file of that name. */
export async function publicLineOf(typed: string): Promise<string> {
  if (/^holdfast-\S+ /.test(typed)) return typed;
  try {
    return await readFile(typed, 'utf8');
  } catch (error) {
    throw systemCodeOf(error) === undefined ? error : fileError(error, typed, 'read');
  }
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
