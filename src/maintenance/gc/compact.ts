/**
 * Gives back the space of packs in which enough is dead: what lives of them goes into new packs, one commit says so and
 * that the rest is gone, and only then are their blobs deleted. A pack of which nothing lives is not even read, but for
 * its directory.
 */
import { isStoreError } from '../../errors/store-error.ts';
import type { DirectoryItem } from '../../format/index.ts';
import { PACK_BYTES_TARGET } from '../../limits.ts';
import type { Change, PackRow } from '../../metadata/contract.ts';
import { compactJournalPack, deleteDroppedPacks, type MergeContext, redundancyFor, unlessDamaged } from '../merge.ts';
import { LiveCopy } from './live-copy.ts';

export interface CompactContext extends MergeContext {
  readonly compressionLevel: () => number;
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

type PackCompact = Extract<Change, { type: 'pack-compact' }>;
type DeadItem = PackCompact['dead'][number];

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
  return item.kind !== 'journal';
}

/** @returns `undefined` when the directory of the pack cannot be read */
async function judge(context: CompactContext, row: PackRow): Promise<JudgedPack | undefined> {
  const { packs, metadata, signal } = context;
  const opened = await unlessDamaged(() => packs.open(row, { signal }));
  if (opened === undefined) return undefined;
  const items = opened.items.filter(isNamed);
  const verdicts = await metadata.judgeItems(row.number, items);
  const dead: DeadItem[] = [];
  const living = new Map<string, true | 'doubtful'>();
  for (const [index, item] of items.entries()) {
    const verdict = verdicts[index];
    if (verdict === 'condemned') dead.push({ kind: item.kind, id: item.id });
    else if (verdict !== 'elsewhere') living.set(nameOf(item), verdict === 'doubtful' ? verdict : true);
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

/** Also what bounds the ids of dead items that one commit is given. */
const GROUP_PACKS_MAX = 16;

const NOTHING: CompactStep = {
  ...{ dropped: 0, added: 0, itemsRemoved: 0, bytesFreed: 0, bytesWritten: 0 },
  ...{ damaged: [], revived: [], waiting: false },
};

/** What rides in the journal goes by the rules of that: its records stay. */
async function compactJournal(context: CompactContext, { row, dead }: JudgedPack): Promise<CompactStep> {
  const done = await compactJournalPack(context, row, dead);
  if (done === undefined) return { ...NOTHING, waiting: true };
  return {
    ...NOTHING,
    ...{ dropped: done.dropped, added: done.added + 1, itemsRemoved: dead.length },
    ...{ bytesFreed: row.storedBytes, bytesWritten: done.bytes },
  };
}

/** Compacts packs that go together; see `groupForCompaction`. */
export async function compactGroup(context: CompactContext, group: readonly PackRow[]): Promise<CompactStep> {
  const judged: JudgedPack[] = [];
  const damaged: PackRow[] = [];
  const revived: PackRow[] = [];
  for (const row of group) {
    const found = await judge(context, row);
    if (found === undefined) damaged.push(row);
    else if (found.dead.length === 0 && found.living.size > 0) revived.push(row);
    else judged.push(found);
  }
  const [first] = judged;
  if (!first) return { ...NOTHING, damaged, revived };
  if (first.row.class === 'journal') return await compactJournal(context, first);
  const copied = await copyLiving(context, judged);
  if ('damaged' in copied) return { ...NOTHING, damaged: [...damaged, ...copied.damaged], revived };
  const dead = judged.flatMap((pack) => pack.dead);
  const change: PackCompact = {
    type: 'pack-compact',
    added: copied.added,
    dropped: judged.map(({ row }) => row.id),
    dead,
  };
  try {
    await context.submit([change]);
  } catch (error) {
    if (!isStoreError(error) || !NOTHING_COMMITTED.has(error.kind)) throw error;
    for (const { pack } of change.added) await context.packs.delete(pack);
    if (error.code !== 'PRECONDITION_FAILED') throw error;
    // Somebody moved or needs some of it: it is looked at anew.
    return { ...NOTHING, damaged, revived, waiting: true };
  }
  await deleteDroppedPacks(context);
  const stored = (packs: readonly { readonly storedBytes: number }[]): number =>
    packs.reduce((bytes, { storedBytes }) => bytes + storedBytes, 0);
  return {
    ...{ dropped: judged.length, added: copied.added.length, itemsRemoved: dead.length },
    bytesFreed: stored(judged.map(({ row }) => row)),
    bytesWritten: stored(copied.added.map(({ pack }) => pack)),
    ...{ damaged, revived, waiting: false },
  };
}

const NOTHING_COMMITTED: ReadonlySet<string> = new Set(['conflict', 'exhausted', 'denied']);
const DEFAULT_NAMESPACE = 0;

/** @returns the packs that hold what lives now; or those that cannot be read */
async function copyLiving(
  context: CompactContext,
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
    }
    return await copy.finish();
  });
  if (done) return { added: copy.added };
  for (const { pack } of copy.added) await packs.delete(pack);
  return { damaged: [current] };
}
