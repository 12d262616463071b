import { isStoreError } from '../../../errors/store-error.ts';
import type { Identity, IdentityAlgorithm } from '../../../index.ts';
import { writeSecretFile } from '../../files/secret-file.ts';
import { loadLibrary } from '../../library.ts';

/** How a secret can be written. */
export const KEY_FORMS = ['raw', 'hex', 'base64'] as const;
export type KeyForm = (typeof KEY_FORMS)[number];

function written(secret: Uint8Array, form: KeyForm): Buffer {
  const bytes = Buffer.from(secret.buffer, secret.byteOffset, secret.byteLength);
  return form === 'raw' ? bytes : Buffer.from(`${bytes.toString(form)}\n`);
}

/** An identity, or `undefined` for a file that is none and may be a key file. */
async function identityIn(file: string): Promise<Identity | undefined> {
  const { readIdentity } = await loadLibrary();
  try {
    return await readIdentity(file);
  } catch (error) {
    if (isStoreError(error, 'CREDENTIAL_INVALID')) return undefined;
    throw error;
  }
}

/**
 * The secret of a key file or identity in another form.
 * @throws `not-found/CREDENTIAL_NOT_FOUND`, `invalid/CREDENTIAL_INVALID`, `denied/KEY_FILE_EXPOSED`,
 *   `denied/PERMISSION_DENIED`
 */
export async function exportKey(
  file: string,
  form: KeyForm,
): Promise<{ readonly bytes: Buffer; readonly kind: string }> {
  const identity = await identityIn(file);
  if (identity !== undefined) return { bytes: written(identity.seed, form), kind: `identity (${identity.algorithm})` };
  const { readKeyFile } = await loadLibrary();
  return { bytes: written(await readKeyFile(file), form), kind: 'key file' };
}

/**
 * Makes a key file or identity of a secret in any form.
 * @returns the fingerprint of an identity
 * @throws as `exportKey`
 */
export async function importKey(
  kind: 'key-file' | IdentityAlgorithm,
  from: string,
  output: string,
): Promise<string | undefined> {
  const { importSeedFile, readKeyFile, writeIdentity } = await loadLibrary();
  if (kind === 'key-file') {
    await writeSecretFile(output, written(await readKeyFile(from), 'hex'));
    return undefined;
  }
  const identity = await importSeedFile(kind, from);
  await writeIdentity(output, identity);
  return identity.fingerprint;
}
