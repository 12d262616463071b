/**
 * Signatures over short texts, a root or a digest: one small JSON document that is verified offline with nothing but
 * the signer's public line. Layout in `docs/format.md`, section "Files of keys".
 *
 * What is signed begins with a constant line, so that no signature of this kind is one of another protocol's, and goes
 * on with a CBOR array: no two triples of algorithm, context and text have the same bytes.
 */

import { z } from 'zod';
import { fromBase64, toBase64 } from '../bytes/base64.ts';
import { concatBytes, utf8Encode } from '../bytes/bytes.ts';
import { createSigner, type SignatureAlgorithm, verifySignature } from '../crypto/signature.ts';
import { argumentTypeError } from '../errors/argument-error.ts';
import { encodeCbor } from '../format/cbor.ts';
import { wipe } from './conceal.ts';
import { credentialError } from './credential-error.ts';
import type { Identity } from './identity.ts';
import { formatDocument, parseDocument } from './json-document.ts';
import { type PublicIdentity, parsePublicIdentity, publicIdentity } from './public-identity.ts';

const TYPE = 'holdfast signature';
const VERSION = 1;
const WHAT = 'a signature';
const DOMAIN = 'holdfast signature v1\n';

/** What a signature document says; believed only after `verifySignatureDocument`. */
export interface SignatureFacts {
  readonly algorithm: SignatureAlgorithm;
  /** Fingerprint of the signer's public key. */
  readonly signer: string;
  /** What the signature is for; empty when nothing was said. */
  readonly context: string;
  /** The text that was signed, as a root or digest. */
  readonly text: string;
}

const documentSchema = z.strictObject({
  type: z.literal(TYPE),
  version: z.literal(VERSION),
  algorithm: z.enum(['ml-dsa-87', 'ed25519']),
  signer: z.string().regex(/^[0-9a-f]{32}$/),
  context: z.string(),
  text: z.string(),
  signature: z.string(),
});

/**
 * Signs a root, a digest or another short text.
 * @param identity one that signs: ML-DSA-87 or Ed25519
 * @param text kept in the document as it is
 * @param context what the signature is for, so that it is good for nothing else; default nothing
 * @returns the document, JSON; not secret
 * @throws `invalid/CREDENTIAL_INVALID` for an identity that opens stores and signs nothing
 * @see FIPS 204, section 5.2; RFC 8032, section 5.1.6
 */
export function signRoot(identity: Identity, text: string, context = ''): string {
  const algorithm = signingAlgorithm(identity);
  const facts = { algorithm, signer: identity.fingerprint, context, text };
  const bytes = signedBytes(facts);
  const { seed } = identity;
  const signer = createSigner(algorithm, seed);
  wipe(seed);
  const signature = signer.sign(bytes);
  return formatDocument({ type: TYPE, version: VERSION, ...facts, signature: toBase64(signature) });
}

/**
 * What a signature document says. Nothing of it is verified.
 * @throws `invalid/CREDENTIAL_INVALID`, `unsupported/FORMAT_UNSUPPORTED` for another version
 */
export function parseSignatureDocument(document: string | Uint8Array): SignatureFacts {
  const { algorithm, signer, context, text } = parseDocument(document, documentSchema, WHAT);
  return { algorithm, signer, context, text };
}

/**
 * Verifies a signature document, offline.
 * @param expected who must have signed (the line of a signer, or parsed), which text, and for what (default nothing)
 * @returns whether that signer signed that text for that context
 * @throws `invalid/CREDENTIAL_INVALID` when document or signer cannot be read
 * @see FIPS 204, section 5.3; RFC 8032, section 5.1.7
 */
export function verifySignatureDocument(
  document: string | Uint8Array,
  expected: { readonly signer: string | PublicIdentity; readonly text: string; readonly context?: string },
): boolean {
  const { signer: given, text, context = '' } = expected;
  const signer =
    typeof given === 'string' ? parsePublicIdentity(given) : publicIdentity(given.algorithm, given.publicKey);
  const algorithm = signingAlgorithm(signer);
  const facts = parseDocument(document, documentSchema, WHAT);
  const signature = fromBase64(facts.signature);
  if (!signature) throw credentialError(WHAT, 'wrong or missing: signature');
  const says = facts.algorithm === algorithm && facts.signer === signer.fingerprint;
  if (!says || facts.text !== text || facts.context !== context) return false;
  const bytes = signedBytes({ algorithm, signer: signer.fingerprint, context, text });
  return verifySignature({ algorithm, publicKey: signer.publicKey }, bytes, signature);
}

function signingAlgorithm(identity: PublicIdentity): SignatureAlgorithm {
  const { algorithm } = identity;
  if (algorithm !== 'ml-kem-1024') return algorithm;
  throw credentialError('an identity that signs', 'it opens stores', { actual: algorithm });
}

function signedBytes(facts: SignatureFacts): Uint8Array {
  const { algorithm, signer, context, text } = facts;
  if (typeof text !== 'string' || !text.isWellFormed()) throw argumentTypeError('text', 'text', text);
  if (typeof context !== 'string' || !context.isWellFormed()) throw argumentTypeError('context', 'text', context);
  return concatBytes([utf8Encode(DOMAIN), encodeCbor([algorithm, signer, context, text])]);
}
