import { z } from 'zod';
import { toBase64 } from '../bytes/base64.ts';
import { utf8Encode } from '../bytes/bytes.ts';
import { checkKemPublicKey, KEM_PUBLIC_KEY_BYTES } from '../crypto/kem.ts';
import { isKeyLabel } from '../format/config-keys.ts';
import { EPOCH_NUMBER_MAX, ISOLATED_NAMESPACE_MIN } from '../limits.ts';
import { base64Bytes } from './base64-schema.ts';
import { conceal, wipe } from './conceal.ts';
import { credentialError } from './credential-error.ts';
import { formatDocument, parseDocument } from './json-document.ts';
import { KEY_BYTES } from './key-file.ts';
import { isNamespaceName } from './namespace-name.ts';
import { WRITER_TYPE } from './refuse-writer.ts';
import { createSecretFile, parseSecretFile, type SecretFileOptions } from './secret-file.ts';

const VERSION = 1;
const WHAT = 'a writer credential';

/**
 * What a put-only writer has: enough to make content findable for those who hold the keys, and to sign it. It opens
 * nothing. Whoever has it can tell whether given content is in the namespace, because ids follow from the id key.
 */
export interface WriterCredential {
  /** 16 bytes in lower-case hex. */
  readonly storeId: string;
  readonly namespace: number;
  readonly namespaceName: string;
  /** Key epoch of `publicKey`. Older ones stay good until the store forgets the epoch. */
  readonly epoch: number;
  /** ML-KEM-1024 encapsulation key of the namespace in that epoch: what is left is sealed for its holder. */
  readonly publicKey: Uint8Array;
  /** 32 bytes: makes ids of plain digests. Secret. */
  readonly idKey: Uint8Array;
  /** u64, XORed into the chunker's table. Secret. */
  readonly chunkerSeed: bigint;
  /** How content is cut, in the text form of the chunking module. */
  readonly chunking: string;
  readonly label: string;
  /** Ed25519, 32 bytes: signs what is left. Secret. */
  readonly signingSeed: Uint8Array;
}

const SEED_BYTES = 8;

const credentialSchema = z.strictObject({
  type: z.literal(WRITER_TYPE),
  version: z.literal(VERSION),
  storeId: z.string().regex(/^[0-9a-f]{32}$/),
  namespace: z
    .int()
    .min(0)
    .max(ISOLATED_NAMESPACE_MIN - 1),
  namespaceName: z.string().refine(isNamespaceName),
  epoch: z.int().min(1).max(EPOCH_NUMBER_MAX),
  publicKey: base64Bytes(KEM_PUBLIC_KEY_BYTES),
  idKey: base64Bytes(KEY_BYTES),
  chunkerSeed: z.string().regex(/^[0-9a-f]{16}$/),
  chunking: z.string().min(1).max(256),
  label: z.string().refine(isKeyLabel),
  signingSeed: base64Bytes(KEY_BYTES),
});

/** The text form of a credential, one JSON document. As secret as the credential. */
export function formatWriterCredential(credential: WriterCredential): string {
  const { chunkerSeed, publicKey, idKey, signingSeed, storeId, namespace, namespaceName, epoch } = credential;
  return formatDocument({
    type: WRITER_TYPE,
    version: VERSION,
    storeId,
    namespace,
    namespaceName,
    epoch,
    publicKey: toBase64(publicKey),
    idKey: toBase64(idKey),
    chunkerSeed: chunkerSeed.toString(16).padStart(2 * SEED_BYTES, '0'),
    chunking: credential.chunking,
    label: credential.label,
    signingSeed: toBase64(signingSeed),
  });
}

/**
 * Reads the text form of a credential. Shows nothing secret when it is logged or made JSON.
 * @throws `invalid/CREDENTIAL_INVALID`, `unsupported/FORMAT_UNSUPPORTED` for another version
 */
export function parseWriterCredential(document: string | Uint8Array): WriterCredential {
  const { type: _type, version: _version, ...parts } = parseDocument(document, credentialSchema, WHAT);
  checkKemPublicKey(parts.publicKey);
  return concealCredential({ ...parts, chunkerSeed: BigInt(`0x${parts.chunkerSeed}`) });
}

/**
 * Checks what a caller passes as a credential.
 * @returns a copy
 * @throws `invalid/CREDENTIAL_INVALID`
 */
export function checkWriterCredential(given: object): WriterCredential {
  let document: string;
  try {
    document = formatWriterCredential(given as WriterCredential);
  } catch (error) {
    // Members that are not there, or no bytes; the message would show them.
    if (error instanceof TypeError) throw credentialError(WHAT, 'its members are wrong or missing');
    throw error;
  }
  return parseWriterCredential(document);
}

/** Keeps a credential out of logs. */
export function concealCredential(credential: WriterCredential): WriterCredential {
  return conceal(credential, `[WriterCredential ${credential.storeId}]`);
}

/** Overwrites what is secret in a credential. */
export function wipeWriterCredential({ idKey, signingSeed }: WriterCredential): void {
  wipe(idKey, signingSeed);
}

/**
 * Reads a credential file.
 * @throws `not-found/CREDENTIAL_NOT_FOUND`, `invalid/CREDENTIAL_INVALID`, `denied/KEY_FILE_EXPOSED`,
 *   `denied/PERMISSION_DENIED`
 */
export function readWriterCredential(path: string, options: SecretFileOptions = {}): Promise<WriterCredential> {
  return parseSecretFile(path, { what: WHAT, parse: parseWriterCredential }, options);
}

/**
 * Writes a credential to a file of its own: mode 0600, durable, never over something else.
 * @throws `invalid/LOCATION_INVALID` when there is something at the path; `denied/PERMISSION_DENIED`
 */
export async function writeWriterCredential(
  path: string,
  credential: WriterCredential,
  options: SecretFileOptions = {},
): Promise<void> {
  const bytes = utf8Encode(formatWriterCredential(credential));
  try {
    await createSecretFile(path, bytes, options);
  } finally {
    wipe(bytes);
  }
}
