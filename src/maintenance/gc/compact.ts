/**
 * Gives back the space of packs in which enough is dead: what is dead leaves the state, what lives goes into new packs,
 * a commit says each, and only then are blobs deleted. A pack of which nothing lives is not even read, but for its
 * directory. What rides in the journal leaves the state only: its bytes go when journal packs are merged.
 */
import { isStoreError } from '../../errors/store-error.ts';
import type { DirectoryItem } from '../../format/index.ts';
import { PACK_BYTES_TARGET } from '../../limits.ts';
import type { Change, ChangeOutcome, PackRow } from '../../metadata/contract.ts';
import { discardWhole } from '../../placement/pack-store.ts';
import { deleteDroppedPacks, type MergeContext, redundancyFor, unlessDamaged } from '../merge.ts';
import { inTransactions } from './in-transactions.ts';
import { LiveCopy } from './live-copy.ts';

export interface CompactContext extends MergeContext {
  readonly compressionLevel: () => number;
}

/** What one compaction works with. */
export interface GroupContext extends CompactContext {
  /** See `LiveCopyParts.buffer`. */
  readonly buffer: Uint8Array;
}

/** What the compaction of some packs came to. */
export interface CompactStep {
  readonly dropped: number;
  readonly added: number;
  readonly itemsRemoved: number;
  /** Bytes of the shards of the packs that went, and of those that came. */
  readonly bytesFreed: number;
  readonly bytesWritten: number;
  /** Packs that stay: their directories or what lives of them cannot be read. */
  readonly damaged: readonly PackRow[];
  /** Packs that stay because not enough of them is dead any more. */
  readonly revived: readonly PackRow[];
  /** Packs that stay until nobody can count on what is dead in them. */
  readonly waiting: boolean;
}

type DeadItem = Extract<Change, { type: 'items-remove' }>['items'][number];
type PackMerge = Extract<Change, { type: 'pack-merge' }>;

interface JudgedPack {
  readonly row: PackRow;
  readonly dead: readonly DeadItem[];
  /** Of the items that go over, by name; see `LiveCopy.add`. */
  readonly living: ReadonlyMap<string, true | 'doubtful'>;
}

function nameOf({ ordinal, inner }: DirectoryItem): string {
  return `${ordinal}/${inner}`;
}

function isNamed(item: DirectoryItem): item is DirectoryItem & { readonly kind: 'chunk' | 'manifest' } {
  return item.kind === 'chunk' || item.kind === 'manifest';
}

/** @returns `undefined` when the directory of the pack cannot be read */
async function judge(context: CompactContext, row: PackRow): Promise<JudgedPack | undefined> {
  const { packs, metadata, signal } = context;
  const opened = await unlessDamaged(() => packs.open(row, { signal }));
  if (opened === undefined) return undefined;
  const items = opened.items.filter(isNamed);
  const dead: DeadItem[] = [];
  const living = new Map<string, true | 'doubtful'>();
  for (const some of inTransactions(items)) {
    const verdicts = await metadata.judgeItems(row.number, some);
    for (const [index, item] of some.entries()) {
      const verdict = verdicts[index];
      if (verdict === 'condemned') dead.push({ kind: item.kind, id: item.id });
      else if (verdict !== 'elsewhere') living.set(nameOf(item), verdict === 'doubtful' ? verdict : true);
    }
  }
  return { row, dead, living };
}

/** Packs of one kind whose living parts fit one pack, as they come; each of the journal alone. */
export function groupForCompaction(packs: readonly PackRow[]): readonly (readonly PackRow[])[] {
  const journal = packs.filter((pack) => pack.class === 'journal');
  const others = packs.filter((pack) => pack.class !== 'journal');
  return [...journal.map((pack) => [pack]), ...groupAlike(others)];
}

function groupAlike(packs: readonly PackRow[]): readonly (readonly PackRow[])[] {
  const groups: PackRow[][] = [];
  const alike = Map.groupBy(packs, ({ class: packClass, seal, stripe }) =>
    [packClass, seal?.namespace ?? 0, stripe.m].join('/'),
  );
  for (const same of alike.values()) {
    let group: PackRow[] = [];
    let bytes = 0;
    for (const pack of same) {
      const isFull = bytes + pack.liveBytes > PACK_BYTES_TARGET || group.length === GROUP_PACKS_MAX;
      if (group.length > 0 && isFull) {
        groups.push(group);
        group = [];
        bytes = 0;
      }
      group.push(pack);
      bytes += pack.liveBytes;
    }
    if (group.length > 0) groups.push(group);
  }
  return groups;
}

const GROUP_PACKS_MAX = 16;

const NOTHING: CompactStep = {
  ...{ dropped: 0, added: 0, itemsRemoved: 0, bytesFreed: 0, bytesWritten: 0 },
  ...{ damaged: [], revived: [], waiting: false },
};

/** @returns how many left the state; `undefined` when somebody may count on one of them */
async function removeDead(context: CompactContext, dead: readonly DeadItem[]): Promise<number | undefined> {
  let removed = 0;
  for (const items of inTransactions(dead)) {
    const [outcome] = (await submitUnlessNeeded(context, { type: 'items-remove', items })) ?? [];
    if (outcome === undefined) return undefined;
    removed += outcome.deleted ?? 0;
  }
  return removed;
}

/** @returns `undefined` when somebody moved or needs some of it: nothing was committed */
async function submitUnlessNeeded(
  context: CompactContext,
  change: Change,
): Promise<readonly ChangeOutcome[] | undefined> {
  try {
    return await context.submit([change]);
  } catch (error) {
    if (isStoreError(error, 'PRECONDITION_FAILED')) return undefined;
    throw error;
  }
}

/** Compacts packs that go together; see `groupForCompaction`. */
export async function compactGroup(context: GroupContext, group: readonly PackRow[]): Promise<CompactStep> {
  const judged: JudgedPack[] = [];
  const damaged: PackRow[] = [];
  const revived: PackRow[] = [];
  for (const row of group) {
    const found = await judge(context, row);
    if (found === undefined) damaged.push(row);
    else if (found.dead.length === 0 && found.living.size > 0) revived.push(row);
    else judged.push(found);
  }
  const kept = { ...NOTHING, damaged, revived };
  const itemsRemoved = await removeDead(
    context,
    judged.flatMap(({ dead }) => dead),
  );
  if (itemsRemoved === undefined) return { ...kept, waiting: true };
  const packs = judged.filter(({ row }) => row.class !== 'journal');
  if (packs.length === 0) return { ...kept, itemsRemoved };
  const copied = await copyLiving(context, packs);
  if ('damaged' in copied) return { ...kept, itemsRemoved, damaged: [...damaged, ...copied.damaged] };
  const { added } = copied;
  const change: PackMerge = { type: 'pack-merge', added, dropped: packs.map(({ row }) => row.id) };
  if (!(await commitCopies(context, change))) return { ...kept, itemsRemoved, waiting: true };
  await deleteDroppedPacks(context);
  const stored = (rows: readonly { readonly storedBytes: number }[]): number =>
    rows.reduce((bytes, { storedBytes }) => bytes + storedBytes, 0);
  return {
    ...{ ...kept, dropped: packs.length, added: added.length, itemsRemoved },
    bytesFreed: stored(packs.map(({ row }) => row)),
    bytesWritten: stored(added.map(({ pack }) => pack)),
  };
}

/** Copies that are not committed are nobody's: on a full disk they would only be in the way. */
async function commitCopies(context: CompactContext, change: PackMerge): Promise<boolean> {
  let isCommitted = false;
  try {
    isCommitted = (await submitUnlessNeeded(context, change)) !== undefined;
    return isCommitted;
  } catch (error) {
    isCommitted = !isStoreError(error) || !NOTHING_COMMITTED.has(error.kind);
    throw error;
  } finally {
    if (!isCommitted) for (const { pack } of change.added) await context.packs.delete(pack);
  }
}

const NOTHING_COMMITTED: ReadonlySet<string> = new Set(['conflict', 'exhausted', 'denied']);
const DEFAULT_NAMESPACE = 0;

/** @returns the packs that hold what lives now; or those that cannot be read */
async function copyLiving(
  context: GroupContext,
  judged: readonly JudgedPack[],
): Promise<{ readonly added: LiveCopy['added'] } | { readonly damaged: readonly PackRow[] }> {
  const [first] = judged;
  if (!first || judged.every(({ living }) => living.size === 0)) return { added: [] };
  const { packs, signal } = context;
  const { class: packClass, seal } = first.row;
  const namespace = seal?.namespace ?? DEFAULT_NAMESPACE;
  const redundancy = redundancyFor(
    context,
    judged.map(({ row }) => row),
  );
  const copy = new LiveCopy({
    begin: () => context.newPack(packClass, namespace),
    write: (pack) => packs.write({ ...pack, redundancy }),
    ids: await context.idsOf(namespace),
    compressionLevel: context.compressionLevel(),
    buffer: context.buffer,
  });
  let current = first.row;
  const done = await unlessDamaged(async () => {
    for (const { row, living } of judged) {
      signal.throwIfAborted();
      current = row;
      if (living.size === 0) continue;
      const whole = await packs.openWhole(row, { signal });
      if (whole === undefined) return undefined;
      await copy.add(whole, (item) => living.get(nameOf(item)) ?? false);
      discardWhole(whole);
    }
    return await copy.finish();
  });
  if (done) return { added: copy.added };
  for (const { pack } of copy.added) await packs.delete(pack);
  return { damaged: [current] };
}
