import { equalBytes, toHex } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { shardKey, verifyShard } from '../format/index.ts';
import type { BackendLink } from './backend-link.ts';
import type { PlacedStripe } from './stripe-reader.ts';

/**
 * Copies a shard from one backend to another, after every byte of it was checked against the roots of its stripe.
 * @returns its size in bytes; `undefined` when it is not there
 * @throws `corrupt/SHARD_CORRUPT` with nothing written; what the backends throw
 */
export async function copyShard(
  shard: { readonly stripe: PlacedStripe; readonly index: number },
  move: { readonly from: BackendLink; readonly to: BackendLink },
  signal?: AbortSignal,
): Promise<number | undefined> {
  const { stripe, index } = shard;
  const { from, to } = move;
  const key = shardKey(stripe, index);
  const options = signal && { signal };
  const blob = await from.call('read', (backend) => backend.get(key, options), signal);
  if (blob === undefined) return undefined;
  const { header, roots } = verifyShard(blob);
  if (header.index !== index || !equalBytes(roots, stripe.stripe.roots)) {
    const details = { packId: toHex(stripe.id), backendKey: key, backend: from.facts.name };
    const message = `on ${from.facts.name} there is another shard where shard ${index} of pack ${toHex(stripe.id)} should be`;
    throw storeError('SHARD_CORRUPT', message, { details });
  }
  await to.call('write', (backend) => backend.put(key, blob, options), signal);
  return blob.length;
}
