import type { Command } from 'commander';
import { EXIT_STATUS } from '../../errors/codes.ts';
import type { DiagnosisReport, RebuildReport } from '../../index.ts';
import { loadLibrary } from '../library.ts';
import { followProgress, ProgressMeter } from '../progress/meter.ts';
import { declaredKeys, openWithKeys } from '../secrets/opening.ts';
import type { Session } from '../session.ts';
import { countOf, escapeControls } from '../text/format-text.ts';
import { problemLines } from '../text/problem-lines.ts';

/** Exit status of a doctor that found an error: nothing failed, but not all is well. */
const EXIT_UNHEALTHY = 1;

function describeRebuild(report: RebuildReport): string {
  const found = [
    countOf(report.entries, 'entry', 'entries'),
    countOf(report.chunks, 'chunk', 'chunks'),
    countOf(report.packs, 'pack', 'packs'),
  ];
  const from = report.checkpoint === undefined ? '' : `, from the checkpoint at commit ${report.checkpoint} on`;
  const lines = [`rebuilt ${found.join(', ')}, up to commit ${report.commit}${from}`];
  if (report.setAside !== undefined) lines.push(`the old metadata is kept in ${escapeControls(report.setAside)}`);
  return [...lines, ...problemLines(report.problems, report.problems.length)].join('\n');
}

function describeDiagnosis(report: DiagnosisReport): string {
  const width = Math.max(0, ...report.findings.map(({ subject }) => subject.length));
  const lines = report.findings.flatMap(({ subject, status, message, advice }) => [
    `${status.padEnd(7)}  ${subject.padEnd(width)}  ${escapeControls(message)}`,
    ...(advice === undefined ? [] : [`${' '.repeat(11 + width)}${escapeControls(advice)}`]),
  ]);
  return [...lines, report.healthy ? 'healthy' : 'NOT HEALTHY'].join('\n');
}

async function rebuild(session: Session): Promise<void> {
  const location = await session.storeLocation();
  using meter = new ProgressMeter(session, 'rebuild');
  const { rebuildStore } = await loadLibrary();
  const options = { ...session.openOptions(), onProgress: followProgress(meter) };
  const report = await openWithKeys(session, (keys) => rebuildStore(location, { ...options, ...keys }));
  meter.stop();
  await session.result(report, () => describeRebuild(report));
  if (report.problems.length > 0) session.endWith(EXIT_STATUS.corrupt);
}

async function doctor(session: Session): Promise<void> {
  const path = await session.findStorePath();
  const { diagnoseStore } = await loadLibrary();
  // Never asked for: a store that nobody can open is what a doctor must be able to look at.
  const keys = await declaredKeys(session);
  const { rollbackGuard } = session;
  const report = await diagnoseStore(path && session.locationOf(path), {
    ...session.reachOptions(),
    rollbackGuard,
    ...(keys !== undefined && { keys }),
  });
  await session.result(report, () => describeDiagnosis(report));
  if (!report.healthy) session.endWith(EXIT_UNHEALTHY);
}

/** Defines `holdfast rebuild` and `holdfast doctor`. */
export function addUpkeep(program: Command, session: Session): void {
  program
    .command('rebuild')
    .summary('make the metadata anew from the packs')
    .description(
      'Makes the metadata anew from journal and packs; chunk data is never read. The old file is kept aside.',
    )
    .addHelpText('after', '\nNo other process may have the store open. Exit status 6 when packs are gone.')
    .action(() => rebuild(session));
  program
    .command('doctor')
    .summary('look at Node, the disk and the store')
    .description('Looks at Node, the platform, the disk and the store, and says what to do about what it finds.')
    .addHelpText('after', '\nWorks without a store too. Exit status 1 when something is wrong.')
    .action(() => doctor(session));
}
