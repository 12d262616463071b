import type { Command } from 'commander';
import { EXIT_STATUS } from '../../errors/codes.ts';
import type { CompactReport, ExportReport, FileInfo, SalvageReport } from '../../index.ts';
import { loadLibrary } from '../library.ts';
import { followProgress, ProgressMeter } from '../progress/meter.ts';
import type { Session } from '../session.ts';
import { formatFields } from '../text/fields.ts';
import { formatBytes } from '../text/format-bytes.ts';
import { countOf, escapeControls, formatCount, shellWord } from '../text/format-text.ts';

interface DryRunFlags {
  readonly dryRun?: boolean;
}

/** Damaged blobs that a screen holds; --json has all. */
const DAMAGED_SHOWN_MAX = 30;

function describeInfo(info: FileInfo): string {
  const { pages, usedPages, freePages, pageBytes, capacityBytes } = info;
  const pagesText = (count: number): string => `${formatCount(count)} (${formatBytes(count * pageBytes)})`;
  return formatFields([
    ['file', escapeControls(info.path)],
    ['capacity', capacityBytes === undefined ? 'grows' : formatBytes(capacityBytes)],
    ['size', formatBytes(info.fileBytes)],
    ['block size', `${formatBytes(info.blockBytes)}, in pages of ${formatBytes(pageBytes)}`],
    ['pages', pagesText(pages)],
    ['used', `${pagesText(usedPages)}, ${info.utilizationPercent.toFixed(1)} %`],
    ['free', pagesText(freePages)],
    ['can be put', formatBytes(info.freeBytes)],
    ['blobs', `${formatCount(info.blobs)} (${formatBytes(info.blobBytes)})`],
  ]);
}

function describeSalvage(report: SalvageReport, dryRun: boolean): string {
  const { blobs, bytes, damaged } = report;
  const found = `${countOf(blobs, 'blob', 'blobs')}, ${formatBytes(bytes)}`;
  const lines = [dryRun ? `would salvage ${found}` : `salvaged ${found} to ${escapeControls(report.path)}`];
  for (const { key, rows, rowsFound, replacedByOlder } of damaged.slice(0, DAMAGED_SHOWN_MAX)) {
    const what = replacedByOlder ? 'an older version was taken' : 'left out';
    lines.push(`  not whole: ${escapeControls(key)} (${rowsFound} of ${countOf(rows, 'row', 'rows')} found): ${what}`);
  }
  const rest = damaged.length - DAMAGED_SHOWN_MAX;
  if (rest > 0) lines.push(`  and ${formatCount(rest)} more: --json lists all`);
  if (!dryRun) lines.push(`next: holdfast -s ${shellWord(report.path)} rebuild`);
  return lines.join('\n');
}

async function info(session: Session, file: string | undefined): Promise<void> {
  const { fileInfo } = await loadLibrary();
  const found = await fileInfo(file ?? (await session.storePath()), { signal: session.signal });
  await session.result(found, () => describeInfo(found));
}

async function compact(session: Session, file: string | undefined, { dryRun = false }: DryRunFlags): Promise<void> {
  const { compactFile } = await loadLibrary();
  const path = file ?? (await session.storePath());
  using meter = new ProgressMeter(session, 'compact');
  const onProgress = followProgress(meter);
  const report: CompactReport = await compactFile(path, { signal: session.signal, onProgress, dryRun });
  meter.stop();
  const text = `${formatBytes(report.freedBytes)}: ${formatBytes(report.bytesBefore)} to ${formatBytes(report.bytesAfter)}`;
  await session.confirm(dryRun ? { ...report, dryRun } : report, () =>
    dryRun ? `would give back ${text}` : `gave back ${text}`,
  );
}

async function exportCopy(session: Session, file: string, to: string): Promise<void> {
  const { exportFile } = await loadLibrary();
  using meter = new ProgressMeter(session, 'export');
  const options = { signal: session.signal, onProgress: followProgress(meter) };
  const report: ExportReport = await exportFile(file, to, options);
  meter.stop();
  await session.confirm(report, () => `copied ${formatBytes(report.bytes)} to ${session.shown(to)}`);
}

async function salvage(
  session: Session,
  files: { readonly file: string; readonly to: string },
  { dryRun = false }: DryRunFlags,
): Promise<void> {
  const { salvageFile } = await loadLibrary();
  using meter = new ProgressMeter(session, 'salvage');
  const options = { signal: session.signal, onProgress: followProgress(meter), dryRun };
  const report = await salvageFile(files.file, files.to, options);
  meter.stop();
  await session.result(dryRun ? { ...report, dryRun } : report, () => describeSalvage(report, dryRun));
  if (report.damaged.length > 0) session.endWith(EXIT_STATUS.corrupt);
}

const EXAMPLES = `
None of these needs what opens the store. FILE is the store named by -s where it may be left away.

Examples:
  $ holdfast init backup.hold --capacity 10GiB
  $ holdfast vault info backup.hold
  $ holdfast vault export backup.hold /mnt/usb/backup.hold
  $ holdfast vault salvage damaged.hold rescued.hold`;

/** Defines `holdfast vault` and its commands. */
export function addSingleFile(program: Command, session: Session): void {
  const group = program
    .command('vault')
    .summary('look after a store in one file')
    .description('Looks after a store in one file: how it is used, giving back space, copies, and rescue.')
    .addHelpText('after', EXAMPLES);
  group
    .command('info')
    .description('Prints how the space in the file is used.')
    .argument('[file]', 'the file')
    .action((file: string | undefined) => info(session, file));
  group
    .command('compact')
    .description('Gives free pages back to the disk, in steps, while others use the store. Ctrl-C keeps what was done.')
    .argument('[file]', 'the file')
    .option('--dry-run', 'only tell how much that would be')
    .action((file: string | undefined, flags: DryRunFlags) => compact(session, file, flags));
  group
    .command('export')
    .description('Makes a copy while others use the store: one state of it, a whole store.')
    .argument('<file>', 'the file')
    .argument('<target>', 'the copy; there must be nothing')
    .action((file: string, to: string) => exportCopy(session, file, to));
  group
    .command('salvage')
    .description('Gets out of a damaged file every blob that is whole. The file is not written to.')
    .argument('<file>', 'the damaged file')
    .argument('<target>', 'where the blobs go: a new file that ends in .hold, or a new folder')
    .option('--dry-run', 'only tell what is found')
    .addHelpText(
      'after',
      '\nThen `holdfast -s TARGET rebuild` makes a store of them. Exit status 6 when a blob is not whole.',
    )
    .action((file: string, to: string, flags: DryRunFlags) => salvage(session, { file, to }, flags));
}
