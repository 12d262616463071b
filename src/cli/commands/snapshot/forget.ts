import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { RetentionRules, SnapshotForgetReport, Snapshots } from '../../../index.ts';
import { parseCount } from '../../options.ts';
import type { Session } from '../../session.ts';
import { countOf, formatCount, formatTime } from '../../text/format-text.ts';
import { formatTable } from '../../text/table.ts';
import { usageError } from '../../usage-error.ts';
import { shortId } from './describe.ts';

interface ForgetFlags {
  readonly keepLast?: number;
  readonly keepHourly?: number;
  readonly keepDaily?: number;
  readonly keepWeekly?: number;
  readonly keepMonthly?: number;
  readonly keepYearly?: number;
  readonly keepWithin?: string;
  readonly timeZone?: string;
  readonly all?: boolean;
  readonly dryRun?: boolean;
}

const HEADINGS = ['REF', 'NUMBER', 'TIME (UTC)', 'ID', '', 'BECAUSE'];

function rulesOf(flags: ForgetFlags): RetentionRules {
  const rules = {
    ...(flags.keepLast !== undefined && { last: flags.keepLast }),
    ...(flags.keepHourly !== undefined && { hourly: flags.keepHourly }),
    ...(flags.keepDaily !== undefined && { daily: flags.keepDaily }),
    ...(flags.keepWeekly !== undefined && { weekly: flags.keepWeekly }),
    ...(flags.keepMonthly !== undefined && { monthly: flags.keepMonthly }),
    ...(flags.keepYearly !== undefined && { yearly: flags.keepYearly }),
    ...(flags.keepWithin !== undefined && { within: flags.keepWithin }),
  };
  if (Object.keys(rules).length > 0) return rules;
  throw usageError('say what to keep: --keep-last N, --keep-daily N, --keep-within 30d, ...; several add up');
}

async function refsOf(session: Session, snapshots: Snapshots): Promise<readonly string[]> {
  const refs = new Set<string>();
  for await (const { ref } of snapshots.list({ signal: session.signal })) refs.add(ref);
  return [...refs];
}

function describeReport(session: Session, { ref, kept, forgotten, dryRun }: SnapshotForgetReport): string {
  const rows = [
    ...kept.map((info) => ({ ...info, what: 'keep', why: info.reasons.join(', ') })),
    ...forgotten.map((info) => ({ ...info, what: dryRun ? 'would forget' : 'forgotten', why: '' })),
  ].sort((a, b) => b.number - a.number);
  const table = rows.map(({ number, time, id, what, why }) => [
    ...[session.shown(ref), formatCount(number), formatTime(time), shortId(id), what, why],
  ]);
  const verb = dryRun ? 'would forget' : 'forgot';
  const count = countOf(forgotten.length, 'snapshot', 'snapshots');
  return `${formatTable(HEADINGS, table)}\n${session.shown(ref)}: ${verb} ${count}, ${formatCount(kept.length)} kept`;
}

async function forget(session: Session, named: readonly string[], flags: ForgetFlags): Promise<void> {
  if (named.length > 0 === (flags.all === true)) throw usageError('name one or more REFs, or --all for every ref');
  const rules = rulesOf(flags);
  const { dryRun = false, timeZone } = flags;
  await using store = await session.openStore({ readOnly: dryRun });
  const { snapshots } = session.entriesOf(store);
  const refs = flags.all ? await refsOf(session, snapshots) : named;
  const options = { rules, dryRun, signal: session.signal, ...(timeZone !== undefined && { timeZone }) };
  for (const ref of new Set(refs)) {
    const report = await snapshots.forget(ref, options);
    await session.confirm(report, () => describeReport(session, report));
  }
}

function parsePositive(text: string): number {
  const count = parseCount(text);
  if (count === 0) throw new InvalidArgumentError('It must be 1 or more.');
  return count;
}

const HELP = `
A snapshot that any rule keeps is kept; the newest one always is. Counted are hours, days, weeks, months and years in
which there is a snapshot, the newest of each is kept, and times are those the store stamped. Forgotten snapshots can
not be found by their ref any more; what only they hold becomes garbage.

Examples:
  $ holdfast snapshot forget photos --keep-last 3 --keep-within 30d --dry-run
  $ holdfast snapshot forget --all --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --time-zone Europe/Berlin`;

/** Defines `holdfast snapshot forget`. */
export function addForget(group: Command, session: Session): void {
  group
    .command('forget')
    .description('Forgets the snapshots of series that no rule keeps.')
    .argument('[refs...]', 'the series')
    .option('--all', 'every ref that names snapshots')
    .option('--keep-last <count>', 'the newest so many', parsePositive)
    .option('--keep-hourly <count>', 'one of each of the last so many hours', parsePositive)
    .option('--keep-daily <count>', 'one of each of the last so many days', parsePositive)
    .option('--keep-weekly <count>', 'one of each of the last so many weeks (ISO 8601)', parsePositive)
    .option('--keep-monthly <count>', 'one of each of the last so many months', parsePositive)
    .option('--keep-yearly <count>', 'one of each of the last so many years', parsePositive)
    .option('--keep-within <duration>', 'all that are newer than this, such as 2y6m7d3h')
    .option('--time-zone <zone>', 'whose calendar counts, such as Europe/Berlin (default: UTC)')
    .option('-n, --dry-run', 'only say what would be forgotten, and why the others are kept')
    .addHelpText('after', HELP)
    .action((refs: string[], flags: ForgetFlags) => forget(session, refs, flags));
}
