/** What becomes of one name in a three-way merge of trees, folders apart, which are entered. */

import { sameJson } from './canonical-json.ts';
import type { EntryChild, FileChild, FolderChild, LinkChild, TreeChild } from './types.ts';

/**
 * Why one name could not be merged.
 * - `removed`: one side removed what the other changed; the changed one is kept
 * - `added`: both added something, not the same; that of `ours` is kept
 * - `type`: both changed it into two types; that of `ours` is kept
 * - `content`: both changed what is kept there, differently; that of `ours` is kept
 * - `mode`: both changed the mode, differently; that of `ours` is kept
 * - `metadata`: both changed the metadata of a tree, differently; that of `ours` is kept
 */
export type ConflictReason = 'removed' | 'added' | 'type' | 'content' | 'mode' | 'metadata';

/** The three sides of one name. */
export interface Sides {
  readonly base: TreeChild | undefined;
  readonly ours: TreeChild | undefined;
  readonly theirs: TreeChild | undefined;
}

export interface MergedChild {
  readonly child: TreeChild | undefined;
  readonly reasons: readonly ConflictReason[];
}

const NONE: readonly ConflictReason[] = [];

/**
 * Merges one name. Who changed nothing gives way to who did; both doing the same is no conflict. Files changed on both
 * sides are merged by part: what they hold, their mode, their time. A later time wins and is never a conflict.
 */
export function mergeChild({ base, ours, theirs }: Sides): MergedChild {
  if (sameChild(ours, theirs) || sameChild(theirs, base)) return { child: ours, reasons: NONE };
  if (sameChild(ours, base)) return { child: theirs, reasons: NONE };
  if (ours === undefined || theirs === undefined) return { child: ours ?? theirs, reasons: ['removed'] };
  if (ours.type !== theirs.type) return { child: ours, reasons: [base === undefined ? 'added' : 'type'] };
  const reasonForContent = base === undefined ? 'added' : 'content';
  if (ours.type === 'file') return mergeFile(base, ours, theirs as FileChild);
  if (ours.type === 'link') {
    const known = base?.type === 'link' ? base : undefined;
    const target = choose(targetOf(known), targetOf(ours), targetOf(theirs as LinkChild));
    const side = target.theirs ? (theirs as LinkChild) : ours;
    const child = { ...side, mtime: later(ours.mtime, (theirs as LinkChild).mtime) };
    return { child, reasons: target.isConflict ? [reasonForContent] : NONE };
  }
  if (ours.type === 'entry' && sameJson(withoutTime(ours) as never, withoutTime(theirs as EntryChild) as never)) {
    const modified = later(ours.modified, (theirs as EntryChild).modified);
    return { child: { ...ours, modified }, reasons: NONE };
  }
  return { child: ours, reasons: [reasonForContent] };
}

function mergeFile(base: TreeChild | undefined, ours: FileChild, theirs: FileChild): MergedChild {
  const known = base?.type === 'file' ? base : undefined;
  const content = choose(contentOf(known), contentOf(ours), contentOf(theirs));
  const mode = choose(known?.mode, ours.mode, theirs.mode);
  const side = content.theirs ? theirs : ours;
  const reasons: ConflictReason[] = [];
  if (content.isConflict) reasons.push(known === undefined ? 'added' : 'content');
  if (mode.isConflict) reasons.push('mode');
  const child = { ...side, mode: mode.theirs ? theirs.mode : ours.mode, mtime: later(ours.mtime, theirs.mtime) };
  return { child, reasons };
}

/** Mode and time of a folder that both sides have; what it holds is merged by itself. */
export function mergeFolder(base: FolderChild | undefined, ours: FolderChild, theirs: FolderChild): MergedChild {
  const mode = choose(base?.mode, ours.mode, theirs.mode);
  const child = { ...ours, mode: mode.theirs ? theirs.mode : ours.mode, mtime: later(ours.mtime, theirs.mtime) };
  return { child, reasons: mode.isConflict ? ['mode'] : NONE };
}

/** Which of two values to take, and whether both were changed, differently: then that of ours. */
export function choose(
  base: unknown,
  ours: unknown,
  theirs: unknown,
): { readonly theirs: boolean; readonly isConflict: boolean } {
  const [oursChanged, theirsChanged] = [!same(ours, base), !same(theirs, base)];
  return { theirs: theirsChanged && !oursChanged, isConflict: oursChanged && theirsChanged && !same(ours, theirs) };
}

/** What a file holds: its blob, and how that is laid out on a disk. */
function contentOf(file: FileChild | undefined): unknown {
  if (file === undefined) return undefined;
  const { id, size, sparse = null, sameAs = null, sameAsBytes = null } = file;
  return { id, size, sparse, sameAs, sameAsBytes };
}

function targetOf(link: LinkChild | undefined): unknown {
  return link && [link.target, link.targetBytes ?? null];
}

function withoutTime({ modified: _, ...rest }: EntryChild): Omit<EntryChild, 'modified'> {
  return rest;
}

/** Times are text of one length: the later one sorts behind. */
function later(a: string, b: string): string {
  return a < b ? b : a;
}

function sameChild(a: TreeChild | undefined, b: TreeChild | undefined): boolean {
  return same(a, b);
}

function same(a: unknown, b: unknown): boolean {
  return sameJson(a as never, b as never);
}
