import { settleAll } from '../runtime/settle-all.ts';
import type { BackendLink } from './backend-link.ts';
import type { BackendSet } from './backend-set.ts';
import { type InspectOptions, inspectShard } from './inspect-shard.ts';
import type { ShardFrame } from './shard-frame.ts';
import { type LossReason, type ShardLoss, ShardLost } from './shard-loss.ts';
import type { PlacedStripe } from './stripe-reader.ts';

/** A shard that is where it should be, and what it should be. */
export interface GoodShard {
  readonly index: number;
  readonly link: BackendLink;
  readonly frame: ShardFrame;
}

/** What became of the shards of a stripe. */
export interface StripeInspection {
  readonly stripe: PlacedStripe;
  readonly good: readonly GoodShard[];
  /** By index; those that lie nowhere are `missing` at place 0. */
  readonly losses: readonly ShardLoss[];
}

/**
 * Looks at every shard of a stripe where its places say, side by side. Keys are not needed.
 * @param stripe its roots are what decides: those of the metadata, or those on which most shards agree
 * @throws what no backend should throw; the signal's reason
 */
export async function inspectStripe(
  backends: BackendSet,
  stripe: PlacedStripe,
  options: InspectOptions,
): Promise<StripeInspection> {
  const good: GoodShard[] = [];
  const losses: ShardLoss[] = [];
  const looks = stripe.places.map(async (place, index) => {
    const link = backends.find(place);
    if (place === 0 || backends.hasLeft(place)) losses.push({ index, place, reason: 'missing' });
    else if (link === undefined) losses.push({ index, place, reason: 'unreachable' });
    else {
      const found = await tryShard({ stripe, index, link }, options);
      if ('frame' in found) good.push({ index, link, frame: found.frame });
      else losses.push(found);
    }
  });
  await settleAll(looks);
  const byIndex = (a: { readonly index: number }, b: { readonly index: number }): number => a.index - b.index;
  return { stripe, good: good.toSorted(byIndex), losses: losses.toSorted(byIndex) };
}

/** What `inspectShard` finds. @throws what no backend should throw; the signal's reason */
export async function tryShard(
  site: Parameters<typeof inspectShard>[0],
  options: InspectOptions,
): Promise<{ readonly frame: ShardFrame } | ShardLoss> {
  try {
    return { frame: await inspectShard(site, options) };
  } catch (error) {
    if (!(error instanceof ShardLost)) throw error;
    return error.loss;
  }
}

/** Losses of a reason. */
export function lossesOf({ losses }: StripeInspection, ...reasons: readonly LossReason[]): readonly ShardLoss[] {
  return losses.filter(({ reason }) => reasons.includes(reason));
}
