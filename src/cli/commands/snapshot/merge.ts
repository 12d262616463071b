import { type Command, Option } from 'commander';
import { EXIT_STATUS } from '../../../errors/codes.ts';
import { isStoreError } from '../../../errors/store-error.ts';
import type { Entries, MergeReport, SnapshotConflict } from '../../../index.ts';
import type { Session } from '../../session.ts';
import { countOf } from '../../text/format-text.ts';
import { usageError } from '../../usage-error.ts';
import { shortId } from './describe.ts';

interface MergeFlags {
  readonly ref?: string;
  readonly message?: string;
  readonly base?: string;
  readonly favour?: 'ours' | 'theirs';
  readonly dryRun?: boolean;
}

/** What moves when no ref is named: ours, where that is the name of one. */
async function refOf(session: Session, entries: Entries, ours: string): Promise<string | undefined> {
  try {
    return (await entries.refs.get(ours, { signal: session.signal }))?.name;
  } catch (error) {
    if (isStoreError(error, 'REF_INVALID')) return undefined;
    throw error;
  }
}

function conflictLine(session: Session, { part, path, reason }: SnapshotConflict): string {
  return `conflict  ${part}  ${session.shown(path) || '.'}  (${reason})`;
}

function describeReport(session: Session, report: MergeReport, ref: string | undefined): string {
  const { outcome, id = '', ours, theirs, conflicts, dryRun } = report;
  const to = ref === undefined ? '' : `  ${session.shown(ref)}`;
  switch (outcome) {
    case 'same':
      return `${id}${to}  (there is nothing to merge: it has all of ${shortId(theirs)})`;
    case 'forward':
      return `${id}${to}  (forward from ${shortId(ours)}${dryRun ? ': would move' : ''})`;
    case 'merged':
      return [
        ...conflicts.map((conflict) => `decided:  ${conflictLine(session, conflict)}`),
        `${id}${to}  (${dryRun ? 'would be ' : ''}merged from ${shortId(ours)} and ${shortId(theirs)})`,
      ].join('\n');
    case 'conflicts':
      return [
        ...conflicts.map((conflict) => conflictLine(session, conflict)),
        `${countOf(conflicts.length, 'conflict', 'conflicts')}: nothing was stored; --favour ours or theirs decides them`,
      ].join('\n');
  }
}

async function merge(session: Session, [ours, theirs]: readonly [string, string], flags: MergeFlags): Promise<void> {
  const { message, base, favour, dryRun = false } = flags;
  await using store = await session.openStore({ readOnly: dryRun });
  const entries = session.entriesOf(store);
  const ref = flags.ref ?? (await refOf(session, entries, ours));
  if (ref === undefined && !dryRun) throw usageError(`${ours} is no ref that could move; name one with --ref NAME`);
  const report = await entries.snapshots.merge(ours, theirs, {
    ...{ ref: dryRun ? undefined : ref, message, base, favour, dryRun, signal: session.signal },
  });
  await session.confirm({ ...report, ref: ref ?? null }, () => describeReport(session, report, ref));
  if (report.outcome === 'conflicts') session.endWith(EXIT_STATUS.conflict);
}

const HELP = `
Both must come from one snapshot by their parents (create --parent); --base names another one. What one side alone
changed is taken; what both changed differently is a conflict: they are listed, nothing is stored, and the exit status
is 4. The merged snapshot has OURS for its parent.

Examples:
  $ holdfast snapshot merge laptop desktop --dry-run
  $ holdfast snapshot merge laptop desktop --favour ours -m 'both machines'`;

/** Defines `holdfast snapshot merge`. */
export function addMerge(group: Command, session: Session): void {
  group
    .command('merge')
    .description('Makes one snapshot of what two made of the one that both come from.')
    .argument('<ours>', 'a snapshot')
    .argument('<theirs>', 'another one')
    .option('--ref <name>', 'what moves to the result (default: OURS, where that is a ref)')
    .option('-m, --message <text>', 'what to say of it in the history')
    .option('--base <address>', 'the snapshot that both come from (default: the best by their parents)')
    .addOption(new Option('--favour <side>', 'who is right in conflicts').choices(['ours', 'theirs']))
    .option('-n, --dry-run', 'only say what would come of it')
    .addHelpText('after', HELP)
    .action((ours: string, theirs: string, flags: MergeFlags) => merge(session, [ours, theirs], flags));
}
