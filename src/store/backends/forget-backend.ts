import { allPacks } from '../../maintenance/all-packs.ts';
import type { Metadata, PackRow } from '../../metadata/contract.ts';
import type { RemoveReport } from './backend-types.ts';

const CHANGES_AT_ONCE = 1000;

/** What would be missing without a backend. */
export async function surveyRemoval(
  metadata: Metadata,
  number: number,
  signal: AbortSignal | undefined,
): Promise<Omit<RemoveReport, 'name'>> {
  let shardsLost = 0;
  let packsLost = 0;
  for await (const pack of allPacks(metadata)) {
    signal?.throwIfAborted();
    const lost = shardsOn(pack, number).length;
    if (lost === 0) continue;
    shardsLost += lost;
    const left = (pack.places ?? []).filter((place) => place !== 0).length - lost;
    if (left < pack.stripe.k) packsLost += 1;
  }
  return { shardsLost, packsLost };
}

/** Tells the metadata that no shard is on a backend any more: packs that had one there are queued for repair. */
export async function forgetBackend(
  metadata: Metadata,
  number: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  let changes: Parameters<Metadata['placeShards']>[0][number][] = [];
  for await (const pack of allPacks(metadata)) {
    signal?.throwIfAborted();
    const { number: packNumber, stripe } = pack;
    for (const index of shardsOn(pack, number)) {
      changes.push({ packNumber, stripeId: stripe.id, index, from: number, to: 0 });
    }
    if (changes.length < CHANGES_AT_ONCE) continue;
    await metadata.placeShards(changes);
    changes = [];
  }
  if (changes.length > 0) await metadata.placeShards(changes);
}

function shardsOn({ places }: PackRow, number: number): readonly number[] {
  return (places ?? []).flatMap((place, index) => (place === number ? [index] : []));
}
