/** Signatures of snapshots. An id says all that a snapshot holds: who signs the id signs that. */
import { type Identity, type PublicIdentity, signRoot, verifySignatureDocument } from '../../keys/index.ts';
import { checkId } from '../objects/find-object.ts';

const CONTEXT = 'holdfast snapshot';

function textOf(id: string): string {
  return `snapshot ${checkId(id)}`;
}

/**
 * Signs a snapshot, offline: nothing but its id is needed, and no store is asked.
 * @param id 64 digits of hex
 * @param identity one that signs: ML-DSA-87 or Ed25519
 * @returns a signature document, JSON; not secret
 * @throws `invalid/DIGEST_INVALID`, `invalid/CREDENTIAL_INVALID`
 */
export function signSnapshot(id: string, identity: Identity): string {
  return signRoot(identity, textOf(id), CONTEXT);
}

/**
 * Verifies the signature of a snapshot, offline.
 * @param signer the line of a signer, or parsed
 * @returns whether that signer signed that snapshot
 * @throws `invalid/DIGEST_INVALID`, `invalid/CREDENTIAL_INVALID` when document or signer cannot be read
 */
export function verifySnapshotSignature(
  document: string | Uint8Array,
  signer: string | PublicIdentity,
  id: string,
): boolean {
  return verifySignatureDocument(document, { signer, text: textOf(id), context: CONTEXT });
}
