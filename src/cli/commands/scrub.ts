import type { Command } from 'commander';
import { EXIT_STATUS } from '../../errors/codes.ts';
import { isStoreError } from '../../errors/store-error.ts';
import type {
  JobOutcome,
  OpenOptions,
  RepairReport,
  ScrubReport,
  ShardFinding,
  Store,
  VerifyReport,
} from '../../index.ts';
import { parseBytes, parsePercent, parseRate, parseSpan } from '../options.ts';
import { followProgress, ProgressMeter } from '../progress/meter.ts';
import type { Session } from '../session.ts';
import { formatBytes } from '../text/format-bytes.ts';
import { countOf, escapeControls, formatCount } from '../text/format-text.ts';

const FINDINGS_SHOWN_MAX = 30;

const STATUS_OF_OUTCOME: Readonly<Record<JobOutcome, number>> = {
  ok: 0,
  damaged: EXIT_STATUS.corrupt,
  partial: EXIT_STATUS.unavailable,
};

/** Options as they are typed. */
interface PaceFlags {
  readonly rate?: number;
  readonly budget?: number;
}

interface VerifyFlags extends PaceFlags {
  readonly percent?: number;
  readonly maxAge?: number;
  readonly dryRun?: boolean;
}

interface ScrubFlags extends VerifyFlags {
  readonly watch?: boolean;
}

interface RepairFlags extends PaceFlags {
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly readBack?: boolean;
}

function paceOf({ rate, budget }: PaceFlags) {
  return {
    ...(rate !== undefined && { bytesPerSecond: rate }),
    ...(budget !== undefined && { budgetBytes: budget }),
  };
}

function choiceOf({ percent, maxAge }: VerifyFlags) {
  return { ...(percent !== undefined && { percent }), ...(maxAge !== undefined && { maxAgeMs: maxAge }) };
}

function findingLines(findings: readonly ShardFinding[], count: number): readonly string[] {
  const shown = findings.slice(0, FINDINGS_SHOWN_MAX);
  const rest = count - shown.length;
  return [
    ...shown.map(({ code, message }) => `  ${code}: ${escapeControls(message)}`),
    ...(rest > 0 ? [`  and ${formatCount(rest)} more: --json lists the first thousand`] : []),
  ];
}

const VERIFY_SENTENCE: Readonly<Record<JobOutcome, string>> = {
  ok: 'ok: every shard that was due is what it should be',
  damaged: 'DAMAGED: `holdfast repair` gives back what can be made anew',
  partial: 'PARTIAL: not everything that was due was verified',
};

function describeVerify(report: VerifyReport): string {
  const { packs, packsTotal, shardsGood, shardsMissing, shardsCorrupt, shardsUnreachable, packsLost } = report;
  const sample = report.percent < 100 ? `, a sample of ${report.percent} % (seed ${report.seed})` : '';
  return [
    `verified ${formatCount(packs)} of ${countOf(packsTotal, 'pack', 'packs')}, ${formatBytes(report.bytesRead)}${sample}`,
    `shards: ${formatCount(shardsGood)} good, ${formatCount(shardsMissing)} missing, ` +
      `${formatCount(shardsCorrupt)} corrupt, ${formatCount(shardsUnreachable)} unreachable`,
    ...(packsLost > 0 ? [`${countOf(packsLost, 'pack has', 'packs have')} too few shards left`] : []),
    ...findingLines(report.findings, report.findingCount),
    VERIFY_SENTENCE[report.outcome],
  ].join('\n');
}

const REPAIR_SENTENCE: Readonly<Record<JobOutcome, string>> = {
  ok: 'ok: no pack lacks a shard that was to be repaired',
  damaged: 'DAMAGED: too few shards of some packs are left',
  partial: 'PARTIAL: some shards have to wait',
};

function describeRepair(report: RepairReport): string {
  const { dryRun, packs, packsRepaired, shardsMade, shardsFound, packsUnknown, packsElsewhere } = report;
  const done = dryRun ? 'would repair' : 'repaired';
  return [
    `${done} ${formatCount(packsRepaired)} of ${countOf(packs, 'pack', 'packs')}: ` +
      `${countOf(shardsMade, 'shard', 'shards')} made anew, ${formatCount(shardsFound)} found elsewhere, ` +
      `${formatBytes(report.bytesWritten)} written`,
    ...(packsUnknown > 0 ? [`${countOf(packsUnknown, 'pack', 'packs')} could not be looked for everywhere`] : []),
    ...(packsElsewhere > 0 ? [`${countOf(packsElsewhere, 'pack is', 'packs are')} left to another process`] : []),
    ...findingLines(report.findings, report.findingCount),
    REPAIR_SENTENCE[report.outcome],
  ].join('\n');
}

function describeScrub({ verified, repaired }: ScrubReport): string {
  return [describeVerify(verified), ...(repaired.packs > 0 ? [describeRepair(repaired)] : [])].join('\n');
}

/** A store that may not be written can be verified too; what is found is only told then. */
export async function openToVerify(
  session: Session,
  options: Pick<OpenOptions, 'readOnly' | 'logger'>,
): Promise<Store> {
  try {
    return await session.openStore({ heal: 'manual', ...options });
  } catch (error) {
    if (!isStoreError(error, 'PERMISSION_DENIED', 'READ_ONLY')) throw error;
    return await session.openStore({ ...options, readOnly: true });
  }
}

async function verify(session: Session, flags: VerifyFlags): Promise<void> {
  using meter = new ProgressMeter(session, 'verify');
  const dryRun = flags.dryRun === true;
  await using store = await openToVerify(session, { readOnly: dryRun });
  const options = { ...paceOf(flags), ...choiceOf(flags), dryRun, signal: session.signal };
  const report = await store.maintenance.verify({ ...options, onProgress: followProgress(meter) });
  meter.stop();
  await session.result(report, () => describeVerify(report));
  session.endWith(STATUS_OF_OUTCOME[report.outcome]);
}

async function scrub(session: Session, flags: ScrubFlags): Promise<void> {
  using meter = new ProgressMeter(session, 'scrub');
  await using store = await session.openStore({ heal: 'manual' });
  const { watch = false } = flags;
  const stop = new AbortController();
  const print = (report: ScrubReport): Promise<void> => session.result(report, () => describeScrub(report));
  const report = await store.maintenance.scrub({
    ...paceOf(flags),
    ...choiceOf(flags),
    ...{ watch, onProgress: followProgress(meter) },
    signal: AbortSignal.any([session.signal, stop.signal]),
    // Nobody reads any more: that is the end of a watch.
    onRound: (round) => void print(round).catch((error: unknown) => stop.abort(error)),
  });
  meter.stop();
  await print(report);
  session.endWith(STATUS_OF_OUTCOME[report.outcome]);
}

async function repair(session: Session, flags: RepairFlags): Promise<void> {
  using meter = new ProgressMeter(session, 'repair');
  const { all = false, dryRun = false } = flags;
  await using store = await session.openStore({ heal: 'manual', readOnly: dryRun });
  const report = await store.maintenance.repair({
    ...paceOf(flags),
    ...{ all, dryRun, signal: session.signal, onProgress: followProgress(meter) },
    readBack: flags.readBack ? 'whole' : 'frame',
  });
  meter.stop();
  await session.result(report, () => describeRepair(report));
  session.endWith(STATUS_OF_OUTCOME[report.outcome]);
}

const STATUS_HELP = '\nExit status: 0 all is well, 6 damage is left, 7 something was left out.';

function withPace(command: Command): Command {
  return command
    .option('--rate <size>', 'read no more than so much a second, such as 10MiB/s', parseRate)
    .option('--budget <size>', 'begin no further pack after so many bytes', parseBytes);
}

function withChoice(command: Command): Command {
  return withPace(command)
    .option('--percent <n>', 'a random sample of so many packs in a hundred', parsePercent)
    .option('--max-age <span>', 'pass over what was verified within, such as 7d', parseSpan);
}

/** Defines `holdfast verify`, `holdfast scrub` and `holdfast repair`. */
export function addScrub(program: Command, session: Session): void {
  withChoice(program.command('verify'))
    .summary('read every shard and hash it anew')
    .description(
      'Reads every shard on every backend and hashes it anew; nothing is decrypted. What was not verified for longest ' +
        'comes first. What is missing or corrupt is queued for repair.',
    )
    .option('--dry-run', 'write nothing: neither what was verified when, nor what is to be repaired')
    .addHelpText('after', STATUS_HELP)
    .action((flags: VerifyFlags) => verify(session, flags));
  withChoice(program.command('scrub'))
    .summary('verify, and repair what that finds')
    .description('Verifies, and repairs what that finds: once, or slowly and for ever.')
    .option('--watch', 'begin again and again, at 10 MiB/s and once a week for each shard unless told otherwise')
    .addHelpText('after', STATUS_HELP)
    .action((flags: ScrubFlags) => scrub(session, flags));
  withPace(program.command('repair'))
    .summary('make missing and corrupt shards anew')
    .description('Gives packs that lack shards what they lack, those closest to loss first.')
    .option('--all', 'look at every pack, not only at those known to lack shards')
    .option('--read-back', 'read every shard whole after it was put, not only what frames it')
    .option('--dry-run', 'only say what is to be done, and whether it can be')
    .addHelpText('after', STATUS_HELP)
    .action((flags: RepairFlags) => repair(session, flags));
}
