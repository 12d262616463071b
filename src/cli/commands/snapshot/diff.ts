import type { Command } from 'commander';
import type { SnapshotDifference, TreeChild } from '../../../index.ts';
import type { Session } from '../../session.ts';
import { formatBytes } from '../../text/format-bytes.ts';
import { formatCount } from '../../text/format-text.ts';
import { childName } from './describe.ts';

interface DiffFlags {
  readonly stat?: boolean;
  readonly contentOnly?: boolean;
}

function letterOf({ kind, metadataOnly }: SnapshotDifference): 'A' | 'D' | 'T' | 'M' | 'm' {
  if (kind === 'added') return 'A';
  if (kind === 'removed') return 'D';
  if (kind === 'type') return 'T';
  return metadataOnly ? 'm' : 'M';
}

function sizeOf(child: TreeChild | undefined): number | undefined {
  return child && 'size' in child ? child.size : undefined;
}

function sizesText({ before, after }: SnapshotDifference): string {
  const sizes = [before, after].map(sizeOf).filter((size) => size !== undefined);
  return [...new Set(sizes.map(formatBytes))].join(' -> ');
}

function lineOf(session: Session, difference: SnapshotDifference, stat: boolean): string {
  const { path, before, after, fields, metadataOnly } = difference;
  const child = after ?? before;
  const name = child ? childName(session, path, child) : session.shown(path) || '/';
  const what = metadataOnly ? fields.join(', ') : stat ? sizesText(difference) : '';
  return `${letterOf(difference)}  ${name}${what && `  (${what})`}`;
}

async function diff(session: Session, [from, to]: readonly [string, string], flags: DiffFlags): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const counts = { A: 0, D: 0, M: 0, T: 0, m: 0 };
  let [addedBytes, removedBytes] = [0, 0];
  for await (const difference of session.entriesOf(store).snapshots.diff(from, to, { signal: session.signal })) {
    if (flags.contentOnly && difference.metadataOnly) continue;
    counts[letterOf(difference)] += 1;
    if (!difference.metadataOnly) {
      addedBytes += sizeOf(difference.after) ?? 0;
      removedBytes += sizeOf(difference.before) ?? 0;
    }
    await session.result(difference, () => lineOf(session, difference, flags.stat === true));
  }
  if (!flags.stat) return;
  const { A: added, D: removed, M: changed, T: otherType, m: metadataOnly } = counts;
  if (session.options.json) {
    const summary = { added, removed, changed, otherType, metadataOnly, addedBytes, removedBytes };
    session.terminal.note(JSON.stringify({ summary }));
    return;
  }
  const parts = [
    `${formatCount(added)} added`,
    `${formatCount(removed)} removed`,
    `${formatCount(changed)} changed`,
    ...(otherType > 0 ? [`${formatCount(otherType)} of another type`] : []),
    ...(metadataOnly > 0 ? [`${formatCount(metadataOnly)} in metadata only`] : []),
  ];
  await session.conclude(`${parts.join(', ')}: +${formatBytes(addedBytes)} -${formatBytes(removedBytes)}`);
}

const HELP = `
  A  added            M  content changed                   T  another type, such as a link where a file was
  D  removed          m  only time, permissions and such

With --json one object a line: path, kind, fields, metadataOnly, before, after.

Examples:
  $ holdfast snapshot diff photos~1 photos
  $ holdfast snapshot diff laptop@{yesterday}:docs laptop:docs --stat`;

/** Defines `holdfast snapshot diff`. */
export function addDiff(group: Command, session: Session): void {
  group
    .command('diff')
    .description('Tells what differs from one snapshot, or folder of one, to another. Equal parts are not read.')
    .argument('<before>', 'a snapshot, or SNAPSHOT:PATH')
    .argument('<after>', 'another one')
    .option('--stat', 'also sizes, and a summary')
    .option('--content-only', 'not what differs in time, permissions and such alone')
    .addHelpText('after', HELP)
    .action((from: string, to: string, flags: DiffFlags) => diff(session, [from, to], flags));
}
