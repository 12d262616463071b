/** Moves shards from backend to backend: copied and checked, then known at the new place, then deleted at the old one. */
import { isStoreError } from '../errors/store-error.ts';
import { shardKey } from '../format/index.ts';
import type { Metadata, PackRow } from '../metadata/contract.ts';
import { copyShard } from '../placement/copy-shard.ts';
import { lostOn } from '../placement/shard-loss.ts';
import { packNumbered } from './all-packs.ts';
import type { ShardMove } from './plan-moves.ts';
import { isProblem, type ProblemList } from './problems.ts';
import { errorOf } from './shard-store.ts';

/** What moving comes to. */
export interface MovedShards {
  readonly shards: number;
  readonly bytes: number;
}

/**
 * Makes the moves of one pack. Whoever reads meanwhile finds each shard at one place or the other. A move that fails is
 * a problem, and the others go on; one that somebody else made first is none.
 */
export async function moveShards(
  metadata: Metadata,
  pack: PackRow & { readonly places: readonly number[] },
  job: { readonly moves: readonly ShardMove[]; readonly problems: ProblemList; readonly signal?: AbortSignal },
): Promise<MovedShards> {
  let shards = 0;
  let bytes = 0;
  for (const move of job.moves) {
    job.signal?.throwIfAborted();
    try {
      const moved = await moveShard(metadata, pack, { ...job, move });
      shards += moved > 0 ? 1 : 0;
      bytes += moved;
    } catch (error) {
      if (!isProblem(error) && !(isStoreError(error) && error.kind === 'exhausted')) throw error;
      job.problems.add({ code: error.code, message: error.message });
    }
  }
  return { shards, bytes };
}

/** @returns bytes moved */
async function moveShard(
  metadata: Metadata,
  pack: PackRow & { readonly places: readonly number[] },
  {
    move,
    signal,
    problems,
  }: { readonly move: ShardMove; readonly problems: ProblemList; readonly signal?: AbortSignal },
): Promise<number> {
  const { index, from, to } = move;
  const bytes = await copyShard({ stripe: pack, index }, { from, to }, signal);
  const change = { packNumber: pack.number, stripeId: pack.stripe.id, index, from: from.facts.number };
  if (bytes === undefined) {
    problems.addError(errorOf(pack.id, lostOn(from, index, 'missing').loss));
    await metadata.placeShards([{ ...change, to: 0 }]);
    return 0;
  }
  const [isPlaced] = await metadata.placeShards([{ ...change, to: to.facts.number }]);
  // What is not counted on is taken away: the pack was dropped, or somebody else moved the shard.
  const unused = isPlaced ? from : await unusedOf(metadata, pack, move);
  await unused?.call('write', (backend) => backend.delete(shardKey(pack, index)), signal);
  return isPlaced ? bytes : 0;
}

async function unusedOf(
  metadata: Metadata,
  pack: PackRow,
  { index, to }: ShardMove,
): Promise<ShardMove['to'] | undefined> {
  const now = await packNumbered(metadata, pack.number);
  return now?.places?.[index] === to.facts.number ? undefined : to;
}
