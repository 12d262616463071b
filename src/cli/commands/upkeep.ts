import type { Command } from 'commander';
import { EXIT_STATUS } from '../../errors/codes.ts';
import { isStoreError } from '../../errors/store-error.ts';
import type { CheckReport, DiagnosisReport, RebuildReport, Store } from '../../index.ts';
import { loadLibrary } from '../library.ts';
import { followProgress, ProgressMeter } from '../progress/meter.ts';
import { declaredKeys, openWithKeys } from '../secrets/opening.ts';
import type { Session } from '../session.ts';
import { formatBytes } from '../text/format-bytes.ts';
import { countOf, escapeControls } from '../text/format-text.ts';
import { problemLines } from '../text/problem-lines.ts';

/** Exit status of a doctor that found an error: nothing failed, but not all is well. */
const EXIT_UNHEALTHY = 1;

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

function describeRebuild(report: RebuildReport): string {
  const found = [
    countOf(report.entries, 'entry', 'entries'),
    countOf(report.chunks, 'chunk', 'chunks'),
    countOf(report.packs, 'pack', 'packs'),
  ];
  const lines = [`rebuilt ${found.join(', ')}, up to commit ${report.commit}`];
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

/** A check of a store that may not be written proves the same; it only cannot flag what it finds. */
async function openToCheck(session: Session): Promise<Store> {
  try {
    return await session.openStore();
  } catch (error) {
    if (!isStoreError(error, 'PERMISSION_DENIED', 'READ_ONLY')) throw error;
    return await session.openStore({ readOnly: true });
  }
}

async function check(session: Session): Promise<void> {
  using meter = new ProgressMeter(session, 'check');
  await using store = await openToCheck(session);
  const report = await store.maintenance.check({ signal: session.signal, onProgress: followProgress(meter) });
  meter.stop();
  await session.result(report, () => describeCheck(report));
  session.endWith(STATUS_OF_OUTCOME[report.outcome]);
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
  const location = await session.findStoreLocation();
  const { diagnoseStore } = await loadLibrary();
  // Never asked for: a store that nobody can open is what a doctor must be able to look at.
  const keys = await declaredKeys(session);
  const { signal, rollbackGuard } = session;
  const report = await diagnoseStore(location, { signal, rollbackGuard, ...(keys !== undefined && { keys }) });
  await session.result(report, () => describeDiagnosis(report));
  if (!report.healthy) session.endWith(EXIT_UNHEALTHY);
}

/** Defines `holdfast check`, `holdfast rebuild` and `holdfast doctor`. */
export function addUpkeep(program: Command, session: Session): void {
  program
    .command('check')
    .summary('prove that metadata and packs agree')
    .description('Proves every reference, every count and the presence of every pack. Content itself is not re-read.')
    .addHelpText('after', '\nExit status: 0 all proven, 6 damaged, 7 something could not be looked at.')
    .action(() => check(session));
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
