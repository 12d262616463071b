import type { Command } from 'commander';
import { EXIT_STATUS } from '../../errors/codes.ts';
import type { MigrationReport } from '../../index.ts';
import { loadLibrary } from '../library.ts';
import { followProgress, ProgressMeter } from '../progress/meter.ts';
import { openWithKeys } from '../secrets/opening.ts';
import type { Session } from '../session.ts';
import { locationAt } from '../store-location.ts';
import { formatBytes } from '../text/format-bytes.ts';
import { countOf, escapeControls, formatCount, shellWord } from '../text/format-text.ts';

interface MigrateFlags {
  readonly toDatabase?: string;
  readonly dryRun?: boolean;
}

function describe(session: Session, to: string, report: MigrationReport): string {
  const { dryRun, resumed, blobs, bytes, copiedBlobs, copiedBytes, entries, commit, problems = [] } = report;
  const there = blobs - copiedBlobs;
  const lines = [
    `${dryRun ? 'would copy' : 'copied'} ${countOf(copiedBlobs, 'blob', 'blobs')}, ${formatBytes(copiedBytes)}` +
      `${there > 0 ? `; ${formatCount(there)} of ${formatBytes(bytes - copiedBytes)} were there` : ''}`,
  ];
  if (dryRun)
    return [...lines, resumed ? 'would go on with a move that was interrupted' : 'would be a new move'].join('\n');
  if (entries !== undefined && commit !== undefined)
    lines.push(`${countOf(entries, 'entry', 'entries')} at commit ${formatCount(commit)}`);
  for (const { code, message } of problems) lines.push(`${code}: ${escapeControls(message)}`);
  lines.push(`the store is at ${session.shown(to)}`);
  const moved = report.from === report.to ? '' : ', then delete what is left where it was';
  return [...lines, `next: holdfast -s ${shellWord(to)} check${moved}`].join('\n');
}

async function migrate(session: Session, to: string, { toDatabase, dryRun = false }: MigrateFlags): Promise<void> {
  const from = await session.storeLocation();
  const target = locationAt(to, { option: toDatabase, variable: 'HOLDFAST_TO_DATABASE' });
  const { migrateStore } = await loadLibrary();
  using meter = new ProgressMeter(session, 'migrate');
  const options = { ...session.openOptions(), dryRun, onProgress: followProgress(meter) };
  const report = await openWithKeys(session, (keys) => migrateStore(from, target, { ...options, ...keys }));
  meter.stop();
  await session.result(report, () => describe(session, to, report));
  if ((report.problems ?? []).length > 0) session.endWith(EXIT_STATUS.corrupt);
}

const HELP_TAIL = `
Every blob is read back and compared, the metadata is made anew at the target, and the store stays what it is until all of
that is done. No process may have it open. When the move is interrupted, run the same command again: it goes on.

The database of the target is named by --to-database or HOLDFAST_TO_DATABASE, that of the store by --database or
HOLDFAST_DATABASE. With the folder or bucket of the store itself as target, only its metadata moves.

Examples:
  $ holdfast -s vault migrate s3://photos --to-database postgres://db.example/photos
  $ holdfast -s s3://photos --database postgres://db.example/photos migrate /mnt/vault
  $ holdfast -s vault migrate vault --to-database postgres://db.example/photos
  $ holdfast -s vault migrate --dry-run /mnt/larger/vault`;

/** Defines `holdfast migrate`. */
export function addMigrate(program: Command, session: Session): void {
  program
    .command('migrate')
    .summary('move the store to another folder or bucket, or its metadata')
    .description('Moves the store to another folder, or to a bucket with its metadata in PostgreSQL, and back.')
    .argument('<to>', 'an empty or absent folder, or an empty s3://bucket/prefix')
    .option('--to-database <url>', 'the metadata at the target: postgres://host/database?schema=name')
    .option('--dry-run', 'look at both ends, count what would be copied, and change nothing')
    .addHelpText('after', HELP_TAIL)
    .action((to: string, flags: MigrateFlags) => migrate(session, to, flags));
}
