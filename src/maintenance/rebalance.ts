/**
 * Brings what is stored to where, and to the redundancy with which, it would be stored now. Every step stands for
 * itself: who was stopped goes on where it was.
 */
import { toHex } from '../bytes/bytes.ts';
import { formatRedundancy, type Redundancy } from '../erasure/index.ts';
import type { PackRow } from '../metadata/contract.ts';
import type { BackendSet } from '../placement/backend-set.ts';
import { redundancyOf } from '../placement/encode-stripe.ts';
import { allPacks, packNumbered } from './all-packs.ts';
import { type MergeContext, mergePacks } from './merge.ts';
import { moveShards } from './move-shards.ts';
import { planMoves } from './plan-moves.ts';
import { type Problem, ProblemList } from './problems.ts';

/** What was brought to its place, or with a dry run would be. */
export interface RebalanceReport {
  /** `partial`: something could not be moved or written anew; `problems` say what. */
  readonly outcome: 'ok' | 'partial';
  readonly dryRun: boolean;
  /** Packs that were looked at. */
  readonly packs: number;
  /** Shards that moved to another backend, and their bytes. */
  readonly shardsMoved: number;
  readonly bytesMoved: number;
  /** Packs that were written anew with another redundancy, and their bytes. */
  readonly packsRewritten: number;
  readonly bytesRewritten: number;
  /** The first thousand. */
  readonly problems: readonly Problem[];
  readonly problemCount: number;
}

export interface RebalanceJob {
  readonly backends: BackendSet;
  /** What packs should have. */
  readonly redundancy: Redundancy;
  /** Packs that have another redundancy are written anew also where they bear more. Default: only where they bear less. */
  readonly exact?: boolean;
  /** Only packs with a shard on this backend are looked at, and none is written anew. */
  readonly only?: number;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { phase: string; done: number; total?: number; bytes: number }) => void;
}

type Tally = {
  -readonly [name in 'packs' | 'shardsMoved' | 'bytesMoved' | 'packsRewritten' | 'bytesRewritten']: number;
};

/** @throws what no pack is to blame for; the signal's reason */
export async function rebalance(context: MergeContext, job: RebalanceJob): Promise<RebalanceReport> {
  const problems = new ProblemList();
  const tally: Tally = { packs: 0, shardsMoved: 0, bytesMoved: 0, packsRewritten: 0, bytesRewritten: 0 };
  const { packs: total } = await context.metadata.counters();
  for await (const pack of allPacks(context.metadata)) {
    job.signal?.throwIfAborted();
    tally.packs += 1;
    if (job.only === undefined && isToRewrite(pack, job)) await rewrite(context, pack, { job, tally, problems });
    else if (job.only === undefined || pack.places?.includes(job.only))
      await move(context, pack, { job, tally, problems });
    const bytes = tally.bytesMoved + tally.bytesRewritten;
    job.onProgress?.({ phase: 'rebalance', done: tally.packs, total: Math.max(total, tally.packs), bytes });
  }
  return Object.freeze({
    outcome: problems.count > 0 ? 'partial' : 'ok',
    dryRun: job.dryRun === true,
    ...tally,
    problems: Object.freeze([...problems.listed]),
    problemCount: problems.count,
  });
}

/** Whether a pack has another redundancy than it should. */
export function isToRewrite(
  { packBytes, stripe }: Pick<PackRow, 'packBytes' | 'stripe'>,
  { redundancy, exact }: Pick<RebalanceJob, 'redundancy' | 'exact'>,
): boolean {
  if (stripe.m < redundancy.m) return true;
  return exact === true && formatRedundancy(redundancyOf(packBytes, redundancy)) !== formatRedundancy(stripe);
}

interface Work {
  readonly job: RebalanceJob;
  readonly tally: Tally;
  readonly problems: ProblemList;
}

/** Records of a pack go into a new one, which is cut as packs are now; nothing is chunked or compressed again. */
async function rewrite(context: MergeContext, pack: PackRow, { job, tally, problems }: Work): Promise<void> {
  if (!job.dryRun) {
    const done = await mergePacks({ ...context, redundancy: () => job.redundancy }, pack.class, [pack]);
    // Dropped meanwhile: by a merge that wrote what it holds with the redundancy of now.
    if (done === undefined && (await packNumbered(context.metadata, pack.number))) {
      const message = 'a pack could not be written anew: it is damaged, or its key is gone; run `holdfast check`';
      return problems.add({ code: 'PACK_CORRUPT', message });
    }
  }
  tally.packsRewritten += 1;
  tally.bytesRewritten += pack.packBytes;
}

/** A backend that is emptied must not be called empty while something is left on it. */
function tellStuck({ id }: PackRow, stuck: number, { job, problems }: Omit<Work, 'tally'>): void {
  const link = job.backends.find(job.only ?? 0);
  const isThere = link?.backend !== undefined;
  const why = isThere ? 'there is no place for them elsewhere' : 'it cannot be reached';
  problems.add({
    code: isThere ? 'REDUNDANCY_UNMET' : 'BACKEND_UNREACHABLE',
    message: `${stuck} shards of a pack stay on backend ${link?.facts.name ?? job.only}: ${why}`,
    packId: toHex(id),
  });
}

async function move(context: MergeContext, pack: PackRow, { job, tally, problems }: Work): Promise<void> {
  const { places } = pack;
  const moves = planMoves(pack, job.backends, job.only).filter(
    ({ from }) => job.only === undefined || from.facts.number === job.only,
  );
  if (places === undefined) return;
  const stuck = places.filter((place) => place === job.only).length - moves.length;
  if (job.only !== undefined && stuck > 0) tellStuck(pack, stuck, { job, problems });
  if (moves.length === 0) return;
  if (job.dryRun) {
    tally.shardsMoved += moves.length;
    tally.bytesMoved += moves.length * Math.round(pack.storedBytes / places.length);
    return;
  }
  const { signal } = job;
  const moved = await moveShards(context.metadata, { ...pack, places }, { moves, problems, ...(signal && { signal }) });
  tally.shardsMoved += moved.shards;
  tally.bytesMoved += moved.bytes;
}
