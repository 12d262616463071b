import type { Command } from 'commander';
import { EXIT_STATUS } from '../../errors/codes.ts';
import { isStoreError } from '../../errors/store-error.ts';
import type { CheckReport, InvariantName, InvariantReport, Store, StoreCheckOptions } from '../../index.ts';
import { loadLibrary } from '../library.ts';
import { followProgress, ProgressMeter } from '../progress/meter.ts';
import type { Session } from '../session.ts';
import { formatBytes } from '../text/format-bytes.ts';
import { countOf, escapeControls, formatCount } from '../text/format-text.ts';
import { problemLines } from '../text/problem-lines.ts';
import { formatTable } from '../text/table.ts';
import { usageError } from '../usage-error.ts';

const STATUS_OF_OUTCOME: Readonly<Record<CheckReport['outcome'], number>> = {
  ok: 0,
  damaged: EXIT_STATUS.corrupt,
  partial: EXIT_STATUS.unavailable,
};

const OUTCOME_SENTENCE: Readonly<Record<CheckReport['outcome'], string>> = {
  ok: 'ok: every reference, count and pack is as it should be',
  damaged: 'DAMAGED',
  partial: 'PARTIAL: something could not be looked at',
};

interface CheckFlags {
  /** `true`: all of them. */
  readonly invariants?: true | readonly string[];
  readonly listInvariants?: boolean;
}

function describeCheck(report: CheckReport): string {
  const looked = [
    countOf(report.entries, 'entry', 'entries'),
    ...(report.versions > 0 ? [countOf(report.versions, 'earlier version', 'earlier versions')] : []),
    ...(report.objects > 0 ? [countOf(report.objects, 'object', 'objects')] : []),
    countOf(report.chunks, 'chunk', 'chunks'),
    countOf(report.packs, 'pack', 'packs'),
    countOf(report.journalRecords, 'journal record', 'journal records'),
  ];
  const lines = [`checked ${looked.join(', ')}`];
  const { blobs, bytes } = report.garbage;
  if (blobs > 0)
    lines.push(
      `${countOf(blobs, 'leftover blob', 'leftover blobs')} of interrupted puts, ${formatBytes(bytes)}: harmless`,
    );
  lines.push(...problemLines(report.problems, report.problemCount), OUTCOME_SENTENCE[report.outcome]);
  return lines.join('\n');
}

/** One line an invariant, then what violates them. */
function describeInvariants({ invariants, problems, problemCount, outcome }: CheckReport): string {
  const rows = invariants.map((one) => [one.name, outcomeText(one), formatCount(one.checked), one.reason ?? '']);
  return [
    formatTable(
      ['invariant', 'outcome', 'checked', ''],
      rows.map((row) => row.map(escapeControls)),
    ),
    ...problemLines(problems, problemCount),
    OUTCOME_SENTENCE[outcome],
  ].join('\n');
}

function outcomeText({ outcome, violationCount }: InvariantReport): string {
  return outcome === 'violated' ? `VIOLATED (${formatCount(violationCount)})` : outcome;
}

/** A check of a store that may not be written proves the same; it only cannot flag what it finds. */
async function openToCheck(session: Session): Promise<Store> {
  try {
    return await session.openStore();
  } catch (error) {
    if (!isStoreError(error, 'PERMISSION_DENIED', 'READ_ONLY')) throw error;
    return await session.openStore({ readOnly: true });
  }
}

/** @throws a usage error for a name that no invariant has */
async function chosen({ invariants }: CheckFlags): Promise<Pick<StoreCheckOptions, 'invariants'>> {
  if (invariants === undefined || invariants === true) return { ...(invariants && { invariants }) };
  const { CHECK_INVARIANTS } = await loadLibrary();
  const known = new Set<string>(CHECK_INVARIANTS.map(({ name }) => name));
  const unknown = invariants.find((name) => !known.has(name));
  if (unknown !== undefined)
    throw usageError(`there is no invariant "${unknown}": \`holdfast check --list-invariants\` lists them`);
  return { invariants: invariants as readonly InvariantName[] };
}

async function list(session: Session): Promise<void> {
  const { CHECK_INVARIANTS } = await loadLibrary();
  await session.result(CHECK_INVARIANTS, () =>
    formatTable(
      ['invariant', 'proven', 'what it says'],
      CHECK_INVARIANTS.map(({ name, summary, onRequest }) => [name, onRequest ? 'on request' : 'always', summary]),
    ),
  );
}

async function check(session: Session, flags: CheckFlags): Promise<void> {
  if (flags.listInvariants) return await list(session);
  const choice = await chosen(flags);
  using meter = new ProgressMeter(session, 'check');
  await using store = await openToCheck(session);
  const options = { ...choice, signal: session.signal, onProgress: followProgress(meter) };
  const report = await store.maintenance.check(options);
  meter.stop();
  await session.result(report, () => (choice.invariants ? describeInvariants(report) : describeCheck(report)));
  session.endWith(STATUS_OF_OUTCOME[report.outcome]);
}

const MORE = `
Examples:
  $ holdfast check
  $ holdfast check --invariants
  $ holdfast check --invariants live-bytes journal-chain

Exit status: 0 all proven, 6 damaged, 7 something could not be looked at.`;

/** Defines `holdfast check`. */
export function addCheck(program: Command, session: Session): void {
  program
    .command('check')
    .summary('prove that metadata and packs agree')
    .description('Proves every reference, every count and the presence of every pack. Content itself is not re-read.')
    .option('--invariants [name...]', 'tell of each invariant by its name: of these, or of every one')
    .option('--list-invariants', 'print what can be proven, one invariant a line, and check nothing')
    .addHelpText('after', MORE)
    .action((flags: CheckFlags) => check(session, flags));
}
