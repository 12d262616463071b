import type { TreeChild } from '../../../index.ts';
import type { Session } from '../../session.ts';
import { formatBytes } from '../../text/format-bytes.ts';
import { countOf, formatTime } from '../../text/format-text.ts';

/** Enough digits of an id to tell it from others, and to copy. */
export const ID_LENGTH = 12;
/** Widest size that `formatBytes` makes: fixed widths let a list stream and still stand in columns. */
const SIZE_WIDTH = 10;
const PERMISSIONS = 'rwxrwxrwx';
const LETTERS: Readonly<Partial<Record<TreeChild['type'], string>>> = { folder: 'd', link: 'l', file: '-', entry: '-' };

/** Why something was left out on purpose. */
export const SKIP_REASONS: Readonly<Record<string, string>> = {
  excluded: 'excluded',
  special: 'neither file, folder nor link',
  store: 'the store itself',
  'file-system': 'on another file system',
};

export function shortId(id: string): string {
  return id.slice(0, ID_LENGTH);
}

/** What was counted, for people. */
export function describeCounts(counts: {
  readonly files: number;
  readonly folders: number;
  readonly links: number;
}): string {
  const links = counts.links > 0 ? [countOf(counts.links, 'link', 'links')] : [];
  return [countOf(counts.files, 'file', 'files'), countOf(counts.folders, 'folder', 'folders'), ...links].join(', ');
}

/** Permissions as people know them: `drwxr-xr-x`; without bits for what has none. */
export function modeText(child: TreeChild): string {
  const mode = 'mode' in child ? child.mode : undefined;
  const bits = [...PERMISSIONS].map((letter, at) => (((mode ?? 0) >> (8 - at)) & 1 ? letter : '-'));
  const special = [0o4000, 0o2000, 0o1000] as const;
  for (const [index, bit] of special.entries()) {
    if (((mode ?? 0) & bit) === 0) continue;
    const at = index * 3 + 2;
    const letter = index === 2 ? 't' : 's';
    bits[at] = bits[at] === '-' ? letter.toUpperCase() : letter;
  }
  return `${LETTERS[child.type] ?? '?'}${mode === undefined ? '         ' : bits.join('')}`;
}

/** A name in a tree; a folder ends in `/`. */
export function childName(session: Session, path: string, child: TreeChild): string {
  return `${session.shown(path)}${child.type === 'folder' ? '/' : ''}`;
}

/** A name in a tree with what is known of it, in columns. */
export function childLine(session: Session, path: string, child: TreeChild): string {
  const size = 'size' in child ? formatBytes(child.size) : child.type in LETTERS ? '' : child.type;
  const time = 'mtime' in child ? child.mtime : child.type === 'entry' ? child.modified : undefined;
  const columns = [modeText(child), size.padStart(SIZE_WIDTH), time === undefined ? ' '.repeat(19) : formatTime(time)];
  const target = child.type === 'link' ? ` -> ${session.shown(child.target)}` : '';
  const same = child.type === 'file' && child.sameAs !== undefined ? ` = ${session.shown(child.sameAs)}` : '';
  return `${columns.join('  ')}  ${childName(session, path, child)}${target}${same}`;
}
