/**
 * Operations that name keys of a namespace other than the default one, sealed under that namespace's key: what the journal
 * keeps of a namespace is noise once its secret is gone. Layout in `docs/format.md`, section "Scoped operation".
 */

import { BinaryWriter } from '../bytes/binary-writer.ts';
import { utf8Encode } from '../bytes/bytes.ts';
import type { EnvelopeOpener, EnvelopeSealer } from '../crypto/envelope.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';
import { failWith } from './damage.ts';
import { operationFromCbor, operationToCbor } from './operation.ts';
import type { NamespacedOperation, ScopedOperation } from './types.ts';

/** Only records of this version have scoped operations. */
const RECORD_VERSION = 2;
const LABEL = utf8Encode('holdfast scoped operation v1');

function aadOf({ namespace }: Pick<ScopedOperation, 'namespace'>): Uint8Array {
  return new BinaryWriter(LABEL.length + 4).put(LABEL).u32(namespace).bytes;
}

/**
 * Seals an operation for its journal record.
 * @param operation every key in it is a scoped key of the namespace
 * @param seal `sealer` holds `KeySchedule.operationKey(namespace)`
 */
export function sealOperation(
  operation: NamespacedOperation,
  seal: { readonly namespace: number; readonly sealer: EnvelopeSealer },
): ScopedOperation {
  const { namespace, sealer } = seal;
  const encoded = encodeCbor(operationToCbor(operation, { version: RECORD_VERSION, namespace }));
  return { type: 'scoped', namespace, sealed: sealer.seal(encoded, aadOf(seal)) };
}

/**
 * Opens what {@link sealOperation} sealed. Nothing is parsed before it authenticates.
 * @param opener holds `KeySchedule.operationKey(scoped.namespace)`
 * @throws `corrupt/JOURNAL_CORRUPT`, `unsupported/OPERATION_UNSUPPORTED`
 */
export function openOperation(scoped: ScopedOperation, opener: EnvelopeOpener): NamespacedOperation {
  const { namespace } = scoped;
  const fail = failWith('JOURNAL_CORRUPT', 'scoped operation', { namespace });
  const plain = opener.open(scoped.sealed, aadOf(scoped)) ?? fail('does not open under the key of its namespace');
  const place = { version: RECORD_VERSION, namespace };
  // Nothing but operations with keys passes where the namespace is not the default one.
  return operationFromCbor(decodeCbor(plain, fail), place, fail) as NamespacedOperation;
}
