/**
 * Deletes shards of packs that no commit knows: what processes wrote that ended before they said so, and what backends
 * bring back that were away while it was collected. Which session wrote a pack its id says; one that still lives may be
 * about to commit it, and is left alone.
 */
import type { Backend, BlobInfo } from '../../backend/contract.ts';
import { toHex } from '../../bytes/bytes.ts';
import { isStoreError } from '../../errors/store-error.ts';
import { JOURNAL_PREFIX, PACKS_PREFIX, parseShardKey } from '../../format/index.ts';
import type { BackendLink } from '../../placement/backend-link.ts';
import type { BackendSet } from '../../placement/backend-set.ts';
import { JournalAdopter } from '../adopt-journal.ts';
import { type JournalPackName, listJournalPacks, readJournalPack } from '../journal-reader.ts';
import { dropJournal, type MergeContext, unlessDamaged } from '../merge.ts';
import { gonePacks } from '../recover.ts';

export interface LeakedContext extends MergeContext {
  readonly backends: BackendSet;
  /** What every backend holds alike. */
  readonly control: Backend;
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
  if (!dryRun) await adoptJournal(context, isLeft);
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

/**
 * Registers journal packs that somebody wrote who ended before telling of them, as the opening of a store does: from then on
 * merges take them up.
 */
async function adoptJournal(context: LeakedContext, isLeft: IsLeft): Promise<void> {
  const { metadata, packs, control, signal } = context;
  const left: JournalPackName[] = [];
  const names = (await listJournalPacks(control, 0, signal)).map((name) => ({ name, pack: name.id }));
  for await (const { name } of unknownShards(metadata, names, isLeft)) left.push(name);
  const adopter = new JournalAdopter({ metadata, packs, onUnreadable: () => undefined });
  for (const name of left) {
    signal.throwIfAborted();
    // One that is damaged has nothing that is needed: the metadata has its records.
    const pack = await unlessDamaged(() => readJournalPack(packs, name));
    if (!pack) continue;
    await adopter.replayBefore(name.journal.firstCommit);
    await adopter.add(pack);
  }
  await adopter.replayBefore(Number.POSITIVE_INFINITY);
  if (left.length === 0) return;
  // Another process may have registered, merged and deleted one of them meanwhile.
  const gone = await gonePacks({ backend: control, metadata, packs, signal }, new Set());
  for (const row of gone) await dropJournal(context, [row]);
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
  for (const prefix of [PACKS_PREFIX, JOURNAL_PREFIX])
    yield* leakedBeneath({ metadata, signal }, link, { prefix, isLeft });
}

async function* leakedBeneath(
  { metadata, signal }: Pick<LeakedContext, 'metadata' | 'signal'>,
  link: BackendLink,
  { prefix, isLeft }: { readonly prefix: string; readonly isLeft: IsLeft },
): AsyncGenerator<FoundShard> {
  for (let after: string | undefined; ; ) {
    signal.throwIfAborted();
    const query = { prefix, limit: PAGE_BLOBS, ...(after !== undefined && { after }) };
    const page = await link.call('read', (backend) => backend.list(query), signal);
    const shards = page.flatMap((blob): FoundShard[] => {
      const name = parseShardKey(blob.key);
      // A journal pack that is not known may be needed all the same, and its session, though fenced, may yet tell of it. A
      // checkpoint that is not was never finished.
      return name && name.pack.class !== 'journal' ? [{ ...blob, pack: name.pack.id }] : [];
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
