import type { Command } from 'commander';
import { EXIT_STATUS } from '../../errors/codes.ts';
import type { GcReport, JobOutcome } from '../../index.ts';
import { parseBytes, parsePercent, parseSpan } from '../options.ts';
import { followProgress, ProgressMeter } from '../progress/meter.ts';
import type { Session } from '../session.ts';
import { formatBytes } from '../text/format-bytes.ts';
import { countOf, escapeControls, formatCount } from '../text/format-text.ts';

const PROBLEMS_SHOWN_MAX = 30;

interface GcFlags {
  readonly dryRun?: boolean;
  readonly time?: number;
  readonly budget?: number;
  readonly wait?: number;
  readonly grace?: number;
  readonly deadShare?: number;
  readonly recount?: boolean;
  readonly checkpoint?: boolean;
}

const STATUS_OF_OUTCOME: Readonly<Record<JobOutcome, number>> = {
  ok: 0,
  damaged: EXIT_STATUS.corrupt,
  partial: EXIT_STATUS.unavailable,
};

const SENTENCE: Readonly<Record<JobOutcome, string>> = {
  ok: 'ok: there is nothing more to give back',
  damaged:
    'DAMAGED: nothing was deleted that what cannot be read might need; `holdfast repair`, or delete what is named',
  partial: 'PARTIAL: more can be given back later',
};

function freedLine(report: GcReport): string {
  const { dryRun, bytesFreed, leakedBytes, packsRemoved, packsWritten, itemsRemoved, objectsRemoved } = report;
  const would = dryRun ? 'would give' : 'gave';
  const packs = `${countOf(packsRemoved, 'pack', 'packs')} deleted${dryRun ? '' : `, ${formatCount(packsWritten)} written`}`;
  const items = dryRun ? [] : [countOf(itemsRemoved, 'chunk or node', 'chunks and nodes')];
  const what = [...items, countOf(objectsRemoved, 'object', 'objects'), packs].join(', ');
  return `${would} back ${formatBytes(bytesFreed + leakedBytes)}: ${what}`;
}

function describe(report: GcReport): string {
  const { leakedPacks, objectsInGrace, bytesLeftDead, fenced, waitingFor, problems, left } = report;
  const { dryRun, checkpoint, journalPacksRemoved, journalBytesFreed } = report;
  const shown = problems.slice(0, PROBLEMS_SHOWN_MAX);
  const lines: readonly (string | false)[] = [
    freedLine(report),
    leakedPacks > 0 && `${countOf(leakedPacks, 'pack', 'packs')} that no commit knows`,
    objectsInGrace > 0 && `${countOf(objectsInGrace, 'object', 'objects')} without a ref stay for now: see --grace`,
    bytesLeftDead > 0 && `${formatBytes(bytesLeftDead)} dead in packs that are mostly needed: see --dead-share`,
    checkpoint > 0 && `${dryRun ? 'would write a' : 'a'} checkpoint at commit ${checkpoint}: a rebuild begins with it`,
    journalPacksRemoved > 0 &&
      `${countOf(journalPacksRemoved, 'pack', 'packs')} of the journal that no rebuild needs: ${formatBytes(journalBytesFreed)}`,
    fenced > 0 && `${countOf(fenced, 'process', 'processes')} taken for dead`,
    ...waitingFor.map(
      ({ process, session }) => `waiting for ${process === '' ? `session ${session}` : escapeControls(process)}`,
    ),
    ...left.map((one) => `left: ${escapeControls(one)}`),
    ...shown.map(({ code, message }) => `  ${code}: ${escapeControls(message)}`),
    problems.length > shown.length && `  and ${formatCount(problems.length - shown.length)} more: see --json`,
    SENTENCE[report.outcome],
  ];
  return lines.filter((line) => line !== false).join('\n');
}

async function gc(session: Session, flags: GcFlags): Promise<void> {
  using meter = new ProgressMeter(session, 'gc');
  await using store = await session.openStore({ heal: 'manual', gc: 'manual' });
  const report = await store.maintenance.gc({
    ...{ dryRun: flags.dryRun === true, recount: flags.recount === true, checkpoint: flags.checkpoint === true },
    ...(flags.time !== undefined && { timeMs: flags.time }),
    ...(flags.budget !== undefined && { bytesMax: flags.budget }),
    ...(flags.wait !== undefined && { waitMs: flags.wait }),
    ...(flags.grace !== undefined && { graceMs: flags.grace }),
    ...(flags.deadShare !== undefined && { deadShare: flags.deadShare / 100 }),
    ...{ signal: session.signal, onProgress: followProgress(meter) },
  });
  meter.stop();
  await session.result(report, () => describe(report));
  session.endWith(STATUS_OF_OUTCOME[report.outcome]);
}

/** Defines `holdfast gc`. */
export function addGc(program: Command, session: Session): void {
  program
    .command('gc')
    .summary('give back the space of what nothing refers to')
    .description(
      'Deletes what no entry, version, snapshot or ref needs any more, beside whoever else works with the store. ' +
        'Stopped at any point, it goes on where it was when it is called again.',
    )
    .option('--dry-run', 'only say what would be given back')
    .option('--time <span>', 'work no longer than this, such as 90s', parseSpan)
    .option('--budget <size>', 'write no more than so much while packs are compacted', parseBytes)
    .option('--wait <span>', 'wait so long for operations that may count on what is to go (default 10s)', parseSpan)
    .option('--grace <span>', 'keep objects without a ref so long after they were put (default 14d)', parseSpan)
    .option('--dead-share <n>', 'write a pack anew when so many hundredths of it are dead (default 25)', parsePercent)
    .option('--recount', 'count all references anew')
    .option('--checkpoint', 'write a checkpoint of the journal, although none may be due yet')
    .addHelpText('after', '\nExit status: 0 all is done, 6 something cannot be read, 7 more can be given back later.')
    .action((flags: GcFlags) => gc(session, flags));
}
