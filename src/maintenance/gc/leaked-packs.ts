/**
 * Deletes shards of packs that no commit knows: what processes wrote that ended before they said so, and what backends
 * bring back that were away while it was collected. Which session wrote a pack its id says; one that still lives may be
 * about to commit it, and is left alone.
 */
import type { Backend, BlobInfo } from '../../backend/contract.ts';
import { equalBytes, toHex } from '../../bytes/bytes.ts';
import { isStoreError } from '../../errors/store-error.ts';
import { JOURNAL_PREFIX, PACKS_PREFIX, parseShardKey, type ShardName } from '../../format/index.ts';
import type { Head, Metadata } from '../../metadata/index.ts';
import type { BackendLink } from '../../placement/backend-link.ts';
import type { BackendSet } from '../../placement/backend-set.ts';
import { listJournalPacks } from '../journal-reader.ts';

export interface LeakedContext {
  readonly metadata: Metadata;
  readonly backends: BackendSet;
  /** What every backend holds alike. */
  readonly control: Backend;
  readonly signal: AbortSignal;
}

export interface DeletedPacks {
  packs: number;
  bytes: number;
  /** Why something was not looked at. */
  readonly left: string[];
}

const PAGE_BLOBS = 1000;
const SESSION_BYTES = 8;

interface FoundShard extends BlobInfo {
  readonly pack: Uint8Array;
}

/**
 * @param which `ended`: only packs of sessions that are known to have ended. `all`: of everybody who is not at work,
 *   provided that all backends and the whole journal are there to tell what is committed
 * @param dryRun only counts
 */
export async function deleteLeaked(
  context: LeakedContext,
  { which, dryRun }: { readonly which: 'ended' | 'all'; readonly dryRun: boolean },
): Promise<DeletedPacks> {
  const deleted: DeletedPacks = { packs: 0, bytes: 0, left: [] };
  const ended = (await context.metadata.listSessions()).filter((session) => session.ended);
  if (which === 'ended' && ended.length === 0) return deleted;
  const missing = await whatIsMissing(context);
  // What a backend that is away says of the journal could make any pack one that is needed.
  if (missing !== undefined) return { ...deleted, left: [missing] };
  const isLeft = which === 'all' ? isOfNobody : isOfEnded;
  const packs = new Set<string>();
  for (const link of context.backends.links) {
    if (link.facts.mode === 'read-only') continue;
    for await (const shard of leakedShards(context, link, isLeft)) {
      packs.add(toHex(shard.pack));
      deleted.bytes += shard.bytes;
      if (!dryRun) await link.call('write', (backend) => backend.delete(shard.key), context.signal);
    }
  }
  deleted.packs = packs.size;
  if (!dryRun) await context.metadata.forgetSessions(ended.map(({ id }) => id));
  return deleted;
}

/** @returns what keeps anybody from knowing all that is committed */
async function whatIsMissing({ metadata, backends, control, signal }: LeakedContext): Promise<string | undefined> {
  const away = backends.links.find((link) => link.backend === undefined || link.health.state === 'down');
  if (away) return `backend ${away.facts.name} cannot be reached: what no commit knows is not looked for`;
  const { commit } = await metadata.head();
  const newer = await listJournalPacks(control, commit, signal);
  const known = newer.length === 0 ? [] : await metadata.knownPacks(newer.map(({ id }) => id));
  if (known.every(Boolean)) return undefined;
  return 'the journal goes on after what the metadata knows: open the store again';
}

type IsLeft = (session: { readonly ended: boolean } | undefined) => boolean;

/** Of no session that is at work. */
export const isOfNobody: IsLeft = (session) => session?.ended !== false;
const isOfEnded: IsLeft = (session) => session?.ended === true;

async function* leakedShards(
  { metadata, signal }: LeakedContext,
  link: BackendLink,
  isLeft: IsLeft,
): AsyncGenerator<FoundShard> {
  const head = await metadata.head();
  for (const prefix of [PACKS_PREFIX, JOURNAL_PREFIX])
    yield* leakedBeneath({ metadata, signal }, link, { prefix, isLeft, head });
}

/**
 * Whether nothing is lost with a pack that no commit knows. The records of a journal pack may be in no other, unless those
 * that are known hold them: then it is what a process wrote that ended before it said so, and another one wrote again. A
 * checkpoint that is not known was never finished.
 */
function isNeedless({ class: packClass, journal }: ShardName['pack'], head: Head): boolean {
  if (packClass !== 'journal' || journal === undefined) return true;
  return journal.lastCommit <= head.flushed && equalBytes(journal.incarnation, head.incarnation);
}

async function* leakedBeneath(
  { metadata, signal }: Pick<LeakedContext, 'metadata' | 'signal'>,
  link: BackendLink,
  { prefix, isLeft, head }: { readonly prefix: string; readonly isLeft: IsLeft; readonly head: Head },
): AsyncGenerator<FoundShard> {
  for (let after: string | undefined; ; ) {
    signal.throwIfAborted();
    const query = { prefix, limit: PAGE_BLOBS, ...(after !== undefined && { after }) };
    const page = await link.call('read', (backend) => backend.list(query), signal);
    const shards = page.flatMap((blob): FoundShard[] => {
      const name = parseShardKey(blob.key);
      return name && isNeedless(name.pack, head) ? [{ ...blob, pack: name.pack.id }] : [];
    });
    yield* unknownShards(metadata, shards, isLeft);
    if (page.length < PAGE_BLOBS) return;
    after = page.at(-1)?.key;
  }
}

/** Those shards of packs that no commit knows, nor ever will. @param isLeft of the session that has written one */
export async function* unknownShards<Shard extends { readonly pack: Uint8Array }>(
  metadata: LeakedContext['metadata'],
  shards: readonly Shard[],
  isLeft: IsLeft,
): AsyncGenerator<Shard> {
  // In this order: a session that has ended by now commits nothing more, so what is not known after that never will be.
  const sessions = new Map((await metadata.listSessions()).map((session) => [toHex(session.id), session]));
  const known = await metadata.knownPacks(shards.map(({ pack }) => pack));
  for (const [index, shard] of shards.entries()) {
    const session = sessions.get(toHex(shard.pack.subarray(0, SESSION_BYTES)));
    if (!known[index] && isLeft(session)) yield shard;
  }
}

/** A backend that failed meanwhile leaves its shards for the next time. */
export function isForLater(error: unknown): boolean {
  return isStoreError(error) && error.kind === 'unavailable';
}
