import { fromBase64 } from '../bytes/base64.ts';
import { copyBytes, fromHex, toHex, utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import type { RandomBytes } from '../runtime/random.ts';
import { wipe } from './conceal.ts';
import { credentialError } from './credential-error.ts';
import { refuseWriterCredential } from './refuse-writer.ts';
import { createSecretFile, parseSecretFile, type SecretFileOptions } from './secret-file.ts';

/** Bytes of the key in a key file, and of every other symmetric key. */
export const KEY_BYTES = 32;

const WHAT = 'a key file';
const SPELLINGS = '32 bytes, or 64 hex digits or base64 of 32 bytes with at most a line end behind them';

/** A fresh key: 32 random bytes. */
export function generateKey(random: RandomBytes): Uint8Array {
  return random(KEY_BYTES);
}

/** What `createKeyFile` writes: 64 hex digits and a line end, for people to print and type. */
export function formatKey(key: Uint8Array): Uint8Array {
  return utf8Encode(`${toHex(key)}\n`);
}

/**
 * Reads a key of 32 bytes: raw, or as text (64 hex digits, or base64 with or without padding, with at most a line end
 * behind it). Exactly 32 bytes are always a raw key.
 * @returns memory of its own
 * @throws `invalid/CREDENTIAL_INVALID`
 */
export function parseKey(bytes: Uint8Array): Uint8Array {
  const key = bytes.length === KEY_BYTES ? copyBytes(bytes) : textKey(bytes);
  if (key?.length === KEY_BYTES) return key;
  throw credentialError(WHAT, `it must hold ${SPELLINGS}, and has ${bytes.length} bytes`, { size: bytes.length });
}

function textKey(bytes: Uint8Array): Uint8Array | undefined {
  // ASCII of any spelling is shorter; more is not worth decoding.
  if (bytes.length > 2 * KEY_BYTES + 2) return undefined;
  const text = asciiLine(bytes);
  if (text === undefined) return undefined;
  if (text.length === 2 * KEY_BYTES) return fromHex(text.toLowerCase());
  return fromBase64(text.length === 43 ? `${text}=` : text);
}

function asciiLine(bytes: Uint8Array): string | undefined {
  if (bytes.some((byte) => byte > 0x7f)) return undefined;
  return utf8Decode(bytes).replace(/\r?\n$/, '');
}

/**
 * Reads a key file.
 * @returns the 32 bytes of its key, to be wiped by the caller
 * @throws `denied/KEY_FILE_EXPOSED`, `not-found/CREDENTIAL_NOT_FOUND`, `invalid/CREDENTIAL_INVALID`,
 *   `denied/PERMISSION_DENIED`, `denied/WRITE_ONLY` for the credential of a put-only writer
 */
export function readKeyFile(path: string, options: SecretFileOptions = {}): Promise<Uint8Array> {
  const parse = (bytes: Uint8Array): Uint8Array => {
    refuseWriterCredential(bytes);
    return parseKey(bytes);
  };
  return parseSecretFile(path, { what: WHAT, parse }, options);
}

/**
 * Makes a key file with a fresh key: mode 0600, durable, never over something else.
 * @throws `invalid/LOCATION_INVALID` when there is something at the path; `denied/PERMISSION_DENIED`
 */
export async function createKeyFile(path: string, random: RandomBytes, options: SecretFileOptions = {}): Promise<void> {
  const key = generateKey(random);
  const bytes = formatKey(key);
  try {
    await createSecretFile(path, bytes, options);
  } finally {
    wipe(key, bytes);
  }
}
