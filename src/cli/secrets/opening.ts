import { isStoreError } from '../../errors/store-error.ts';
import type { KeySecret } from '../../index.ts';
import type { Session } from '../session.ts';
import { usageError } from '../usage-error.ts';
import { type DeclaredSecret, declaredSecret, keySecretOf } from './declared-secret.ts';
import { readPassphraseLine } from './passphrase-file.ts';
import { askSecret } from './prompt.ts';

/** The secret that the options of this run or its environment name. @throws a usage error when they name two */
export function declaredIn(session: Session): DeclaredSecret | undefined {
  return declaredSecret(session.options, process.env);
}

/** The first line of standard input; typed, it is asked for like any secret. */
export async function readStdinSecret(session: Session): Promise<string> {
  session.claimStdin('a passphrase');
  if (!process.stdin.isTTY) return readPassphraseLine(process.stdin);
  return (await askSecret('Passphrase', session)) ?? readPassphraseLine(process.stdin);
}

/** What is declared to open the store, as the library takes it. @throws a usage error for a credential */
export async function declaredKeys(session: Session): Promise<KeySecret | undefined> {
  const declared = declaredIn(session);
  if (declared === undefined) return undefined;
  if (declared.kind === 'credential') {
    throw usageError('a put-only credential puts and does nothing else; this takes what opens the store');
  }
  return keySecretOf(declared, () => readStdinSecret(session));
}

/**
 * Opens something of a store with what is declared to open it. Where nothing is and the store turns out to be sealed,
 * whoever sits at the terminal is asked, once; a plain store asks nothing.
 * @param open called again only after `denied/KEY_REQUIRED`
 */
export async function openWithKeys<T>(session: Session, open: (keys: { keys?: KeySecret }) => Promise<T>): Promise<T> {
  const declared = await declaredKeys(session);
  if (declared !== undefined) return open({ keys: declared });
  try {
    return await open({});
  } catch (error) {
    if (!isStoreError(error, 'KEY_REQUIRED')) throw error;
    const passphrase = await askSecret('Passphrase of the store', session);
    if (passphrase === undefined) throw error;
    return open({ keys: { passphrase } });
  }
}
