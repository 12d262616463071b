import { copyBytes, utf8Encode } from '../bytes/bytes.ts';
import { argumentTypeError } from '../errors/argument-error.ts';
import { PASSPHRASE_BYTES_MAX } from '../limits.ts';
import { credentialError } from './credential-error.ts';

/**
 * The bytes a passphrase stands for. Text is prepared as the OpaqueString profile says, so that every keyboard and
 * system gives the same bytes for the same passphrase: other spaces become U+0020, then Unicode normalisation form C.
 * Case, width and spaces at the ends count. Bytes are taken as they are.
 * @returns memory of its own, to be wiped by the caller
 * @throws `invalid/CREDENTIAL_INVALID` when it is empty, too long, or text with half of a surrogate pair
 * @see RFC 8265, section 4.2.2
 */
export function passphraseBytes(passphrase: string | Uint8Array): Uint8Array {
  const bytes = typeof passphrase === 'string' ? textBytes(passphrase) : copied(passphrase);
  if (bytes.length === 0) throw credentialError('a passphrase', 'it is empty');
  if (bytes.length > PASSPHRASE_BYTES_MAX) {
    throw credentialError('a passphrase', `it is longer than ${PASSPHRASE_BYTES_MAX} bytes`);
  }
  return bytes;
}

function textBytes(text: string): Uint8Array {
  if (!text.isWellFormed()) throw credentialError('a passphrase', 'it holds half of a surrogate pair');
  return utf8Encode(text.replace(/\p{Zs}/gu, ' ').normalize('NFC'));
}

function copied(bytes: unknown): Uint8Array {
  // The value itself stays out of the message, whatever it is.
  if (!(bytes instanceof Uint8Array)) throw argumentTypeError('passphrase', 'text or bytes', typeof bytes);
  return copyBytes(bytes);
}
